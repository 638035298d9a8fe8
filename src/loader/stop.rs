//! How a stage of the loader ends before the last one.

use super::{Signal, Step, When};
use crate::errno::Errno;
use crate::machine::Machine;
use crate::system::{Answer, Question};
use crate::text::{Packed, packed};

/// Why a stage went no further. An [`Outcome`](super::Outcome) and a question in four bytes: each stage hands it on, and so does it
/// in a register, where 0 is left for going on.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Stop {
    Refused(Errno, Step) = 1,
    Killed(Signal, When, Step) = 2,
    Unknown(Missing) = 3,
    Ask(Question) = 4,
}

pub(super) type Stage<T = ()> = Result<T, Stop>;

pub(super) const fn refuse<T>(errno: Errno, step: Step) -> Stage<T> {
    Err(Stop::Refused(errno, step))
}

pub(super) const fn kill<T>(signal: Signal, when: When, step: Step) -> Stage<T> {
    Err(Stop::Killed(signal, when, step))
}

pub(super) const fn unknown<T>(missing: Missing) -> Stage<T> {
    Err(Stop::Unknown(missing))
}

/// A fact that decides and is not known. Some are of one architecture.
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))]
#[derive(Clone, Copy)]
pub(super) enum Missing {
    Access,
    Content,
    PseudoFile,
    ScriptInterpreter,
    Interpreter,
    InterpreterContent,
    Processor,
    Layout,
    HeaderAsCode,
    NoExecute,
    CpuFeatures,
    MiscRule,
    MiscInterpreter,
    Place,
    Limits,
    Memory,
    LostPart,
    MarkedCode,
    TwoFaults,
    Unpredictable,
    Descriptor,
    Endless,
    /// The kernel was asked, and there is no answer.
    Answer(Question),
}

/// The content of a file that is not read.
pub(crate) const PSEUDO_FILE: Packed = packed!(
    "what a file of the kernel's own (on proc, sysfs and their like) holds: to read it could change something"
);

impl Missing {
    pub(super) fn words(self) -> Packed {
        // Apart, for a `match` of nothing but constants is a table.
        if let Missing::Answer(question) = self {
            return question.what();
        }
        match self {
            Missing::Access => packed!("whether the file may be executed"),
            Missing::Content => packed!("the content of the file, which may not be read"),
            Missing::PseudoFile => PSEUDO_FILE,
            Missing::ScriptInterpreter => packed!("the interpreter of the script"),
            Missing::Interpreter => packed!("the interpreter of the program"),
            Missing::InterpreterContent => packed!("the content of the interpreter, which may not be read"),
            Missing::Processor => packed!("the processor and word size of this kernel"),
            Missing::Layout => packed!("byte order and word size of this kernel"),
            Missing::HeaderAsCode => {
                packed!("what the processor makes of an ELF header that it is to execute")
            }
            Missing::NoExecute => packed!("whether this kernel keeps data from being executed"),
            Missing::CpuFeatures => packed!("the features of the processor"),
            Missing::MiscRule => packed!("which of several rules of binfmt_misc was registered last"),
            Missing::MiscInterpreter => {
                packed!("the interpreter of binfmt_misc, which the kernel holds open")
            }
            Missing::Place => {
                packed!("where this kernel puts what it maps, which is random or set when it was built")
            }
            Missing::Limits => packed!("how much of its resource limits (ulimit) is taken"),
            Missing::Memory => packed!("how much memory others leave, where vm.overcommit_memory is 2"),
            Missing::LostPart => packed!("whether the program needs what its file has lost"),
            Missing::MarkedCode => {
                packed!("whether its code is as its header says: then this machine does not run it")
            }
            Missing::TwoFaults => {
                packed!("which of two faults comes first: not aligned, and not mapped for execution")
            }
            Missing::Unpredictable => {
                packed!("what the processor makes of an address that ARM leaves open (UNPREDICTABLE)")
            }
            Missing::Descriptor => packed!("where the function descriptor at e_entry leads"),
            Missing::Endless => {
                packed!("an end: this kernel faults again and again on code that may only be written")
            }
            Missing::Answer(_) => Packed::NONE,
        }
    }
}

/// What became of the kernel's answer to a question.
pub(super) enum Told {
    Yes,
    No,
    /// It was asked, and could not answer.
    Untold,
}

/// Puts a question: answered, or asked before anything else goes on.
pub(super) fn told(machine: &Machine, question: Question) -> Stage<Told> {
    match machine.answer(question) {
        None => Err(Stop::Ask(question)),
        Some(fact) => Ok(match fact.value {
            Some(Answer::Works) => Told::Yes,
            Some(Answer::Refused(_) | Answer::Killed) => Told::No,
            None => Told::Untold,
        }),
    }
}

/// The same where nothing else can tell.
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))]
pub(super) fn asked(machine: &Machine, question: Question) -> Stage<bool> {
    match told(machine, question)? {
        Told::Yes => Ok(true),
        Told::No => Ok(false),
        Told::Untold => unknown(Missing::Answer(question)),
    }
}
