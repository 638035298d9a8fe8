use super::{Case, words};
use crate::candidate::Content;
use crate::finding::{Certainty, Finding, Severity};
use crate::loader::Step;

rule! {
    /// # What it means
    /// The script's lines end in CR LF, as on Windows. The CR belongs to the interpreter's name, or to its argument.
    /// # How it looks
    /// `./install.sh: not found`, though the file is there; bash: `bad interpreter`, `/bin/sh^M`, `required file not
    /// found`; behind env: `env: can't execute 'python3\r'`.
    /// # Why
    /// The kernel ends the line at LF and takes CR for a letter, so it looks for "/bin/sh\r".
    /// # Fix
    /// `sed -i 's/\r$//' FILE`; save it with Unix line ends.
    /// # Kernel source
    /// fs/binfmt_script.c `load_script`.
    "script-with-crlf", check
}

const NAME: &str = "%n has Windows line ends, so the kernel looks for \"%0\"";
const ARGUMENT: &str = "%n has Windows line ends, so its interpreter gets a \\r";
const WORDS: &str = "p line 1=%1\n$ sed -i 's/\\r$//' %f";

fn check(case: &Case<'_>) -> Option<Finding> {
    let Content::Script(script) = &case.candidate.content else { return None };
    if words::line(script).last() != Some(&b'\r') {
        return None;
    }
    let name = super::script_interpreter_missing::name(case);
    let (severity, title, kernel) = match name.last() {
        Some(b'\r') if !case.ends_at(Step::ScriptInterpreter) => return None,
        Some(b'\r') => (Severity::Error, NAME, words::NOT_FOUND),
        _ => (Severity::Warning, ARGUMENT, ""),
    };
    let mut finding = case.tell(severity, &[title, kernel, WORDS], &[&name, &words::first_line(script)]);
    finding.certainty = Certainty::Certain;
    Some(finding)
}
