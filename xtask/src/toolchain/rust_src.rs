//! The standard library's source: MIPS has no ready-made std, so it is built with the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{host, sh};

/// Where Debian may have the package `rust-src` of a rustc that its own release is too old for.
const SUITES: [&str; 3] = ["trixie-backports", "testing", "unstable"];

/// Sees to it that the rustc in use has its own std's source: from rustup, else from the folder that
/// `DIAG_CACHE` names, else from Debian.
pub(crate) fn rust_src() -> Result<()> {
    let home = super::sysroot()?.join("lib/rustlib/src/rust");
    let library = home.join("library");
    if library.join("Cargo.lock").exists() {
        return Ok(());
    }
    let version = super::rustc("release")?;
    if from_rustup() && library.join("Cargo.lock").exists() {
        return Ok(());
    }
    fs::create_dir_all(&home).with_context(|| {
        format!("the source of std {version} is missing, and {} cannot be written", home.display())
    })?;
    sh::build_dir(&library, |new| match sh::cached(&format!("rust-library-{version}.tar.xz")) {
        Some(archive) => from_archive(&archive, new),
        None => from_debian(&version, new),
    })
    .with_context(|| format!("no source of std {version}; `rustup component add rust-src` brings it"))?;
    Ok(())
}

fn from_rustup() -> bool {
    if !sh::on_path("rustup") {
        return false;
    }
    sh::say("rustup component add rust-src");
    let mut rustup = Command::new("rustup");
    rustup.args(["component", "add", "rust-src"]).current_dir(sh::root());
    match sh::run(&mut rustup) {
        Ok(()) => true,
        Err(error) => {
            sh::say(format!("{error}; looking elsewhere"));
            false
        }
    }
}

/// Unpacks `library/` of an archive as the folder `library`.
fn from_archive(archive: &Path, library: &Path) -> Result<()> {
    sh::say(format!("the source of std: from {}", archive.display()));
    host::ensure(&[("tar", "tar"), ("xz", "xz-utils")])?;
    let mut tar = Command::new("tar");
    tar.arg("-xJf").arg(archive).arg("-C").arg(library).args(["--no-same-owner", "--strip-components=1"]);
    sh::run(tar.arg("library"))
}

/// Debian's package of the same version, fetched with a package list of its own: the computer's apt
/// configuration stays as it is.
fn from_debian(version: &str, library: &Path) -> Result<()> {
    host::ensure(&[("apt-get", "apt"), ("dpkg-deb", "dpkg")])?;
    let apt = Apt::new()?;
    let mut update = apt.command("apt-get");
    // A suite that the mirror no longer has is no reason to stop: the next one may have the package.
    let _ = sh::run(update.args(["-qq", "update"]));
    let offered = sh::output(apt.command("apt-cache").args(["madison", "rust-src"]))?;
    let package = offered
        .lines()
        .filter_map(|line| line.split('|').nth(1).map(str::trim))
        .find(|offer| offer.strip_prefix(version).is_some_and(|rest| rest.starts_with(['+', '-'])))
        .with_context(|| format!("Debian's {} have no rust-src {version}", SUITES.join(", ")))?;
    sh::say(format!("the source of std: Debian's rust-src {package}"));
    let mut download = apt.command("apt-get");
    sh::run(download.args(["-qq", "download", &format!("rust-src={package}")]))?;
    unpack(&apt.dir, library)
}

/// Moves `library` out of the package that lies in `dir`, and removes the rest.
fn unpack(dir: &Path, library: &Path) -> Result<()> {
    let deb = fs::read_dir(dir)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|end| end == "deb"))
        .with_context(|| format!("apt-get left no package in {}", dir.display()))?;
    let source = dir.join("unpacked");
    sh::run(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&source))?;
    let tree = fs::read_dir(source.join("usr/src"))?.next().context("an empty rust-src package")??.path();
    let mut copy = Command::new("cp");
    sh::run(copy.arg("-a").arg(tree.join("library/.")).arg(library))?;
    fs::remove_dir_all(dir).with_context(|| format!("remove {}", dir.display()))
}

/// An apt of our own under target, with the mirror and the keys of the computer's.
struct Apt {
    dir: PathBuf,
}

impl Apt {
    fn new() -> Result<Apt> {
        let dir = sh::target("tools/apt")?;
        fs::remove_dir_all(&dir)?;
        for part in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(dir.join(part))?;
        }
        let mirror = Apt::mirror()?;
        let lines = SUITES.map(|suite| format!("deb {mirror} {suite} main\n"));
        fs::write(dir.join("sources.list"), lines.concat())?;
        Ok(Apt { dir })
    }

    /// Where this computer takes Debian's packages from.
    fn mirror() -> Result<String> {
        let mut targets = Command::new("apt-get");
        targets.args(["indextargets", "--format", "$(COMPONENT) $(REPO_URI)"]);
        let targets = sh::output(targets.arg("Created-By: Packages"))?;
        let mirror = targets
            .lines()
            .filter_map(|line| line.strip_prefix("main "))
            .find(|uri| uri.trim_end_matches('/').ends_with("/debian"));
        Ok(mirror.context("apt knows no mirror of Debian on this computer")?.to_owned())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let dir = self.dir.display();
        for option in [
            format!("Dir::State={dir}/state"),
            format!("Dir::Cache={dir}/cache"),
            format!("Dir::Etc::SourceList={dir}/sources.list"),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            "Dir::Etc::PreferencesParts=/dev/null".to_owned(),
            // The user `_apt` cannot enter the folder of a project in somebody's home.
            "APT::Sandbox::User=root".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command.current_dir(&self.dir);
        command
    }
}
