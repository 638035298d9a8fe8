use super::Case;
use super::shown::Shown;
use super::words::{self, EnvSays, FirstLine, Kernel};
use crate::candidate::env::Plan;
use crate::candidate::{Content, last_name};
use crate::errno::Errno;
use crate::exec::Step;
use crate::finding::{Certainty, Found, Severity};
use crate::machine::parts;

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
    let name = case.interpreter_path();
    let of_env = case.candidate.env.as_deref().and_then(|call| match &call.plan {
        Plan::Starts(sought) => Some((call, sought.name.as_slice())),
        _ => None,
    });
    let (severity, who, name, quote, kernel) = match (of_env, name) {
        (Some((_, name)), _) if name.ends_with(b"\r") => {
            // Several words have a fix that has no CR either.
            if !case.ends_at(Step::EnvNotFound) || name.contains(&b' ') {
                return None;
            }
            (Severity::Error, "env looks for \"", name, "\"", case.kernel_says())
        }
        // `-S` takes it for a blank.
        (Some(_), _) if case.starts() => return None,
        (_, [.., b'\r']) if case.ends_at(Step::ScriptInterpreter) => {
            (Severity::Error, "the kernel looks for \"", name, "\"", Kernel::Words(words::NOT_FOUND))
        }
        (_, [.., b'\r']) => return None,
        _ => (Severity::Warning, "its interpreter gets a \\r", &[][..], "", Kernel::NOTHING),
    };
    let (argument, line, shown) = (case.argument(), FirstLine(script), Shown(name));
    let mut finding = case.about(
        severity,
        format_args!(
            "\
has Windows line ends, so {who}{shown}{quote}
program: line 1={line}
kernel:  {kernel}
run:     sed -i 's/\\r$//' {argument}"
        ),
    );
    finding.certainty = Certainty::Certain;
    match of_env {
        Some((call, _)) if severity == Severity::Error => {
            finding.tell(format_args!("you see: {}", EnvSays(case, call, name, Errno::ENOENT)));
            let bare = name.strip_suffix(b"\r").unwrap_or_default();
            if !bare.contains(&b'/') && case.in_path(bare).is_none() {
                finding.tell(format_args!(
                    "fix: give it Unix line ends, and install {}, which is not here either:",
                    Shown(bare)
                ));
            }
        }
        _ => {}
    }
    // To a shell and to Python it is a letter of an option, which they do not know: they end with status 1 or 2.
    let shells = [&b"sh"[..], b"ash", b"dash", b"bash"];
    let line = words::line(script);
    let is_option = parts(line, b' ').last().is_some_and(|word| word.starts_with(b"-"));
    let program = last_name(case.interpreter_path()).1;
    let ends = shells.contains(&program) || program.starts_with(b"python");
    if severity == Severity::Warning && is_option && ends {
        finding.dies();
    }
    Some(finding)
}
