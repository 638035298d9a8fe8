//! Which symbols the relocations of an object ask for, and when they are bound.

mod moves;
mod table;

use alloc::vec::Vec;
use core::mem::size_of;

use super::super::Linker;
use super::super::abi::{Abi, Effect, Relocator};
use super::super::object::Library;
use super::Asked;
use super::own::Asks;
use crate::arch;
use crate::candidate::reader::{Contents, Reader};
use crate::candidate::{Dynamic, Image};
use crate::elf::consts::{
    DF_1_NOW, DF_BIND_NOW, DT_BIND_NOW, DT_FLAGS, DT_FLAGS_1, DT_JMPREL, DT_MIPS_GOTSYM, DT_MIPS_SYMTABNO,
    DT_PLTGOT, DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELR, DT_RELRSZ, EI_OSABI, ELFOSABI_GNU, EM_MIPS,
    PF_W, PF_X,
};
use crate::elf::{ByteOrder, offset};
pub(in super::super) use moves::moves_all;
pub(super) use table::highest;
pub(in super::super) use table::info;
use table::{Table, of_both, read};

/// Whether functions are bound when they are first called.
pub(in super::super) fn is_bound_later(linker: &Linker<'_>, dynamic: &Dynamic) -> bool {
    let now = !linker.is_glibc()
        || linker.binds_now()
        || dynamic.flags(DT_FLAGS) & DF_BIND_NOW != 0
        || dynamic.flags(DT_FLAGS_1) & DF_1_NOW != 0
        || dynamic.get(DT_BIND_NOW).is_some();
    !now
}

/// Calls `tell` with those of the symbols that a relocation asks for, in the loader's order, each once; and whether it
/// is bound when it is first called, not at the start.
pub(super) fn uses(
    linker: &Linker<'_>,
    image: &Image,
    file: &Contents,
    symbols: &mut [Asked],
    tell: &mut dyn FnMut(&Asked, bool),
) {
    let Some(dynamic) = &image.dynamic else { return };
    let musl = !linker.is_glibc();
    let lazy = is_bound_later(linker, dynamic);
    let mut tell = |asked: &mut Asked, lazy| {
        tell(asked, lazy);
        asked.index = 0;
    };
    if arch::ldso(image.header.e_machine).is_some_and(|abi| abi.has_global_got) {
        // The global part of the GOT has no relocations: what is in it is asked for. A function with a stub, whose
        // address is its value, is bound when it is called.
        let global = offset(dynamic.flags(DT_MIPS_GOTSYM))..offset(dynamic.flags(DT_MIPS_SYMTABNO));
        for asked in symbols.iter_mut() {
            if global.contains(&asked.index) {
                tell(asked, asked.has_stub && lazy);
            }
        }
    }
    let tags = if musl { &[DT_JMPREL, DT_REL, DT_RELA] } else { &[DT_RELA, DT_REL, DT_JMPREL] };
    for &tag in tags {
        let calls = tag == DT_JMPREL;
        let both = if calls || crate::ROUTER { 0 } else { of_both(dynamic, tag) };
        read(linker, image, file, tag, both, &mut |symbol, _| {
            for asked in symbols.iter_mut() {
                // The address of a stub serves where the symbol is not called.
                if asked.index == symbol && (calls || !asked.has_stub) {
                    tell(asked, calls && lazy);
                }
            }
        });
    }
}

/// Symbols of a program that stand among those that it defines, and are looked for elsewhere.
#[derive(Default)]
pub(super) struct OfProgram {
    /// Those that are copied from a library: R_*_COPY. They have a place in the program.
    pub(super) copied: Vec<usize>,
    /// Those that are asked for by a slot of the GOT, some of which may be defined: of x86 GNU ld hashes a function, too, that is
    /// called by such a slot and not by one for calls (.plt.got).
    pub(super) by_slot: Vec<usize>,
}

impl OfProgram {
    /// In the order of the table, with none of it where the object is a library.
    pub(super) fn new(linker: &Linker<'_>, object: &Library, image: &Image, file: &Contents) -> OfProgram {
        let mut found = OfProgram::default();
        if object.parent.is_some() {
            return found;
        }
        let abi = arch::ldso(image.header.e_machine);
        let r_copy = abi.map_or(arch::R_COPY, |abi| abi.r_copy);
        let is_slot = |kind| abi.is_some_and(|abi| abi.effect(kind) == Effect::Slot);
        let mut note = |symbol, kind| {
            let list = if kind == r_copy {
                &mut found.copied
            } else if !crate::ROUTER && symbol != 0 && is_slot(kind) {
                &mut found.by_slot
            } else {
                return;
            };
            // A router looks at each of them for each symbol.
            let size = if crate::ROUTER { 2048 } else { size_of::<usize>() };
            if linker.files.budget().keep(size) {
                list.push(symbol);
            }
        };
        read(linker, image, file, DT_REL, 0, &mut note);
        read(linker, image, file, DT_RELA, 0, &mut note);
        // A router's programs have few, and sorting takes 500 bytes.
        if !crate::ROUTER {
            found.copied.sort_unstable();
            found.by_slot.sort_unstable();
        }
        found
    }

