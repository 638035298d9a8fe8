//! Programs and libraries, whole and broken on purpose, in a root folder of Debian's musl: what its loader says of each
//! and does with it, against what diag says. `cargo test --test linking` is the same for this computer's glibc.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use oracle::linking;
use oracle::linking::host::{Family, Host};
use oracle::tally::Tally;

use super::Job;
use crate::{debian, host, sh};

const LOADER: &str = "/lib/ld-musl-x86_64.so.1";

/// Releases of Debian, and the musl that they have: 1.2.4 changed what becomes of DT_RELR and of `open64`.
const RELEASES: [(&str, &str); 2] = [("bookworm", "1.2.3"), ("trixie", "1.2.5")];

/// The newest musl's, and with `--full` each one's.
pub(super) fn jobs(full: bool) -> Vec<Job<'static>> {
    let job = |(suite, release)| -> Job<'static> {
        let what = format!("programs and libraries on musl {release}");
        Box::new(move || super::tally(&what, |tally| musl(suite, tally)))
    };
    RELEASES.into_iter().rev().take(if full { RELEASES.len() } else { 1 }).map(job).collect()
}

/// The table on one release's musl.
fn musl(suite: &str, tally: &mut Tally) -> Result<()> {
    ensure!(cfg!(target_arch = "x86_64"), "Debian's musl is compared on x86-64 alone");
    host::ensure(&[("cc", "gcc"), ("unshare", "util-linux"), ("mount", "mount")])?;
    let namespace = sh::quiet(Command::new("unshare").args(["--mount", "true"]));
    namespace.context("a root folder needs a mount namespace: run it as root, with CAP_SYS_ADMIN")?;
    let package = debian::fetch_from(suite, &["musl", "musl-dev"])?;
    let root = root(suite, &package)?;
    let development = package.join("usr/lib/x86_64-linux-musl");
    let object = |name: &str| development.join(name).display().to_string();
    let libc = format!("-L{}", libraries(&package).join("x86_64-linux-musl").display());
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let place = Host {
        family: Family::Musl,
        loader: LOADER.to_owned(),
        work: root.join("work"),
        root: Some(root),
        diag: PathBuf::from("/diag"),
        cc: words(&["cc", "-nostdlib", "-nostartfiles"]),
        program: (
            vec![object("Scrt1.o"), object("crti.o"), format!("-Wl,--dynamic-linker={LOADER}")],
            vec![object("crtn.o"), libc.clone(), "-lc".to_owned()],
        ),
        library: vec![libc, "-lc".to_owned()],
    };
    sh::say(format!("programs and libraries on musl of Debian's {suite}"));
    linking::check(&place, tally);
    Ok(())
}

/// Where a release has what others have in /lib: since trixie that is a link to /usr/lib.
fn libraries(package: &Path) -> PathBuf {
    [package.join("lib"), package.join("usr/lib")]
        .into_iter()
        .find(|folder| folder.is_dir())
        .unwrap_or_default()
}

/// A root folder with musl, BusyBox and diag.
fn root(suite: &str, package: &Path) -> Result<PathBuf> {
    let root = sh::target("libraries")?.join(suite);
    if root.is_dir() {
        fs::remove_dir_all(&root).with_context(|| format!("remove {}", root.display()))?;
    }
    for folder in ["proc", "lib", "usr/lib", "work"] {
        fs::create_dir_all(root.join(folder))?;
    }
    for (from, to) in [(package.join("etc"), "etc"), (libraries(package), "lib")] {
        let mut copy = Command::new("cp");
        sh::run(copy.arg("-aT").arg(from).arg(root.join(to)))?;
    }
    fs::copy(debian::busybox("amd64")?, root.join("busybox")).context("copy BusyBox")?;
    fs::copy(build()?, root.join("diag")).context("copy diag")?;
    Ok(root)
}

/// diag with all that it knows, which a router's build does not: static, for it has to run where there is no glibc.
fn build() -> Result<PathBuf> {
    const TARGET: &str = "x86_64-unknown-linux-gnu";
    sh::say("diag for this computer, static: cargo build");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(sh::root()).args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        "diag",
        "--bin",
        "diag",
    ]);
    let flags = format!("target.{TARGET}.rustflags=[\"-Ctarget-feature=+crt-static\"]");
    cargo.args(["--target", TARGET, "--config", &flags]);
    sh::run(&mut cargo)?;
    Ok(sh::target(&format!("{TARGET}/debug"))?.join("diag"))
}
