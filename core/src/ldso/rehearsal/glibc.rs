//! glibc's ld.so (2.36), in its order: elf/dl-setup_hash.c; versions; relocations, and the symbols that they ask for;
//! elf/dl-init.c.

mod field;
mod filter;
mod got;
mod heap;
mod lookup;
mod place;
mod profiler;
mod relocate;
mod versions;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::super::fault::{Fault, FaultKind};
use super::super::symbols::hash_word;
use super::super::symbols::relocations::is_bound_later;
use super::super::{Linker, Undefined};
use super::main::{Called, Start, reach_main};
use super::memory::Access;
use super::start::{construct, construct_first};
use super::{End, MAIN, Object, Rehearsed, Step, Symbol, too_much};
use crate::elf::consts::{DT_GNU_HASH, DT_HASH, DT_INIT, DT_MIPS_SYMTABNO, DT_MIPS_XHASH};
use filter::{Filter, Table};
use heap::{Map, Maps};
use versions::{check_guard, check_versions};

const SHN_ABS: u64 = 0xfff1;
/// In DT_VERSYM: only who asks for its version gets it.
const HIDDEN: u64 = 0x8000;

enum Hash {
    None,
    /// `symbols`: where symbols stand in another order than their hashes.
    Gnu {
        buckets: u64,
        count: u64,
        filter: u64,
        mask: u64,
        shift: u64,
        chain: u64,
        symbols: Option<u64>,
    },
    Sysv(Table, Filter),
}

pub(super) fn rehearse(linker: &Linker<'_>, objects: &[Object<'_>]) -> Option<Rehearsed> {
    let mut rehearsed = Rehearsed::default();
    match run(linker, objects, &mut rehearsed) {
        // What ends it at once counts more than what is told once all are compared.
        Err(End::Fault(fault)) => rehearsed = Rehearsed { fault: Some(fault), ..Rehearsed::default() },
        Err(End::Symbol(symbol)) => rehearsed.symbols.push(symbol),
        Err(End::TooMuch) => return too_much(linker),
        Ok(()) => {}
    }
    Some(rehearsed)
}

fn run(linker: &Linker<'_>, objects: &[Object<'_>], rehearsed: &mut Rehearsed) -> Step<()> {
    let doubt = Doubt::default();
    let ended = start(linker, objects, rehearsed, &doubt);
    let is_told = rehearsed.fault.is_some() || !rehearsed.versions.is_empty();
    let ended = match ended {
        // Where something is wrong already, it ends whatever it reads then.
        Err(End::Fault(fault)) if is_told && fault.kind == FaultKind::AnothersMemory => {
            Err(End::Fault(Fault { kind: FaultKind::AnothersTable, ..fault }))
        }
        ended => ended,
    };
    let Some((of, what)) = doubt.get().and_then(|(index, what)| Some((objects.get(index)?, what))) else {
        return ended;
    };
    let fails = match ended {
        Err(End::TooMuch) => return Err(End::TooMuch),
        Err(end) => !end.is_open(),
        Ok(()) => is_told,
    };
    Err(if fails { of.fails(Access::Anothers, what) } else { of.lost(Access::Anothers, what) })
}

