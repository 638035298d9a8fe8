//! The part that may wait for a file system that never answers (FUSE, NFS and their like) is a child: no signal ends such
//! a wait, and its parent gives up instead.

use std::os::fd::{AsFd as _, OwnedFd, RawFd};

use nix::libc::{self, c_uint};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
// System calls of rustix' own: each function of the C library that is linked takes a thousand instructions at every start.
use rustix::io::{Errno, read};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{self, getpid, getppid, kill_process};
use rustix::stdio::{dup2_stderr, dup2_stdout};

use super::stdio::{self, end_by};

/// For how long a child may neither write nor take any time of a processor, in milliseconds.
const PATIENCE: u32 = 10_000;
/// It is looked at so often: where both were stopped for long, that counts once.
const LOOK: u16 = 1000;

/// Which of the two goes on.
pub(super) enum Part {
    /// It does the work. What it writes is the parent's to pass on.
    Child,
    /// It passes on what the child says.
    Parent(Child),
}

/// A child at work.
pub(super) struct Child {
    pid: Pid,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    /// Seconds and nanoseconds of a processor that it had, when it was last looked at.
    used: [libc::c_long; 2],
}

/// What becomes of a child.
enum Said {
    /// It wrote this to stdout.
    Stdout(Vec<u8>),
    /// It wrote this to stderr.
    Stderr(Vec<u8>),
    /// It ended, with that status.
    Ended(u8),
    /// It has done nothing for so long.
    Nothing,
}

/// Becomes two processes. Where there can be no second one, the only one does the work.
///
/// `keeps` are descriptors that the work may be about (/dev/fd/N).
pub(super) fn part(keeps: bool) -> Part {
    let pipe = || pipe_with(PipeFlags::CLOEXEC).ok();
    let (Some(stdout), Some(stderr)) = (pipe(), pipe()) else { return Part::Child };
    // SAFETY: the default action; where our caller ignores it, nobody can ask how the child ended.
    let _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
    let parent = getpid();
    // SAFETY: there is one thread, and its memory becomes two.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0_usize, 0_usize, 0_usize, 0_usize) };
    match libc::pid_t::try_from(pid) {
        Ok(0) => {
            // It ends with its parent, as soon as it can be ended at all.
            let _ = prctl::set_pdeathsig(Signal::SIGKILL);
            let taken = dup2_stdout(&stdout.1).and_then(|()| dup2_stderr(&stderr.1));
            if taken.is_err() || getppid() != Some(parent) {
                // SAFETY: it ends this process.
                unsafe { libc::_exit(2) };
            }
            drop((stdout, stderr));
            if !keeps {
                close_from(3);
            }
            Part::Child
        }
        Ok(pid @ 1..) => Part::Parent(Child {
            pid: Pid::from_raw(pid),
            stdout: Some(stdout.0),
            stderr: Some(stderr.0),
            used: [0; 2],
        }),
        _ => Part::Child,
    }
}

impl Child {
    /// Passes on what it writes, and gives its exit status; one sentence where that cannot be written, or where it does
    /// nothing for too long because of these file systems, and is left.
    pub(super) fn pass_on(mut self, remote: &str) -> Result<u8, String> {
        loop {
            match self.wait() {
                Said::Stdout(text) => stdio::write_stdout(&text)
                    .map_err(|why| format!("the report could not be written: {why}"))?,
                Said::Stderr(text) => stdio::write_stderr(&text),
                Said::Ended(status) => return Ok(status),
                Said::Nothing => return Err(format!("no answer for 10 seconds from {remote}")),
            }
        }
    }

    /// Waits for the next thing that happens to it.
    fn wait(&mut self) -> Said {
        let mut idle = 0_u32;
        loop {
            // What is wrong before what is right: it says why the rest is missing.
            if let Some(bytes) = take(&mut self.stderr) {
                return Said::Stderr(bytes);
            }
            if let Some(bytes) = take(&mut self.stdout) {
                return Said::Stdout(bytes);
            }
            let pipes = [&self.stdout, &self.stderr];
            let mut open: Vec<PollFd> = pipes
                .into_iter()
                .flatten()
                .map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN))
                .collect();
            let mut wait = LOOK;
            if open.is_empty() {
                match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::StillAlive) => wait = 1,
                    Ok(WaitStatus::Exited(_, status)) => return Said::Ended(status.try_into().unwrap_or(2)),
                    Ok(WaitStatus::Signaled(_, number, _)) => {
                        end_by(number);
                        return Said::Ended(2);
                    }
                    _ => return Said::Ended(2),
                }
            }
            if poll(&mut open, PollTimeout::from(wait)) != Ok(0) {
                continue;
            }
            idle = if self.has_worked() { 0 } else { idle.saturating_add(wait.into()) };
            if idle >= PATIENCE {
                let pid = process::Pid::from_raw(self.pid.as_raw());
                let _ = pid.map(|pid| kill_process(pid, process::Signal::KILL));
                return Said::Nothing;
            }
        }
    }

    /// Whether it has taken time of a processor since it was looked at: one that waits takes none.
    fn has_worked(&mut self) -> bool {
        // Of linux/posix-timers.h: what the scheduler counts for a whole process (CPUCLOCK_SCHED).
        let clock = (!self.pid.as_raw()) << 3 | 2;
        // struct __kernel_old_timespec, whatever the C library's has become: seconds and nanoseconds.
        let mut used: [libc::c_long; 2] = [0; 2];
        // SAFETY: a number, and two to write to.
        if unsafe { libc::syscall(libc::SYS_clock_gettime, clock, &raw mut used) } != 0 {
            return false;
        }
        used != std::mem::replace(&mut self.used, used)
    }
}

/// What is in a pipe, without waiting; at its end it is closed.
fn take(pipe: &mut Option<OwnedFd>) -> Option<Vec<u8>> {
    let open = pipe.as_ref()?;
    if poll(&mut [PollFd::new(open.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO) != Ok(1) {
        return None;
    }
    let mut bytes = vec![0; 1 << 16];
    match read(open, &mut bytes) {
        Err(Errno::INTR) => None,
        Ok(read @ 1..) => {
            bytes.truncate(read);
            Some(bytes)
        }
        _ => {
            *pipe = None;
            None
        }
    }
}

/// Closes what the child has no use for: where it waits for ever, what it holds open stays so, a lock of our caller's for
/// instance.
fn close_from(first: c_uint) {
    // SAFETY: nothing that is closed is used any more.
    if unsafe { libc::syscall(libc::SYS_close_range, first, c_uint::MAX, 0) } == 0 {
        return;
    }
    // Before Linux 5.9. More than that are seldom open.
    for descriptor in RawFd::try_from(first).unwrap_or(RawFd::MAX)..1024 {
        // SAFETY: the same.
        unsafe { libc::close(descriptor) };
    }
}
