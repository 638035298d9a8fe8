//! Where functions begin.

use super::super::rehearsal::code::{CODE, MARKS, ends_function, ends_function_of_riscv, is_stub_of_x86};
use super::super::rehearsal::frames::{Frames, Listed, may_begin_unlisted};
use super::super::rehearsal::{is_aligned, is_among_tables, text};
use crate::budget::SEGMENTS_OF_A_STEP;
use crate::candidate::Image;
use crate::candidate::reader::{Contents, Reader};
use crate::elf::consts::{DT_PLTRELSZ, EM_386, EM_RISCV, EM_X86_64, PF_X, PT_GNU_EH_FRAME};
use crate::elf::offset;

/// What is looked at of code: the byte before it, and as much as tells a stub.
const BEGIN: usize = 8;

/// Whether there is no code at all, as in a recording.
fn lacks_code(image: &Image, file: &Contents, address: u64) -> bool {
    let from = text(image, address).and_then(|text| image.offset_of(text));
    from.is_none_or(|from| {
        Reader::new(file, image.encoding.order, from, CODE).up_to(0, CODE).iter().all(|byte| *byte == 0)
    })
}

/// Whether a function may begin at an address: of x86 alone it is known what stands before one. What is aligned is looked
/// at of the first alone, and where it may be a stub: each look is a read.
pub(super) fn may_begin(image: &Image, file: &Contents, code: u64, is_first: bool) -> bool {
    if !matches!(image.header.e_machine, EM_X86_64 | EM_386) {
        let may_be = is_aligned(image, code) && !is_among_tables(image, code);
        return may_be
            && match listed(image, file, code) {
                Some(listed) => !matches!(listed, Listed::Within),
                None => image.header.e_machine != EM_RISCV || follows_function(image, file, code),
            };
    }
    let is_aligned = code.trailing_zeros() >= 4;
    if !is_first && is_aligned && !is_near_stubs(image, code) {
        return true;
    }
    let Some(before) = image.offset_of(code).and_then(|at| at.checked_sub(1)) else { return false };
    let mut reader = Reader::new(file, image.encoding.order, before, BEGIN);
    let Some((&before, bytes)) = reader.up_to(0, BEGIN).split_first() else { return false };
    let &[first, second, third, fourth, ..] = bytes else { return false };
    if is_stub_of_x86(bytes) {
        return false;
    }
    if MARKS.contains(&[first, second, third, fourth]) {
        return true;
    }
    let may_run = [first, second, third, fourth] != [0; 4] || lacks_code(image, file, code);
    let is_behind = ends_function(before) && is_aligned;
    may_run && (is_behind || is_listed(image, file, code, (before, first)).unwrap_or(false))
}

/// Whether an address lies where linkers put stubs: GNU ld's before all other code, lld's behind it.
fn is_near_stubs(image: &Image, code: u64) -> bool {
    /// Bytes of a stub, where each has two; and of what begins them, and of DT_INIT before them.
    const STUB: u64 = 32;
    const MORE: u64 = 256;
    let calls = image.dynamic.as_ref().map_or(0, |dynamic| dynamic.flags(DT_PLTRELSZ));
    let entry = image.encoding.word().saturating_mul(2) as u64;
    let size = calls.checked_div(entry).unwrap_or_default().saturating_mul(STUB).saturating_add(MORE);
    image.load_with(PF_X, code).is_some_and(|load| {
        let within = code.wrapping_sub(load.p_vaddr);
        within < size || load.p_memsz.saturating_sub(within) < size
    })
}

/// Whether a function of RISC-V may begin behind what is before it.
fn follows_function(image: &Image, file: &Contents, code: u64) -> bool {
    let before = image.offset_of(code).and_then(|at| at.checked_sub(4));
    let before = before.and_then(|at| Reader::new(file, image.encoding.order, at, 4).number_at(0, 4));
    before.and_then(|before| u32::try_from(before).ok()).is_some_and(ends_function_of_riscv)
}

/// Whether a function begins at an address by what .eh_frame_hdr lists: those of cold code, which is not aligned, do. None
/// where there is no such table.
fn is_listed(image: &Image, file: &Contents, code: u64, (before, first): (u8, u8)) -> Option<bool> {
    Some(match listed(image, file, code)? {
        Listed::Begins => true,
        Listed::Within => false,
        Listed::Not => may_begin_unlisted(code, before, first),
    })
}

/// What .eh_frame_hdr has of an address.
fn listed(image: &Image, file: &Contents, code: u64) -> Option<Listed> {
    let header = image.table().iter().find(|segment| segment.p_type == PT_GNU_EH_FRAME)?.p_vaddr;
    let mut reader = Reader::new(file, image.encoding.order, 0, usize::MAX);
    let steps = (image.table().len() / SEGMENTS_OF_A_STEP).saturating_add(1);
    let mut number = |at, size| {
        let at = reader.steps(steps).then(|| image.offset_of(at)).flatten()?;
        Some(image.encoding.order.uint(reader.bytes_at(at, offset(size))?, 0, offset(size)))
    };
    let mut frames = Frames { number: &mut number, word: image.encoding.word() as u64 };
    frames.look_up(header, code)
}
