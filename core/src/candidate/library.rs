//! A file that a dynamic loader maps: read as the loader reads it, in the layout of the program it is loaded for.

use crate::path::Path;
use alloc::rc::Rc;

use super::source::Source;
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
    let (file, stat) = match (root.open(path)?, root.stat(path)?) {
        (Ok(file), Ok(stat)) => (file, stat),
        (Err(errno), _) | (_, Err(errno)) => return Some(Err(errno)),
    };
    let mut source = Source::new(file);
    let image = program::image(&mut source, encoding, &mut false);
    Some(Ok(LibraryFile { stat, ident: source.ident(), image }))
}
