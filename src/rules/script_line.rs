use super::{Case, words};
use crate::candidate::Content;
use crate::candidate::script::{Rules, Script};
use crate::finding::{Finding, Severity};
use crate::loader::Step;
use crate::text;

rule! {
    /// # What it means
    /// The first line begins with `#!`, but the kernel cannot use it: no interpreter is named, the line does not fit
    /// the kernel's buffer, or interpreters name each other without an end.
    /// # How it looks
    /// ash runs the file as its own script all the same. With an endless chain: `Too many levels of symbolic links`.
    /// # Why
    /// The kernel reads 256 bytes of the file (128 before Linux 5.1), and the interpreter's name must end within them.
    /// It follows five interpreters in a row.
    /// # Fix
    /// Make `#!/bin/sh` the first line, or call the interpreter by a short path.
    /// # Kernel source
    /// fs/binfmt_script.c `load_script`; fs/exec.c `exec_binprm`.
    "script-line", check
}

const ITSELF: &str = "\
%n names itself as its interpreter
> name a program in its first line";
const TOO_MANY: &str = "%n goes through more interpreters than the 5 that the kernel follows";
// Old kernels cut the name off without a word, and look for what is left.
const CUT: &str = "\
the #! line of %n has %3 bytes%2, %4 reads %1
> call the interpreter by a shorter path, or through a symbolic link";
const NO_NAME: &str = "%n begins with #!, but names no interpreter";
const LET_NAME: &str = "> let its first line name a program: #!/bin/sh";

fn check(case: &Case<'_>) -> Option<Finding> {
    let Content::Script(script) = &case.candidate.content else { return None };
    let (words, fix) = match words::step(case.content)? {
        Step::TooManyInterpreters if names_itself(case) => (ITSELF, ""),
        Step::TooManyInterpreters => (TOO_MANY, LET_NAME),
        Step::ScriptLine | Step::ScriptInterpreter if is_cut(case, script) => (CUT, ""),
        Step::ScriptLine => (NO_NAME, LET_NAME),
        // An empty name has no interpreter that could be opened.
        Step::ScriptInterpreter if case.candidate.interpreter.is_none() => (NO_NAME, LET_NAME),
        _ => return None,
    };
    let kernel = if case.ends_at(Step::ScriptLine) { words::TEXT_AS_SCRIPT } else { words::KERNEL };
    let length = words::line(script).len();
    let or_more = if length < script.buffer.len() { "" } else { " or more" };
    let length = length as u64;
    let kernel_name = match case.machine.kernel.release.get() {
        Some(release) => text::concat(&["Linux ", &release.text]),
        None => "the kernel".to_owned(),
    };
    Some(case.tell(
        Severity::Error,
        &[words, "p line 1=%0", kernel, fix],
        &[&words::first_line(script), &(buffer(case) as u64), &or_more, &length, &kernel_name],
    ))
}

/// The interpreter's name does not end within the kernel's buffer.
pub(super) fn is_cut(case: &Case<'_>, script: &Script) -> bool {
    let line = script.buffer.get(2..buffer(case)).unwrap_or_default();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(start) = line.iter().position(|byte| !blank(byte)) else { return false };
    let name = line.get(start..).unwrap_or_default();
    !name.iter().any(|byte| blank(byte) || matches!(byte, b'\n' | 0))
}

fn buffer(case: &Case<'_>) -> usize {
    case.machine.kernel.release.get().map_or(Rules::LATEST, |release| Rules::of(release.version)).buffer
}

fn names_itself(case: &Case<'_>) -> bool {
    case.candidate
        .interpreter
        .as_ref()
        .is_some_and(|other| words::same(&other.resolved, &case.candidate.resolved))
}
