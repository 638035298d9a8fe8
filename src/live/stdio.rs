//! stdout and stderr without std's buffers, locks and panics, and whether stdout was open when the program began.

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, IntoRawFd as _, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigHandler, SigSet, Signal, raise, signal};
use nix::sys::stat::Mode;
use nix::unistd;

use super::errno::of_nix;

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks whether stdout is open, and opens /dev/null in the place of what is closed: else a file that is judged would
/// be stdout or stderr.
pub(super) fn look() {
    // SAFETY: a command that only looks at the number.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    CLOSED.store(flags < 0, Ordering::Relaxed);
    while let Ok(null) = nix::fcntl::open(c"/dev/null", OFlag::O_RDWR, Mode::empty()) {
        if null.as_raw_fd() > libc::STDERR_FILENO {
            break;
        }
        // It stays open.
        let _ = null.into_raw_fd();
    }
}

fn standard(fd: RawFd) -> BorrowedFd<'static> {
    // SAFETY: `look` made sure that it is open, and nothing in this program closes it.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// isatty(3) of stdout.
pub fn is_terminal() -> bool {
    unistd::isatty(standard(libc::STDOUT_FILENO)).unwrap_or(false)
}

/// Writes all of it, or says why not. Where nobody reads the pipe any more, diag ends by SIGPIPE, as a program does
/// that knows of no signals.
pub fn write_stdout(text: &[u8]) -> Result<(), &'static str> {
    if CLOSED.load(Ordering::Relaxed) {
        return Err("stdout is closed");
    }
    write_all(standard(libc::STDOUT_FILENO), text).map_err(|errno| {
        if errno == Errno::EPIPE {
            end_by(Signal::SIGPIPE);
        }
        of_nix(errno).text()
    })
}

/// The release with the most files that GitHub lists is told in 2 MB.
const LONGEST_INPUT: usize = if cfg!(feature = "every-machine") { 16 << 20 } else { 512 << 10 };

/// All of stdin, or why not.
pub fn read_stdin() -> Result<Vec<u8>, &'static str> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        match unistd::read(standard(libc::STDIN_FILENO), &mut part) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(part.get(..count).unwrap_or_default()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(of_nix(errno).text()),
        }
        if bytes.len() > LONGEST_INPUT {
            return Err("they are too many");
        }
    }
}

/// Writes as much as can be written: what cannot be said changes nothing.
pub fn write_stderr(text: &[u8]) {
    let _ = write_all(standard(libc::STDERR_FILENO), text);
}

/// write(2) until all of it is written.
pub(super) fn write_all(to: BorrowedFd<'_>, bytes: &[u8]) -> nix::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match unistd::write(to, rest) {
            // No device should, and waiting for it to change has no end.
            Ok(0) => return Err(Errno::EIO),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            // Somebody made it non-blocking, and it is full.
            Err(Errno::EAGAIN) => {
                let _ = poll(&mut [PollFd::new(to.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE);
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Ends this process by a signal, whatever its caller makes of it.
pub(super) fn end_by(number: Signal) {
    // SAFETY: the default action.
    let _ = unsafe { signal(number, SigHandler::SigDfl) };
    let _ = SigSet::from(number).thread_unblock();
    let _ = raise(number);
}
