//! Starts a tiny ELF file of our own and tells what became of it. The kernel's answer is the child's end.
//!
//! Nothing else is ever started: the file has no name that anybody could take (memfd_create(2), else O_TMPFILE), and is
//! executed by its descriptor.

use std::ffi::{CString, c_char, c_int, c_long};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::ptr;

use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::Mode;

use super::live::{c_text, of_raw};
use super::sys;
use crate::errno::Errno;
use crate::system::Answer;
use crate::text;

/// What becomes of a program that has a property, on a machine that starts the plain one. Where that does not start
/// either, it is for the circumstances: a resource limit, a sandbox.
pub(super) fn answer(elf: &[u8], plain: &[u8]) -> Option<Answer> {
    let answer = start(elf)?;
    (answer == Answer::Works || start(plain) == Some(Answer::Works)).then_some(answer)
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
fn in_memory(elf: &[u8]) -> Option<OwnedFd> {
    const SEALS: c_int = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    // Linux 6.3 wants to be told that it will be executed (MFD_EXEC); before, it does not know the flag.
    let executable = flags | MFdFlags::from_bits_retain(0x10);
    let file = memfd_create(c"diag", executable).or_else(|_| memfd_create(c"diag", flags)).ok()?;
    write(&file, elf)?;
    // A sandbox may forbid it: only who has diag's own rights could write there.
    sys::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, SEALS);
    Some(file)
}

/// A file without a name in /tmp (Linux 3.11). It is opened anew to be read only: what is open for writing is not
/// executed (ETXTBSY).
fn in_tmp(elf: &[u8]) -> Option<OwnedFd> {
    let flags = OFlag::O_TMPFILE | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    let file = nix::fcntl::open(c"/tmp", flags, Mode::S_IRWXU).ok()?;
    write(&file, elf)?;
    let (own, name) = (sys::own_descriptors()?, number(file.as_raw_fd()).ok()?);
    nix::fcntl::openat(own, name.as_c_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).ok()
}

/// The name of a descriptor in /proc/self/fd.
pub(super) fn number(fd: RawFd) -> Result<CString, Errno> {
    let fd = u64::try_from(fd).map_err(|_| Errno::EOTHER)?;
    c_text(text::number(fd, 10, 1).as_bytes())
}

/// Beyond RLIMIT_FSIZE, write(2) brings SIGXFSZ, which would end diag. Linux before 2.6.36 does not tell.
#[allow(clippy::cast_possible_wrap, clippy::unnecessary_cast)] // Its type depends on the C library.
fn may_write(len: usize) -> bool {
    sys::limits(libc::RLIMIT_FSIZE as c_int).is_none_or(|[limit, _]| limit >= len as u64)
}

/// Some where all of it was written; a file so small is written at once, or there is no room.
fn write(fd: &OwnedFd, elf: &[u8]) -> Option<()> {
    (nix::unistd::write(fd, elf).ok()? == elf.len()).then_some(())
}

/// Starts the file in a child of its own and waits for its end, two seconds at most.
fn run(file: &OwnedFd) -> Option<Answer> {
    let fd = file.as_raw_fd();
    let name = number(fd).ok()?;
    // Where our caller ignores SIGCHLD, the child would be gone before we can ask how it ended.
    // SAFETY: the default; the old one is put back below.
    let before = unsafe { sys::at_signal(libc::SIGCHLD, &sys::DEFAULT) };
    // A fork(2) without the C library's: that waits for threads and locks which are not here.
    // SAFETY: the child only makes system calls, on memory prepared before, and then execve(2) or _exit(2).
    let ended = unsafe {
        let pid = libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0_usize, 0_usize, 0_usize, 0_usize);
        match libc::pid_t::try_from(pid).unwrap_or(-1) {
            0 => child(fd, name.as_ptr()),
            pid if pid > 0 => wait(pid),
            _ => None,
        }
    };
    // SAFETY: what it gave us.
    unsafe { sys::at_signal(libc::SIGCHLD, &before) };
    of_status(ended?)
}

/// Gives away what a tiny program has no use for, and becomes it.
///
/// # Safety
///
/// In a child after fork(2); `name` is the descriptor's in /proc/self/fd.
#[allow(clippy::cast_possible_wrap, clippy::unnecessary_cast)] // The type of RLIMIT_CORE depends on the C library.
unsafe fn child(file: RawFd, name: *const c_char) -> ! {
    let argv: [*const c_char; 2] = [c"diag".as_ptr(), ptr::null()];
    let envp: [*const c_char; 1] = [ptr::null()];
    // 1, not 0: that also keeps a core_pattern that is a pipe from being run. Without the right to raise it the limit
    // is 0 already.
    sys::set_limits(libc::RLIMIT_CORE as c_int, [1, 1]);
    // A timer outlives execve(2), as an ignored or blocked signal does.
    // SAFETY: the default.
    unsafe { sys::at_signal(libc::SIGALRM, &sys::DEFAULT) };
    sys::signal_mask(libc::SIG_SETMASK, 0);
    sys::alarm(2);
    // SAFETY: numbers only. Linux before 3.5 has no such thing.
    unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1_usize, 0_usize, 0_usize, 0_usize) };
    sys::close_all_but(file);
    // SAFETY: texts that end in NUL and lists that end in null, which live until the process is another or ends.
    let number = unsafe {
        let (at, by_descriptor) = (c_long::from(file), c_long::from(libc::AT_EMPTY_PATH));
        libc::syscall(libc::SYS_execveat, at, c"".as_ptr(), argv.as_ptr(), envp.as_ptr(), by_descriptor);
        let mut number = nix::errno::Errno::last_raw();
        // Linux before 3.19.
        if number == libc::ENOSYS {
            if let Some(own) = sys::own_descriptors().filter(|own| libc::fchdir(own.as_raw_fd()) == 0) {
                drop(own);
                libc::execve(name, argv.as_ptr(), envp.as_ptr());
                number = nix::errno::Errno::last_raw();
            }
        }
        number
    };
    // The tiny program itself always exits with 0.
    // SAFETY: it ends this process.
    unsafe { libc::_exit(if (1..=255).contains(&number) { number } else { 255 }) }
}

/// The status that waitpid(2) gives.
fn wait(pid: libc::pid_t) -> Option<i32> {
    let mut status = 0;
    loop {
        // SAFETY: a child of our own, and a place for an int.
        let ended = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        if ended == pid {
            return Some(status);
        }
        if nix::errno::Errno::last() != nix::errno::Errno::EINTR {
            return None;
        }
    }
}

fn of_status(status: i32) -> Option<Answer> {
    if libc::WIFEXITED(status) {
        return match libc::WEXITSTATUS(status) {
            0 => Some(Answer::Works),
            number => match of_raw(number) {
                // What a kernel says of the file, not of the circumstances.
                refusal @ (Errno::ENOEXEC | Errno::ELIBBAD | Errno::EINVAL | Errno::EIO) => {
                    Some(Answer::Refused(refusal))
                }
                _ => None,
            },
        };
    }
    // SIGALRM is ours; SIGKILL, SIGTERM and such are somebody else's.
    matches!(
        libc::WTERMSIG(status),
        libc::SIGILL | libc::SIGBUS | libc::SIGSEGV | libc::SIGTRAP | libc::SIGSYS
    )
    .then_some(Answer::Killed)
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
