//! A file that is read in small pieces: a bounded part of it, whatever its size.

use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::target::ReadAt;

/// Bytes at the front that are read first and kept.
pub(super) const HEAD: usize = 4096;
/// Bytes that may be read of a file in all, but for what the kernel reads too: a program header table and a PT_INTERP
/// may go beyond. With the sample of [`super::sample`] that makes 64 KiB.
const BUDGET: usize = 24 << 10;
/// Read ahead at most.
const WINDOW: usize = 4096;

/// A file with its head, and the last piece that was read elsewhere.
pub(super) struct Source {
    file: Rc<dyn ReadAt>,
    head: Vec<u8>,
    window: Vec<u8>,
    window_at: usize,
    spent: usize,
}

impl Source {
    /// Reads the head.
    pub(super) fn new(file: Rc<dyn ReadAt>) -> Source {
        let head = file.read_at(0, HEAD);
        let spent = head.len();
        Source { file, head, window: Vec::new(), window_at: 0, spent }
    }

    /// The first bytes: 4,096, or all there are.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// e_ident; zeros where the file ends before.
    pub(super) fn ident(&self) -> [u8; 16] {
        let mut ident = [0; 16];
        for (to, from) in ident.iter_mut().zip(&self.head) {
            *to = *from;
        }
        ident
    }

    /// `len` bytes (4,096 at most) at an offset; None where the file ends before, or the budget does. Where it must
    /// read, it reads `ahead` bytes at once.
    pub(super) fn get(&mut self, offset: usize, len: usize, ahead: usize) -> Option<&[u8]> {
        if !self.has(offset, len) && self.spent.saturating_add(ahead.max(len)) > BUDGET {
            return None;
        }
        self.need(offset, len, ahead)
    }

    /// [`Source::get`] without a budget, for what the kernel reads as well.
    pub(super) fn need(&mut self, offset: usize, len: usize, ahead: usize) -> Option<&[u8]> {
        if let Some(range) = range(0, self.head.len(), offset, len) {
            return self.head.get(range);
        }
        if !self.has(offset, len) {
            // A head that is not full was the whole file.
            if self.head.len() < HEAD || len > WINDOW {
                return None;
            }
            self.window = self.file.read_at(offset as u64, ahead.max(len).min(WINDOW));
            self.window_at = offset;
            self.spent = self.spent.saturating_add(self.window.len());
        }
        self.window.get(range(self.window_at, self.window.len(), offset, len)?)
    }

    fn has(&self, offset: usize, len: usize) -> bool {
        range(0, self.head.len(), offset, len).is_some()
            || range(self.window_at, self.window.len(), offset, len).is_some()
    }

    /// What is at the offset, up to `len` bytes (4,096 at most): less where the file ends.
    pub(super) fn some(&mut self, offset: usize, len: usize) -> &[u8] {
        if self.get(offset, len, len).is_none() {
            // The window now holds what there is, unless the head does.
            if let Some(tail) = self.head.get(offset..) {
                if self.head.len() < HEAD {
                    return tail;
                }
            }
            return if self.window_at == offset { &self.window } else { &[] };
        }
        self.get(offset, len, len).unwrap_or(&[])
    }

    /// A string at an offset, without its NUL, up to 4,095 bytes.
    pub(super) fn string(&mut self, offset: usize) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut at = offset;
        while out.len() < 4096 {
            let piece = self.some(at, 128);
            if piece.is_empty() {
                return None;
            }
            if let Some(end) = piece.iter().position(|b| *b == 0) {
                out.extend_from_slice(piece.get(..end)?);
                return Some(out);
            }
            out.extend_from_slice(piece);
            at = at.checked_add(piece.len())?;
        }
        None
    }
}

/// Where `len` bytes at `offset` lie in a buffer that begins at `start`.
fn range(start: usize, held: usize, offset: usize, len: usize) -> Option<core::ops::Range<usize>> {
    let from = offset.checked_sub(start)?;
    let to = from.checked_add(len)?;
    (to <= held).then_some(from..to)
}
