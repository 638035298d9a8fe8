//! Symbols that are asked for and that nothing defines.
//!
//! The loaders look up one symbol after the other. Here all that is asked for is gathered first, then each object's
//! definitions are looked up in turn: that takes a bounded part of memory, and few reads. Only where something is missing is
//! it looked up which relocation asks for it, since nobody minds what none does.

mod begin;
mod gnu_hash;
mod missing;
mod own;
pub(super) mod relocations;
mod settled;
mod table;
mod unversioned;
mod wanted;

use alloc::vec::Vec;

use super::object::Library;
use super::rehearsal::PROFILER;
use super::versions::{self, Version};
use super::{Linker, Undefined};
use crate::budget::{Guard, SEGMENTS_OF_A_STEP, SLOTS_OF_A_STEP, STEPS_OF_A_SYMBOL, VERSIONS_OF_A_STEP};
use crate::candidate::Image;
use crate::elf::ProgramHeader;
use crate::elf::consts::{DT_INIT, EI_OSABI, ELFOSABI_GNU, ET_DYN};
use missing::{are_enough, tell};
pub(super) use own::Asks;
use settled::Scope;
pub(super) use settled::Settled;
pub(super) use table::hash_word;
use table::{Symbol, Symbols};
pub(super) use unversioned::found_without_version;
use wanted::{Key, Wanted};

const STB_LOCAL: u8 = 0;
const STB_GLOBAL: u8 = 1;
const STB_WEAK: u8 = 2;
const STB_GNU_UNIQUE: u8 = 10;
const STT_OBJECT: u8 = 1;
const STT_SECTION: u8 = 3;
const STT_FILE: u8 = 4;
const STT_TLS: u8 = 6;
const STT_GNU_IFUNC: u8 = 10;
const SHN_ABS: usize = 0xfff1;
/// What DT_VERSYM has of a symbol without a version.
const VER_NDX_GLOBAL: usize = 1;
/// A definition that only who asks for its version gets, in DT_VERSYM.
const HIDDEN: usize = 0x8000;
/// Missing symbols that are told at most.
pub(super) const MISSING_AT_MOST: usize = 64;

/// An undefined symbol.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    index: usize,
    /// Its name and its version's, in DT_STRTAB.
    name: usize,
    pub(super) version: Option<usize>,
    /// The file that is to define that, in DT_STRTAB.
    file: usize,
    /// It has a value all the same: where its stub is.
    has_stub: bool,
    key: Key,
}

/// What nothing defines of all that the program and its libraries ask for.
pub(super) fn undefined(linker: &Linker<'_>) -> Vec<Undefined> {
    let mut missing = Vec::new();
    let objects = linker.link.objects.len();
    let scope = Scope::new(linker);
    let settled = scope.settled(linker);
    let mut at = (0, 1);
    // In parts, each of which the table has room for.
    while at.0 < objects && !are_enough(&missing) && linker.goes_on(1) {
        let mut wanted = Wanted::new();
        let from = at;
        while at.0 < objects {
            let mut full_at = None;
            if settled.get(at.0) != Some(&true) {
                let _ends_early = each_undefined(linker, at.0, at.1, false, &mut |asked| {
                    let has_room = scope.defines(&asked.key) || wanted.add(asked.key);
                    let _is_over = linker.goes_on(wanted.take_steps());
                    full_at = (!has_room).then_some(asked.index);
                    has_room
                });
            }
            match full_at {
                Some(index) => {
                    at.1 = index;
                    break;
                }
                None => at = (at.0.wrapping_add(1), 1),
            }
        }
        // The program last: few ask for what it defines.
        for object in libraries(linker).chain([0]) {
            if wanted.open() > 0 {
                scope.define(linker, object, &mut wanted);
            }
        }
        if wanted.open() > 0 {
            tell(linker, from..=at, &mut wanted, &mut missing);
        }
    }
    missing
}

/// The objects but for the program, in the order in which definitions are looked for: glibc's loader last, which has few.
fn libraries(linker: &Linker<'_>) -> impl Iterator<Item = usize> {
    let first = if linker.is_glibc() { 2 } else { 1 };
    (first..linker.link.objects.len()).chain(1..first)
}

