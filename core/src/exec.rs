//! What the kernel does with a file: the steps of execve(2) in the kernel's order, over the facts of a machine.
//!
//! A stage returns early where the kernel would, or where only the kernel itself can tell; the caller then puts the
//! question and starts again.

pub(crate) mod arch;
mod binfmt_misc;
mod binprm;
mod elf;
mod env;
mod exit;
pub(crate) mod go;
mod map;
mod missing;
mod mmap;
mod path;
mod script;
mod start;
mod step;
mod vma;

pub(crate) use arch::{executes_fp_at_start, has_hard_loader};
pub use missing::Missing;
pub use step::Step;

use core::mem::replace;

pub(crate) use binprm::Pages;
pub(crate) use elf::is_table_too_large;
pub(crate) use path::forbidden;
pub(crate) use start::{KERNEL_TOO_OLD, newer_kernel};

use exit::{Checked, Exit, Reply, kill, refuse, reply, unknown};

use crate::candidate::env::Plan;
use crate::candidate::{Candidate, Content, EnvCall};
use crate::errno::Errno;
use crate::machine::Machine;
use crate::target::Capability;

/// What becomes of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// execve(2) succeeds and the first instructions run.
    Starts,
    /// execve(2) fails.
    Refused {
        /// With this errno.
        errno: Errno,
        /// At this check.
        step: Step,
    },
    /// A signal ends it.
    Killed {
        /// Which.
        signal: Signal,
        /// When.
        when: When,
        /// For this reason.
        step: Step,
    },
    /// Its dynamic loader ends it at the start ([`crate::ldso`]), Go's runtime does ([`go`]), or env(1) ends in the place of
    /// its script.
    Exits {
        /// With this status.
        status: u8,
        /// For this reason.
        step: Step,
    },
    /// env(1) starts it again and again, or its dynamic loader goes round in a circle: it comes to nothing else.
    Endless {
        /// For this reason.
        step: Step,
    },
    /// It does not come to its main(): how it ends depends on what lies beside its files in memory, or on what another function
    /// makes of its part.
    Fails {
        /// For this reason.
        step: Step,
    },
    /// A fact that decides is not known.
    Unknown {
        /// Which.
        missing: Missing,
    },
}

/// When a program is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Within execve(2), after its point of no return.
    Exec,
    /// At its first instruction.
    Start,
    /// When it first needs what is not there.
    Later,
}

/// Signals that end a program at its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Signal {
    SIGILL,
    SIGBUS,
    SIGSEGV,
    SIGABRT,
    SIGFPE,
}

impl When {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            When::Exec => "exec",
            When::Start => "start",
            When::Later => "later",
        }
    }
}

impl Signal {
    /// As in signal(7).
    pub const fn name(self) -> &'static str {
        match self {
            Signal::SIGILL => "SIGILL",
            Signal::SIGBUS => "SIGBUS",
            Signal::SIGSEGV => "SIGSEGV",
            Signal::SIGABRT => "SIGABRT",
            Signal::SIGFPE => "SIGFPE",
        }
    }

    /// What the shell prints.
    pub const fn words(self) -> &'static str {
        match self {
            Signal::SIGILL => "Illegal instruction",
            Signal::SIGBUS => "Bus error",
            Signal::SIGSEGV => "Segmentation fault",
            Signal::SIGABRT => "Aborted",
            Signal::SIGFPE => "Floating point exception",
        }
    }
}

/// What the kernel does with the candidate, or the question that decides it.
pub fn simulate(machine: &Machine, candidate: &Candidate) -> Result<Outcome, Capability> {
    if candidate.found().is_none() {
        return Ok(Outcome::Unknown { missing: Missing::File });
    }
    outcome_of(exec_binprm(machine, candidate, 0, Waived::default()))
}

fn outcome_of(stage: Checked) -> Result<Outcome, Capability> {
    Ok(match stage {
        Ok(()) => Outcome::Starts,
        Err(Exit::Refused(errno, step)) => Outcome::Refused { errno, step },
        Err(Exit::Killed(signal, when, step)) => Outcome::Killed { signal, when, step },
        Err(Exit::Exits(status, step)) => Outcome::Exits { status, step },
        Err(Exit::Endless(step)) => Outcome::Endless { step },
        Err(Exit::Unknown(missing)) => Outcome::Unknown { missing },
        Err(Exit::Ask(question)) => return Err(question),
    })
}

/// The program whose loader comes to its turn behind that of another: what env(1) starts.
pub fn behind_env<'a>(machine: &Machine, candidate: &'a Candidate) -> Option<&'a Candidate> {
    env::started(machine, candidate.env_call()?)
}

/// What env(1) is to start, where it is there: the program that starts, else the first that does not.
pub fn sought<'a>(machine: &Machine, call: &'a EnvCall) -> Option<&'a Candidate> {
    let Plan::Starts(sought) = &call.plan else { return None };
    env::started(machine, call).or(sought.found.first())
}

