//! fs/binfmt_script.c `load_script`.

use super::{Missing, Past, Stage, Step, Stop, binprm, refuse, unknown};
use crate::candidate::script::{Line, Rules};
use crate::candidate::{Candidate, Script};
use crate::errno::Errno;
use crate::machine::{Kernel, Machine};

/// 5 interpreters in a row are let through, the 6th is not.
const MAX_DEPTH: usize = 5;

/// Reads the line and goes on with its interpreter, whose errors become the script's.
pub(super) fn load(machine: &Machine, candidate: &Candidate, script: &Script, depth: usize) -> Stage {
    match script.line(rules(&machine.kernel)) {
        // It resolves to the current folder, which is no regular file.
        Line::Runs { name: b"", .. } => return refuse(Errno::EACCES, Step::ScriptInterpreter),
        Line::Runs { .. } => {}
        Line::TooLong | Line::Empty | Line::EmptyAtEnd => return refuse(Errno::ENOEXEC, Step::ScriptLine),
    }
    if depth >= MAX_DEPTH {
        return refuse(Errno::ELOOP, Step::TooManyInterpreters);
    }
    let Some(interpreter) = &candidate.interpreter else { return unknown(Missing::ScriptInterpreter) };
    match binprm(machine, interpreter, depth.saturating_add(1), Past::default()) {
        Err(Stop::Refused(errno, step)) if step.opens_a_file() => refuse(errno, Step::ScriptInterpreter),
        other => other,
    }
}

/// The rules of this kernel's release; the latest where it is not known.
pub(crate) fn rules(kernel: &Kernel) -> Rules {
    kernel.release.get().map_or(Rules::LATEST, |release| Rules::of(release.version))
}
