use super::Case;
use super::shown::Shown;
use crate::candidate::Image;
use crate::finding::{Found, Severity};
use crate::ldso::LoaderRefusal;

rule! {
    /// # What it means
    /// The program, or the glibc in it, was built for kernels newer than this one.
    /// # How it looks
    /// The first with status 127 or SIGABRT; the second from system calls that fail.
    /// # Why
    /// The note NT_GNU_ABI_TAG holds the oldest kernel that its C library supports. The kernel does not read it; glibc
    /// compares it with uname(2) at its start.
    /// # Fix
    /// Build it against an older glibc, or statically with musl.
    /// # Kernel source
    /// None: glibc sysdeps/unix/sysv/linux/dl-sysdep.c `_dl_discover_osversion`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/static elf mipsel gcc e_flags=0x70001005 abiflags=32,2,3,0 abi-tag=5.10.0
    /// $ diag /tmp/static
    /// /tmp/static starts on this machine
    /// warning[kernel-too-old]: /tmp/static wants Linux 5.10.0 or later, this kernel is
    ///   4.14.151
    ///   program: NT_GNU_ABI_TAG Linux 5.10.0 (MIPS32r2, o32, soft float, C)
    ///   machine: uname -r 4.14.151
    ///   kernel:  starts it; glibc then ends it
    ///   you see: FATAL: kernel too old
    ///   fix:     take the build for linux-mipsle-softfloat (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or rebuild it
    ///            for this machine
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [0]
    /// ```
    KernelTooOld, looks ["FATAL: kernel too old", "Function not implemented"],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let release = case.machine.kernel().release.get()?;
    let too_new = |image: &Image| image.abi_tag.filter(|(system, ..)| *system == 0);
    // The loader's own is the one that it compares.
    let ends = case.refused_by_loader() == Some(LoaderRefusal::KernelTooOld);
    let loader = case.candidate.interpreter.as_ref().filter(|_| ends);
    let loader = loader.and_then(|loader| too_new(loader.program()?.image()?));
    let (_, version) = loader.or_else(|| too_new(case.image?))?;
    if release.version >= version || case.foreign {
        return None;
    }
    let severity = if ends { Severity::Error } else { Severity::Warning };
    let (ends, status) = if ends {
        (case.loader_ends(), ", status 127")
    } else if case.starts() {
        ("starts it; glibc then ends it", "")
    } else {
        ("", "")
    };
    let (major, minor, patch) = version;
    let (built_for, rebuild) = (case.built_for(), case.rebuild());
    let seen = if ends.is_empty() { "" } else { "FATAL: kernel too old" };
    let own = Shown(&release.text);
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
