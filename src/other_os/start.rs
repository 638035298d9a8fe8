//! What has to be done before anything else.

use std::ffi::{OsString, c_char, c_int};

use super::system;

/// Gives the arguments, without the program's own name.
///
/// # Safety
///
/// None is asked for: std knows the arguments.
pub unsafe fn begin(_: c_int, _: *const *const c_char) -> Option<impl Iterator<Item = OsString>> {
    Some(std::env::args_os().skip(1).map(system::argument))
}
