//! A part of a file of any size, read in bounded pieces: symbols, strings, relocations.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::Image;
use super::source::read;
use crate::elf::consts::{DT_STRSZ, DT_STRTAB};
use crate::elf::{Encoding, offset};
use crate::system::System;

/// An open file that tables are read from.
pub struct Handle(File);

impl Handle {
    /// Opens a regular file; None where that fails.
    pub fn open(system: &dyn System, path: &[u8]) -> Option<Handle> {
        system.open(Path::new(OsStr::from_bytes(path))).ok().map(Handle)
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
    window: Vec<u8>,
    /// What of it holds bytes of the file, from where in the part on.
    held: usize,
    at: usize,
    piece: usize,
}

impl<'a> Table<'a> {
    /// `size` bytes of a file from an offset on; nothing is read yet. A part of unknown size ends with the file.
    pub fn new(file: &'a Handle, encoding: Encoding, start: usize, size: usize) -> Table<'a> {
        Table { file, encoding, start, size, window: Vec::new(), held: 0, at: 0, piece: PIECE }
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
            if let Some(end) = piece.iter().position(|byte| *byte == 0) {
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
    pub fn fields(&mut self, offset: usize, sizes: &[u8], fields: &mut [usize]) -> Option<()> {
        let order = self.encoding.order;
        let len = sizes.iter().map(|size| usize::from(*size)).sum();
        let bytes = self.bytes(offset, len)?;
        let mut at = 0_usize;
        for (field, size) in fields.iter_mut().zip(sizes) {
            *field = usize::try_from(order.uint(bytes, at, usize::from(*size))).ok()?;
            at = at.wrapping_add(usize::from(*size));
        }
        Some(())
    }

    fn fill(&mut self, offset: usize, len: usize) -> Option<&[u8]> {
        let end = offset.checked_add(len)?;
        if offset < self.at || end > self.at.saturating_add(self.held) {
            let whole = self.size <= WHOLE;
            self.at = if whole { 0 } else { offset };
            let wanted =
                if whole { self.size } else { self.piece.max(len).min(self.size.saturating_sub(offset)) };
            // Kept as long as it is large enough: to fill it with zeros again takes longer than to read.
            if self.window.len() < wanted {
                self.window = vec![0; wanted];
            }
            let window = self.window.get_mut(..wanted)?;
            self.held = read(&self.file.0, window, self.start.saturating_add(self.at) as u64);
        }
        let from = offset.checked_sub(self.at)?;
        let to = from.checked_add(len).filter(|to| *to <= self.held)?;
        self.window.get(from..to)
    }
}
