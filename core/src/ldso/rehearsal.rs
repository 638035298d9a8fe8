//! A loader, rehearsed: what it does from the moment it has mapped all objects to main(), step by step on a copy of their
//! memory. Only what a linker has not made so needs that; of sound tables less tells as much ([`super::symbols`]).

pub(super) mod code;
mod crt;
pub(super) mod frames;
mod glibc;
mod main;
mod memory;
mod musl;
mod object;
mod start;
mod strings;

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

use super::abi::{JudgedBy, Setup};
use super::fault::{Ends, Fault, FaultKind};
use super::symbols::MISSING_AT_MOST;
use super::{Library, LibraryState, Linker, Undefined, gnu};
use crate::arch;
use crate::budget::{CHUNKS_WRITTEN, Guard};
use crate::candidate::File;
use crate::elf::consts::{DT_GNU_HASH, DT_HASH, DT_MIPS_XHASH, DT_SYMTAB, DT_TEXTREL, EF_PPC64_ABI};
use crate::exec::Missing;
use crate::machine::parts;
pub(super) use main::{address_of_main, may_be_main};
use memory::Access;
use object::{Object, Relocation, Symbol, effect, width};
pub(super) use start::{is_aligned, is_among_tables, text};

/// How the loader comes to an end.
pub(super) enum End {
    /// It does not stand a table.
    Fault(Fault),
    /// glibc: a symbol is not there.
    Symbol(Undefined),
    /// It takes too long to tell.
    TooMuch,
}

impl End {
    /// A signal ends it.
    fn is_deadly(&self) -> bool {
        matches!(self, End::Fault(fault) if fault.is_deadly())
    }

    /// It is not known whether anything ends it.
    fn is_open(&self) -> bool {
        match self {
            End::Fault(fault) => fault.kind.row().0 == Ends::Open,
            End::Symbol(_) => false,
            End::TooMuch => true,
        }
    }
}

type Step<T> = Result<T, End>;

/// What came of it.
#[derive(Default)]
pub(super) struct Rehearsed {
    pub(super) fault: Option<Fault>,
    pub(super) versions: Vec<Undefined>,
    pub(super) symbols: Vec<Undefined>,
    /// What is not found when it is first called.
    later: Vec<Undefined>,
    /// The first table that does not stand that.
    later_fault: Option<Fault>,
}

const STRINGS_AT_MOST: u64 = 64 << 10;
/// Objects of a program; the largest have 200.
const OBJECTS_AT_MOST: usize = 512;
/// Records, links of a chain, relocations of a table: more than any file has.
const STEPS_AT_MOST: usize = 1 << 20;

impl Linker<'_> {
    /// Whether there is what a rehearsal needs: what relocations do, and a loader that has judged it.
    pub(super) fn can_rehearse(&self) -> bool {
        let Some(image) = self.object(0).and_then(|program| program.image.as_ref()) else { return false };
        let Some(abi) = arch::ldso(image.header.e_machine) else { return false };
        // What ELFv1 of PPC64 has for a function's address is where its descriptor is.
        let has_descriptors = abi.setup == Setup::Plt && image.header.e_flags & EF_PPC64_ABI != 2;
        let is_judged = self.is_glibc() || abi.judged_by == JudgedBy::Both;
        // Those of the system are whole, or no start is to be told of.
        let mut of_system = self.link.objects.iter().enumerate();
        let is_whole = of_system.all(|(index, object)| {
            let has = |tag| object.dynamic().is_some_and(|dynamic| dynamic.get(tag).is_some());
            let is_of_system = index == 1 || self.is_c_library(object);
            !is_of_system || has(DT_SYMTAB) && [DT_HASH, DT_GNU_HASH, DT_MIPS_XHASH].into_iter().any(has)
        });
        !abi.effects.is_empty() && !has_descriptors && is_judged && is_whole
    }

    /// Something is wrong, or may be.
    pub(super) fn is_doubtful(&self) -> bool {
        if !self.can_rehearse() {
            return false;
        }
        let link = &self.link;
        let is_wrong = link.fault.as_ref().is_some_and(|fault| !fault.lazy) || !link.versions.is_empty();
        // What the program calls and nobody has may be what starts it.
        let program = self.object(0).map_or(&[][..], |program| &program.path);
        let is_missing = |symbol: &Undefined| !symbol.lazy || symbol.needed_by == program;
        is_wrong || self.doubts.get() || link.symbols.iter().any(is_missing) || !self.is_sound()
    }

    /// Rehearses the start of what is loaded.
    pub(super) fn rehearse(&mut self) {
        let is_missing = |object: &Library| object.state != LibraryState::Found;
        let lacks_any = self.link.objects.iter().any(is_missing);
        // Of packed relocations it is known which release lacks what.
        let is_told =
            self.link.fault.as_ref().is_some_and(|fault| !fault.lazy && fault.kind == FaultKind::Relr);
        if is_told || (lacks_any && self.is_glibc()) {
            return;
        }
        let Some(Rehearsed { fault, versions, symbols, later, later_fault }) = rehearse(self) else { return };
        let starts = fault.is_none() && versions.is_empty() && symbols.is_empty();
        let link = &mut *self.link;
        if lacks_any {
            // musl relocates what there is all the same, and may die of it before it gives up.
            link.fault = fault.filter(Fault::is_deadly);
        } else if starts {
            link.versions.clear();
            link.symbols.retain(|symbol| symbol.lazy);
            if !later.is_empty() {
                link.symbols = later;
                link.symbols.truncate(Guard::Missing.at_most(MISSING_AT_MOST));
            }
            link.fault = link.fault.take().filter(|fault| fault.lazy).or(later_fault);
        } else {
            (link.fault, link.versions, link.symbols) = (fault, versions, symbols);
        }
    }
}

