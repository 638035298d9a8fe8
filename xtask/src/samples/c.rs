//! C programs, by zig.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Order, make};
use crate::{dist, lab, sh, toolchain};

const HELLO: &str = include_str!("hello.c");
const LIBRARY: &str = include_str!("library.c");

/// What kind of file the linker makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Link {
    Static,
    /// The same for hard float: its libc saves FP registers as soon as something is formatted.
    StaticHard,
    /// For hard float as well, and without a single FP instruction on its way.
    HardIdle,
    /// Against soft-float musl, as OpenWrt's own programs.
    Dynamic,
    /// Against musl by its hard-float name, which a soft-float system lacks.
    DynamicHard,
    /// Against glibc.
    Glibc,
    Library,
    Object,
}

/// MIPS32 release 1, so that nothing depends on the CPU.
const MCPU: &str = "-mcpu=mips32+soft_float";
const MCPU_HARD: &str = "-mcpu=mips32";

/// A program that prints "hello from c", or the library or object file that there is instead.
pub(super) fn program(order: Order, how: Link) -> Result<PathBuf> {
    let arch = order.arch();
    let name = format!("c-{arch}-{}", format!("{how:?}").to_lowercase());
    let zig = toolchain::zig_release();
    let recipe = |flags: &[&str]| format!("zig {zig} cc {}\n{HELLO}{LIBRARY}", flags.join(" "));
    if let Link::Dynamic | Link::DynamicHard = how {
        let loader = match how {
            Link::DynamicHard => format!("/lib/ld-musl-{arch}.so.1"),
            _ => format!("/lib/{}", order.kernel().loader()),
        };
        let flag = format!("-Wl,-dynamic-linker,{loader}");
        return make(&name, &recipe(&[&flag]), |to| {
            let source = source(to, HELLO)?;
            lab::musl::link(order.kernel(), &[&source], &[&flag], to)
        });
    }
    let (target, flags) = flags(arch, how);
    let flags: Vec<&str> = ["-target", &target, "-Os", "-s"].iter().chain(flags).copied().collect();
    make(&name, &recipe(&flags), |to| compile(if how == Link::Library { LIBRARY } else { HELLO }, &flags, to))
}

fn flags(arch: &str, how: Link) -> (String, &'static [&'static str]) {
    let (system, flags): (_, &'static [&'static str]) = match how {
        Link::StaticHard => ("musleabihf", &[MCPU_HARD, "-static", "-no-pie"]),
        Link::HardIdle => ("musleabihf", &[MCPU_HARD, "-static", "-no-pie", "-DIDLE"]),
        Link::Glibc => ("gnueabi", &[MCPU]),
        Link::Library => ("musleabi", &[MCPU, "-shared", "-nostdlib"]),
        Link::Object => ("musleabi", &[MCPU, "-c"]),
        _ => ("musleabi", &[MCPU, "-static", "-no-pie"]),
    };
    (format!("{arch}-linux-{system}"), flags)
}

/// A static program from C source, for tools that run in the guest; the machine is named as diag's binary for it
/// is (`mipsel` for `diag-mipsel`).
pub(crate) fn static_program(name: &str, code: &str, machine: &str) -> Result<PathBuf> {
    let target = dist::zig_flags(&format!("diag-{machine}"))?;
    // The malloc of zig's C library asks for atomic instructions, which ARMv5 lacks; the guests are ARMv7.
    let cpu: &[&str] = if machine == "armv5" { &["-mcpu=cortex_a7+soft_float"] } else { &[] };
    let flags = [target, cpu, &["-Os", "-s", "-D_GNU_SOURCE=", "-static", "-no-pie"]].concat();
    let recipe = format!("zig {} cc {}\n{code}", toolchain::zig_release(), flags.join(" "));
    make(&format!("{name}-{machine}"), &recipe, |to| compile(code, &flags, to))
}

pub(super) fn compile(code: &str, flags: &[&str], to: &Path) -> Result<()> {
    let source = source(to, code)?;
    sh::run(toolchain::zig()?.arg("cc").args(flags).arg("-o").arg(to).arg(source))
}

/// The source as a file beside the program.
pub(super) fn source(beside: &Path, code: &str) -> Result<PathBuf> {
    let file = beside.parent().context("a folder")?.join("source.c");
    fs::write(&file, code)?;
    Ok(file)
}
