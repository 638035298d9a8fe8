use super::Case;
use crate::elf::Class;
use crate::elf::consts::{EF_MIPS_ABI2, EF_MIPS_FP64, EF_MIPS_NAN2008, EM_MIPS};
use crate::elf::mips::Abi;
use crate::exec::Step;
use crate::finding::Found;
use crate::target::Capability;

rule! {
    /// # What it means
    /// The program is for MIPS and for this byte order, but uses another calling convention or another floating-point
    /// mode than the kernel takes: n32, o64 or EABI instead of o32; 64-bit FPU registers (FP64); the NaN encoding of
    /// IEEE 754-2008.
    /// # How it looks
    /// The first is ash's; the second (ELIBBAD) comes of FP modes that do not go together.
    /// # Why
    /// EF_MIPS_ABI2, EF_MIPS_ABI, EF_MIPS_FP64 and EF_MIPS_NAN2008 in e_flags are compared with what the kernel was
    /// built for.
    /// # Fix
    /// Build for o32 with soft float: every 32-bit MIPS kernel takes that.
    /// # Kernel source
    /// arch/mips/include/asm/elf.h `elf_check_arch`; arch/mips/kernel/elf.c `arch_check_elf`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/fp64 elf mipsel gcc e_flags=0x70001205 abiflags=32,2,6,0
    /// $ diag /tmp/fp64
    /// error[wrong-mips-abi]: /tmp/fp64 uses 64-bit FPU registers (FP64), this kernel
    ///   takes 32-bit ones
    ///   program: e_flags 0x70001205 (MIPS32r2, o32, double float, 64-bit FPU (-mfp64),
    ///            C)
    ///   machine: Lenovo Y1, mipsel_24kc; probe mips-fp64: refused ENOEXEC
    ///   kernel:  ENOEXEC
    ///   you see: ash runs it as a script: syntax error: unexpected "(", or: ELF: not
    ///            found; bash: cannot execute binary file: Exec format error
    /// warning[hard-float-without-fpu]: /tmp/fp64 is built for hard float, this machine
    ///   has no FPU
    ///   program: built for MIPS32r2, o32, double float, 64-bit FPU (-mfp64), C
    ///   machine: FPU absent (started a tiny program that executes mtc1)
    ///   fix:     take the build for linux-mipsle-softfloat (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or rebuild it
    ///            for this machine
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [1]
    /// ```
    WrongMipsAbi, looks ["syntax error: unexpected \"(\"", "syntax error: unexpected word (expecting \")\")", "Accessing a corrupted shared library"],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let image = case.declared()?;
    let is_mips32 = image.header.e_machine == EM_MIPS && image.encoding.class == Class::Elf32;
    if case.starts() || !is_mips32 || case.foreign {
        return None;
    }
    let flags = image.header.e_flags;
    let abi = image.mips_abi();
    let (uses, takes) = if flags & EF_MIPS_ABI2 != 0 {
        ("n32", "o32")
    } else if abi != Abi::O32 {
        (abi.name(), "o32")
    } else if case.meets(Step::CheckArch) && flags & EF_MIPS_FP64 != 0 {
        ("64-bit FPU registers (FP64)", "32-bit ones")
    } else if case.meets(Step::MipsNan) && flags & EF_MIPS_NAN2008 != 0 {
        ("the NaN encoding of IEEE 754-2008", "the legacy one")
    } else if case.meets(Step::MipsNan) {
        ("the legacy NaN encoding", "that of IEEE 754-2008")
    } else if case.meets(Step::MipsFpAbi) {
        ("a floating-point ABI that does not go with its loader's", "compatible ones")
    } else {
        return None;
    };
    let question = match case.step {
        Some(Step::MipsNan) if flags & EF_MIPS_NAN2008 != 0 => Capability::MipsNan2008,
        Some(Step::MipsNan) => Capability::MipsNanLegacy,
        _ => Capability::MipsFp64,
    };
    let is_float = abi == Abi::O32 && flags & EF_MIPS_ABI2 == 0;
    let answer = case.machine.answer(question).filter(|_| is_float).and_then(|fact| fact.value);
    let (built_for, machine) = (case.built_for(), case.machine_name());
    let mut finding = case.error(format_args!(
        "\
uses {uses}, this kernel takes {takes}
program: e_flags={flags:#010x} ({built_for})
machine: machine={machine}"
    ));
    if let Some(answer) = answer {
        finding.tell(format_args!("machine: probe={}: {}", question.name(), answer.words()));
    }
    let kernel = case.kernel_at(&[Step::CheckArch, Step::MipsNan, Step::MipsFpAbi]);
    finding.tell(format_args!("kernel: {kernel}\nfix: {}", case.rebuild()));
    Some(finding)
}
