//! stdin, stdout and stderr.

use std::io::{self, Read as _, Write as _};

use super::errno_of;
use super::system;

/// Whether stdout is a terminal that knows colours.
pub fn is_terminal() -> bool {
    system::is_terminal()
}

/// Writes all of it, or says why not.
pub fn write_stdout(text: &[u8]) -> Result<(), &'static str> {
    system::write_stdout(text).map_err(|error| errno_of(&error).text())
}

/// The release with the most files that GitHub lists is told in 2 MB.
const LONGEST_INPUT: u64 = 16 << 20;

/// All of stdin, or why not.
pub fn read_stdin() -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(LONGEST_INPUT.saturating_add(1)).read_to_end(&mut bytes);
    match read {
        Ok(_) if bytes.len() as u64 > LONGEST_INPUT => Err("they are too many"),
        Ok(_) => Ok(bytes),
        Err(error) => Err(errno_of(&error).text()),
    }
}

/// Writes as much as can be written: what cannot be said changes nothing.
pub fn write_stderr(text: &[u8]) {
    let _ = io::stderr().write_all(text);
}
