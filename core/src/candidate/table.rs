//! A part of a file of any size, read in bounded pieces: symbols, strings, relocations.

use crate::path::Path;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ffi::CStr;

use super::Image;
use crate::elf::consts::{DT_STRSZ, DT_STRTAB};
use crate::elf::{Encoding, offset};
use crate::target::{ReadAt, Root};

/// An open file that tables are read from.
pub struct Handle(Rc<dyn ReadAt>);

impl Handle {
    /// Opens a regular file; None where that fails.
    pub fn open(root: &dyn Root, path: &[u8]) -> Option<Handle> {
        root.open(Path::new(path))?.ok().map(Handle)
    }
}

/// A part that is no larger is read at once.
const WHOLE: usize = if cfg!(feature = "every-machine") { 256 << 10 } else { 32 << 10 };
/// What is read of a larger one in one piece.
const PIECE: usize = 8 << 10;
/// What is read in one piece of something that is looked at here and there.
const ENORMOUS: usize = 256 << 10;
/// The same where one piece does not follow the other, as of strings.
const SMALL: usize = 128;

/// A part of a file.
pub struct Table<'a> {
    file: &'a Handle,
    encoding: Encoding,
    start: usize,
    size: usize,
    /// Bytes of the file, from where in the part on.
    window: Vec<u8>,
    at: usize,
    piece: usize,
}

impl<'a> Table<'a> {
    /// `size` bytes of a file from an offset on; nothing is read yet. A part of unknown size ends with the file.
    pub fn new(file: &'a Handle, encoding: Encoding, start: usize, size: usize) -> Table<'a> {
        Table { file, encoding, start, size, window: Vec::new(), at: 0, piece: PIECE }
    }

    /// What an entry of PT_DYNAMIC leads to.
    pub fn of(file: &'a Handle, image: &Image, tag: u32, size: usize) -> Option<Table<'a>> {
        Some(Table::new(file, image.encoding, image.dynamic_offset(tag)?, size))
    }

    /// The same for strings, which are read here and there.
    pub fn strings(file: &'a Handle, image: &Image) -> Option<Table<'a>> {
        let size = offset(image.dynamic.as_ref()?.flags(DT_STRSZ));
        let mut strings = Table::of(file, image, DT_STRTAB, size)?;
        strings.piece = SMALL;
        Some(strings)
    }

    /// To be read in one piece, where it is not enormous: for what is read here and there.
    #[must_use]
    pub fn whole(mut self) -> Table<'a> {
        self.piece = self.size.min(ENORMOUS);
        self
    }

    /// What is at an offset in it, `len` bytes; None where it ends before.
    pub fn bytes(&mut self, offset: usize, len: usize) -> Option<&[u8]> {
        if offset.checked_add(len)? > self.size {
            return None;
        }
        self.fill(offset, len)
    }

    /// What is at an offset, up to the first NUL.
    pub fn string(&mut self, offset: usize) -> Option<&[u8]> {
        let mut len = 64;
        loop {
            let left = self.size.checked_sub(offset)?;
            let piece = self.fill(offset, len.min(left))?;
            if let Ok(found) = CStr::from_bytes_until_nul(piece) {
                let end = found.to_bytes().len();
                // Once more, since a piece that is given back cannot be looked at before.
                return self.fill(offset, end);
            }
            if len >= left || len > 4096 {
                return None;
            }
            len = len.saturating_mul(4);
        }
    }

    /// An unsigned integer of 1 to 4 bytes.
    pub fn number(&mut self, offset: usize, len: usize) -> Option<usize> {
        let order = self.encoding.order;
        let bytes = self.bytes(offset, len)?;
        usize::try_from(order.uint(bytes, 0, len)).ok()
    }

    /// Unsigned integers of 1 to 4 bytes, one after the other.
    #[inline]
    pub fn fields<const N: usize>(&mut self, offset: usize, sizes: [usize; N]) -> Option<[usize; N]> {
        let order = self.encoding.order;
        let bytes = self.bytes(offset, sizes.iter().sum())?;
        let mut at = 0_usize;
        Some(sizes.map(|size| {
            let field = order.uint(bytes, at, size);
            at = at.wrapping_add(size);
            usize::try_from(field).unwrap_or(usize::MAX)
        }))
    }

    #[inline]
    fn fill(&mut self, offset: usize, len: usize) -> Option<&[u8]> {
        let end = offset.checked_add(len)?;
        if offset < self.at || end > self.at.saturating_add(self.window.len()) {
            let whole = self.size <= WHOLE;
            self.at = if whole { 0 } else { offset };
            let wanted =
                if whole { self.size } else { self.piece.max(len).min(self.size.saturating_sub(offset)) };
            self.window = self.file.0.read_at(self.start.saturating_add(self.at) as u64, wanted);
        }
        let from = offset.checked_sub(self.at)?;
        self.window.get(from..from.checked_add(len)?)
    }
}
