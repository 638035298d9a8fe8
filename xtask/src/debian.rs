//! Debian packages of other architectures, and sources, unpacked under target/debian/ without installing
//! them: kernels with an FPU, C libraries, BusyBox, musl.
//!
//! A private apt keeps its lists there. It asks the Debian mirror that this computer is set up for, so no
//! host name stands in this project; `DIAG_DEBIAN` names another one, or one where there is none.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::scratch::Scratch;
use crate::{host, sh};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The folder into which these packages of `arch` are unpacked, one over the other; downloads them once.
/// A name may be a regular expression: it stands for the one package whose name it matches with the highest
/// version number in it (`^linux-image-[0-9].*-4kc-malta$`).
pub(crate) fn fetch(arch: &str, packages: &[&str]) -> Result<PathBuf> {
    fetch_into(arch, arch, usual_suites(arch), packages)
}

/// The same of one release for this computer's own architecture, whatever release this computer has.
pub(crate) fn fetch_from(suite: &str, packages: &[&str]) -> Result<PathBuf> {
    fetch_into(suite, &native_arch()?, &[suite], packages)
        .with_context(|| format!("Debian's {suite}: DIAG_DEBIAN=URL names a mirror that has it"))
}

/// A root folder of one release and architecture: these packages and all that they depend on, unpacked as a system has
/// them, whose /bin and /lib are links to folders of /usr. Their scripts have not run. Downloads them once.
pub(crate) fn fetch_for(suite: &str, arch: &str, packages: &[&str]) -> Result<PathBuf> {
    let place = format!("{suite}-{arch}");
    let base = sh::target(&format!("debian/{place}"))?;
    let dir = base.join(format!("root-{}", sh::digest(packages.join(" "))));
    if dir.is_dir() {
        return Ok(dir);
    }
    host::ensure(&[("dpkg-deb", "dpkg"), (KEYRING, "debian-archive-keyring")])?;
    let apt = Apt::open(&place, arch, &[suite])?;
    let made = sh::build_dir(&dir, |new| {
        let scratch = Scratch::open("download")?;
        fs::create_dir(scratch.path().join("partial")).context("create a folder for the download")?;
        apt.with_lists(|| {
            sh::say(format!("download {} and more for {arch} from Debian's {suite}", packages.join(", ")));
            let mut install = apt.get("install");
            install.args(["--download-only", "--no-install-recommends", "-o"]);
            sh::run(install.arg(format!("Dir::Cache::archives={}", scratch.path().display())).args(packages))
        })?;
        let packages = files_ending(scratch.path(), ".deb")?;
        unpack_merged(&packages, new)
    });
    made.with_context(|| format!("Debian's {suite}: DIAG_DEBIAN=URL names a mirror that has it"))
}

/// The versions of packages in a release, as its Packages file has them.
pub(crate) fn versions(suite: &str, arch: &str, packages: &[&str]) -> Result<Vec<String>> {
    let apt = Apt::open(&format!("{suite}-{arch}"), arch, &[suite])?;
    let found = std::cell::RefCell::new(String::new());
    apt.with_lists(|| {
        let shown = sh::output(apt.command("apt-cache").arg("show").args(packages))?;
        found.replace(shown);
        Ok(())
    })?;
    let found = found.into_inner();
    let mut versions = Vec::new();
    for package in packages {
        let paragraph = found.split("\n\n").find(|text| text.contains(&format!("Package: {package}\n")));
        let version = paragraph.and_then(|text| text.lines().find_map(|line| line.strip_prefix("Version: ")));
        versions.push(version.with_context(|| format!("{suite} has no {package} for {arch}"))?.to_owned());
    }
    Ok(versions)
}

/// Folders of the root that are links to those of /usr. Of the last ones an architecture has what it needs.
const MERGED: [&str; 7] = ["bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"];

fn unpack_merged(packages: &[PathBuf], root: &Path) -> Result<()> {
    for name in MERGED {
        fs::create_dir_all(root.join("usr").join(name))?;
        symlink(format!("usr/{name}"), root.join(name))?;
    }
    for package in packages {
        let mut files =
            Command::new("dpkg-deb").arg("--fsys-tarfile").arg(package).stdout(Stdio::piped()).spawn()?;
        let archive = files.stdout.take().context("no output of dpkg-deb")?;
        let mut tar = Command::new("tar");
        let unpacked = tar.args(["-x", "--keep-directory-symlink", "-C"]).arg(root).stdin(archive).status();
        let read = files.wait()?;
        ensure!(unpacked?.success() && read.success(), "{} cannot be unpacked", package.display());
    }
    for name in MERGED {
        // A folder that holds nothing is not there in a system.
        if fs::remove_dir(root.join("usr").join(name)).is_ok() {
            fs::remove_file(root.join(name))?;
        }
    }
    Ok(())
}

