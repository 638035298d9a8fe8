//! fs/binfmt_script.c `load_script`.

use super::{Checked, Missing, Step, env, interpreted, refuse, unknown};
use crate::candidate::script::Line;
use crate::candidate::{Candidate, Script};
use crate::errno::Errno;
use crate::machine::Machine;

/// Reads the line and goes on with its interpreter, whose errors become the script's.
pub(super) fn load_script(
    machine: &Machine,
    candidate: &Candidate,
    script: &Script,
    depth: usize,
) -> Checked {
    match script.line(machine.formats().script) {
        // It resolves to the current folder, which is no regular file.
        Line::Runs { name: b"", .. } => return refuse(Errno::EACCES, Step::ScriptInterpreter),
        Line::Runs { .. } => {}
        Line::TooLong | Line::Empty | Line::EmptyAtEnd => return refuse(Errno::ENOEXEC, Step::ScriptLine),
    }
    match &candidate.interpreter {
        Some(interpreter) => interpreted(machine, interpreter, depth, Step::ScriptInterpreter)?,
        None => return unknown(Missing::ScriptInterpreter),
    }
    candidate.env.as_ref().map_or(Ok(()), |call| env::run(machine, call))
}
