//! stdout without std's buffer and lock, and whether it was open when the program began.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::unistd;

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Called by the C library before `main`, on glibc and musl alike. Rust's start-up opens /dev/null in place of a
/// closed stdout, and a report would be lost without a word; so this looks before that.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: F_GETFD takes a number and touches no memory of ours.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    CLOSED.store(flags < 0 && Errno::last() == Errno::EBADF, Ordering::Relaxed);
}

fn stdout() -> BorrowedFd<'static> {
    // SAFETY: nothing in this program closes it, and Rust's start-up makes sure that it is open.
    unsafe { BorrowedFd::borrow_raw(libc::STDOUT_FILENO) }
}

/// isatty(3) of stdout.
pub fn is_terminal() -> bool {
    unistd::isatty(stdout()).unwrap_or(false)
}

/// Writes all of it, or says why not.
pub fn write_stdout(text: &[u8]) -> Result<(), &'static str> {
    if CLOSED.load(Ordering::Relaxed) {
        return Err("stdout is closed");
    }
    let mut rest = text;
    while !rest.is_empty() {
        match unistd::write(stdout(), rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.desc()),
        }
    }
    Ok(())
}
