//! A file that a dynamic loader maps: read as the loader reads it, in the layout of the program it is loaded for.

use std::path::Path;
use std::rc::Rc;

use super::reader::{Contents, Reader};
use super::{Image, program};
use crate::elf::Encoding;
use crate::errno::Errno;
use crate::system::{Stat, System};

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
pub fn open(system: &dyn System, path: &Path, encoding: Encoding) -> Result<LibraryFile, Errno> {
    let contents = Contents::open(system, path)?;
    let stat = system.stat(path)?;
    let image = program::image(&mut Reader::headers(&contents), encoding, &mut false);
    Ok(LibraryFile { stat, ident: contents.ident(), image })
}
