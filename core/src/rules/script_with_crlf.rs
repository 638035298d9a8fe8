use super::Case;
use super::shown::Shown;
use super::words::{self, EnvSays, FirstLine};
use crate::candidate::env::{EnvCall, Plan, Sought};
use crate::candidate::{Content, Script, last_name};
use crate::errno::Errno;
use crate::exec::Step;
use crate::finding::{Certainty, Found, Severity};

rule! {
    /// # What it means
    /// The script's lines end in CR LF, as on Windows. The CR belongs to the interpreter's name, or to its argument.
    /// # How it looks
    /// The first is ash's, and the file is there all the same; the last two are those of a script for env.
    /// # Why
    /// The kernel ends the line at LF and takes CR for a letter, so it looks for "/bin/sh\r", or hands "python3\r" to env.
    /// # Fix
    /// `sed -i 's/\r$//' FILE`; save it with Unix line ends.
    /// # Kernel source
    /// fs/binfmt_script.c `load_script`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/good text #!/bin/sh\necho\n
    /// file /tmp/install.sh text #!/bin/sh\r\necho\r\n
    /// $ diag /tmp/install.sh
    /// error[script-with-crlf]: /tmp/install.sh has Windows line ends, so the kernel
    ///   looks for "/bin/sh\r"
    ///   program: line 1 #!/bin/sh\r
    ///   kernel:  ENOENT
    ///   you see: ash: not found, though the file is there; bash: cannot execute:
    ///            required file not found
    ///   fix:     sed -i 's/\r$//' /tmp/install.sh
    /// [1]
    /// ```
    ScriptWithCrlf, looks [
        "not found",
        "bad interpreter",
        "/bin/sh^M",
        "required file not found",
        "env: can't execute 'python3\\r'",
        "/usr/bin/env: 'bash\\r': No such file or directory",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let Content::Script(script) = &case.candidate.content else { return None };
    if words::line(script).last() != Some(&b'\r') {
        return None;
    }
    let (argument, line) = (case.argument(), FirstLine(script));
    if let Some(call) = &case.candidate.env {
        match &call.plan {
            Plan::Starts(sought) if sought.name.ends_with(b"\r") => {
                return of_env(case, script, call, sought);
            }
            // `-S` takes it for a blank.
            Plan::Starts(_) if case.starts() => return None,
            _ => {}
        }
    }
    let name = case.interpreter_path();
    let (severity, who, name, quote, kernel) = match name.last() {
        Some(b'\r') if !case.ends_at(Step::ScriptInterpreter) => return None,
        Some(b'\r') => (Severity::Error, "the kernel looks for \"", name, "\"", words::NOT_FOUND),
        _ => (Severity::Warning, "its interpreter gets a \\r", &[][..], "", ""),
    };
    let name = Shown(name);
    let mut finding = case.about(
        severity,
        format_args!(
            "\
has Windows line ends, so {who}{name}{quote}
program: line 1={line}
kernel:  {kernel}
run:     sed -i 's/\\r$//' {argument}"
        ),
    );
    finding.certainty = Certainty::Certain;
    // To a shell and to Python it is a letter of an option, which they do not know: they end with status 1 or 2.
    let shells = [&b"sh"[..], b"ash", b"dash", b"bash"];
    let is_option = words::line(script)
        .split(|byte| *byte == b' ')
        .next_back()
        .is_some_and(|word| word.starts_with(b"-"));
    let program = last_name(case.interpreter_path()).1;
    let ends = shells.contains(&program) || program.starts_with(b"python");
    if severity == Severity::Warning && is_option && ends {
        finding.dies();
    }
    Some(finding)
}

/// The CR belongs to the name that env looks for; None where that is not what ends it.
fn of_env(case: &Case<'_>, script: &Script, call: &EnvCall, sought: &Sought) -> Option<Found> {
    // Several words have a fix that has no CR either.
    if !case.ends_at(Step::EnvNotFound) || sought.name.contains(&b' ') {
        return None;
    }
    let (argument, line, name) = (case.argument(), FirstLine(script), Shown(&sought.name));
    let (kernel, says) = (case.kernel_says(), EnvSays(case, call, &sought.name, Errno::ENOENT));
    let bare = sought.name.strip_suffix(b"\r").unwrap_or_default();
    let mut finding = case.error(format_args!(
        "\
has Windows line ends, so env looks for \"{name}\"
program: line 1={line}
kernel:  {kernel}
you see: {says}
run:     sed -i 's/\\r$//' {argument}"
    ));
    if !bare.contains(&b'/') && case.in_path(bare).is_none() {
        finding.tell(format_args!(
            "fix: give it Unix line ends, and install {}, which is not here either:",
            Shown(bare)
        ));
    }
    Some(finding)
}
