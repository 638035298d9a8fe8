//! Where the fields of ELF headers lie; names as in elf.h.

/// How a file writes its numbers: what EI_CLASS and EI_DATA tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoding {
    /// ELFCLASS64.
    pub wide: bool,
    /// Big-endian.
    pub big: bool,
}

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

/// A field of a table by name: offset and size.
pub fn find(table: &[Field], name: &str, encoding: Encoding) -> Option<(usize, usize)> {
    let (_, narrow, wide) = table.iter().find(|(known, ..)| *known == name)?;
    Some(if encoding.wide { *wide } else { *narrow })
}

impl Encoding {
    /// Bytes of an address.
    pub const fn word(self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// Bytes of an ELF header.
    pub const fn header_size(self) -> usize {
        if self.wide { 64 } else { 52 }
    }

    /// Bytes of a program header.
    pub const fn segment_size(self) -> usize {
        if self.wide { 56 } else { 32 }
    }

    /// Bytes of a section header.
    pub const fn section_size(self) -> usize {
        if self.wide { 64 } else { 40 }
    }

    /// A number as so many bytes, at most eight; what does not fit is cut off.
    pub fn uint(self, value: u64, size: usize) -> Vec<u8> {
        if self.big { value.to_be_bytes()[8 - size..].to_vec() } else { value.to_le_bytes()[..size].to_vec() }
    }

    /// The reverse.
    pub fn number(self, bytes: &[u8]) -> u64 {
        let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.big { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) }
    }
}
