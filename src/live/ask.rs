//! Starts a tiny ELF file of our own and tells what became of it. The kernel's answer is the child's end.
//!
//! Nothing else is ever started: the file has no name that anybody could take (memfd_create(2), else O_TMPFILE), and is
//! executed by its descriptor.

use std::ffi::{CStr, c_char, c_int, c_long};
use std::fs::File;
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::ptr;

use nix::fcntl::{FcntlArg, OFlag, SealFlag, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction, signal};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, alarm, fchdir};

use super::errno::of_raw;
use super::files::{number, own_descriptors};
use super::stdio::write_all;
use crate::errno::Errno;
use crate::target::Answer;

/// The status of a child that was only checked; no errno is as large, and the tiny program's own is 0.
const CAME_BACK: c_int = 254;

/// What becomes of a program that has a property, on a machine that starts the plain one. Where that does not start
/// either, it is for the circumstances: a resource limit, a sandbox.
pub(super) fn answer(elf: &[u8], plain: &[u8]) -> Option<Answer> {
    let answer = start(elf)?;
    (answer == Answer::Works || start(plain) == Some(Answer::Works)).then_some(answer)
}

/// Whether the kernel knows AT_EXECVE_CHECK (Linux 6.14): then execveat(2) comes back, and nothing was started. An emulator
/// that does not heed the flag starts this file of our own, never a candidate.
pub(super) fn knows_check(plain: &[u8]) -> bool {
    let file = if may_write(plain.len()) { in_memory(plain) } else { None };
    let ended = file.and_then(|file| end_of(&file, libc::AT_EXECVE_CHECK));
    matches!(ended, Some(WaitStatus::Exited(_, CAME_BACK)))
}

/// What the kernel would say to an execve(2) of a file, up to its security modules; only where [`knows_check`].
pub(super) fn may_start(path: &CStr) -> Result<(), Errno> {
    let (argv, envp) = ([path.as_ptr(), ptr::null()], [ptr::null::<c_char>()]);
    let (here, check) = (c_long::from(libc::AT_FDCWD), c_long::from(libc::AT_EXECVE_CHECK));
    // SAFETY: texts that end in NUL and lists that end in null; the kernel only checks.
    let result = unsafe {
        libc::syscall(libc::SYS_execveat, here, path.as_ptr(), argv.as_ptr(), envp.as_ptr(), check)
    };
    if result == 0 { Ok(()) } else { Err(of_raw(nix::errno::Errno::last_raw())) }
}

/// None where it could not be tried: no memory, no place for the file, a sandbox.
fn start(elf: &[u8]) -> Option<Answer> {
    if !may_write(elf.len()) {
        return None;
    }
    // Without x permission (sysctl vm.memfd_noexec) it is no answer.
    in_memory(elf).and_then(|file| run(&file)).or_else(|| run(&in_tmp(elf)?))
}

/// A file in memory (Linux 3.17), sealed, so that it stays what it is.
fn in_memory(elf: &[u8]) -> Option<File> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    // Linux 6.3 wants to be told that it will be executed (MFD_EXEC); before, it does not know the flag.
    let executable = flags | MFdFlags::from_bits_retain(0x10);
    let made = memfd_create(c"diag", executable).or_else(|_| memfd_create(c"diag", flags));
    let file = File::from(made.ok()?);
    write_all(file.as_fd(), elf).ok()?;
    let seals =
        SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE;
    // A sandbox may forbid it: only who has diag's own rights could write there.
    let _ = fcntl(&file, FcntlArg::F_ADD_SEALS(seals));
    Some(file)
}

/// A file without a name in /tmp (Linux 3.11). It is opened anew to be read only: what is open for writing is not
/// executed (ETXTBSY).
fn in_tmp(elf: &[u8]) -> Option<File> {
    let flags = OFlag::O_TMPFILE | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    let file = File::from(nix::fcntl::open(c"/tmp", flags, Mode::S_IRWXU).ok()?);
    write_all(file.as_fd(), elf).ok()?;
    let (own, name) = (own_descriptors()?, number(file.as_raw_fd())?);
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    nix::fcntl::openat(own, name.as_c_str(), flags, Mode::empty()).ok().map(File::from)
}

/// Beyond RLIMIT_FSIZE, write(2) brings SIGXFSZ, which would end diag.
#[allow(clippy::useless_conversion)] // rlim_t is 32 bits wide in some C libraries.
fn may_write(len: usize) -> bool {
    getrlimit(Resource::RLIMIT_FSIZE).map_or(true, |(limit, _)| u64::from(limit) >= len as u64)
}

/// Starts the file, and tells what became of it.
fn run(file: &File) -> Option<Answer> {
    of_status(end_of(file, 0)?)
}

