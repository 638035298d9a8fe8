//! A file that a dynamic loader maps: read as the loader reads it, in the layout of the program it is loaded for.

use alloc::rc::Rc;

use super::{File, Files, Image};
use crate::elf::Encoding;
use crate::errno::Errno;
use crate::path::Path;
use crate::target::{Known, Root, Stat};

/// A file that was found for a DT_NEEDED.
#[derive(Debug)]
pub struct LibraryFile {
    /// stat(2).
    pub stat: Stat,
    /// e_ident; zeros where the file ends before.
    pub ident: [u8; 16],
    /// Decoded as the program's loader decodes it, whatever EI_CLASS and EI_DATA say.
    pub image: Rc<Image>,
}

/// Reads a library.
pub fn open(
    root: &dyn Root,
    files: &Files,
    path: &Path,
    encoding: Encoding,
) -> Known<Result<LibraryFile, Errno>> {
    let stat = match files.at(root, path).stat? {
        Ok(stat) => stat,
        Err(errno) => return Some(Err(errno)),
    };
    let library =
        |file: Rc<File>| LibraryFile { stat, ident: file.contents.ident(), image: file.as_read_by(encoding) };
    Some(files.open(root, path, stat)?.map(library))
}
