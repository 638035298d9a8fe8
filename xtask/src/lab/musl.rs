//! musl as OpenWrt has it: a soft-float libc.so that is also the dynamic loader, from Debian's source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::Result;

use super::{Kernel, cc};
use crate::scratch::Scratch;
use crate::{debian, host, sh, toolchain};

/// What `lib/` holds beside the compiler's runtime.
const FILES: [&str; 5] = ["libc.so", "crt1.o", "Scrt1.o", "crti.o", "crtn.o"];

/// A folder with `include/` and, in `lib/`, `libc.so`, `crt1.o`, `Scrt1.o`, `crti.o`, `crtn.o` and
/// `libcompiler_rt.a`; built once. [`link`] uses it.
pub(crate) fn build(kernel: Kernel) -> Result<PathBuf> {
    let dir = sh::target("lab")?.join(format!("musl-{}", kernel.arch()));
    if dir.is_dir() {
        return Ok(dir);
    }
    host::ensure(&[("make", "make")])?;
    let source = debian::source("musl")?;
    sh::say(format!("build musl for {} (about a minute)", kernel.arch()));
    sh::build_dir(&dir, |new| {
        let lib = new.join("lib");
        fs::create_dir(&lib)?;
        compiler_rt(kernel, &lib)?;
        let work = Scratch::open("musl")?;
        let tools = cc::for_make(kernel.arch(), work.path())?;
        let mut configure = Command::new(source.join("configure"));
        configure
            .current_dir(work.path())
            .args(["--prefix=", &format!("--target={}", cc::triple(kernel.arch()))]);
        // By its name programs ask for "libc.so", as OpenWrt's do.
        configure.env("LDFLAGS", "-Wl,-soname,libc.so -s");
        sh::quiet(configure.args(&tools))?;
        let mut make = Command::new("make");
        make.current_dir(work.path()).arg(format!("-j{}", available_parallelism().map_or(1, usize::from)));
        make.args(FILES.map(|file| format!("lib/{file}"))).arg("install-headers").args(&tools);
        make.arg(format!("LIBCC={}", lib.join("libcompiler_rt.a").display()));
        sh::quiet(make.arg(format!("DESTDIR={}", new.display())))?;
        for file in FILES {
            fs::copy(work.path().join("lib").join(file), lib.join(file))?;
        }
        Ok(())
    })
}

/// What a compiler calls for 64-bit division and soft-float arithmetic; zig has its source.
fn compiler_rt(kernel: Kernel, lib: &Path) -> Result<()> {
    let zig = toolchain::zig()?;
    let source = Path::new(zig.get_program()).with_file_name("lib").join("compiler_rt.zig");
    let mut build = zig;
    build.current_dir(lib).arg("build-lib").arg(source);
    build.args(["-target", &cc::triple(kernel.arch()), "-O", "ReleaseSmall", "-fPIC", "-static"]);
    sh::run(build.args(["--name", "compiler_rt"]))
}

/// Compiles and links C sources into a program that is dynamic against this libc.so.
pub(crate) fn link(kernel: Kernel, sources: &[&Path], flags: &[&str], program: &Path) -> Result<()> {
    let musl = build(kernel)?;
    let lib = |name: &str| musl.join("lib").join(name);
    let mut cc = toolchain::zig()?;
    cc.args(["cc", "-target", &cc::triple(kernel.arch()), "-Os", "-s", "-nostdlib", "-Wl,--gc-sections"]);
    cc.arg(format!("-Wl,-dynamic-linker,/lib/{}", kernel.loader()));
    cc.arg("-isystem").arg(musl.join("include")).args(flags);
    cc.arg(lib("crt1.o")).arg(lib("crti.o")).args(sources);
    cc.args([lib("libc.so"), lib("libcompiler_rt.a"), lib("crtn.o")]);
    sh::run(cc.arg("-o").arg(program))
}
