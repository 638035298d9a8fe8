//! What has to be done before anything else. diag is started by the C library itself: of Rust's own start-up it needs
//! these few lines, and of what else that brings (threads, a stack for signals, what flushes at the end) nothing.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt as _;

use nix::libc;

use super::{stdio, sys};

/// Makes sure of the standard descriptors, and that a pipe without a reader is an error and no signal. Gives the
/// arguments, without the program's own name.
///
/// # Safety
///
/// At the beginning of `main`, with what `main` is given.
pub unsafe fn begin(count: c_int, arguments: *const *const c_char) -> impl Iterator<Item = OsString> {
    stdio::look();
    // Blocked, it waits for ever.
    sys::signal_mask(libc::SIG_BLOCK, 1 << (libc::SIGPIPE - 1));
    (1..usize::try_from(count).unwrap_or(0)).map(move |at| {
        // SAFETY: there are `count` of them, each ends in NUL, and they stay as long as we run.
        let argument = unsafe { CStr::from_ptr(*arguments.add(at)) };
        OsStr::from_bytes(argument.to_bytes()).to_os_string()
    })
}