    /// The first one that is not before a place.
    pub(super) fn next(&self, index: usize) -> Option<usize> {
        let next = |list: &[usize]| list.get(list.partition_point(|symbol| *symbol < index)).copied();
        next(&self.copied).into_iter().chain(next(&self.by_slot)).min()
    }
}

/// The first slot for a function that is called, where a rehearsal tells what comes of another one.
fn first_slot(image: &Image, abi: &Abi) -> Option<u64> {
    let (got, size) = reserved(image, abi);
    (size != 0 && !abi.effects.is_empty()).then(|| got.wrapping_add(size))
}

/// The first relocation of an object of a kind that its loader does not know: the kind, and whether it stands among the
/// functions that are bound when they are first called. Notes the symbols that they ask for.
pub(in super::super) fn unknown(
    linker: &Linker<'_>,
    image: &Image,
    file: &Contents,
    asked: &mut Asks,
) -> Option<(usize, bool)> {
    let abi = arch::ldso(image.header.e_machine)?;
    let Abi { has_rel, relocates, .. } = *abi;
    let is_glibc = linker.is_glibc();
    let by = if is_glibc { Relocator::Glibc } else { Relocator::Musl };
    let tags = if is_glibc && !has_rel { &[DT_RELA, DT_JMPREL][..] } else { &[DT_RELA, DT_REL, DT_JMPREL] };
    let order = image.encoding.order;
    let (class, word) = (image.encoding.class, image.encoding.word());
    // r_info: the symbol stands above the kind.
    let of_kind: u64 = if word == 8 { 0xffff_ffff } else { 0xff };
    // To musl it is an int.
    let without_sign = if is_glibc { of_kind } else { 0x7fff_ffff };
    let is_mips64 = word == 8 && image.header.e_machine == EM_MIPS;
    // Linkers mark files that ask functions for addresses.
    let has_resolvers = file.ident()[EI_OSABI] == ELFOSABI_GNU;
    // Where the last one wrote: the next one does so near it.
    let mut written = (0, 0);
    let slots = if is_glibc { reserved(image, abi) } else { slots_of_calls(image, abi)? };
    for &tag in tags {
        let Some(mut table) = Table::open(linker, image, file, tag) else { continue };
        let entry = table.entry;
        let has_addend = entry > word.wrapping_mul(2);
        // The kind that was met last: most are like it.
        let (mut last, mut effect) = (usize::MAX, Effect::Other);
        let mut next = if tag == DT_JMPREL { first_slot(image, abi) } else { None };
        while let Some(entries) = table.entries() {
            for found in entries.chunks_exact(entry) {
                let place = order.uint(found, 0, word);
                if place.wrapping_sub(written.0) >= written.1 {
                    written = written_by(image, place);
                    if written.1 == 0 && !is_blank(found) {
                        linker.doubt();
                    }
                }
                // What lies across words may change two of them. To musl slots for calls come first: they are changed again; to glibc
                // those that it keeps for itself do.
                let is_slot_again = tag != DT_JMPREL && place.wrapping_sub(slots.0) < slots.1;
                if !crate::ROUTER && (place & 3 != 0 || is_slot_again) {
                    linker.doubt();
                }
                let r_info = order.uint(found, word, word);
                let (kind, index) = if is_mips64 {
                    match order {
                        ByteOrder::Little => (r_info >> 56, r_info & 0xffff_ffff),
                        ByteOrder::Big => (r_info & 0xff, r_info >> 32),
                    }
                } else {
                    (r_info & of_kind, r_info >> of_kind.count_ones())
                };
                let (kind, index) = (offset(kind & without_sign), offset(index));
                if kind != last {
                    let is_no_call = tag == DT_JMPREL && !relocates(Relocator::GlibcLazy, class, kind);
                    if is_no_call && is_bound_later(linker, image.dynamic.as_ref()?) {
                        return Some((kind, true));
                    }
                    if !relocates(by, class, kind) {
                        return Some((kind, false));
                    }
                    if !crate::ROUTER && is_no_call {
                        linker.doubt();
                    }
                    effect = abi.effect(kind);
                    let is_odd = match effect {
                        Effect::Half => word == 8,
                        Effect::Other => true,
                        Effect::None => !is_blank(found),
                        Effect::Indirect => {
                            let resolver = order.uint(found, word.wrapping_mul(2), word);
                            has_addend && image.load_with(PF_X, resolver).is_none()
                        }
                        _ => false,
                    };
                    if !crate::ROUTER && is_odd {
                        linker.doubt();
                    }
                    last = kind;
                }
                if !crate::ROUTER {
                    if asked.is_main(place) {
                        let address = addend(image, file, (found, has_addend), place);
                        asked.note_main(address.filter(|_| effect == Effect::Relative));
                    }
                    let is_slot = effect == Effect::Slot;
                    let adds = is_slot
                        && (has_addend || tag != DT_JMPREL)
                        && addend(image, file, (found, has_addend), place) != Some(0);
                    // Slots lie side by side, but for those of IRELATIVE.
                    let is_next = next.is_none_or(|next| next == place);
                    let strays = tag == DT_JMPREL && is_slot && !has_resolvers && !is_next;
                    next = is_slot.then(|| place.wrapping_add(word as u64));
                    let repeats = is_slot && tag != DT_JMPREL && !asked.note_slot(index, place);
                    if !asked.note(index, effect, tag == DT_JMPREL) || adds || strays || repeats {
                        linker.doubt();
                    }
                }
            }
        }
    }
    None
}

