//! Files that are read in bounded pieces, whatever their size.

pub use super::contents::Contents;

use super::Image;
use super::contents::{HEAD, Piece};
use crate::budget::Guard;
use crate::elf::consts::{DT_STRSZ, DT_STRTAB};
use crate::elf::{self, ByteOrder};
use crate::exec::Missing;

/// A part that is no larger is read at once, and kept.
const WHOLE: usize = if cfg!(feature = "every-machine") { 256 << 10 } else { 32 << 10 };
/// What is read at once of a larger one, and kept.
const PIECE: usize = if cfg!(feature = "every-machine") { 64 << 10 } else { 8 << 10 };
/// The same where what was read before does not lead to it: the next look may be elsewhere, too.
const APART: usize = if cfg!(feature = "every-machine") { 4 << 10 } else { PIECE };
/// The same of a table that is looked at here and there.
const SPREAD: usize = 256 << 10;
/// The same of headers, where one piece does not follow the other.
const SPOT: usize = 128;
/// The same of strings: a router has no room for all of them.
const STRINGS: usize = if cfg!(feature = "every-machine") { PIECE } else { SPOT };
/// The same of a table for which there is no room. Of the names and hashes of libraries hardly two looks are side by side.
const LOOSE: usize = 256;
/// The largest that is kept for a while: a short name may go beyond its piece.
const LOOSE_AT_MOST: usize = LOOSE + 64;
/// What is read of the headers at once, at most.
const HEADERS: usize = 4096;
/// Bytes of the headers that are read of a file in all, but for what the kernel reads too: a program header table and a
/// PT_INTERP may go beyond. With the sample of [`super::sample`] that makes 64 KiB.
const BUDGET: usize = 24 << 10;
/// Bytes of a string that take a step.
const STEP: usize = 64;
/// The longest string: C++ has symbols of several thousand bytes.
const LONGEST: usize = 16 << 10;

/// Reads a part of a file.
pub struct Reader<'a> {
    file: &'a Contents,
    order: ByteOrder,
    start: usize,
    size: usize,
    window: Piece,
    /// What is read at once where the part is not.
    ahead: usize,
    is_kept: bool,
    /// What may be read in all without being kept.
    budget: usize,
}

