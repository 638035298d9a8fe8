use super::Case;
use super::shown::Shown;
use crate::candidate::Image;
use crate::exec::{KERNEL_TOO_OLD, Step, newer_kernel};
use crate::finding::{Found, Severity};
use crate::ldso::LoaderRefusal;
use crate::machine::{Libc, Version};

rule! {
    /// # What it means
    /// The program, the glibc in it, or Go's runtime in it, was built for kernels newer than this one.
    /// # How it looks
    /// glibc's words, with status 127 from its loader and SIGABRT from a static program; else system calls that fail.
    /// # Why
    /// The note NT_GNU_ABI_TAG holds the oldest kernel that its C library supports. The kernel does not read it; glibc
    /// up to 2.36 compares it with uname(2) at its start, where it was built to: such a loader, or static program, holds the
    /// words. Go from 1.24 on wants Linux 3.2, from 1.18 on 2.6.32, before that 2.6.23, and says so nowhere: it makes calls
    /// that an older kernel does not have.
    /// # Fix
    /// Build it against an older glibc, or statically with musl; of Go, take a release that an older Go has built.
    /// # Kernel source
    /// None: glibc sysdeps/unix/sysv/linux/dl-sysdep.c `_dl_discover_osversion`; the release notes of Go.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/static elf mipsel gcc e_flags=0x70001005 abiflags=32,2,3,0 abi-tag=5.10.0 says=FATAL:_kernel_too_old
    /// $ diag /tmp/static
    /// error[kernel-too-old]: /tmp/static wants Linux 5.10.0 or later, this kernel is
    ///   4.14.151
    ///   program: NT_GNU_ABI_TAG Linux 5.10.0 (MIPS32r2, o32, soft float, C)
    ///   machine: uname -r 4.14.151
    ///   kernel:  starts it; its glibc then ends it: SIGABRT
    ///   you see: FATAL: kernel too old
    ///   fix:     take the build for linux-mipsle-softfloat (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or rebuild it
    ///            for this machine
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [1]
    /// ```
    KernelTooOld, looks [
        "FATAL: kernel too old",
        "Function not implemented",
        "runtime: epollcreate failed with 38",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let release = case.machine.kernel().uname().filter(|_| !case.foreign)?;
    let own = Shown(&release.text);
    if let Some((version, (major, minor, patch))) = go_wants(case) {
        return Some(case.about(
            Severity::Warning,
            format_args!(
                "\
is by {version}, whose runtime wants Linux {major}.{minor}.{patch} or later, this kernel is {own}
program: Go={version}
machine: uname -r={own}
fix:     take an older release of it, built by an older Go, or a newer firmware"
            ),
        ));
    }
    // The loader's own is the one that it compares.
    let refused = case.refused_by_loader() == Some(LoaderRefusal::KernelTooOld);
    let newer = |image: &Image| newer_kernel(case.machine, image);
    let loader = case.candidate.interpreter.as_ref().filter(|_| refused);
    let loader = loader.and_then(|loader| newer(loader.program()?.image()?));
    let (major, minor, patch) = loader.or_else(|| newer(case.image?))?;
    let aborts = case.ends_at(Step::OsCheck);
    let (severity, ends, status) = if refused {
        (Severity::Error, case.loader_ends(), ", status 127")
    } else if aborts {
        (Severity::Error, "starts it; its glibc then ends it", ": SIGABRT")
    } else if case.starts() && holds_no_words(case) {
        return None;
    } else {
        (Severity::Warning, "", "")
    };
    let (built_for, rebuild) = (case.built_for(), case.rebuild());
    let seen = if ends.is_empty() { "" } else { "FATAL: kernel too old" };
    Some(case.about(
        severity,
        format_args!(
            "\
wants Linux {major}.{minor}.{patch} or later, this kernel is {own}
program: NT_GNU_ABI_TAG=Linux {major}.{minor}.{patch} ({built_for})
machine: uname -r={own}
kernel:  {ends}{status}
you see: {seen}
fix:     {rebuild}"
        ),
    ))
}

/// Whether the glibc that would compare the releases is known not to: that of the loader, or the program's own.
fn holds_no_words(case: &Case<'_>) -> bool {
    if let Some(link) = case.link {
        return link.libc == Some(Libc::Glibc);
    }
    let file = case.program.and_then(|program| program.file.as_ref());
    file.and_then(|file| file.holds(KERNEL_TOO_OLD)) == Some(false)
}

/// The kernel that Go's runtime wants (release notes of Go 1.18 and 1.24, before that of 1.5), where this one is older, and
/// the release of Go.
fn go_wants<'a>(case: &Case<'a>) -> Option<(&'a str, Version)> {
    let go = case.program?.go.as_ref()?;
    let version = match go.minor? {
        24.. => (3, 2, 0),
        18.. => (2, 6, 32),
        _ => (2, 6, 23),
    };
    let is_old = case.machine.kernel().older_than(version);
    is_old.then(|| (go.version.as_deref().unwrap_or("Go"), version))
}
