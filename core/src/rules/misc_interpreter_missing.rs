use super::Case;
use super::shown::Shown;
use super::words::{self, Kernel};
use crate::errno::Errno;
use crate::exec::Step;
use crate::finding::{Found, Severity};

rule! {
    /// # What it means
    /// A rule of binfmt_misc takes the file, and the interpreter that it names does not exist or cannot be executed.
    /// # How it looks
    /// The file is there all the same.
    /// # Why
    /// The rules are asked before the kernel looks at the file itself, so that one of them can also take what the
    /// kernel would run. Most are registered by qemu-user packages, and stay when the package is gone.
    /// # Fix
    /// Install the interpreter again, or remove the rule: `echo -1 > /proc/sys/fs/binfmt_misc/NAME`.
    /// # Kernel source
    /// fs/binfmt_misc.c `load_misc_binary`, `open_exec`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /proc/sys/fs/binfmt_misc/status text enabled\n
    /// file /proc/sys/fs/binfmt_misc/qemu-mips text enabled\ninterpreter /usr/bin/qemu-mips-static\nflags: OC\noffset 0\nmagic 7f454c4601020100000000000000000000020008\nmask ffffffffffffff00fffffffffffffffffffeffff\n
    /// file /tmp/v2ray elf mips go abiflags=32,1,3,0
    /// $ diag /tmp/v2ray
    /// error[misc-interpreter-missing]: binfmt_misc has /usr/bin/qemu-mips-static run
    ///   /tmp/v2ray; that interpreter cannot be executed: No such file or directory
    ///   machine: binfmt_misc rule qemu-mips: /usr/bin/qemu-mips-static
    ///   kernel:  ENOENT
    ///   you see: ash: not found, though the file is there; bash: cannot execute:
    ///            required file not found
    ///   fix:     install it again, or remove the rule
    ///            echo -1 > /proc/sys/fs/binfmt_misc/qemu-mips
    /// error[wrong-byte-order]: /tmp/v2ray is big-endian, this machine is little-endian
    ///   program: EI_DATA 2 (MSB); built for MIPS32, o32, soft float, Go
    ///   machine: Lenovo Y1, mipsel_24kc; byte order little-endian (uname -m says
    ///            "mips" for both)
    ///   fix:     take the build for linux-mipsle-softfloat (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or rebuild it
    ///            for this machine
    ///            GOOS=linux GOARCH=mipsle GOMIPS=softfloat go build
    /// [1]
    /// ```
    MiscInterpreterMissing, looks ["not found", "Permission denied"],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let misc = case.candidate.binfmt_misc.as_ref()?;
    let interpreter = case.candidate.interpreter.as_ref()?;
    if !case.meets(Step::MiscInterpreter) {
        return None;
    }
    let errno = interpreter.missing().or(interpreter.may_execute.and_then(Result::err));
    let why = errno.map_or("it is no regular file, or busy", Errno::text);
    let kernel =
        if errno == Some(Errno::ENOENT) { Kernel::Words(words::NOT_FOUND) } else { case.kernel_says() };
    let (file, path, rule) = (case.file(), Shown(&interpreter.path), Shown(&misc.rule));
    Some(case.finding(
        Severity::Error,
        format_args!(
            "\
binfmt_misc has {path} run {file}; that interpreter cannot be executed: {why}
machine: binfmt_misc=rule {rule}: {path}
kernel:  {kernel}
fix:     install it again, or remove the rule
run:     echo -1 > /proc/sys/fs/binfmt_misc/{rule}"
        ),
    ))
}
