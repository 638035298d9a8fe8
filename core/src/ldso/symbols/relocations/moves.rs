//! Relative relocations, which move what an object has to where it is.

use super::super::super::Linker;
use super::super::super::abi::Effect;
use super::super::begin::may_begin;
use super::super::own::Asks;
use super::{Table, addend, is_blank, reserved, written_by};
use crate::arch;
use crate::candidate::Image;
use crate::candidate::reader::Contents;
use crate::elf::consts::{
    DT_INIT_ARRAY, DT_INIT_ARRAYSZ, DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ, DT_REL, DT_RELA, DT_RELACOUNT,
    DT_RELCOUNT, DT_RELR, ET_EXEC, PF_X,
};
use crate::elf::offset;

/// Those of an object that are looked at, at its front.
const RELATIVE_AT_MOST: usize = 8;

/// Whether the relative relocations of an object move what can be written, and with that each address of DT_INIT_ARRAY to
/// where code is. Notes that of main()'s address.
pub(in super::super::super) fn moves_all(
    linker: &Linker<'_>,
    image: &Image,
    file: &Contents,
    asked: &mut Asks,
) -> Option<bool> {
    let dynamic = image.dynamic.as_ref()?;
    let (mut first, mut size) = (dynamic.flags(DT_INIT_ARRAY), dynamic.flags(DT_INIT_ARRAYSZ));
    // Linkers put that right before the other.
    if let Some(array) = dynamic.get(DT_PREINIT_ARRAY) {
        let before = dynamic.flags(DT_PREINIT_ARRAYSZ);
        if array.wrapping_add(before) != first && size != 0 {
            return Some(false);
        }
        (first, size) = (array, size.wrapping_add(before));
    }
    let abi = arch::ldso(image.header.e_machine)?;
    let is_rel = abi.has_rel && dynamic.get(DT_RELA).is_none();
    let (tag, count) = if is_rel { (DT_REL, DT_RELCOUNT) } else { (DT_RELA, DT_RELACOUNT) };
    let counted = offset(dynamic.flags(count));
    // Of many the first are looked at, and the last.
    let relative = counted.min(RELATIVE_AT_MOST);
    // glibc's are not looked at again.
    let of_main = if linker.is_glibc() && asked.seeks_main() { counted } else { 0 };
    let mut table = Table::open(linker, image, file, tag)?;
    let (order, word) = (image.encoding.order, image.encoding.word());
    let (entry, (symbol, symbol_size), (kind, kind_size)) = (table.entry, table.symbol, table.kind);
    if let Some(last) = counted.checked_sub(1) {
        let Some(found) = table.reader.bytes_at(last.saturating_mul(entry), entry) else {
            return Some(false);
        };
        let kind = offset(order.uint(found, word.wrapping_add(kind), kind_size));
        if abi.effect(kind) != Effect::Relative {
            return Some(false);
        }
    }
    let kept = reserved(image, abi);
    let is_moved = image.header.e_type != ET_EXEC && dynamic.get(DT_RELR).is_none();
    let mut left = if is_moved { size } else { 0 };
    let (mut seen, mut written) = (0_usize, (0, 0));
    // Of those that are moved each is, once, if their places add up.
    let mut places = 0_u64;
    let all = left.wrapping_mul(left.wrapping_sub(word as u64)) / 2;
    let all = all.checked_div(word as u64).unwrap_or_default();
    let mut last = usize::MAX;
    table.at = 0;
    while let Some(entries) = table.entries() {
        for found in entries.chunks_exact(entry) {
            if seen >= relative.max(of_main) && left == 0 {
                return Some(places == all);
            }
            let place = order.uint(found, 0, word);
            if place.wrapping_sub(written.0) >= written.1 {
                written = written_by(image, place);
                if written.1 == 0 && !is_blank(found) {
                    return Some(false);
                }
            }
            let kind = offset(order.uint(found, word.wrapping_add(kind), kind_size));
            if seen < relative && kind != last {
                if abi.effect(kind) != Effect::Relative {
                    return Some(false);
                }
                last = kind;
            }
            if seen < relative && !is_rel {
                let to = order.uint(found, word.wrapping_mul(2), word);
                if !image.loads().any(|load| to.wrapping_sub(load.p_vaddr) <= load.p_memsz) {
                    return Some(false);
                }
            }
            let within = place.wrapping_sub(first);
            // What lies across words changes two of them, and what is changed once more is not what it was.
            if seen < relative && (place & (word as u64).wrapping_sub(1) != 0 || left == 0 && within < size) {
                return Some(false);
            }
            let address = || addend(image, file, (found, !is_rel), place);
            if seen < relative && place.wrapping_sub(kept.0) < kept.1 {
                return Some(false);
            }
            if seen < of_main && asked.is_main(place) {
                asked.note_main(address().filter(|_| abi.effect(kind) == Effect::Relative));
            }
            if left > 0 && within < size {
                left = left.saturating_sub(word as u64);
                places = places.wrapping_add(within);
                let code = address()?;
                let is_moved = match abi.effect(kind) {
                    Effect::OfGot => order.uint(found, word.wrapping_add(symbol), symbol_size) == 0,
                    effect => effect == Effect::Relative,
                };
                if is_moved
                    && (image.load_with(PF_X, code).is_none()
                        || !may_begin(image, file, code, place == first))
                {
                    return Some(false);
                }
            }
            seen = seen.wrapping_add(1);
        }
    }
    Some(left == 0 && seen >= relative && places == all)
}
