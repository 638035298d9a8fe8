//! A part of a file of any size, read in bounded pieces: symbols, strings, relocations.

use std::fs::File;
use std::path::Path;
use std::rc::Rc;

use super::source::read;
use crate::elf::View;
use crate::system::System;

/// An open file that tables are read from.
#[derive(Clone)]
pub struct Handle(Rc<File>);

impl Handle {
    /// Opens a regular file; None where that fails.
    pub fn open(system: &dyn System, path: &Path) -> Option<Handle> {
        system.open(path).ok().map(|file| Handle(Rc::new(file)))
    }
}

/// A part that is no larger is read at once.
const WHOLE: usize = if cfg!(feature = "every-machine") { 256 << 10 } else { 32 << 10 };
/// What is read of a larger one in one piece.
const PIECE: usize = 8 << 10;
/// The same where one piece does not follow the other, as of strings.
const SMALL: usize = 128;

/// A part of a file.
pub struct Table {
    file: Handle,
    start: usize,
    size: usize,
    window: Vec<u8>,
    /// What of it holds bytes of the file, from where in the part on.
    held: usize,
    at: usize,
    piece: usize,
}

impl Table {
    /// `size` bytes of a file from an offset on; nothing is read yet. A part of unknown size ends with the file.
    pub fn new(file: &Handle, start: usize, size: usize) -> Table {
        Table { file: file.clone(), start, size, window: Vec::new(), held: 0, at: 0, piece: PIECE }
    }

    /// The same for strings, which are read here and there.
    pub fn strings(file: &Handle, start: usize, size: usize) -> Table {
        Table { piece: SMALL, ..Table::new(file, start, size) }
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

    /// An unsigned integer of 1 to 8 bytes.
    pub fn uint(&mut self, offset: usize, len: usize, view: View) -> Option<u64> {
        self.bytes(offset, len).map(|bytes| view.order.uint(bytes, 0, len))
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