/// Calls `each` with every undefined symbol of an object from one on, until it returns false; with those that need not be
/// defined where `weak` says so.
pub(super) fn each_undefined(
    linker: &Linker<'_>,
    object: usize,
    from: usize,
    weak: bool,
    each: &mut dyn FnMut(Asked) -> bool,
) -> Option<()> {
    let is_program = object == 0;
    let object = linker.object(object)?;
    let (file, image) = (linker.open(object)?, object.image.as_ref()?);
    let mut symbols = Symbols::open(linker, object, image, &file.contents)?;
    if is_program {
        symbols.once();
    }
    let versions = if linker.is_glibc() { linker.verneed(object) } else { &[] };
    // Nobody finds what it defines, not even itself.
    let is_lost = !crate::ROUTER && symbols.hashed == 0 && symbols.gnu().is_none();
    let first = symbols.gnu().map_or(0, |gnu| gnu.first);
    // Without stubs that have a symbol's address only few are looked for of what is hashed.
    let is_moved = !crate::ROUTER && image.header.e_type == ET_DYN && symbols.gnu().is_some();
    let end = symbols.end_of_undefined(is_program && !is_moved);
    // crti.o calls what it finds by that name.
    let mut lacks_profiler = linker.is_glibc() && image.dynamic.as_ref()?.get(DT_INIT).is_some() && from <= 1;
    let mut next = from;
    while is_moved || next < end {
        let index = next;
        next = index.wrapping_add(1);
        if !crate::ROUTER && is_moved && index >= end {
            let Some(again) = symbols.of_program.next(index) else { break };
            if again != index {
                next = again;
                continue;
            }
        }
        let goes_on = symbols.table.steps(STEPS_OF_A_SYMBOL.saturating_add(steps_of(versions)));
        let Some(symbol) = symbols.symbol(index).filter(|_| goes_on) else { break };
        if !crate::ROUTER {
            let is_odd = if symbol.section == 0 {
                symbol.visibility != 0
                    || !matches!(symbol.bind, STB_GLOBAL | STB_WEAK)
                    || !symbols.strings.has(symbol.name)
            } else {
                // Those that DT_GNU_HASH does not have are not defined.
                let has_place = symbol.has_value || symbol.kind == STT_TLS || symbol.section == SHN_ABS;
                symbol.bind != STB_LOCAL && (index < first || !has_place)
            };
            if is_odd {
                linker.doubt();
            }
        }
        if (symbol.section != 0 && !is_lost)
            || !(symbol.bind == STB_GLOBAL || weak && symbol.bind == STB_WEAK)
        {
            // Weak ones are few.
            if !crate::ROUTER && symbol.section == 0 && linker.is_glibc() {
                let mark = symbols.mark(index) & !HIDDEN;
                if mark > VER_NDX_GLOBAL && versions::at(versions, mark).is_none() {
                    linker.doubt();
                }
                lacks_profiler = lacks_profiler && !symbols.strings.is_string(symbol.name, PROFILER);
            }
            continue;
        }
        let mark = symbols.mark(index) & !HIDDEN;
        let version = versions::at(versions, mark);
        let hash = version.map_or(0, |version| version.hash);
        let Some(key) = Key::read(&mut symbols.strings, symbol.name, hash) else {
            linker.doubt();
            continue;
        };
        if !crate::ROUTER && version.is_none() && mark > VER_NDX_GLOBAL && linker.is_glibc() {
            linker.doubt();
        }
        let asked = Asked {
            key,
            index,
            name: symbol.name,
            version: version.map(|version| version.name),
            file: version.map_or(0, |version| version.file),
            has_stub: symbol.has_value,
        };
        if !each(asked) {
            return Some(());
        }
    }
    if !crate::ROUTER && lacks_profiler {
        linker.doubt();
    }
    Some(())
}

