//! A file that a dynamic loader maps: read as the loader reads it, in the layout of the program it is loaded for.

use crate::path::Path;
use alloc::rc::Rc;

use super::reader::{Contents, Reader};
use super::{Image, program};
use crate::elf::Encoding;
use crate::errno::Errno;
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
pub fn open(root: &dyn Root, path: &Path, encoding: Encoding) -> Known<Result<LibraryFile, Errno>> {
    let (contents, stat) = match (Contents::open(root, path)?, root.stat(path)?) {
        (Ok(contents), Ok(stat)) => (contents, stat),
        (Err(errno), _) | (_, Err(errno)) => return Some(Err(errno)),
    };
    let image = program::image(&mut Reader::headers(&contents), encoding, &mut false);
    Some(Ok(LibraryFile { stat, ident: contents.ident(), image }))
}
