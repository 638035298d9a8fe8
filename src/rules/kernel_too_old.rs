use super::Case;
use crate::finding::{Finding, Severity};

rule! {
    /// # What it means
    /// The program, or the glibc in it, was built for kernels newer than this one.
    /// # How it looks
    /// `FATAL: kernel too old`, status 127 or SIGABRT; or system calls that fail with `Function not implemented`.
    /// # Why
    /// The note NT_GNU_ABI_TAG holds the oldest kernel that its C library supports. The kernel does not read it; glibc
    /// compares it with uname(2) at its start.
    /// # Fix
    /// Build it against an older glibc, or statically with musl.
    /// # Kernel source
    /// None: glibc sysdeps/unix/sysv/linux/dl-sysdep.c `_dl_discover_osversion`.
    "kernel-too-old", check
}

const WORDS: &str = "\
%n wants Linux %0.%1.%2 or later, this kernel is %3
p NT_GNU_ABI_TAG=Linux %0.%1.%2 (%b)
m uname -r=%3
rebuild";
const ENDS: &str = "k starts it; glibc then ends it: FATAL: kernel too old";

fn check(case: &Case<'_>) -> Option<Finding> {
    let (system, major, minor, patch) = case.image?.abi_tag?;
    let release = case.machine.kernel.release.get()?;
    if system != 0 || release.version >= (major, minor, patch) || case.foreign {
        return None;
    }
    let [major, minor, patch] = [major, minor, patch].map(u64::from);
    Some(case.tell(Severity::Warning, &[WORDS, if case.starts() { ENDS } else { "" }], &[&major, &minor, &patch, &release.text]))
}
