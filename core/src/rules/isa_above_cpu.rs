use alloc::string::String;

use super::shown::Shown;
use super::{Case, words};
use crate::arch::{self, Lack};
use crate::finding::{Found, Severity};
use crate::ldso::LoaderRefusal;

rule! {
    /// # What it means
    /// The program is marked as made for a newer processor than this one.
    /// # How it looks
    /// The first at once or much later; the second is a glibc loader's.
    /// # Why
    /// The kernel does not compare ISA levels. The first instruction that the processor lacks raises SIGILL. The mark
    /// promises more than the code may use, so this is a warning. MIPS release 6 encodes many instructions anew: such a
    /// program hardly runs on an earlier one, so that diag does not say that it starts (exit status 2).
    ///
    /// Marks are e_flags, `.MIPS.abiflags`, the build attributes of ARM (Tag_CPU_arch, Tag_FP_arch,
    /// Tag_Advanced_SIMD_arch, Tag_DIV_use, Tag_THUMB_ISA_use), RISC-V (Tag_RISCV_arch), Power and s390x, and
    /// GNU_PROPERTY_X86_ISA_1_NEEDED, which a linker takes from the start files too. An i386's program has none: there a
    /// sample of its code is looked at for SSE2 and cmov. A kernel that does not list an extension of RISC-V since it is
    /// older leaves it open: that is a note.
    /// # Fix
    /// Build for the level that the machine lists: `-march=mips32` (MIPS32 R1), GOARM=5, `-mcpu=cortex-a9`,
    /// `-mfpu=vfpv3-d16`, `-march=x86-64`, `-march=i586` (Rust: the target i586-unknown-linux-musl), `-march=rv64gc`.
    /// # Kernel source
    /// None: `elf_check_arch` looks at no ISA level. /proc/cpuinfo `isa`, `CPU architecture`, `Features`, `flags`;
    /// AT_HWCAP, AT_HWCAP2, AT_PLATFORM.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/r6 elf mipsel gcc e_flags=0x90001407 abiflags=32,6,3,0
    /// $ diag /tmp/r6
    /// cannot tell whether /tmp/r6 starts: it is unknown whether its code is as its
    ///   header says: then this machine does not run it
    /// warning[isa-above-cpu]: /tmp/r6 is built for MIPS32r6, this processor is
    ///   MIPS32r2
    ///   program: built for MIPS32r6, o32, soft float, C
    ///   machine: isa mips1 mips2 mips32r1 mips32r2; cpu model MIPS 24KEc V5.0
    ///   kernel:  starts it; the first instruction that this CPU lacks kills it: SIGILL
    ///   you see: Illegal instruction
    ///   fix:     take the build for linux-mipsle-softfloat (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or rebuild it
    ///            for this machine
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [2]
    /// ```
    IsaAboveCpu, looks ["Illegal instruction", "CPU ISA level is lower than required"],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let image = case.image?;
    if case.foreign || words::bits(image) > case.machine.kernel().class.value?.bits() {
        return None;
    }
    let ends = case.refused_by_loader() == Some(LoaderRefusal::IsaLevel);
    let Lack { text, is_anew, dies, is_unsure, fix } = arch::lack(case.machine, case.program?, image)?;
    let severity = match (ends, is_unsure) {
        (true, _) => Severity::Error,
        (false, true) => Severity::Note,
        (false, false) => Severity::Warning,
    };
    let (built_for, rebuild) = (case.built_for(), case.rebuild());
    let model = Shown(case.machine.cpu().model.get().map_or("not known", String::as_str));
    let mut finding = case.about(
        severity,
        format_args!(
            "\
{text}
program: built for={built_for}
machine: cpu model={model}
fix:     {rebuild}"
        ),
    );
    if !fix.is_empty() {
        finding.tell(format_args!("fix: ; {fix}"));
    }
    if ends {
        let (file, ends) = (case.file(), case.loader_ends());
        finding.tell(format_args!(
            "kernel: {ends}, status 127\nyou see: {file}: CPU ISA level is lower than required"
        ));
    } else if !is_unsure && (case.starts() || (is_anew && case.step.is_none())) {
        finding.tell(format_args!(
            "kernel: starts it; the first instruction that this CPU lacks kills it: SIGILL\nyou see: Illegal instruction"
        ));
        // Of 15 programs with a mark above their processor, 12 died.
        if dies {
            finding.dies();
        }
    }
    Some(finding)
}
