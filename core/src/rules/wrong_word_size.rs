use super::{Case, words};
use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::{EM_MIPS, EM_X86_64};
use crate::elf::mips::Abi;
use crate::exec::{Missing, Outcome, Step};
use crate::finding::{Found, Severity};
use crate::target::Capability;

rule! {
    /// # What it means
    /// The program is 64-bit and the kernel is 32-bit, or it is 32-bit and the kernel runs 64-bit programs only.
    /// # How it looks
    /// The first is ash's, the second bash's.
    /// # Why
    /// A 64-bit kernel runs 32-bit programs only where it was built to (CONFIG_COMPAT, CONFIG_IA32_EMULATION,
    /// CONFIG_MIPS32_O32) and the processor can. OpenWrt's kernels have not been since 23.05.
    /// # Fix
    /// Take the build for this machine's word size.
    /// # Kernel source
    /// `elf_check_arch` and `compat_elf_check_arch`; fs/compat_binfmt_elf.c.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/mips64le elf n64el go
    /// $ diag /tmp/mips64le
    /// error[wrong-word-size]: /tmp/mips64le is a 64-bit program, this kernel runs
    ///   32-bit ones
    ///   program: built for MIPS64r2, n64, Go
    ///   machine: Lenovo Y1, mipsel_24kc; kernel 32-bit
    ///   kernel:  ENOEXEC
    ///   you see: ash runs it as a script: syntax error: unexpected "(", or: ELF: not
    ///            found; bash: cannot execute binary file: Exec format error
    ///   fix:     take the build for linux-mipsle-softfloat (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or rebuild it
    ///            for this machine
    ///            GOOS=linux GOARCH=mipsle GOMIPS=softfloat go build
    /// [1]
    /// ```
    WrongWordSize, looks ["syntax error: unexpected \"(\"", "syntax error: unexpected word (expecting \")\")", "cannot execute binary file: Exec format error"],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let image = case.declared()?;
    let own = case.machine.kernel().class.value?.bits();
    if case.starts() || case.foreign || case.is_swapped() || is_n32(image) {
        return None;
    }
    let bits = words::bits(image);
    let is_x32 = image.header.e_machine == EM_X86_64 && image.encoding.class == Class::Elf32;
    let undecided = match case.content {
        Outcome::Unknown { missing: Missing::Answer(question) } => runs_another_size(question),
        _ => false,
    };
    let refused = case.meets(Step::CheckArch)
        || case.meets(Step::ElfType)
        || (is_x32 && case.meets(Step::ProgramHeaders));
    if (bits == own && !is_x32) || !(refused || undecided || bits > own) {
        return None;
    }
    let kernel = if undecided {
        case.kernel_says()
    } else if is_x32 {
        case.kernel_at(&[Step::CheckArch, Step::ElfType, Step::ProgramHeaders])
    } else {
        case.kernel_at(&[Step::CheckArch, Step::ElfType])
    };
    let size = match bits {
        _ if is_x32 => "an x32",
        64 => "a 64-bit",
        _ => "a 32-bit",
    };
    let (runs, ones) = if undecided { ("is", "") } else { ("runs", " ones") };
    let severity = if undecided { Severity::Warning } else { Severity::Error };
    let (built_for, machine) = (case.built_for(), case.machine_name());
    let rebuild = case.rebuild();
    Some(case.about(
        severity,
        format_args!(
            "\
is {size} program, this kernel {runs} {own}-bit{ones}
program: built for={built_for}
machine: machine={machine}
machine: kernel={own}-bit
kernel:  {kernel}
fix:     {rebuild}"
        ),
    ))
}

/// Whether it is about programs of another word size than the kernel's.
fn runs_another_size(question: Capability) -> bool {
    matches!(
        question,
        Capability::MipsO32
            | Capability::MipsN32
            | Capability::Arm32
            | Capability::Ia32
            | Capability::X32
            | Capability::Riscv32
            | Capability::Ppc32
    )
}

/// n32 is a matter of the ABI, not of the word size.
fn is_n32(image: &Image) -> bool {
    image.header.e_machine == EM_MIPS && image.encoding.class == Class::Elf32 && image.mips_abi() != Abi::O32
}
