use super::{Case, words};
use crate::elf::consts::EM_MIPS;
use crate::elf::mips;
use crate::finding::{Finding, Severity};
use crate::loader::Step;
use crate::machine::lists;
use crate::text;

rule! {
    /// # What it means
    /// The program is marked as using an extension of the MIPS instruction set (MIPS16, microMIPS, DSP, MSA) that this
    /// processor does not list.
    /// # How it looks
    /// `Illegal instruction`; a program that begins in MIPS16 or microMIPS code: `Bus error`.
    /// # Why
    /// The kernel does not compare extensions. The mark promises more than the code may use, so this is a warning,
    /// except where the entry point itself lies in such code.
    /// # Fix
    /// Build without it: `-mno-mips16 -mno-micromips -mno-dsp -mno-msa`.
    /// # Kernel source
    /// arch/mips/kernel/proc.c `show_cpuinfo`, "ASEs implemented"; arch/mips/kernel/unaligned.c `do_ade`.
    "missing-ase", check
}

const WORDS: &str = "\
%n is marked as using %0, this processor has %1
p ASEs=%0
m ASEs implemented=%1";
const LATER: &str = "k does not compare; at its first such instruction: SIGILL, Illegal instruction";

fn check(case: &Case<'_>) -> Option<Finding> {
    let image = case.image?;
    if image.header.e_machine != EM_MIPS || case.foreign {
        return None;
    }
    let fatal = case.meets(Step::EntryMode);
    let ases = &case.machine.cpu.ases;
    let listed = ases.get()?;
    let declared = image.mips_ases();
    let mut missing: Vec<String> = Vec::new();
    for (bit, name, word) in &mips::ASES {
        if declared & bit != 0 && !word.is_empty() && !lists(ases, word) {
            missing.push(String::from(*name));
        }
    }
    let (severity, kernel) = match fatal {
        true => (Severity::Error, words::KERNEL),
        false if missing.is_empty() => return None,
        false if case.starts() => (Severity::Warning, LATER),
        false => (Severity::Warning, ""),
    };
    let wants =
        if missing.is_empty() { "MIPS16 or microMIPS".to_owned() } else { text::join(&missing, ", ") };
    let has = if listed.is_empty() { "no extension".to_owned() } else { text::join(listed, ", ") };
    Some(case.tell(severity, &[WORDS, kernel, words::REBUILD], &[&wants, &has]))
}
