//! BusyBox: static, musl, soft-float. A glibc one dies by SIGILL on these kernels: it is hard-float.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result};

use super::{Kernel, cc};
use crate::{debian, host, sh};

/// The kernel's BusyBox, from `DIAG_CACHE` or built here once.
pub(super) fn file(kernel: Kernel) -> Result<PathBuf> {
    let name = format!("busybox-{}", kernel.arch());
    if let Some(cached) = sh::cached(&name) {
        return Ok(cached);
    }
    let dir = sh::target("lab")?.join(name);
    if !dir.is_dir() {
        sh::build_dir(&dir, |new| build(kernel, new))?;
    }
    Ok(dir.join("busybox"))
}

/// Debian's source with every applet that its default configuration has.
fn build(kernel: Kernel, dir: &Path) -> Result<()> {
    host::ensure(&[("make", "make"), ("gcc", "gcc"), ("bzip2", "bzip2")])?;
    let source = debian::source("busybox")?;
    let work = tempfile::tempdir_in(dir).context("create a folder for the build")?;
    let tools = cc::for_make(kernel, work.path())?;
    sh::say(format!("build BusyBox for {} (about two minutes on two cores)", kernel.arch()));
    let make = |target: &str| -> Result<()> {
        let mut make = Command::new("make");
        make.arg("-C").arg(&source).arg(format!("O={}", work.path().display())).arg("-s");
        make.args(&tools).args(["HOSTCC=gcc", "SKIP_STRIP=y"]);
        make.arg(format!("-j{}", available_parallelism().map_or(1, usize::from)));
        sh::quiet(make.arg(target))
    };
    make("defconfig")?;
    let config = work.path().join(".config");
    let defaults = fs::read_to_string(&config)?;
    // `tc` needs a header that newer kernels no longer have.
    let wanted = defaults.replace("# CONFIG_STATIC is not set", "CONFIG_STATIC=y");
    fs::write(&config, wanted.replace("CONFIG_TC=y", "# CONFIG_TC is not set"))?;
    make("oldconfig")?;
    make("busybox")?;
    fs::copy(work.path().join("busybox"), dir.join("busybox"))?;
    Ok(())
}