fn fetch_into(place: &str, arch: &str, suites: &[&str], packages: &[&str]) -> Result<PathBuf> {
    let base = sh::target(&format!("debian/{place}"))?;
    let dir = base.join(folder_name(packages));
    if dir.is_dir() {
        return Ok(dir);
    }
    host::ensure(&[("dpkg-deb", "dpkg"), (KEYRING, "debian-archive-keyring")])?;
    let apt = Apt::open(place, arch, suites)?;
    sh::build_dir(&dir, |new| {
        let scratch = Scratch::open("download")?;
        apt.with_lists(|| {
            let names = packages.iter().map(|p| apt.resolve(p)).collect::<Result<Vec<_>>>()?;
            sh::say(format!("download {} for {arch} from Debian's {}", names.join(", "), suites.join(", ")));
            sh::run(apt.get("download").args(names).current_dir(scratch.path()))
        })?;
        for package in files_ending(scratch.path(), ".deb")? {
            sh::run(Command::new("dpkg-deb").arg("-x").arg(package).arg(new))?;
        }
        Ok(())
    })
}

/// Debian's static BusyBox for an architecture.
pub(crate) fn busybox(arch: &str) -> Result<PathBuf> {
    let package = fetch(arch, &["busybox-static"])?;
    // A release before the merge of /bin with /usr/bin, or one after it.
    let places = ["bin/busybox", "usr/bin/busybox"].map(|place| package.join(place));
    places.into_iter().find(|file| file.is_file()).with_context(|| format!("no BusyBox for {arch}"))
}

/// The unpacked and patched source of a Debian source package; downloads it once.
pub(crate) fn source(package: &str) -> Result<PathBuf> {
    let base = sh::target("debian/source")?;
    let dir = base.join(package);
    if dir.is_dir() {
        return Ok(dir);
    }
    host::ensure(&[("dpkg-source", "dpkg-dev"), (KEYRING, "debian-archive-keyring")])?;
    let apt = Apt::open("source", "source", usual_suites("source"))?;
    sh::say(format!("download the source of {package} from Debian"));
    sh::build_dir(&dir, |new| {
        let scratch = Scratch::open("download")?;
        apt.with_lists(|| {
            sh::run(apt.get("source").args(["--download-only", package]).current_dir(scratch.path()))
        })?;
        let description = files_ending(scratch.path(), ".dsc")?.pop().context("apt left no .dsc file")?;
        fs::remove_dir(new)?; // dpkg-source insists on making it
        let mut unpack = Command::new("dpkg-source");
        sh::run(unpack.args(["--no-check", "--no-copy", "-q", "-x"]).arg(description).arg(new))
    })
}

/// One architecture's or release's private apt.
struct Apt {
    dir: PathBuf,
}

impl Apt {
    /// `place` is its folder, `arch` a Debian architecture, or "source".
    fn open(place: &str, arch: &str, suites: &[&str]) -> Result<Self> {
        let apt = Self { dir: sh::target(&format!("debian/{place}/.apt"))? };
        for dir in ["state/lists/partial", "cache/archives/partial", "etc"] {
            fs::create_dir_all(apt.dir.join(dir))?;
        }
        fs::write(apt.dir.join("status"), "")?;
        fs::write(apt.dir.join("etc/sources.list"), sources(arch, suites, &mirror()?))?;
        fs::write(apt.dir.join("apt.conf"), apt.configuration(arch)?)?;
        Ok(apt)
    }

    /// Everything private but how to reach the network (a proxy, say): that is this computer's. No index of the packages
    /// is kept: 70 MB for each architecture and release, and made in half a second.
    fn configuration(&self, arch: &str) -> Result<String> {
        let arch = if arch == "source" { native_arch()? } else { arch.to_owned() };
        let acquire = sh::output(Command::new("apt-config").args(["dump", "Acquire"]))?;
        // Icons for a software centre are not wanted.
        let network = |line: &&str| !line.starts_with("Acquire::IndexTargets");
        let acquire = acquire.lines().filter(network).collect::<Vec<_>>().join("\n");
        let dir = self.dir.display();
        Ok(format!(
            "{acquire}\nDir \"{dir}/\";\nDir::State \"{dir}/state/\";\nDir::State::status \"{dir}/status\";\n\
             Dir::Cache \"{dir}/cache/\";\nDir::Cache::pkgcache \"\";\nDir::Cache::srcpkgcache \"\";\nDir::Etc \"{dir}/etc/\";\nDir::Etc::parts \"/dev/null\";\n\
             Dir::Etc::preferencesparts \"/dev/null\";\nAPT::Architecture \"{arch}\";\n\
             APT::Architectures {{ \"{arch}\"; }};\nAPT::Sandbox::User \"root\";\n\
             Acquire::Languages \"none\";\nAcquire::Retries \"3\";\n"
        ))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", self.dir.join("apt.conf"));
        command
    }