/// It was not brought to its end. Where the tables are not as linkers make them nothing is known then; else what was found
/// before stands.
fn too_much(linker: &Linker<'_>) -> Option<Rehearsed> {
    if linker.doubts.get() || !linker.is_sound() {
        linker.files.budget().cut(Missing::TooMuchToRead);
    }
    None
}

/// Behind what a program that is not moved takes.
const FIRST_FREE: u64 = 1 << 28;
/// Between objects.
const APART: u64 = 4 << 20;
const END_OF_32_BITS: u64 = 1 << 32;

/// None where there is nothing to work on.
fn rehearse(linker: &Linker<'_>) -> Option<Rehearsed> {
    let libraries = &linker.link.objects;
    // All of them are open at the same time.
    if libraries.len() > OBJECTS_AT_MOST {
        linker.files.budget().cut(Missing::TooManyNames);
        return None;
    }
    let files: Vec<Option<Rc<File>>> = libraries.iter().map(|library| linker.open(library)).collect();
    let page = linker.machine.kernel().page().get();
    let mut objects: Vec<Object<'_>> = Vec::new();
    let chunks = Rc::new(Cell::new(CHUNKS_WRITTEN));
    let mut free = FIRST_FREE;
    for (index, (library, file)) in libraries.iter().zip(&files).enumerate() {
        if library.state == LibraryState::Found {
            let object =
                Object::new(index, library, file.as_ref()?, page, free, (linker.is_glibc(), &chunks))?;
            free = free.checked_add(object.memory.end())?.checked_add(APART)?;
            objects.push(object);
        }
    }
    if objects.first()?.word() == 4 && free > END_OF_32_BITS {
        return None;
    }
    lay_out(linker, &mut objects, page);
    let found =
        if linker.is_glibc() { glibc::rehearse(linker, &objects) } else { musl::rehearse(linker, &objects) };
    if objects.iter().any(|object| object.memory.is_over()) { too_much(linker) } else { found }
}

