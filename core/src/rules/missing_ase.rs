use super::Case;
use super::shown::list;
use super::words::Kernel;
use crate::elf::consts::EM_MIPS;
use crate::elf::mips;
use crate::exec::Step;
use crate::finding::{Found, Severity};
use crate::machine::lists;

rule! {
    /// # What it means
    /// The program is marked as using an extension of the MIPS instruction set (MIPS16, microMIPS, DSP, MSA) that this
    /// processor does not list.
    /// # How it looks
    /// The second, where the program begins in MIPS16 or microMIPS code.
    /// # Why
    /// The kernel does not compare extensions. The mark promises more than the code may use, so this is a warning,
    /// except where the entry point itself lies in such code.
    /// # Fix
    /// Build without it: `-mno-mips16 -mno-micromips -mno-dsp -mno-msa`.
    /// # Kernel source
    /// arch/mips/kernel/proc.c `show_cpuinfo`, "ASEs implemented"; arch/mips/kernel/unaligned.c `do_ade`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/micro elf mipsel gcc e_flags=0x72001007 abiflags=32,2,3,0x800 e_entry=0x400091
    /// $ diag /tmp/micro
    /// /tmp/micro starts on this machine
    /// warning[missing-ase]: /tmp/micro is marked as using microMIPS, this processor
    ///   has mips16, dsp
    ///   program: ASEs microMIPS
    ///   machine: ASEs implemented mips16, dsp
    ///   kernel:  starts it; the first such instruction kills it: SIGILL
    ///   you see: Illegal instruction
    ///   fix:     take the build for linux-mipsle-softfloat (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or rebuild it
    ///            for this machine
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [0]
    /// ```
    MissingAse, looks ["Illegal instruction", "Bus error"],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let image = case.image?;
    if image.header.e_machine != EM_MIPS || case.foreign {
        return None;
    }
    let ases = &case.machine.cpu().ases;
    let all = ases.get()?;
    let declared = image.mips_ases();
    let missing = list(&mut mips::ASES.iter().filter_map(|(bit, name, word)| {
        (declared & bit != 0 && !word.is_empty() && !lists(ases, word)).then_some(name.as_bytes())
    }));
    let later = "starts it; the first such instruction kills it: SIGILL\nyou see: Illegal instruction";
    let (severity, kernel) = match case.meets(Step::EntryMode) {
        true => (Severity::Error, case.kernel_says()),
        false if missing.is_empty() => return None,
        false if case.starts() => (Severity::Warning, Kernel::Words(later)),
        false => (Severity::Warning, Kernel::NOTHING),
    };
    let listed = list(&mut all.iter().map(str::as_bytes));
    let wants = if missing.is_empty() { "MIPS16 or microMIPS" } else { &missing };
    let has = if listed.is_empty() { "no extension" } else { &listed };
    let rebuild = case.rebuild();
    Some(case.about(
        severity,
        format_args!(
            "\
is marked as using {wants}, this processor has {has}
program: ASEs={wants}
machine: ASEs implemented={has}
kernel:  {kernel}
fix:     {rebuild}"
        ),
    ))
}
