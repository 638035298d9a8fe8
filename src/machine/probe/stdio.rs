//! stdout without std's buffer and lock, and whether it was open when the program began.

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::stat::Mode;
use nix::unistd;

use super::{live, sys};
use crate::text::{Packed, packed};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks whether stdout is open, and opens /dev/null in the place of what is closed: else a file that is judged would
/// be stdout or stderr.
pub(super) fn look() {
    CLOSED.store(sys::fcntl(libc::STDOUT_FILENO, libc::F_GETFD, 0) < 0, Ordering::Relaxed);
    while let Ok(null) = nix::fcntl::open(c"/dev/null", OFlag::O_RDWR, Mode::empty()) {
        if null.as_raw_fd() > libc::STDERR_FILENO {
            break;
        }
        std::mem::forget(null);
    }
}

fn stdout() -> BorrowedFd<'static> {
    // SAFETY: `look` made sure that it is open, and nothing in this program closes it.
    unsafe { BorrowedFd::borrow_raw(libc::STDOUT_FILENO) }
}

/// isatty(3) of stdout.
pub fn is_terminal() -> bool {
    unistd::isatty(stdout()).unwrap_or(false)
}

/// Writes all of it, or says why not.
pub fn write_stdout(text: &[u8]) -> Result<(), Packed> {
    if CLOSED.load(Ordering::Relaxed) {
        return Err(packed!("stdout is closed"));
    }
    let mut rest = text;
    while !rest.is_empty() {
        match unistd::write(stdout(), rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            // Not nix' words: those are of every errno there is.
            Err(errno) => return Err(live::of_nix(errno).text()),
        }
    }
    Ok(())
}