/// Starts the file in a child of its own and waits for its end, two seconds at most.
fn end_of(file: &File, flags: c_int) -> Option<WaitStatus> {
    let fd = file.as_raw_fd();
    let name = number(fd)?;
    // Where our caller ignores SIGCHLD, the child would be gone before we can ask how it ended.
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is set; the old action is put back below.
    let before = unsafe { sigaction(Signal::SIGCHLD, &default) };
    // SAFETY: the child only makes system calls, on memory prepared before, and then execve(2) or _exit(2).
    // fork(2) without the C library's, which takes the locks of threads that are not here (2,500 bytes on a router).
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0_usize, 0_usize, 0_usize, 0_usize) };
    let ended = match libc::pid_t::try_from(pid) {
        // SAFETY: in that child.
        Ok(0) => unsafe { child(fd, &name, flags) },
        Ok(pid @ 1..) => wait(Pid::from_raw(pid)),
        _ => None,
    };
    if let Ok(before) = before {
        // SAFETY: what it was.
        let _ = unsafe { sigaction(Signal::SIGCHLD, &before) };
    }
    ended
}

/// Gives away what a tiny program has no use for, and becomes it. What the C library is called for here are system
/// calls that may be made between fork(2) and execve(2).
///
/// # Safety
///
/// In a child after fork(2); `name` is the descriptor's in /proc/self/fd.
unsafe fn child(file: RawFd, name: &CStr, flags: c_int) -> ! {
    let argv: [*const c_char; 2] = [c"diag".as_ptr(), ptr::null()];
    let envp: [*const c_char; 1] = [ptr::null()];
    // 1, not 0: that also keeps a core_pattern that is a pipe from being run. Without the right to raise it the limit
    // is 0 already.
    let one_byte = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
    // SAFETY: a structure to read, and none to write. setrlimit(3) has code to stop other threads, which are not here.
    unsafe { libc::prlimit(0, libc::RLIMIT_CORE, &raw const one_byte, ptr::null_mut()) };
    // A timer outlives execve(2), as an ignored or blocked signal does.
    // SAFETY: the default.
    let _ = unsafe { signal(Signal::SIGALRM, SigHandler::SigDfl) };
    let _ = SigSet::empty().thread_set_mask();
    alarm::set(2);
    // Linux before 3.5 has no such thing.
    let _ = prctl::set_no_new_privs();
    close_all_but(file);
    // SAFETY: texts that end in NUL and lists that end in null, which live until the process is another or ends.
    let number = unsafe {
        let (at, by_descriptor) = (c_long::from(file), c_long::from(libc::AT_EMPTY_PATH | flags));
        let result =
            libc::syscall(libc::SYS_execveat, at, c"".as_ptr(), argv.as_ptr(), envp.as_ptr(), by_descriptor);
        if result == 0 {
            libc::_exit(CAME_BACK);
        }
        let mut number = nix::errno::Errno::last_raw();
        // Linux before 3.19.
        if number == libc::ENOSYS && flags == 0 {
            if let Some(own) = own_descriptors().filter(|own| fchdir(own).is_ok()) {
                drop(own);
                libc::execve(name.as_ptr(), argv.as_ptr(), envp.as_ptr());
                number = nix::errno::Errno::last_raw();
            }
        }
        number
    };
    // The tiny program itself always exits with 0.
    // SAFETY: it ends this process.
    unsafe { libc::_exit(if (1..=255).contains(&number) { number } else { 255 }) }
}

/// Closes every descriptor but this one.
fn close_all_but(kept: RawFd) {
    let Ok(number) = libc::c_uint::try_from(kept) else { return };
    let close = |first: libc::c_uint, last: libc::c_uint| {
        // SAFETY: what is closed here is not used any more: this is the child that execve(2) follows in.
        unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }
    };
    let below = number.checked_sub(1).map_or(0, |last| close(0, last));
    if below == 0 && close(number.saturating_add(1), libc::c_uint::MAX) == 0 {
        return;
    }
    // Before Linux 5.9: by number, up to what may be open. 1,048,576 is the most there is (fs.nr_open) unless raised.
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(limit, _)| limit);
    for fd in 0..c_int::try_from(limit).unwrap_or(c_int::MAX).min(1 << 20) {
        if fd != kept {
            // SAFETY: the same.
            unsafe { libc::close(fd) };
        }
    }
}

/// How a child of our own ended.
fn wait(child: Pid) -> Option<WaitStatus> {
    loop {
        match waitpid(child, None) {
            Err(nix::errno::Errno::EINTR) => {}
            ended => return ended.ok(),
        }
    }
}

fn of_status(status: WaitStatus) -> Option<Answer> {
    match status {
        WaitStatus::Exited(_, 0) => Some(Answer::Works),
        WaitStatus::Exited(_, number) => match of_raw(number) {
            // What a kernel says of the file, not of the circumstances.
            refusal @ (Errno::ENOEXEC | Errno::ELIBBAD | Errno::EINVAL | Errno::EIO) => {
                Some(Answer::Refused(refusal))
            }
            _ => None,
        },
        WaitStatus::Signaled(
            _,
            Signal::SIGILL | Signal::SIGBUS | Signal::SIGSEGV | Signal::SIGTRAP | Signal::SIGSYS,
            _,
        ) => Some(Answer::Killed),
        // SIGALRM is ours; SIGKILL, SIGTERM and such are somebody else's.
        _ => None,
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
