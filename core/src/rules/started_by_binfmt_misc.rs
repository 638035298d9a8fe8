use super::Case;
use super::shown::Shown;
use crate::finding::{Found, Severity};

rule! {
    /// # What it means
    /// The kernel does not run the file itself: a rule of binfmt_misc has it started by an interpreter.
    /// # How it looks
    /// A program for another processor runs, though slowly.
    /// # Why
    /// qemu-user packages register themselves for the programs of other processors.
    /// # Fix
    /// Nothing is wrong. On a machine without that rule the file fails.
    /// # Kernel source
    /// fs/binfmt_misc.c `load_misc_binary`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /proc/sys/fs/binfmt_misc/status text enabled\n
    /// file /proc/sys/fs/binfmt_misc/qemu-mips text enabled\ninterpreter /usr/bin/qemu-mips-static\nflags: OC\noffset 0\nmagic 7f454c4601020100000000000000000000020008\nmask ffffffffffffff00fffffffffffffffffffeffff\n
    /// file /tmp/v2ray elf mips go abiflags=32,1,3,0
    /// file /usr/bin/qemu-mips-static elf mipsel gcc abiflags=32,1,3,0
    /// $ diag /tmp/v2ray
    /// /tmp/v2ray starts on this machine
    /// note[started-by-binfmt-misc]: binfmt_misc has /usr/bin/qemu-mips-static run
    ///   /tmp/v2ray
    ///   machine: binfmt_misc rule qemu-mips: /usr/bin/qemu-mips-static
    /// [0]
    /// ```
    StartedByBinfmtMisc, looks [],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let misc = case.candidate.binfmt_misc.as_ref().filter(|_| case.starts())?;
    let interpreter = Shown(&case.candidate.interpreter.as_ref()?.path);
    let (file, rule) = (case.file(), Shown(&misc.rule));
    Some(case.finding(
        Severity::Note,
        format_args!(
            "\
binfmt_misc has {interpreter} run {file}
machine: binfmt_misc=rule {rule}: {interpreter}"
        ),
    ))
}
