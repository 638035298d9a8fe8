//! What Go's runtime does before `main` (runtime/asm_ARCH.s `rt0_go`): it compares the processor with the level that the
//! program was built for, or executes an instruction of that level.

use super::exit::{Checked, Exit, kill, unknown};
use super::{Missing, Signal, Step, When};
use crate::arch;
use crate::candidate::{Candidate, Go, Image, Program};
use crate::machine::Machine;

/// What a machine lacks that a program of Go was built for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GoLacks {
    /// "VFPv3", "avx2".
    pub(crate) what: &'static str,
    /// What tells it: "Features", "flags".
    pub(crate) source: &'static str,
    /// What becomes of the program.
    pub(crate) end: GoEnd,
    /// Go's environment for a level that this machine has; empty where there is none.
    pub(crate) instead: &'static str,
}

/// How Go's runtime ends.
#[allow(dead_code)] // Not on every architecture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum GoEnd {
    /// It prints this, and exits with status 1.
    Exits(&'static str),
    /// SIGILL.
    Killed,
    /// The machine does not tell what it has.
    Unknown,
    /// The file does not tell its level: Go before 1.18, whose default would be killed.
    Default,
}

/// What a program lacks on this machine.
pub(crate) fn lacks(machine: &Machine, program: &Program, image: &Image) -> Option<GoLacks> {
    let go = program.go.as_ref()?;
    // Of a 64-bit kernel's 32-bit programs their own row knows.
    arch::go_lacks(machine, image, go)
}

/// What becomes of a program whose loader, if it has one, lets it start.
pub(crate) fn rt0_go(machine: &Machine, candidate: &Candidate) -> Checked {
    let Some(program) = candidate.program() else { return Ok(()) };
    let lacks = program.image().and_then(|image| lacks(machine, program, image));
    match lacks.map(|lacks| lacks.end) {
        None | Some(GoEnd::Default) => Ok(()),
        Some(GoEnd::Exits(_)) => Err(Exit::Exits(1, Step::GoCheck)),
        Some(GoEnd::Killed) => kill(Signal::SIGILL, When::Later, Step::GoInstruction),
        Some(GoEnd::Unknown) => unknown(Missing::GoLevel),
    }
}

/// Whether a value is a level of Go's, given as such or with what may follow it behind a comma.
#[allow(dead_code)] // Not on every architecture.
pub(crate) fn level_of(go: &Go) -> Option<(&str, &str)> {
    let value = go.level.as_deref()?;
    Some(value.split_once(',').unwrap_or((value, "")))
}
