//! What of an ELF file is left out of a recording: its code. The headers, and whatever PT_DYNAMIC leads to, stay in place.

use crate::candidate::Image;
use crate::elf::ProgramHeader;
use crate::elf::consts::{
    DT_GNU_HASH, DT_HASH, DT_JMPREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELR, DT_RELRSZ, DT_RELSZ,
    DT_STRSZ, DT_STRTAB, DT_SYMTAB, DT_VERDEF, DT_VERNEED, DT_VERSYM, PF_X, PT_GNU_STACK, PT_LOAD,
};

/// What is kept or left out at once.
pub(super) const PIECE: u64 = 4096;
/// Bytes that a table takes which does not tell its size: others stand behind it, which do.
const UNTOLD: u64 = 64 << 10;
/// The ELF header, and the program headers behind it.
const HEADERS: u64 = 8192;

/// Tables, and what tells their sizes.
static TABLES: [(u32, u32); 11] = [
    (DT_STRTAB, DT_STRSZ),
    (DT_RELA, DT_RELASZ),
    (DT_REL, DT_RELSZ),
    (DT_RELR, DT_RELRSZ),
    (DT_JMPREL, DT_PLTRELSZ),
    (DT_SYMTAB, 0),
    (DT_HASH, 0),
    (DT_GNU_HASH, 0),
    (DT_VERSYM, 0),
    (DT_VERDEF, 0),
    (DT_VERNEED, 0),
];

/// The parts of a file that are nothing but code.
pub(super) struct Code<'a> {
    image: &'a Image,
    /// Where the tables end that share a segment with it: linkers put them before it.
    tables: u64,
    /// Where the kernel, or the loader, begins.
    entry: u64,
}

impl<'a> Code<'a> {
    pub(super) fn of(image: &'a Image) -> Code<'a> {
        let end = |(table, size): &(u32, u32)| {
            let (start, left) = image.dynamic_part(*table)?;
            let told = image.dynamic.as_ref().and_then(|dynamic| dynamic.get(*size)).filter(|_| *size != 0);
            let is_shared = executed(image, start as u64).is_some();
            is_shared.then(|| (start as u64).saturating_add(told.unwrap_or(UNTOLD).min(left as u64)))
        };
        let tables = TABLES.iter().filter_map(end).max().unwrap_or_default();
        let entry = image.offset_of(image.header.e_entry).map_or(0, |entry| entry as u64);
        Code { image, tables, entry }
    }

    /// Whether the piece at an offset is nothing else.
    pub(super) fn is_at(&self, at: u64) -> bool {
        let end = at.saturating_add(PIECE);
        let meets = |from: u64, len: u64| from < end && at < from.saturating_add(len);
        let is_within = executed(self.image, at).is_some_and(|load| end <= load.file_end());
        let is_special = |segment: &ProgramHeader| {
            !matches!(segment.p_type, PT_LOAD | PT_GNU_STACK) && meets(segment.p_offset, segment.p_filesz)
        };
        is_within
            && at >= self.tables.max(HEADERS)
            && !meets(self.entry, PIECE)
            && !self.image.table().iter().any(is_special)
    }
}

/// The segment of code that has an offset.
fn executed(image: &Image, at: u64) -> Option<&ProgramHeader> {
    image.loads().find(|load| load.p_flags & PF_X != 0 && (load.p_offset..load.file_end()).contains(&at))
}