    fn get(&self, verb: &str) -> Command {
        let mut command = self.command("apt-get");
        command.args(["-qq", verb]);
        command
    }

    /// Does something for which apt's lists must be there, and once more with fresh ones if they are too old
    /// to serve.
    fn with_lists(&self, attempt: impl Fn() -> Result<()>) -> Result<()> {
        // apt does not wait for another of itself.
        let _alone = sh::alone(&self.dir);
        let updated = self.dir.join("updated");
        if updated.exists() && attempt().is_ok() {
            return Ok(());
        }
        // A mirror that is being updated may lack the list of one suite; what is wanted may be in another's.
        match sh::run(&mut self.get("update")) {
            Ok(()) => {
                fs::write(updated, "").context("note that apt's lists are there")?;
                attempt()
            }
            Err(error) => attempt().map_err(|_| error),
        }
    }

    /// A package's name as it stands, or the newest match of a regular expression.
    fn resolve(&self, name: &str) -> Result<String> {
        if name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
            return Ok(name.to_owned());
        }
        let found = sh::output(self.command("apt-cache").args(["search", "--names-only", name]))?;
        let names = found.lines().filter_map(|line| line.split_whitespace().next());
        let newest = names.max_by_key(|name| numbers(name));
        Ok(newest.with_context(|| format!("no Debian package matches {name}"))?.to_owned())
    }
}

/// The numbers in a package's name, to tell 6.1.0-9 from 6.1.0-50.
fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// The last release with 32-bit and 64-bit little-endian MIPS, and its backports for newer kernel sources; the
/// next one for riscv64, which begins there, or what will be the one after.
fn usual_suites(arch: &str) -> &'static [&'static str] {
    match arch {
        "riscv64" => &["trixie", "sid"],
        _ => &["bookworm", "bookworm-backports"],
    }
}

fn sources(arch: &str, suites: &[&str], mirror: &str) -> String {
    let kind = if arch == "source" { "deb-src" } else { "deb" };
    let line = |suite: &&str| format!("{kind} [signed-by={KEYRING}] {mirror} {suite} main\n");
    suites.iter().map(line).collect()
}

/// The Debian mirror of this computer's apt.
fn mirror() -> Result<String> {
    if let Ok(mirror) = env::var("DIAG_DEBIAN") {
        return Ok(mirror);
    }
    if let Some(mirror) = known_mirror()? {
        return Ok(mirror);
    }
    sh::say("apt-get update: apt has no lists yet");
    sh::run(Command::new("apt-get").args(["-qq", "update"]))?;
    known_mirror()?.context("apt knows no Debian mirror; DIAG_DEBIAN=URL names one")
}

fn known_mirror() -> Result<Option<String>> {
    let mut query = Command::new("apt-get");
    query.args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
    let targets = sh::output(query.args(["Origin: Debian", "Label: Debian"]))?;
    Ok(targets.lines().next().map(str::to_owned))
}

fn native_arch() -> Result<String> {
    Ok(sh::output(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned())
}

fn files_ending(dir: &Path, end: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(end) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The packages' names as the name of one folder.
fn folder_name(packages: &[&str]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    packages.join("+").replace(|c: char| !plain(c), "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_abi_number_wins() {
        let names = ["linux-image-6.1.0-9-4kc-malta", "linux-image-6.1.0-50-4kc-malta"];
        assert_eq!(names.iter().max_by_key(|name| numbers(name)), Some(&names[1]));
    }

    #[test]
    #[ignore = "downloads 10 MB from Debian"]
    fn packages_of_other_architectures_and_releases_are_unpacked_into_one_folder() {
        let mipsel = fetch("mipsel", &["libc6", "v2ray"]).unwrap();
        assert!(
            mipsel.join("lib/mipsel-linux-gnu/ld.so.1").exists() && mipsel.join("usr/bin/v2ray").exists()
        );
        let riscv = fetch("riscv64", &["libc6"]).unwrap();
        assert!(riscv.join("usr/lib/riscv64-linux-gnu/libc.so.6").exists());
    }
}
