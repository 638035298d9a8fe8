//! Where the fields of ELF headers lie, for an ABI.

pub use testkit::layout::{Field, HEADER, SEGMENT};

use crate::abi::Abi;

/// A field of a table by name: offset and size.
pub fn find(table: &[Field], name: &str, abi: &Abi) -> Option<(usize, usize)> {
    testkit::layout::find(table, name, abi.encoding)
}

/// Bytes of an ELF header.
pub fn header_size(abi: &Abi) -> usize {
    abi.encoding.header_size()
}

/// Bytes of a program header.
pub fn segment_size(abi: &Abi) -> usize {
    abi.encoding.segment_size()
}

/// Reads a number; what lies beyond the end is 0.
pub fn get(bytes: &[u8], abi: &Abi, (at, size): (usize, usize)) -> u64 {
    let byte = |i: usize| bytes.get(at + i).copied().unwrap_or(0);
    abi.encoding.number(&(0..size).map(byte).collect::<Vec<u8>>())
}

/// Writes a number, cut to the size of its field; nothing beyond the end.
pub fn put(bytes: &mut [u8], abi: &Abi, (at, size): (usize, usize), value: u64) {
    for (i, byte) in abi.encoding.uint(value, size).into_iter().enumerate() {
        if let Some(place) = bytes.get_mut(at + i) {
            *place = byte;
        }
    }
}
