//! What of an ELF file is left out of a recording: its code. The headers, and whatever PT_DYNAMIC leads to, stay in place.

use crate::candidate::Image;
use crate::elf::consts::{DT_FINI, DT_INIT};

/// What is kept or left out at once.
pub(super) const PIECE: u64 = 4096;

/// The bytes of a library that nobody looks at: `.text`, which linkers put between `.init` and `.fini`. None where it has
/// neither.
pub(super) fn of(image: &Image) -> Option<(u64, u64)> {
    let (from, to) = (image.dynamic_offset(DT_INIT)?, image.dynamic_offset(DT_FINI)?);
    Some(((from as u64).saturating_add(PIECE), to as u64))
}

/// Whether the piece at an offset lies in them; the kernel begins at the entry.
pub(super) fn is_at(code: Option<(u64, u64)>, entry: u64, at: u64) -> bool {
    let end = at.saturating_add(PIECE);
    let is_entry = at < entry.saturating_add(PIECE) && entry < end;
    code.is_some_and(|(from, to)| from <= at && end <= to) && !is_entry
}