/// Whose table leads to what is not known, and which. It is taken for what lets the program come furthest: of all else it ends.
type Doubt = Cell<Option<(usize, &'static str)>>;

fn start(linker: &Linker<'_>, objects: &[Object<'_>], rehearsed: &mut Rehearsed, doubt: &Doubt) -> Step<()> {
    if let Some(program) = objects.first() {
        got::debug_map(program)?;
    }
    let mut maps = Vec::new();
    for object in objects {
        maps.push(Map { hash: setup_hash(object)?, marks: None, count: 0, versions: BTreeMap::new() });
    }
    for (object, map) in objects.iter().zip(&mut maps) {
        let is_guarded = check_versions(objects, object, map, rehearsed, doubt)?;
        check_guard(linker, object, is_guarded)?;
    }
    if rehearsed.fault.is_some() || !rehearsed.versions.is_empty() {
        return Ok(());
    }
    let order = sorted(linker, objects);
    let rehearsal = Rehearsal {
        linker,
        objects,
        maps: Maps::new(linker, objects, maps),
        doubt,
        start: Cell::default(),
        later: RefCell::default(),
        later_fault: Cell::default(),
        asked: RefCell::default(),
        disordered: RefCell::default(),
    };
    let lazy = objects.first().filter(|program| is_bound_later(linker, program.dynamic));
    // It has relocated itself.
    let mut relocated =
        order.iter().rev().filter(|index| **index != 1).filter_map(|index| objects.get(*index));
    let relocated = relocated.try_for_each(|object| rehearsal.relocate(object));
    // What starts a program may be looked up once the C library is started.
    let is_later = |end: &End| lazy.is_some() && matches!(end, End::Symbol(symbol) if symbol.name == MAIN);
    if relocated.as_ref().err().is_none_or(is_later) {
        rehearsal.relocates_loader()?;
        rehearsal.starts_c_library()?;
    }
    relocated?;
    rehearsed.later = rehearsal.later.take();
    rehearsed.later_fault = rehearsal.later_fault.take();
    let is_disordered = |object: &Object<'_>| rehearsal.disordered.borrow().contains(&object.index);
    // What libraries are begun by is called before the program, and the program's by what starts it, but for what comes first.
    let begin = |object: &Object<'_>| {
        rehearsal.asks_for_profiler(object)?;
        rehearsal.calls_profiler(object.index)?;
        let is_disordered = is_disordered(object);
        // Of what is run first it is known what that looks for.
        let has = |tag: &u32| !is_disordered || *tag == DT_INIT;
        construct(
            objects,
            object,
            &|tag| Some(tag).filter(has).and_then(|tag| object.get(tag)),
            0xffff_ffff,
        )?;
        if is_disordered { Err(object.lost(Access::Anothers, "the GOT")) } else { Ok(()) }
    };
    match objects.first() {
        Some(program) if !is_disordered(program) => construct_first(objects, program)?,
        _ => {}
    }
    let libraries = order.iter().rev().filter_map(|index| objects.get(*index));
    libraries.filter(|object| object.index > 1).try_for_each(begin)?;
    let called = lazy.map(|program| {
        |symbol| match rehearsal.find(program, symbol, Class::Plt, true) {
            Err(End::Symbol(symbol)) => Err(End::Symbol(Undefined { lazy: false, ..symbol })),
            found => found.map(|(_, found)| found.map(|(of, found)| of.base.wrapping_add(found.value))),
        }
    });
    let called = called.as_ref().map(|called| called as &Called<'_>);
    reach_main(objects, rehearsal.start.get(), &rehearsed.later, called)?;
    objects.first().map_or(Ok(()), begin)
}

/// elf/dl-setup_hash.c `_dl_setup_hash`.
fn setup_hash(object: &Object<'_>) -> Step<Hash> {
    let word = object.word();
    let is_extended = object.abi().is_some_and(|abi| abi.has_global_got);
    if let Some(at) = object.get(if is_extended { DT_MIPS_XHASH } else { DT_GNU_HASH }) {
        let field = |index: u64| object.number(at.wrapping_add(index.wrapping_mul(4)), 4, "DT_GNU_HASH");
        let (count, first, words, shift) = (field(0)?, field(1)?, field(2)?, field(3)?);
        if words & words.wrapping_sub(1) != 0 {
            return Err(End::Fault(Fault { number: words, ..Fault::new(FaultKind::Filter, object.library) }));
        }
        let filter = at.wrapping_add(16);
        // In 32 bits, as the loader computes it.
        let mask = words.wrapping_sub(1) & 0xffff_ffff;
        let buckets = filter.wrapping_add((words.wrapping_mul(word / 4) & 0xffff_ffff).wrapping_mul(4));
        let chain = buckets.wrapping_add(count.wrapping_mul(4)).wrapping_sub(first.wrapping_mul(4));
        let symbols = if is_extended {
            let Some(hashes) = object.get(DT_MIPS_SYMTABNO) else {
                return Err(object.fault(FaultKind::NoEntrySize, "DT_MIPS_SYMTABNO"));
            };
            Some(chain.wrapping_add(hashes.wrapping_sub(first).wrapping_mul(4)))
        } else {
            None
        };
        return Ok(Hash::Gnu { buckets, count, filter, mask, shift, chain, symbols });
    }
    let Some(at) = object.get(DT_HASH) else { return Ok(Hash::None) };
    let size = hash_word(object.image) as u64;
    let count = object.number(at, size, "DT_HASH")?;
    let buckets = at.wrapping_add(size.wrapping_mul(2));
    let chain = buckets.wrapping_add(count.wrapping_mul(size));
    Ok(Hash::Sysv(Table { buckets, count, chain, size }, Filter::default()))
}