/// Marks what an object defines, and calls `each` with it.
fn define(
    linker: &Linker<'_>,
    object: &Library,
    wanted: &mut Wanted,
    each: &mut dyn FnMut(Key),
) -> Option<()> {
    let (file, image) = (linker.open(object)?, object.image.as_ref()?);
    let mut symbols = Symbols::open(linker, object, image, &file.contents)?;
    let versions = if linker.is_glibc() { linker.defined(object) } else { &[] };
    // The loader itself, and its C library.
    let is_loader = !crate::ROUTER && linker.object(1).is_some_and(|loader| core::ptr::eq(loader, object));
    let is_trusted = crate::ROUTER || is_loader || linker.is_c_library(object);
    let has_resolvers = !crate::ROUTER && file.contents.ident()[EI_OSABI] == ELFOSABI_GNU;
    let trusts = |symbols: &mut Symbols<'_>, index| {
        let marks = (versions, has_resolvers);
        if !(is_trusted || is_usual(linker, image, symbols, marks, index).unwrap_or(false)) {
            linker.doubt();
        }
    };
    if symbols.gnu().is_none() {
        for index in 1..symbols.hashed {
            if !symbols.table.steps(STEPS_OF_A_SYMBOL) {
                break;
            }
            define_one(linker, &mut symbols, versions, index, wanted, each)?;
            trusts(&mut symbols, index);
        }
        return Some(());
    }
    let _is_over = symbols.table.steps(wanted.slots() / SLOTS_OF_A_STEP);
    let goes_on = || Guard::Chains.is_out() || linker.goes_on(1);
    let mut next_slot = 0;
    while let Some((slot, hash)) = wanted.next_asked(next_slot) {
        next_slot = slot.wrapping_add(1);
        let mut rest = symbols.gnu()?.chain(hash);
        while let Some(from) = rest {
            let (found, behind) = symbols.gnu()?.find(hash, from, &goes_on)?;
            if let Some(index) = found {
                define_one(linker, &mut symbols, versions, index, wanted, each)?;
                trusts(&mut symbols, index);
            }
            rest = behind;
        }
    }
    Some(())
}

/// Marks what a symbol of an object defines.
fn define_one(
    linker: &Linker<'_>,
    symbols: &mut Symbols<'_>,
    versions: &[Version],
    index: usize,
    wanted: &mut Wanted,
    each: &mut dyn FnMut(Key),
) -> Option<()> {
    let glibc = linker.is_glibc();
    let symbol = symbols.symbol(index)?;
    if !is_definition(&symbol, glibc) {
        return Some(());
    }
    let mark = symbols.mark(index);
    let is_hidden = mark & HIDDEN != 0;
    let hash = versions::at(versions, mark & !HIDDEN).map_or(0, |version| version.hash);
    if let Some(name) = Key::read(&mut symbols.strings, symbol.name, 0) {
        // elf/dl-lookup.c `check_match`
        let serves = |asked| match asked {
            0 => !is_hidden || (glibc && mark & !HIDDEN < 3),
            asked => asked == hash || (hash == 0 && !is_hidden),
        };
        wanted.define(&name, &serves, each);
        let _is_over = linker.goes_on(wanted.take_steps().saturating_add(steps_of(versions)));
    }
    Some(())
}

/// What it takes to look through them.
fn steps_of(versions: &[Version]) -> usize {
    Guard::Versions.counts(versions.len() / VERSIONS_OF_A_STEP)
}

/// Whether what an object defines is what linkers make: of a version that it has, at a place that it has, and found without
/// a call.
fn is_usual(
    linker: &Linker<'_>,
    image: &Image,
    symbols: &mut Symbols<'_>,
    (versions, has_resolvers): (&[Version], bool),
    index: usize,
) -> Option<bool> {
    let symbol = symbols.symbol(index)?;
    if symbol.section == 0 {
        return Some(true);
    }
    let _is_over = symbols.table.steps(image.table().len() / SEGMENTS_OF_A_STEP);
    let mark = symbols.mark(index) & !HIDDEN;
    let lacks_version = linker.is_glibc() && mark > VER_NDX_GLOBAL && versions::at(versions, mark).is_none();
    let (value, _) = symbols.place(index)?;
    let lies = |load: &ProgramHeader| value.wrapping_sub(load.p_vaddr) <= load.p_memsz;
    let has_place = symbol.kind == STT_TLS || symbol.section == SHN_ABS || image.loads().any(lies);
    Some((symbol.kind != STT_GNU_IFUNC || has_resolvers) && !lacks_version && has_place)
}

/// glibc elf/dl-lookup.c `check_match`, musl ldso/dynlink.c `find_sym2`.
fn is_definition(symbol: &Symbol, glibc: bool) -> bool {
    let is_kind = symbol.kind <= STT_TLS && !matches!(symbol.kind, STT_SECTION | STT_FILE);
    symbol.section != 0
        && !(glibc && symbol.is_hidden())
        && matches!(symbol.bind, STB_GLOBAL | STB_WEAK | STB_GNU_UNIQUE)
        && (is_kind || (glibc && symbol.kind == STT_GNU_IFUNC))
        && (symbol.has_value || symbol.kind == STT_TLS || (glibc && symbol.section == SHN_ABS))
}