/// Tells each object but the program where others may be. Kernels map downwards, first the loader, but where the stack has no
/// limit (mm/util.c `arch_pick_mmap_layout`).
fn lay_out(linker: &Linker<'_>, objects: &mut [Object<'_>], page: u64) {
    /// The vDSO, its data, and what the loader's heap begins with.
    const PAGES: u64 = 12;
    /// Ranges that are told apart; all behind the last one counts as what can be written.
    const WINDOWS: usize = 32;
    /// A file of this size may be moved to where such a page begins (mm/huge_memory.c `thp_get_unmapped_area`).
    const HUGE: u64 = 2 << 20;
    // Of the heap each object takes less than a page. musl's lies elsewhere.
    let pages = PAGES.saturating_add(objects.len() as u64).saturating_mul(page);
    let beside = pages.saturating_add(linker.size_of_cache());
    let room = |object: &Object<'_>| {
        let span = object.memory.span();
        let align = object.image.loads().map(|load| load.p_align).max().unwrap_or_default();
        let align = if span < HUGE { align } else { align.max(HUGE) };
        span.saturating_add(if align > page { align } else { 0 })
    };
    let libraries = objects.iter().skip(1);
    let all = libraries.fold(beside, |all, object| all.saturating_add(room(object)));
    if linker.machine.limits().stack.get() == Some(&u64::MAX) {
        for object in objects.iter_mut().skip(1) {
            object.memory.lies_among((all, all), &[(0, u64::MAX)]);
        }
        return;
    }
    // Before what it looks up there the loader maps ld.so.cache.
    let looks_up = |object: &Object<'_>| {
        !matches!(object.library.found_by, "DT_RPATH" | "LD_LIBRARY_PATH" | "DT_RUNPATH")
    };
    let looked_up = objects.iter().skip(2).position(looks_up).map(|index| index.saturating_add(2));
    let cache = linker.size_of_cache().div_ceil(page).saturating_mul(page);
    let mut behind = beside;
    // What can be written behind an object, the nearest first: of those that were mapped before it.
    let mut writable: Vec<(u64, u64)> = Vec::new();
    for (index, object) in objects.iter_mut().enumerate().skip(1) {
        let (room, span) = (room(object), object.memory.span());
        let before = all.saturating_sub(behind).saturating_sub(room).saturating_add(beside);
        object.memory.lies_among((before, behind), &writable);
        behind = behind.saturating_add(room);
        // The next one may be so far away; behind it the loader's heap comes first.
        let cache = if looked_up == index.checked_add(1) { cache } else { 0 };
        let heap_there =
            (index == 1 && linker.is_glibc()).then(|| (0, heap(linker, page).saturating_add(cache)));
        let apart = if index == 1 { beside } else { cache }.saturating_add(room.saturating_sub(span));
        let own = object.memory.writable().map(|(from, to)| (from, to.saturating_add(apart)));
        let moved = writable
            .iter()
            .map(|(from, to)| (from.saturating_add(span), to.saturating_add(span).saturating_add(apart)));
        writable = heap_there.into_iter().chain(own).chain(moved).take(WINDOWS).collect();
        if let Some((_, to)) = writable.get_mut(WINDOWS.wrapping_sub(1)) {
            *to = u64::MAX;
        }
    }
}

/// Bytes that the loader's heap may have once the first library is mapped. Once they are full elf/dl-minimal-malloc.c
/// `__minimal_malloc` maps as many pages as are asked for, and one more.
fn heap(linker: &Linker<'_>, page: u64) -> u64 {
    /// `struct link_map` and its names (elf/dl-object.c `_dl_new_object`): the program's, the vDSO's, that library's.
    const MAPS: u64 = 3 * 1280;
    /// `struct r_search_path_elem` and what it leads to (elf/dl-load.c `fillin_rpath`).
    const FOLDER: u64 = 128;
    /// Folders in glibc-hwcaps, and where older releases look (elf/dl-hwcaps.c `_dl_important_hwcaps`).
    const LEVELS: u64 = 1536;
    let (rpath, runpath) = linker.object(0).map(gnu::paths).unwrap_or_default();
    let own = if runpath.is_empty() { rpath } else { runpath };
    let built_in = linker.glibc.as_ref().map_or(&[][..], |facts| &facts.folders);
    let tunables = linker.machine.target.kernel.variable(c"GLIBC_TUNABLES").unwrap_or_default();
    let mut bytes = MAPS.saturating_add(LEVELS).saturating_add(tunables.len() as u64);
    for list in [&linker.environment[..], own, built_in] {
        let folders = parts(list, b':').count() as u64;
        bytes = bytes.saturating_add(list.len() as u64).saturating_add(folders.saturating_mul(FOLDER));
    }
    let once = page.saturating_mul(2);
    bytes.div_ceil(once).saturating_mul(once)
}