impl<'a> Reader<'a> {
    /// `size` bytes of a file from an offset on; nothing is read yet. A part of unknown size ends with the file.
    pub fn new(file: &'a Contents, order: ByteOrder, start: usize, size: usize) -> Reader<'a> {
        let window = file.first();
        Reader { file, order, start, size, window, ahead: PIECE, is_kept: true, budget: usize::MAX }
    }

    /// The headers of a file and what they lead to: here and there, little of each.
    pub fn headers(file: &'a Contents) -> Reader<'a> {
        let mut reader = Reader::new(file, ByteOrder::Little, 0, usize::MAX);
        reader.ahead = SPOT;
        reader.budget = BUDGET.saturating_sub(HEAD);
        reader
    }

    /// Another one, of the whole file.
    #[must_use]
    pub fn of_all(&self) -> Reader<'a> {
        Reader::new(self.file, self.order, 0, usize::MAX)
    }

    /// What an entry of PT_DYNAMIC leads to: `size` bytes, as far as its segment goes; nothing where there is none.
    pub fn dynamic(file: &'a Contents, image: &Image, tag: u32, size: usize) -> Reader<'a> {
        let (start, left) = image.dynamic_part(tag).unwrap_or_default();
        Reader::new(file, image.encoding.order, start, size.min(left))
    }

    /// The strings that PT_DYNAMIC leads to.
    pub fn strings(file: &'a Contents, image: &Image) -> Reader<'a> {
        let size = image.dynamic.as_ref().map_or(0, |dynamic| dynamic.get(DT_STRSZ).unwrap_or(u64::MAX));
        let mut reader = Reader::dynamic(file, image, DT_STRTAB, elf::offset(size));
        reader.ahead = STRINGS;
        reader
    }

    /// To be read in larger pieces: for a table that is looked at here and there.
    pub fn at_once(&mut self) {
        self.ahead = self.size.min(SPREAD);
    }

    /// To be read from front to back once: nothing is kept.
    pub const fn once(&mut self) {
        self.is_kept = false;
    }

    /// The first bytes of the file: 4,096, or all there are.
    pub fn head(&self) -> &'a [u8] {
        self.file.head()
    }

    /// What is at an offset, up to `len` bytes: fewer where the part or the file ends.
    #[inline]
    pub fn up_to(&mut self, offset: usize, len: usize) -> &[u8] {
        let len = len.min(self.size.saturating_sub(offset));
        if len == 0 {
            return &[];
        }
        let at = self.start.saturating_add(offset);
        if !self.window.covers(at, len) {
            self.move_to(at, len);
        }
        let held = self.held(at);
        held.get(..len).unwrap_or(held)
    }

    /// What the window has from a place in the file on.
    fn held(&self, at: usize) -> &[u8] {
        self.window.bytes.get(at.wrapping_sub(self.window.at)..).unwrap_or_default()
    }

    /// `len` bytes at an offset; None where the part or the file ends before.
    #[inline]
    pub fn bytes_at(&mut self, offset: usize, len: usize) -> Option<&[u8]> {
        Some(self.up_to(offset, len)).filter(|bytes| bytes.len() == len)
    }

    /// The same of one of many things in a row: where it has to be read, so are the `ahead` bytes from it on.
    pub fn next_at(&mut self, offset: usize, len: usize, ahead: usize) -> Option<&[u8]> {
        self.ahead = ahead.min(HEADERS);
        let _moved = self.up_to(offset, len);
        self.ahead = SPOT;
        self.bytes_at(offset, len)
    }

    /// The same of what the kernel and the loader read too: the budget of the headers does not count.
    pub fn required_at(&mut self, offset: usize, len: usize, ahead: usize) -> Option<&[u8]> {
        let left = self.unlimited();
        let _moved = self.next_at(offset, len, ahead);
        self.limited(left);
        self.bytes_at(offset, len)
    }

    /// The same of a string.
    pub fn required_string_at(&mut self, offset: usize) -> Option<&[u8]> {
        let left = self.unlimited();
        let len = self.string_at(offset).map(<[u8]>::len);
        self.limited(left);
        self.bytes_at(offset, len?)
    }

    const fn unlimited(&mut self) -> usize {
        core::mem::replace(&mut self.budget, usize::MAX)
    }

    /// What was spent counts all the same.
    const fn limited(&mut self, left: usize) {
        let spent = usize::MAX.wrapping_sub(self.budget);
        self.budget = left.saturating_sub(spent);
    }

    /// Whether there is no end to a string where the longest one would have it.
    pub fn is_too_long(&mut self, offset: usize) -> bool {
        let left = self.unlimited();
        let bytes = self.up_to(offset, LONGEST);
        let is_it = bytes.len() == LONGEST && !bytes.contains(&0);
        self.limited(left);
        is_it
    }

    /// Takes some steps of the judgement's budget: for a loop that goes as far as the file says.
    pub fn steps(&self, count: usize) -> bool {
        self.file.budget().steps(count)
    }

    /// Takes bytes of the judgement's budget for what is kept of the file.
    pub fn keeps(&self, bytes: usize) -> bool {
        self.file.budget().keep(bytes)
    }

    /// Something of the file is left out that could decide.
    pub fn cut(&self, what: Missing) {
        self.file.budget().cut(what);
    }

    /// Whether the part reaches so far.
    pub const fn has(&self, offset: usize) -> bool {
        offset < self.size
    }

    /// Whether a string is this one.
    pub fn is_string(&mut self, offset: usize, string: &[u8]) -> bool {
        let found = self.up_to(offset, string.len().saturating_add(1));
        found.split_last() == Some((&0, string))
    }

    /// A string, without its NUL.
    pub fn string_at(&mut self, offset: usize) -> Option<&[u8]> {
        let mut len = 64;
        loop {
            let piece = self.up_to(offset, len);
            if let Some(end) = piece.iter().position(|byte| *byte == 0) {
                if end >= STEP && !self.steps(Guard::Strings.counts(end / STEP)) {
                    return None;
                }
                // The piece once more: what is given back cannot be looked at before.
                return self.held(self.start.saturating_add(offset)).get(..end);
            }
            if piece.len() < len || len >= LONGEST || !self.steps(Guard::Strings.counts(len / STEP)) {
                return None;
            }
            len = len.saturating_mul(4);
        }
    }

    /// An unsigned integer of 1 to 4 bytes.
    #[inline]
    pub fn number_at(&mut self, offset: usize, len: usize) -> Option<usize> {
        let order = self.order;
        Some(elf::offset(order.uint(self.bytes_at(offset, len)?, 0, len)))
    }

    /// Has the window where `len` bytes are; it stays where it is when the budget does not suffice.
    fn move_to(&mut self, at: usize, len: usize) {
        if let Some(piece) = self.file.kept(at, len) {
            self.window = piece;
            return;
        }
        let within = at.saturating_sub(self.start);
        let left = self.size.saturating_sub(within);
        let is_whole = self.size <= WHOLE;
        let ahead = match self.ahead {
            _ if is_whole => self.size,
            PIECE if !self.window.leads_to(at) => APART,
            ahead => ahead,
        };
        if self.is_kept && (is_whole || self.ahead >= PIECE) {
            // Pieces side by side: whatever way they are looked at, each is read once.
            let before = within.checked_rem(ahead).unwrap_or_default();
            let from = within.wrapping_sub(before);
            let wanted = before.saturating_add(len).max(ahead).min(left.saturating_add(before));
            if let Some(piece) = self.file.keep(self.start.saturating_add(from), wanted) {
                self.window = piece;
                return;
            }
        }
        // Little of what is not kept, where the next look may be elsewhere.
        let ahead = if self.is_kept { ahead.min(HEADERS) } else { self.ahead };
        let is_loose = !crate::ROUTER && self.is_kept && ahead == HEADERS;
        let ahead = if is_loose { LOOSE } else { ahead };
        let before = if is_loose { at.checked_rem(LOOSE).unwrap_or_default() } else { 0 };
        let wanted = ahead.max(before.saturating_add(len)).min(left.saturating_add(before));
        if wanted <= self.budget {
            let from = at.wrapping_sub(before);
            let piece = if is_loose && wanted <= LOOSE_AT_MOST {
                self.file.read_loose(from, wanted)
            } else {
                self.file.read(from, wanted)
            };
            if let Some(piece) = piece {
                self.window = piece;
                self.budget = self.budget.saturating_sub(self.window.bytes.len());
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use alloc::rc::Rc;
    use alloc::vec;
    use alloc::vec::Vec;
    use core::cell::Cell;

    use super::*;
    use crate::candidate::file::Held;
    use crate::errno::Errno;
    use crate::path::Path;
    use crate::target::ReadAt;

    /// Bytes that count how often they are read.
    struct Counted {
        bytes: Vec<u8>,
        reads: Rc<Cell<usize>>,
    }

    impl ReadAt for Counted {
        fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
            self.reads.set(self.reads.get() + 1);
            let from = usize::try_from(offset).unwrap().min(self.bytes.len());
            Ok(self.bytes[from..].iter().copied().take(len).collect())
        }
    }

    pub(crate) fn contents(bytes: Vec<u8>) -> (Contents, Rc<Cell<usize>>) {
        let reads = Rc::new(Cell::new(0));
        let file = Rc::new(Counted { bytes, reads: Rc::clone(&reads) });
        (Contents::new(Path::new(""), file, Held::default()), reads)
    }

    #[test]
    fn a_part_is_read_once_and_ends_where_it_ends() {
        let bytes: Vec<u8> = (0..30_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let (file, reads) = contents(bytes.clone());
        for _ in 0..3 {
            let mut part = Reader::new(&file, ByteOrder::Little, 10_000, 5000);
            assert_eq!(part.bytes_at(0, 5000), bytes.get(10_000..15_000));
            assert_eq!(part.bytes_at(4999, 1), bytes.get(14_999..15_000));
            assert_eq!(part.bytes_at(4999, 2), None);
            assert_eq!(part.bytes_at(5000, 1), None);
            assert_eq!(part.up_to(4990, 100), &bytes[14_990..15_000]);
            assert_eq!(part.bytes_at(usize::MAX, 2), None);
            let mut within = Reader::new(&file, ByteOrder::Little, 12_000, 10);
            assert_eq!(within.bytes_at(0, 10), bytes.get(12_000..12_010));
        }
        assert_eq!(reads.get(), 2, "the head, and the part");
        // Beyond the end of the file.
        let mut part = Reader::new(&file, ByteOrder::Little, 29_990, 5000);
        for _ in 0..3 {
            assert_eq!((part.up_to(0, 100).len(), part.bytes_at(0, 11)), (10, None));
        }
        assert_eq!(reads.get(), 3);
    }

    #[test]
    fn a_small_file_is_its_head() {
        let (file, reads) = contents(b"\x7fELF\0abc\0d".to_vec());
        assert_eq!(
            (file.head(), file.ident()[4..9].to_vec()),
            (&b"\x7fELF\0abc\0d"[..], b"\0abc\0".to_vec())
        );
        let mut whole = Reader::headers(&file);
        assert_eq!(whole.string_at(5), Some(&b"abc"[..]));
        assert!([9, 10, usize::MAX].into_iter().all(|at| whole.string_at(at).is_none()));
        assert_eq!(whole.number_at(1, 2), Some(0x4c45));
        assert_eq!((whole.number_at(8, 4), whole.required_at(8, 4, 4)), (None, None));
        assert_eq!(reads.get(), 1);
    }

    #[test]
    fn headers_have_a_budget_but_for_what_the_kernel_reads() {
        let (file, _) = contents(vec![1; 200_000]);
        let mut headers = Reader::headers(&file);
        let there = |headers: &mut Reader<'_>, at| headers.bytes_at(at, 4000).is_some();
        let read = (1..40).filter(|at| there(&mut headers, at * 5000)).count();
        assert_eq!(read, 5, "20,480 bytes");
        assert!(headers.bytes_at(5, 100).is_some(), "the head costs nothing");
        assert!(headers.required_at(199_000, 1000, 1000).is_some());
        assert!(!there(&mut headers, 100_000));
    }

    #[test]
    fn strings_of_any_size() {
        let mut bytes = vec![b'x'; 300_000];
        for at in [4_100, 90_000, 299_999] {
            bytes[at] = 0;
        }
        let (file, _) = contents(bytes);
        let mut strings = Reader { ahead: SPOT, ..Reader::new(&file, ByteOrder::Big, 4_000, usize::MAX) };
        assert_eq!(strings.string_at(0).map(<[u8]>::len), Some(100));
        assert_eq!(strings.string_at(101).map(<[u8]>::len), None, "longer than any");
        assert_eq!(strings.string_at(76_000).map(<[u8]>::len), Some(10_000));
        assert_eq!(strings.string_at(295_999), Some(&b""[..]));
        assert_eq!(strings.string_at(296_000), None);
    }
}
