use super::{Case, words};
use crate::exec::Step;
use crate::finding::Found;

rule! {
    /// # What it means
    /// The program was built for another family of processors.
    /// # How it looks
    /// The last is bash's, the others are ash's.
    /// # Why
    /// e_machine in the ELF header is not the one that the kernel accepts; it refuses the file (ENOEXEC).
    /// # Fix
    /// Take the build for this machine's processor. `diag` without arguments names it, with OpenWrt's, Go's and Rust's
    /// words for it.
    /// # Kernel source
    /// `elf_check_arch` in arch/*/include/asm/elf.h, called by fs/binfmt_elf.c `load_elf_binary`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/v2ray elf x86-64 go
    /// $ diag /tmp/v2ray
    /// error[wrong-architecture]: /tmp/v2ray is built for x86-64, this machine is MIPS
    ///   program: e_machine 62 (x86-64, 64-bit, Go)
    ///   machine: Lenovo Y1, mipsel_24kc; e_machine 8 (MIPS)
    ///   kernel:  ENOEXEC
    ///   you see: ash runs it as a script: syntax error: unexpected "(", or: ELF: not
    ///            found; bash: cannot execute binary file: Exec format error
    ///   fix:     take the build for linux-mipsle-softfloat (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or rebuild it
    ///            for this machine
    ///            GOOS=linux GOARCH=mipsle GOMIPS=softfloat go build
    /// [1]
    /// ```
    WrongArchitecture, looks [
        "syntax error: unexpected \"(\"", "syntax error: unexpected word (expecting \")\")",
        "syntax error: unterminated quoted string",
        "line 1: ...ELF...: not found",
        "cannot execute binary file: Exec format error",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    if case.starts() || !case.foreign {
        return None;
    }
    let (e_machine, own) = (case.declared()?.header.e_machine, case.machine.e_machine()?);
    let (processor, own_processor) = (words::processor(e_machine), words::processor(own));
    let (built_for, machine) = (case.built_for(), case.machine_name());
    let (kernel, rebuild) = (case.kernel_at(&[Step::CheckArch, Step::ElfType]), case.rebuild());
    Some(case.error(format_args!(
        "\
is built for {processor}, this machine is {own_processor}
program: e_machine={e_machine} ({built_for})
machine: machine={machine}
machine: e_machine={own} ({own_processor})
kernel:  {kernel}
fix:     {rebuild}"
    )))
}