fn text(object: &Object<'_>, strings: u64, at: u64) -> Step<Vec<u8>> {
    let string = object.memory.string(strings.wrapping_add(at));
    string.map_err(|access| object.lost(access, "DT_STRTAB"))
}

/// elf/dl-sort-maps.c `_dl_sort_maps_dfs`: each object before those that it needs.
fn sorted(linker: &Linker<'_>, objects: &[Object<'_>]) -> Vec<usize> {
    fn visit(
        linker: &Linker<'_>,
        objects: &[Object<'_>],
        index: usize,
        seen: &mut Vec<bool>,
        order: &mut Vec<usize>,
        depth: usize,
    ) {
        match seen.get_mut(index) {
            Some(seen) if !*seen && depth > 0 => *seen = true,
            _ => return,
        }
        let Some(object) = objects.get(index) else { return };
        let odd = linker.odd_names(index).map(|(names, _)| names);
        for name in odd.as_ref().unwrap_or(&object.dynamic.needed) {
            let needed = linker.link.objects.iter().position(|other| other.is_called(name));
            if let Some(needed) = needed.filter(|needed| *needed > 0) {
                visit(linker, objects, needed, seen, order, depth.wrapping_sub(1));
            }
        }
        order.push(index);
    }
    let mut seen = vec![false; objects.len()];
    let mut order = Vec::new();
    for index in (1..objects.len()).rev().chain([0]) {
        visit(linker, objects, index, &mut seen, &mut order, 64);
    }
    order.reverse();
    order
}

struct Rehearsal<'r, 'a> {
    linker: &'r Linker<'r>,
    objects: &'r [Object<'a>],
    maps: Maps,
    doubt: &'r Doubt,
    start: Cell<Start>,
    /// What shows when it is called.
    later: RefCell<Vec<Undefined>>,
    later_fault: Cell<Option<Fault>>,
    /// The weak symbols that are asked for, and whether any is: by which object, and which of its symbols.
    asked: RefCell<BTreeSet<(usize, u64)>>,
    /// Objects of MIPS with a GOT in which code does not find what it looks for.
    disordered: RefCell<BTreeSet<usize>>,
}

impl Rehearsal<'_, '_> {
    /// Keeps the first table that does not stand a call.
    fn ends_later(&self, fault: Fault) {
        let first = self.later_fault.take();
        self.later_fault.set(first.or(Some(Fault { lazy: true, ..fault })));
    }

    /// Keeps a symbol that nobody has once it is called.
    fn is_lost_later(&self, object: &Object<'_>, symbol: Undefined) -> Step<()> {
        object.keep(symbol.size())?;
        self.later.borrow_mut().push(Undefined { lazy: true, ..symbol });
        Ok(())
    }
}

/// What a symbol is found to be: the object that defines it, and it.
type Found<'r, 'a> = Option<(&'r Object<'a>, Symbol)>;

/// `ELF_RTYPE_CLASS_*`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Plt,
    Copy,
}