/// What becomes of a program that its loader has started; None where nothing is known that ends it.
pub fn behind_loader(machine: &Machine, candidate: &Candidate) -> Option<Outcome> {
    let Content::Elf(program) = &candidate.content else { return None };
    let stage = elf::behind_loader(machine, candidate, program).and_then(|()| go::rt0_go(machine, candidate));
    outcome_of(stage).ok().filter(|outcome| *outcome != Outcome::Starts)
}

/// What becomes of a program that takes so many addresses with its libraries: RLIMIT_AS counts them.
pub fn over_limit(machine: &Machine, addresses: u64) -> Option<Outcome> {
    /// Stack, vDSO, heap, the loader's own lists.
    const BESIDES: u64 = 8 << 20;
    let limit = machine.limits().address_space.value?;
    if addresses > limit {
        return Some(Outcome::Exits { status: 127, step: Step::LibraryLimit });
    }
    (addresses.saturating_add(BESIDES) > limit).then_some(Outcome::Unknown { missing: Missing::Limits })
}

/// Checks that refuse a file whatever else it contains; of an ELF file's interpreter only that it is not there, so that
/// nothing is mapped and started in its place. Waiving them shows the faults they hide.
const BARRIERS: [Step; 4] = [Step::NoExecMount, Step::Permission, Step::Busy, Step::InterpreterOpen];

/// Which of [`BARRIERS`] are waived.
#[derive(Clone, Copy, Default)]
pub struct Waived([bool; BARRIERS.len()]);

impl Waived {
    /// Whether this check is waived.
    pub fn has(self, step: Step) -> bool {
        BARRIERS.iter().zip(self.0).any(|(barrier, waived)| *barrier == step && waived)
    }

    /// Waives a check; false where it is none that can be, or is waived already.
    fn waive(&mut self, step: Step) -> bool {
        let mut all = BARRIERS.iter().zip(&mut self.0);
        all.find(|(barrier, _)| **barrier == step).is_some_and(|(_, waived)| !replace(waived, true))
    }
}

/// What the kernel does once nothing bars the file, and what barred it: a noexec mount, a missing x bit, a writer, a loader
/// that is not there. Each is taken away in turn, so that a fault is seen behind those that hide it.
pub fn behind_barriers(machine: &Machine, candidate: &Candidate, outcome: Outcome) -> (Outcome, Waived) {
    let mut waived = Waived::default();
    let mut last = outcome;
    while let Outcome::Refused { step, .. } = last {
        if (step == Step::InterpreterOpen && !candidate.lacks_interpreter()) || !waived.waive(step) {
            break;
        }
        match outcome_of(exec_binprm(machine, candidate, 0, waived)) {
            // Where the loader would lie is not known.
            Ok(Outcome::Unknown { .. }) if waived.has(Step::InterpreterOpen) => break,
            Ok(next) => last = next,
            Err(_) => break,
        }
    }
    (last, waived)
}

/// A question that no outcome has needed yet, but that tells whether the program has a further problem: who mends
/// the byte order should not come back for the FPU.
pub fn further_question(machine: &Machine, candidate: &Candidate) -> Option<Capability> {
    let image = candidate.program()?.image()?;
    let hard = candidate.program()?.is_mips_hard_float(image) || has_hard_loader(candidate, image);
    let is_mips = machine.e_machine() == Some(crate::elf::consts::EM_MIPS);
    let is_open = || machine.fpu().value.is_none() && machine.answer(Capability::FpInstruction).is_none();
    (hard && is_mips && is_open()).then_some(Capability::FpInstruction)
}

/// Interpreters that are let through; the next one is not.
const MAX_DEPTH: usize = 5;

/// fs/exec.c `exec_binprm`: opens the file and hands it to the handler that knows its first bytes.
fn exec_binprm(machine: &Machine, candidate: &Candidate, depth: usize, waived: Waived) -> Checked {
    path::open(machine, candidate, waived)?;
    if depth > MAX_DEPTH {
        return refuse(Errno::ELOOP, Step::TooManyInterpreters);
    }
    if let Some(rule) = &candidate.binfmt_misc {
        return binfmt_misc::load_misc_binary(machine, candidate, rule, depth);
    }
    match &candidate.content {
        Content::Unread(errno) if errno.is_of_the_medium() => refuse(*errno, Step::Read),
        Content::Unread(_) | Content::Unknown => unknown(Missing::Content),
        Content::Foreign(_) => refuse(Errno::ENOEXEC, Step::NoHandler),
        Content::Script(script) => script::load_script(machine, candidate, script, depth),
        Content::Elf(program) => elf::try_handlers(machine, candidate, program, waived),
    }
}

/// Goes on with the interpreter of a script or of binfmt_misc; `step`: what it fails at where it cannot be opened.
fn interpreted(machine: &Machine, interpreter: &Candidate, depth: usize, step: Step) -> Checked {
    match exec_binprm(machine, interpreter, depth.saturating_add(1), Waived::default()) {
        Err(Exit::Refused(errno, failed)) if failed.opens_a_file() => refuse(errno, step),
        other => other,
    }
}
