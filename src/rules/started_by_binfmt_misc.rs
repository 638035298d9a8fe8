use super::Case;
use super::shown::Shown;
use crate::finding::Finding;

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
    StartedByBinfmtMisc, check
}

fn check(case: &Case<'_>) -> Option<Finding> {
    let misc = case.candidate.misc.as_ref().filter(|_| case.starts())?;
    let interpreter = Shown(&case.candidate.interpreter.as_ref()?.path);
    let (file, rule) = (case.file(), Shown(&misc.rule));
    Some(case.note(format_args!(
        "\
{file} is started by {interpreter}, says binfmt_misc
machine: binfmt_misc=rule {rule}: {interpreter}"
    )))
}
