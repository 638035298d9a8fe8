//! MapFlags a stage of the loader ends before the last one.

use super::{Missing, Signal, Step, When};
use crate::errno::Errno;
use crate::machine::Machine;
use crate::target::{Answer, Question};

/// Why a stage went no further. An [`Outcome`](super::Outcome) and a question in four bytes: each stage hands it on, and so does it
/// in a register, where 0 is left for going on.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Exit {
    Refused(Errno, Step) = 1,
    Killed(Signal, When, Step) = 2,
    Unknown(Missing) = 3,
    Ask(Question) = 4,
}

pub(super) type Checked<T = ()> = Result<T, Exit>;

pub(super) const fn refuse<T>(errno: Errno, step: Step) -> Checked<T> {
    Err(Exit::Refused(errno, step))
}

pub(super) const fn kill<T>(signal: Signal, when: When, step: Step) -> Checked<T> {
    Err(Exit::Killed(signal, when, step))
}

pub(super) const fn unknown<T>(missing: Missing) -> Checked<T> {
    Err(Exit::Unknown(missing))
}

/// What became of the kernel's answer to a question.
pub(super) enum Reply {
    Works,
    Fails,
    /// It was asked, and could not answer.
    None,
}

/// Puts a question: answered, or asked before anything else goes on.
pub(super) fn reply(machine: &Machine, question: Question) -> Checked<Reply> {
    match machine.answer(question) {
        None => Err(Exit::Ask(question)),
        Some(fact) => Ok(match fact.value {
            Some(Answer::Works) => Reply::Works,
            Some(Answer::Refused(_) | Answer::Killed) => Reply::Fails,
            None => Reply::None,
        }),
    }
}

/// The same where nothing else can tell.
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))]
pub(super) fn supports(machine: &Machine, question: Question) -> Checked<bool> {
    match reply(machine, question)? {
        Reply::Works => Ok(true),
        Reply::Fails => Ok(false),
        Reply::None => unknown(Missing::Answer(question)),
    }
}
