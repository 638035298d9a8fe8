//! A file that a dynamic loader maps.

use alloc::rc::Rc;

use super::{File, Files};
use crate::errno::Errno;
use crate::path::Path;
use crate::target::{Known, Root};

/// Opens what a path leads to.
pub fn open(root: &dyn Root, files: &Files, path: &Path) -> Known<Result<Rc<File>, Errno>> {
    match &files.at(root, path).stat {
        Some(Ok(stat)) => files.open(root, path, stat),
        Some(Err(errno)) => Some(Err(*errno)),
        None => None,
    }
}
