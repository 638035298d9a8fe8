//! What of an ELF file is left out of a recording: its code. The headers, and whatever PT_DYNAMIC leads to, stay in place.

use crate::candidate::Image;
use crate::elf::consts::{
    DT_GNU_HASH, DT_HASH, DT_JMPREL, DT_MIPS_XHASH, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELSZ,
    DT_STRSZ, DT_STRTAB, DT_SYMTAB, DT_VERDEF, DT_VERNEED, DT_VERSYM, PF_X, PT_GNU_STACK, PT_LOAD,
};

/// What is kept or left out at once.
pub(super) const PIECE: u64 = 4096;
/// Bytes of a table that does not tell its size, and of the headers.
const UNTOLD: u64 = 64 << 10;

/// Where linkers put a table into the segment of the code, it is in front of that.
static TABLES: [u32; 11] = [
    DT_HASH,
    DT_GNU_HASH,
    DT_MIPS_XHASH,
    DT_STRTAB,
    DT_SYMTAB,
    DT_REL,
    DT_RELA,
    DT_JMPREL,
    DT_VERSYM,
    DT_VERDEF,
    DT_VERNEED,
];
static SIZES: [u32; 4] = [DT_STRSZ, DT_RELSZ, DT_RELASZ, DT_PLTRELSZ];

/// The bytes of a library that nobody looks at: of the segment that is executed what stands behind its tables.
pub(super) fn of(image: &Image) -> Option<(u64, u64)> {
    let (dynamic, load) = (image.dynamic.as_ref()?, image.loads().find(|load| load.p_flags & PF_X != 0)?);
    let size = SIZES.iter().fold(UNTOLD, |sum, size| sum.saturating_add(dynamic.flags(*size)));
    let (start, end) = (load.p_offset, load.file_end());
    let mut from = if start == 0 { UNTOLD } else { start };
    for table in &TABLES {
        let at = image.dynamic_offset(*table).unwrap_or_default() as u64;
        if start < at && at < end {
            from = from.max(at.saturating_add(size));
        }
    }
    Some((from, end))
}

/// Whether the piece at an offset lies in them, and is nothing special: the kernel begins at the entry.
pub(super) fn is_at(image: &Image, code: Option<(u64, u64)>, at: u64) -> bool {
    let end = at.saturating_add(PIECE);
    let meets = |from: u64, len: u64| from < end && at < from.saturating_add(len);
    let entry = image.offset_of(image.header.e_entry).unwrap_or_default() as u64;
    code.is_some_and(|(from, to)| from <= at && end <= to)
        && !meets(entry, PIECE)
        && !image.table().iter().any(|segment| {
            !matches!(segment.p_type, PT_LOAD | PT_GNU_STACK) && meets(segment.p_offset, segment.p_filesz)
        })
}