/// The words of the GOT that the loader keeps for itself: where they begin, and their size.
fn reserved(image: &Image, abi: &Abi) -> (u64, u64) {
    let got = image.dynamic.as_ref().and_then(|dynamic| dynamic.get(DT_PLTGOT));
    let size = abi.setup.reserved().map(|words| words.wrapping_mul(image.encoding.word() as u64));
    if crate::ROUTER { (0, 0) } else { got.zip(size).unwrap_or_default() }
}

/// The slots of the GOT for functions that are called: where they begin, and their size.
fn slots_of_calls(image: &Image, abi: &Abi) -> Option<(u64, u64)> {
    let dynamic = image.dynamic.as_ref()?;
    let (first, size) = (dynamic.flags(DT_PLTGOT), dynamic.flags(DT_PLTRELSZ));
    let words = if dynamic.flags(DT_PLTREL) == DT_RELA.into() { 3 } else { 2 };
    let Some(reserved) = abi.setup.reserved().filter(|_| size != 0) else { return Some((first, 0)) };
    let reserved = reserved.wrapping_mul(image.encoding.word() as u64);
    Some((first, size.checked_div(words)?.wrapping_add(reserved)))
}

/// What a relocation adds: r_addend, or of DT_REL what the file has where it is applied.
#[inline]
fn addend(
    image: &Image,
    file: &Contents,
    (relocation, has_addend): (&[u8], bool),
    place: u64,
) -> Option<u64> {
    let (order, word) = (image.encoding.order, image.encoding.word());
    if has_addend {
        Some(order.uint(relocation, word.wrapping_mul(2), word))
    } else {
        word_of(image, file, place)
    }
}

/// A word of an object, as it is in its file.
fn word_of(image: &Image, file: &Contents, place: u64) -> Option<u64> {
    let (order, word) = (image.encoding.order, image.encoding.word());
    Some(order.uint(Reader::new(file, order, image.offset_of(place)?, word).bytes_at(0, word)?, 0, word))
}

/// The segment that a relocation changes: where it begins, and its size; nothing where none may be changed there.
fn written_by(image: &Image, place: u64) -> (u64, u64) {
    image.load_with(PF_W, place).map_or((0, 0), |load| (load.p_vaddr, load.p_memsz))
}

/// Whether a relocation is none: MIPS begins with one, and where linkers do with fewer than they had room for, some are left.
fn is_blank(relocation: &[u8]) -> bool {
    relocation.iter().all(|byte| *byte == 0)
}

/// Whether DT_RELR (generic ABI, "Relative Relocation Table") changes what lies at an address: words that are an address, or
/// with the lowest bit set a bitmap of those that follow the last one.
pub(in super::super) fn is_packed(image: &Image, file: &Contents, address: u64) -> bool {
    let (order, word) = (image.encoding.order, image.encoding.word());
    let size = image.dynamic.as_ref().map_or(0, |dynamic| dynamic.flags(DT_RELRSZ));
    let mut reader = Reader::dynamic(file, image, DT_RELR, offset(size));
    reader.once();
    let (mut at, mut next) = (0, 0_u64);
    let bytes = word as u64;
    let bits = bytes.wrapping_mul(8).wrapping_sub(1);
    while let Some(entry) = reader.steps(1).then(|| reader.bytes_at(at, word)).flatten() {
        let entry = order.uint(entry, 0, word);
        if entry & 1 == 0 {
            if entry == address {
                return true;
            }
            next = entry.wrapping_add(bytes);
        } else {
            let behind = address.wrapping_sub(next).checked_div(bytes).filter(|behind| *behind < bits);
            let bit =
                behind.and_then(|behind| entry.checked_shr(u32::try_from(behind).ok()?.wrapping_add(1)));
            if bit.is_some_and(|bit| bit & 1 != 0) {
                return true;
            }
            next = next.wrapping_add(bits.wrapping_mul(bytes));
        }
        at = at.wrapping_add(word);
    }
    false
}
