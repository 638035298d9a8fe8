use super::{Case, words};
use crate::finding::{Finding, Severity};

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
    "started-by-binfmt-misc", check
}

const WORDS: &str = "%n is started by %0, says binfmt_misc\nm binfmt_misc=rule %1: %0";

fn check(case: &Case<'_>) -> Option<Finding> {
    let misc = case.candidate.misc.as_ref().filter(|_| case.starts())?;
    let interpreter = words::bytes(&case.candidate.interpreter.as_ref()?.path);
    Some(case.tell(Severity::Note, &[WORDS], &[&interpreter, &misc.rule]))
}
