//! BusyBox: static, musl, soft-float. A glibc one dies by SIGILL on these kernels: it is hard-float.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Result, ensure};

use super::cc;
use crate::scratch::Scratch;
use crate::{debian, host, sh};

/// BusyBox for an architecture of 32 bits as zig calls it, from `DIAG_CACHE` or built here once.
pub(crate) fn file(arch: &str) -> Result<PathBuf> {
    let name = format!("busybox-{arch}");
    if let Some(cached) = sh::cached(&name) {
        return Ok(cached);
    }
    let dir = sh::target("lab")?.join(name);
    if !dir.is_dir() {
        sh::build_dir(&dir, |new| build(arch, new))?;
    }
    Ok(dir.join("busybox"))
}

/// Debian's source with every applet that its default configuration has.
fn build(arch: &str, dir: &Path) -> Result<()> {
    host::ensure(&[("make", "make"), ("gcc", "gcc"), ("bzip2", "bzip2")])?;
    let source = debian::source("busybox")?;
    let work = Scratch::open("busybox")?;
    let tools = cc::for_make(arch, work.path())?;
    sh::say(format!("build BusyBox for {arch} (about two minutes on two cores)"));
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
    let mut wanted = defaults;
    for (default, instead) in [
        ("# CONFIG_STATIC is not set", "CONFIG_STATIC=y"),
        // It needs a header that newer kernels no longer have.
        ("CONFIG_TC=y", "# CONFIG_TC is not set"),
        // clang reads a constant before it is assigned, which BusyBox does (include/libbb.h).
        ("CONFIG_EXTRA_CFLAGS=\"\"", "CONFIG_EXTRA_CFLAGS=\"-DBB_GLOBAL_CONST=\""),
    ] {
        ensure!(wanted.contains(default), "BusyBox's default configuration has no {default}");
        wanted = wanted.replace(default, instead);
    }
    fs::write(&config, wanted)?;
    make("oldconfig")?;
    make("busybox")?;
    fs::copy(work.path().join("busybox"), dir.join("busybox"))?;
    Ok(())
}
