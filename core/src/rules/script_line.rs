mod argument;
mod env;
use super::Case;
use super::words::{self, FirstLine, Kernel};
use crate::candidate::Content;
use crate::candidate::script::{Rules, Script};
use crate::exec::Step;
use crate::finding::Found;

rule! {
    /// # What it means
    /// The first line begins with `#!`, but the kernel cannot use it: no interpreter is named, the line does not fit
    /// the kernel's buffer, or interpreters name each other without an end. Or env cannot: it does not know an option, or
    /// is given no program.
    /// # How it looks
    /// The first is that of an endless chain, the others are env's. Otherwise ash runs the file as its own script all the
    /// same.
    /// # Why
    /// The kernel reads 256 bytes of the file (128 before Linux 5.1), and the interpreter's name must end within them.
    /// It follows five interpreters in a row. The rest of the line is one argument to the interpreter; `env -S`, which takes
    /// it apart, came with coreutils 8.30, and BusyBox has none.
    /// # Fix
    /// Make `#!/bin/sh` the first line, or call the interpreter by a short path.
    /// # Kernel source
    /// fs/binfmt_script.c `load_script`; fs/exec.c `exec_binprm`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/itself text #!/tmp/itself\n
    /// $ diag /tmp/itself
    /// error[script-line]: /tmp/itself names itself as its interpreter
    ///   program: line 1 #!/tmp/itself
    ///   kernel:  ELOOP
    ///   you see: Symbolic link loop (glibc: Too many levels of symbolic links)
    ///   fix:     name a program in its first line
    /// [1]
    /// ```
    ScriptLine, looks [
        "Too many levels of symbolic links",
        "env: invalid option -- 'S'",
        "env: use -[v]S to pass options in shebang lines",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let Content::Script(script) = &case.candidate.content else { return None };
    if let Some(found) = env::check(case, script) {
        return Some(found);
    }
    // What starts all the same, and is told by its interpreter in words that say it.
    if case.starts() && crate::ROUTER {
        return None;
    }
    if case.starts() {
        return argument::check(case, script);
    }
    let step = case.step?;
    // A line of 128 bytes and more comes from deep folders, which a router hardly has.
    let is_cut =
        !crate::ROUTER && matches!(step, Step::ScriptLine | Step::ScriptInterpreter) && is_cut(case, script);
    let let_name = "put an interpreter into its first line, for example #!/bin/sh";
    let (title, fix) = match step {
        _ if is_cut => ("", "call the interpreter by a shorter path, or through a symbolic link"),
        Step::TooManyInterpreters if names_itself(case) => {
            ("names itself as its interpreter", "name a program in its first line")
        }
        Step::TooManyInterpreters => {
            ("goes through more interpreters than the 5 that the kernel follows", let_name)
        }
        // An empty name has no interpreter that could be opened.
        Step::ScriptInterpreter if case.candidate.interpreter.is_some() => return None,
        Step::ScriptLine if crate::ROUTER => {
            ("begins with #!, but names no interpreter, or by too long a path", let_name)
        }
        Step::ScriptLine | Step::ScriptInterpreter => ("begins with #!, but names no interpreter", let_name),
        _ => return None,
    };
    let mut finding = if is_cut {
        // Old kernels cut the name off without a word, and look for what is left.
        let (length, most) = (words::line(script).len(), buffer(case));
        let or_more = if length < script.buffer.len() { "" } else { " or more" };
        case.error(format_args!("has a #! line of {length} bytes{or_more}, this kernel reads {most}"))
    } else {
        case.error(format_args!("{title}"))
    };
    let kernel = if case.ends_at(Step::ScriptLine) {
        Kernel::Words(words::TEXT_AS_SCRIPT)
    } else {
        case.kernel_says()
    };
    let line = FirstLine(script);
    finding.tell(format_args!(
        "\
program: line 1={line}
kernel:  {kernel}
fix:     {fix}"
    ));
    Some(finding)
}

/// The interpreter's name does not end within the kernel's buffer.
fn is_cut(case: &Case<'_>, script: &Script) -> bool {
    let line = script.buffer.get(2..buffer(case)).unwrap_or_default();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(start) = line.iter().position(|byte| !blank(byte)) else { return false };
    let name = line.get(start..).unwrap_or_default();
    !name.iter().any(|byte| blank(byte) || matches!(byte, b'\n' | 0))
}

fn buffer(case: &Case<'_>) -> usize {
    case.machine.kernel().release.get().map_or(Rules::LATEST, |release| Rules::of(release.version)).buffer
}

fn names_itself(case: &Case<'_>) -> bool {
    case.candidate
        .interpreter
        .as_ref()
        .is_some_and(|other| words::same(&other.resolved, &case.candidate.resolved))
}
