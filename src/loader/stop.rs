//! How a stage of the loader ends before the last one.

use super::{Missing, Signal, Step, When};
use crate::errno::Errno;
use crate::machine::Machine;
use crate::system::{Answer, Question};

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