/// DT_RELR. `to_the_word`: musl counts its bytes down to 0, and glibc compares with where it ends.
fn unpack(object: &Object<'_>, table: u64, size: u64, to_the_word: bool) -> Step<()> {
    let word = object.word();
    let anywhere = object.get(DT_TEXTREL).is_some();
    let change = |at: u64| {
        let lost = |access| object.refused(access, FaultKind::WritesNowhere, "DT_RELR");
        let old = object.memory.number(at, word).map_err(lost)?;
        object.memory.write(at, old.wrapping_add(object.base), word, anywhere).map_err(lost)
    };
    let (mut at, mut left) = (table, size);
    let mut next = 0_u64;
    let mut steps = 0..STEPS_AT_MOST;
    while left != 0 {
        if steps.next().is_none() {
            return Err(End::TooMuch);
        }
        let entry = object.number(at, word, "DT_RELR")?;
        at = at.wrapping_add(word);
        left = if to_the_word { left.wrapping_sub(word) } else { left.saturating_sub(word) };
        if entry & 1 == 0 {
            change(entry)?;
            next = entry.wrapping_add(word);
            continue;
        }
        let bits = word.wrapping_mul(8).wrapping_sub(1);
        for bit in 0..bits {
            if entry >> bit.wrapping_add(1) & 1 != 0 {
                change(next.wrapping_add(bit.wrapping_mul(word)))?;
            }
        }
        next = next.wrapping_add(bits.wrapping_mul(word));
    }
    Ok(())
}

/// Bytes of a copy; what stands behind them is not looked at again.
const COPIED_AT_MOST: u64 = 1 << 12;

/// R_*_COPY: so many bytes from one object to another.
fn copy(object: &Object<'_>, to: Result<u64, Access>, (of, from): (&Object<'_>, u64), size: u64) -> Step<()> {
    let Some(last) = size.checked_sub(1) else { return Ok(()) };
    // More than any object has.
    if last >> 31 != 0 {
        return Err(object.fault(FaultKind::WritesNowhere, "st_size"));
    }
    let anywhere = object.get(DT_TEXTREL).is_some();
    for within in (0..last.min(COPIED_AT_MOST)).chain([last]) {
        let read = of.memory.peek(from.wrapping_add(within));
        let byte = read.map_err(|access| object.lost(access, "R_COPY"))?;
        let written = to.and_then(|to| object.memory.take(to.wrapping_add(within), byte, anywhere));
        written.map_err(|access| object.refused(access, FaultKind::WritesNowhere, "r_offset"))?;
    }
    Ok(())
}

/// What the C library is started by: every program that is linked with one asks for it.
pub(super) const MAIN: &[u8] = b"__libc_start_main";

/// What crti.o calls where it is there.
pub(super) const PROFILER: &[u8] = b"__gmon_start__";

/// In the order in which symbols are looked up: the loader itself last, which the C library needs.
fn scope<'r, 'a>(objects: &'r [Object<'a>]) -> impl Iterator<Item = &'r Object<'a>> {
    objects.iter().take(1).chain(objects.iter().skip(2)).chain(objects.get(1))
}

/// A chain of DT_HASH that leads back to where it was: no loader comes out of it.
#[derive(Default)]
struct Circle {
    passed: u64,
    steps: u64,
}

impl Circle {
    /// Goes on to a symbol (R. P. Brent, "An Improved Monte Carlo Factorization Algorithm", 1980).
    fn pass(&mut self, of: &Object<'_>, symbol: u64) -> Step<()> {
        if self.steps > 0 && symbol == self.passed {
            return Err(of.fault(FaultKind::Circle, "DT_HASH"));
        }
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_power_of_two() {
            self.passed = symbol;
        }
        Ok(())
    }
}

/// The hash of DT_GNU_HASH.
pub(super) fn gnu_hash(name: &[u8]) -> u64 {
    name.iter().fold(5381_u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(*byte))).into()
}

/// The hash of DT_HASH and of versions (generic ABI).
pub(super) fn sysv_hash(name: &[u8]) -> u32 {
    name.iter().fold(0, |hash: u32, byte| {
        let hash = hash.wrapping_shl(4).wrapping_add(u32::from(*byte));
        let high = hash & 0xf000_0000;
        (hash ^ high >> 24) & !high
    })
}
