//! Where the fields of ELF headers lie; names as in elf.h.

use crate::abi::Abi;

/// A field: its name, and its offset and size in ELFCLASS32 and in ELFCLASS64.
pub type Field = (&'static str, (usize, usize), (usize, usize));

/// Of the ELF header.
pub const HEADER: &[Field] = &[
    ("EI_CLASS", (4, 1), (4, 1)),
    ("EI_DATA", (5, 1), (5, 1)),
    ("EI_VERSION", (6, 1), (6, 1)),
    ("EI_OSABI", (7, 1), (7, 1)),
    ("EI_ABIVERSION", (8, 1), (8, 1)),
    ("e_type", (16, 2), (16, 2)),
    ("e_machine", (18, 2), (18, 2)),
    ("e_version", (20, 4), (20, 4)),
    ("e_entry", (24, 4), (24, 8)),
    ("e_phoff", (28, 4), (32, 8)),
    ("e_shoff", (32, 4), (40, 8)),
    ("e_flags", (36, 4), (48, 4)),
    ("e_ehsize", (40, 2), (52, 2)),
    ("e_phentsize", (42, 2), (54, 2)),
    ("e_phnum", (44, 2), (56, 2)),
    ("e_shentsize", (46, 2), (58, 2)),
    ("e_shnum", (48, 2), (60, 2)),
    ("e_shstrndx", (50, 2), (62, 2)),
];

/// Of a program header.
pub const SEGMENT: &[Field] = &[
    ("p_type", (0, 4), (0, 4)),
    ("p_offset", (4, 4), (8, 8)),
    ("p_vaddr", (8, 4), (16, 8)),
    ("p_paddr", (12, 4), (24, 8)),
    ("p_filesz", (16, 4), (32, 8)),
    ("p_memsz", (20, 4), (40, 8)),
    ("p_flags", (24, 4), (4, 4)),
    ("p_align", (28, 4), (48, 8)),
];

/// Bytes of an ELF header.
pub fn header_size(abi: &Abi) -> usize {
    if abi.wide { 64 } else { 52 }
}

/// Bytes of a program header.
pub fn segment_size(abi: &Abi) -> usize {
    if abi.wide { 56 } else { 32 }
}

/// A field of a table by name: offset and size.
pub fn find(table: &[Field], name: &str, abi: &Abi) -> Option<(usize, usize)> {
    let (_, narrow, wide) = table.iter().find(|(known, ..)| *known == name)?;
    Some(if abi.wide { *wide } else { *narrow })
}

/// Reads a number; what lies beyond the end is 0.
pub fn get(bytes: &[u8], abi: &Abi, (at, size): (usize, usize)) -> u64 {
    let byte = |i: usize| u64::from(bytes.get(at + i).copied().unwrap_or(0));
    (0..size).fold(0, |value, i| value << 8 | byte(if abi.big { i } else { size - 1 - i }))
}

/// Writes a number, cut to the size of its field; nothing beyond the end.
pub fn put(bytes: &mut [u8], abi: &Abi, (at, size): (usize, usize), value: u64) {
    for (i, byte) in abi.uint(value, size).into_iter().enumerate() {
        if let Some(place) = bytes.get_mut(at + i) {
            *place = byte;
        }
    }
}
