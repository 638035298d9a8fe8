//! What has been written, by address.

use crate::elf::offset;

/// Bytes that are kept together where one is written: mostly the next ones are, too.
const CHUNK: usize = 1 << BITS_OF_A_CHUNK;
const BITS_OF_A_CHUNK: u32 = 8;

/// Bytes side by side, some of which relocations have written.
pub(super) struct Chunk {
    bytes: [u8; CHUNK],
    /// Four bits for each. 0: not written. 1: a number. From 2 on: that byte of an address, which is another one at each
    /// start.
    marks: [u8; CHUNK / 2],
}

impl Default for Chunk {
    fn default() -> Chunk {
        Chunk { bytes: [0; CHUNK], marks: [0; CHUNK / 2] }
    }
}

impl Chunk {
    pub(super) fn get(&self, at: usize) -> Option<Marked> {
        let mark = self.marks.get(at / 2)? >> ((at & 1) << 2) & 15;
        if mark == 0 { None } else { Some((*self.bytes.get(at)?, mark)) }
    }

    pub(super) fn put(&mut self, at: usize, (byte, mark): Marked) {
        if let (Some(place), Some(marks)) = (self.bytes.get_mut(at), self.marks.get_mut(at / 2)) {
            let bits = (at & 1) << 2;
            *place = byte;
            *marks = *marks & !(15 << bits) | mark << bits;
        }
    }
}

/// A byte, and its mark in [`Chunk`].
pub(in super::super) type Marked = (u8, u8);

/// The chunk of an address, and its place in that.
pub(super) fn place(address: u64) -> (u64, usize) {
    (address >> BITS_OF_A_CHUNK, offset(address) & (CHUNK - 1))
}
