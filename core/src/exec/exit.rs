//! How a stage of execve ends before the last one.

use super::{Missing, Signal, Step, When};
use crate::errno::Errno;
use crate::machine::Machine;
use crate::target::{Answer, Capability};

/// Early exit of a stage: an [`Outcome`](super::Outcome), or a question that has to be answered first. It fits one
/// register, with 0 as the niche for Ok.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Exit {
    Refused(Errno, Step) = 1,
    Killed(Signal, When, Step) = 2,
    Unknown(Missing) = 3,
    Ask(Capability) = 4,
    Exits(u8, Step) = 5,
    Endless(Step) = 6,
}

pub(crate) type Checked<T = ()> = Result<T, Exit>;

pub(crate) const fn refuse<T>(errno: Errno, step: Step) -> Checked<T> {
    Err(Exit::Refused(errno, step))
}

pub(crate) const fn kill<T>(signal: Signal, when: When, step: Step) -> Checked<T> {
    Err(Exit::Killed(signal, when, step))
}

/// With a status other than 0.
pub(crate) const fn exits<T>(status: u8, step: Step) -> Checked<T> {
    Err(Exit::Exits(status, step))
}

pub(crate) const fn unknown<T>(missing: Missing) -> Checked<T> {
    Err(Exit::Unknown(missing))
}

/// What became of the kernel's answer to a question.
pub(crate) enum Reply {
    Works,
    Fails,
    /// It was asked, and could not answer.
    None,
}

/// Puts a question: answered, or asked before anything else goes on.
pub(crate) fn reply(machine: &Machine, question: Capability) -> Checked<Reply> {
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
pub(crate) fn supports(machine: &Machine, question: Capability) -> Checked<bool> {
    match reply(machine, question)? {
        Reply::Works => Ok(true),
        Reply::Fails => Ok(false),
        Reply::None => unknown(Missing::Answer(question)),
    }
}
