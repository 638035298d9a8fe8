//! What env(1) does with the line of a script, once it was started: execvp(3), and its exit status.

use super::exit::{Checked, Exit, exits, unknown};
use super::{Missing, Step, Waived, exec_binprm};
use crate::candidate::env::{Plan, Sought};
use crate::candidate::{Candidate, Content, EnvCall, Foreign};
use crate::errno::Errno;
use crate::machine::Machine;

/// It goes on with a program, or ends.
pub(super) fn run(machine: &Machine, call: &EnvCall) -> Checked {
    match &call.plan {
        Plan::Prints => Ok(()),
        Plan::Refuses { status, .. } => exits(*status, Step::EnvUsage),
        Plan::NoFolder(..) => exits(125, Step::EnvFolder),
        Plan::Itself => Err(Exit::Endless(Step::EnvItself)),
        Plan::Unknown => unknown(Missing::EnvCommand),
        Plan::Starts(sought) => execvp(machine, sought).map(|_| ()),
    }
}

/// The program that env starts, where it does.
pub(super) fn started<'a>(machine: &Machine, call: &'a EnvCall) -> Option<&'a Candidate> {
    match &call.plan {
        Plan::Starts(sought) => execvp(machine, sought).ok()?,
        _ => None,
    }
}

/// The first program that the kernel takes; None where /bin/sh is given it. glibc goes on where there is no such file, no
/// folder, or no right to it, musl the same.
fn execvp<'a>(machine: &Machine, sought: &'a Sought) -> Checked<Option<&'a Candidate>> {
    let mut last = Errno::ENOENT;
    let mut is_denied = false;
    for program in &sought.found {
        match exec_binprm(machine, program, 0, Waived::default()) {
            Ok(()) => return Ok(Some(program)),
            Err(Exit::Refused(Errno::ENOEXEC, _)) => return shell(sought, program),
            Err(Exit::Refused(errno, _)) => last = errno,
            // What it ends with after that is no matter of env's.
            Err(other) => return Err(other),
        }
        match last {
            Errno::ENOENT | Errno::ENOTDIR => {}
            Errno::EACCES => is_denied = true,
            _ => return exits(126, Step::EnvExec),
        }
    }
    if is_denied {
        return exits(126, Step::EnvExec);
    }
    if sought.perhaps.is_some() {
        return unknown(Missing::SearchPath);
    }
    if sought.ends_absent || last == Errno::ENOENT {
        exits(127, Step::EnvNotFound)
    } else {
        exits(126, Step::EnvExec)
    }
}

/// What glibc's execvp(3) does where the kernel knows no format: it has /bin/sh read the file. musl's gives up.
fn shell<'a>(sought: &Sought, program: &Candidate) -> Checked<Option<&'a Candidate>> {
    let is_read = matches!(
        program.content,
        Content::Script(_) | Content::Foreign(Foreign::Text | Foreign::Empty | Foreign::Zeros)
    );
    match sought.tries_shell {
        Some(true) if is_read => Ok(None),
        None if is_read => unknown(Missing::EnvShell),
        // 127 where no character of the first line belongs to the shell; observed with dash.
        Some(true) => exits(2, Step::EnvExec),
        Some(false) | None => exits(126, Step::EnvExec),
    }
}
