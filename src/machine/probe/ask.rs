//! Starts a tiny ELF file of our own and tells what became of it. The file is handed over by descriptor where
//! the kernel has memfd_create(2), else of a temporary file; the kernel's answer is the child's end.

use std::ffi::{c_char, c_int};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::ptr;

use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::Mode;

use super::live::{c_text, of_descriptor, of_raw};
use super::{stat, sys};
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
    in_memory(elf).and_then(|fd| run(&fd)).or_else(|| from_file(elf))
}

fn from_file(elf: &[u8]) -> Option<Answer> {
    // O_EXCL follows no symbolic link. A name may be left over from one who was killed.
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    let (path, file) = (0..8).find_map(|n| {
        let [id, n] = [std::process::id().into(), n].map(|number| text::number(number, 10, 1));
        let path = c_text(text::concat(&["/tmp/.diag-", &id, "-", &n]).as_bytes()).ok()?;
        let file = nix::fcntl::open(path.as_c_str(), flags, Mode::S_IRWXU).ok()?;
        Some((path, file))
    })?;
    let written = write(&file, elf);
    let opened = nix::fcntl::open(path.as_c_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).ok();
    let _ = nix::unistd::unlink(path.as_c_str());
    written?;
    // Where /tmp has no sticky bit, somebody may have put a file of his own there.
    let opened = opened.filter(|opened| is_same(opened, &file))?;
    // Before it is started, for ETXTBSY.
    drop(file);
    run(&opened)
}

fn is_same(one: &OwnedFd, other: &OwnedFd) -> bool {
    let of = |file: &OwnedFd| stat::of_fd(file.as_raw_fd()).ok().map(|found| (found.device, found.inode));
    of(one) == of(other)
}

fn in_memory(elf: &[u8]) -> Option<OwnedFd> {
    // Linux 6.3 wants to be told that it will be executed; before, it does not know the flag.
    let executable = MFdFlags::MFD_CLOEXEC | MFdFlags::from_bits_retain(0x10);
    let fd =
        memfd_create(c"diag", executable).or_else(|_| memfd_create(c"diag", MFdFlags::MFD_CLOEXEC)).ok()?;
    write(&fd, elf)?;
    Some(fd)
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
    let path = of_descriptor(fd).ok()?;
    let argv: [*const c_char; 2] = [c"diag".as_ptr(), ptr::null()];
    let envp: [*const c_char; 1] = [ptr::null()];
    // Where our caller ignores SIGCHLD, the child would be gone before we can ask how it ended.
    // SAFETY: the default; the old one is put back below.
    let before = unsafe { sys::at_signal(libc::SIGCHLD, &sys::DEFAULT) };
    // A fork(2) without the C library's: that waits for threads and locks which are not here.
    // SAFETY: the child only makes system calls, on memory prepared before, and then execve(2) or _exit(2).
    let ended = unsafe {
        let pid = libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0_usize, 0_usize, 0_usize, 0_usize);
        match libc::pid_t::try_from(pid).unwrap_or(-1) {
            0 => child(path.as_ptr(), fd, &argv, &envp),
            pid if pid > 0 => wait(pid),
            _ => None,
        }
    };
    // SAFETY: what it gave us.
    unsafe { sys::at_signal(libc::SIGCHLD, &before) };
    of_status(ended?)
}

/// # Safety
///
/// In a child after fork(2), with `argv` and `envp` ending in null.
#[allow(clippy::cast_possible_wrap, clippy::unnecessary_cast)] // The type of RLIMIT_CORE depends on the C library.
unsafe fn child(path: *const c_char, fd: RawFd, argv: &[*const c_char], envp: &[*const c_char]) -> ! {
    // SAFETY: async-signal-safe calls on values that live until execve(2) or _exit(2).
    unsafe {
        // 1, not 0: that also keeps a core_pattern that is a pipe from being run. Without the right to raise it
        // the limit is 0 already.
        sys::set_limits(libc::RLIMIT_CORE as c_int, [1, 1]);
        // A timer outlives execve(2), as an ignored or blocked signal does.
        sys::at_signal(libc::SIGALRM, &sys::DEFAULT);
        sys::signal_mask(libc::SIG_SETMASK, 0);
        sys::alarm(2);
        libc::execve(path, argv.as_ptr(), envp.as_ptr());
        let mut number = nix::errno::Errno::last_raw();
        if matches!(number, libc::ENOENT | libc::ENOTDIR) {
            // No /proc. Linux before 3.19 has no execveat(2) either.
            let at = libc::AT_EMPTY_PATH;
            libc::syscall(libc::SYS_execveat, fd, c"".as_ptr(), argv.as_ptr(), envp.as_ptr(), at);
            number = nix::errno::Errno::last_raw();
        }
        // The tiny program itself always exits with 0.
        libc::_exit(if (1..=255).contains(&number) { number } else { 255 })
    }
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
