//! Programs that a test starts.

use std::io::{Error, Result};
use std::path::Path;
use std::process::Command;

/// Copies a program that is to be started, with its mode. Another process does: what this one opened for writing, others would
/// hold open that its other threads start meanwhile, and the kernel starts no program that somebody may write to (ETXTBSY).
pub fn copy_program(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    let status = Command::new("cp").arg("--").args([from, to]).status()?;
    if status.success() {
        return Ok(());
    }
    Err(Error::other(format!("cp {} {}: {status}", from.display(), to.display())))
}
