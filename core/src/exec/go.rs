//! What Go's runtime does before `main` (runtime/asm_ARCH.s `rt0_go`): it compares the processor with the level that the
//! program was built for, or executes an instruction of that level.

use super::exit::{Checked, Exit, exits, kill, unknown};
use super::{Missing, Signal, Step, When};
use crate::arch;
use crate::candidate::{Candidate, Go, Image, Program};
use crate::elf::Class;
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
        None | Some(GoEnd::Default) if crate::ROUTER => Ok(()),
        None | Some(GoEnd::Default) => limits(machine, candidate, program),
        Some(GoEnd::Exits(_)) => Err(Exit::Exits(1, Step::GoCheck)),
        Some(GoEnd::Killed) => kill(Signal::SIGILL, When::Later, Step::GoInstruction),
        Some(GoEnd::Unknown) => unknown(Missing::GoLevel),
    }
}

/// What Go's runtime takes at its start, of addresses (RLIMIT_AS) or of data (RLIMIT_DATA).
struct Takes {
    /// At least.
    least: u64,
    /// Beside that at most, stacks of threads included.
    besides: u64,
}

/// On a 64-bit machine since 1.14, of 48 bits of addresses: the summaries of its pages (runtime/mpagealloc_64bit.go, 585 MiB),
/// the map of its arenas (runtime/malloc.go, 32 MiB) and the first arena (64 MiB). Go 1.15 to 1.24 start with 686 to 694 MiB.
const ADDRESSES: Takes = Takes { least: 681 << 20, besides: 80 << 20 };
/// The map may be written. Go 1.24 starts with 38 MiB, 1.15 with 100 MiB.
const DATA: Takes = Takes { least: 32 << 20, besides: 96 << 20 };

/// Programs for 32 bits start with less: Go 1.19 for 386 with 100 MiB, and 6 MiB of data.
const ADDRESSES_32: Takes = Takes { least: 0, besides: 96 << 20 };
const DATA_32: Takes = Takes { least: 0, besides: 16 << 20 };

/// runtime/malloc.go `mallocinit`: what a limit forbids ends the program, "fatal error: failed to reserve page summary
/// memory" or another one, status 2.
fn limits(machine: &Machine, candidate: &Candidate, program: &Program) -> Checked {
    let (Some(go), Some(image)) = (program.go.as_ref(), program.image()) else { return Ok(()) };
    if candidate.binfmt_misc.is_some() || go.minor.is_some_and(|minor| minor < 14) {
        return Ok(());
    }
    let (addresses, data) =
        if image.encoding.class == Class::Elf64 { (&ADDRESSES, &DATA) } else { (&ADDRESSES_32, &DATA_32) };
    let limits = machine.limits();
    let own = image.loads().fold(0_u64, |sum, load| sum.saturating_add(load.p_memsz));
    check(go, limits.address_space.value, own, addresses, Step::GoAddresses)?;
    // Before Linux 4.7 it was for brk(2) alone.
    if machine.kernel().older_than((4, 7, 0)) {
        return Ok(());
    }
    check(go, limits.data.value, 0, data, Step::GoData)
}

fn check(go: &Go, limit: Option<u64>, own: u64, takes: &Takes, step: Step) -> Checked {
    let least = own.saturating_add(takes.least);
    match limit {
        None | Some(u64::MAX) => Ok(()),
        Some(limit) if limit < least && go.minor.is_some() => exits(2, step),
        Some(limit) if limit < least.saturating_add(takes.besides) => unknown(Missing::Limits),
        Some(_) => Ok(()),
    }
}

/// Whether a value is a level of Go's, given as such or with what may follow it behind a comma.
#[allow(dead_code)] // Not on every architecture.
pub(crate) fn level_of(go: &Go) -> Option<(&str, &str)> {
    let value = go.level.as_deref()?;
    Some(value.split_once(',').unwrap_or((value, "")))
}
