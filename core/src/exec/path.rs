//! Opening the file: fs/exec.c `do_open_execat`, fs/namei.c.

use super::{Checked, Missing, Step, Waived, refuse, unknown};
use crate::candidate::Candidate;
use crate::errno::Errno;
use crate::machine::Machine;
use crate::target::FileKind;

/// Everything that can be said before a byte of the file is read.
pub(super) fn open(machine: &Machine, candidate: &Candidate, waived: Waived) -> Checked {
    let stat = match &candidate.stat {
        Some(Ok(stat)) => stat,
        Some(Err(errno)) => return refuse(*errno, Step::Lookup),
        None => return unknown(Missing::File),
    };
    if stat.kind == FileKind::Pseudo {
        return unknown(Missing::PseudoFile);
    }
    if stat.kind != FileKind::Regular {
        return refuse(Errno::EACCES, Step::FileType);
    }
    // faccessat(2) knows of the mount: only where it refuses is it worth a look which of the two it was.
    let is_refused = candidate.may_execute == Some(Err(Errno::EACCES));
    if is_refused && !waived.has(Step::NoExecMount) && on_noexec_mount(machine, candidate) {
        return refuse(Errno::EACCES, Step::NoExecMount);
    }
    match candidate.may_execute {
        Some(Ok(())) => {}
        Some(Err(Errno::EACCES)) if waived.has(Step::Permission) => {}
        // The mount was the reason, where somebody has an x bit.
        Some(Err(Errno::EACCES)) if waived.has(Step::NoExecMount) && stat.mode & 0o111 != 0 => {}
        Some(Err(Errno::EACCES)) => return refuse(Errno::EACCES, Step::Permission),
        Some(Err(_)) | None => return unknown(Missing::Access),
    }
    if !waived.has(Step::Busy) && candidate.busy == Some(true) && denies_writers(machine) {
        return refuse(Errno::ETXTBSY, Step::Busy);
    }
    Ok(())
}

/// The program that a security module refuses, of a file and its interpreters, and how it does.
pub(crate) fn forbidden<'a>(machine: &Machine, candidate: &'a Candidate) -> Option<(&'a Candidate, Errno)> {
    let mut next = Some(candidate);
    while let Some(program) = next {
        // Other errors have steps of their own.
        if let Some(Err(errno @ (Errno::EACCES | Errno::EPERM))) =
            machine.target.root.may_start(&program.path)
        {
            return Some((program, errno));
        }
        next = program.interpreter.as_deref();
    }
    None
}

fn on_noexec_mount(machine: &Machine, candidate: &Candidate) -> bool {
    machine.mount_of(&candidate.resolved).is_some_and(|mount| mount.has("noexec"))
}

/// `deny_write_access` was dropped from execve in 6.11 and came back in 6.13 and 6.12.2.
fn denies_writers(machine: &Machine) -> bool {
    machine.kernel().older_than((6, 11, 0)) || !machine.kernel().older_than((6, 12, 2))
}
