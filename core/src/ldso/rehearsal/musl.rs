//! musl's ldso/dynlink.c (1.2.5).

use alloc::vec::Vec;

use super::super::abi::{Effect, Relocator};
use super::super::fault::{Fault, FaultKind};
use super::super::lfs64::plain_name;
use super::super::symbols::MISSING_AT_MOST;
use super::super::{Linker, Undefined};
use super::main::{Start, reach_main};
use super::memory::Access;
use super::start::construct;
use super::{
    Circle, End, MAIN, Object, Rehearsed, STEPS_AT_MOST, Step, Symbol, copy, effect, gnu_hash, scope,
    sysv_hash, too_much, unpack, width,
};
use crate::budget::Guard;
use crate::elf::consts::{
    DT_GNU_HASH, DT_HASH, DT_JMPREL, DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELR, DT_RELRSZ,
    DT_RELSZ, DT_STRTAB, DT_SYMTAB, DT_TEXTREL, DT_VERSYM, EM_X86_64,
};
use crate::elf::offset;

const STB_LOCAL: u64 = 0;
const STB_WEAK: u64 = 2;
const STT_TLS: u64 = 6;

pub(super) fn rehearse(linker: &Linker<'_>, objects: &[Object<'_>]) -> Option<Rehearsed> {
    let mut rehearsal = Rehearsal {
        objects,
        symbols: Vec::new(),
        fault: None,
        knows_relr: linker.knows_relr(),
        lacks_any: objects.len() < linker.link.objects.len(),
        start: Start::default(),
    };
    match rehearsal.run() {
        Err(End::TooMuch) => too_much(linker),
        Err(End::Fault(fault)) => Some(Rehearsed { fault: Some(fault), ..Rehearsed::default() }),
        _ => Some(Rehearsed { fault: rehearsal.fault, symbols: rehearsal.symbols, ..Rehearsed::default() }),
    }
}

struct Rehearsal<'r, 'a> {
    objects: &'r [Object<'a>],
    /// It goes on, and tells of all.
    symbols: Vec<Undefined>,
    fault: Option<Fault>,
    knows_relr: bool,
    /// A library is not there, and all that it does is relocate the others.
    lacks_any: bool,
    start: Start,
}

impl<'r, 'a> Rehearsal<'r, 'a> {
    fn run(&mut self) -> Step<()> {
        let objects = self.objects;
        let needs_libc =
            |object: &Object<'_>| object.dynamic.needed.iter().any(|name| super::super::musl::is_own(name));
        let libc = objects.get(1).filter(|_| objects.iter().any(needs_libc));
        // Each library is asked whether it is the C library before the next one is loaded.
        for library in objects.iter().skip(2) {
            if is_libc(library)? {
                return Err(library.lost(Access::Anothers, "__libc_start_main"));
            }
        }
        // The program last: it may have copies.
        // Its own symbols may be another's, too.
        for object in objects.iter().skip(2).chain(libc).chain(objects.first()) {
            self.relocate(object)?;
        }
        if self.lacks_any || self.fault.is_some() || !self.symbols.is_empty() {
            return Ok(());
        }
        reach_main(objects, self.start, &[], None)?;
        for name in [&b"malloc"[..], b"aligned_alloc"] {
            let _found = self.find(name, true, false)?;
        }
        for object in objects.iter().skip(2).rev().chain(objects.first()) {
            let entries = object.entries();
            let value = |tag| entries.iter().rfind(|(known, _)| *known == tag).map(|(_, value)| *value);
            construct(objects, object, &value, u64::MAX)?;
        }
        Ok(())
    }

    /// `reloc_all`.
    fn relocate(&mut self, object: &'r Object<'a>) -> Step<()> {
        // What is not there stands at the front of the file, and is nothing long.
        let value = |tag| object.get(tag).unwrap_or_default();
        let calls_have_addends = value(DT_PLTREL) == DT_RELA.into();
        self.apply(object, value(DT_JMPREL), value(DT_PLTRELSZ), calls_have_addends)?;
        self.apply(object, value(DT_REL), value(DT_RELSZ), false)?;
        self.apply(object, value(DT_RELA), value(DT_RELASZ), true)?;
        if self.knows_relr { unpack(object, value(DT_RELR), value(DT_RELRSZ), true) } else { Ok(()) }
    }

    /// `do_relocs`.
    fn apply(&mut self, object: &'r Object<'a>, mut at: u64, size: u64, has_addend: bool) -> Step<()> {
        let entry = object.entry(has_addend);
        let mut left = size;
        let mut steps = 0..STEPS_AT_MOST;
        while left != 0 {
            if steps.next().is_none() {
                return Err(End::TooMuch);
            }
            self.one(object, at, has_addend)?;
            at = at.wrapping_add(entry);
            left = object.memory.in_word(left.wrapping_sub(entry));
        }
        Ok(())
    }

    fn one(&mut self, object: &'r Object<'a>, at: u64, has_addend: bool) -> Step<()> {
        let relocation = object.relocation(at, has_addend)?;
        // R_TYPE of x86-64 and others: as an int.
        let kind = relocation.kind & 0x7fff_ffff;
        let effect = effect(object, kind);
        if effect == Effect::None {
            return Ok(());
        }
        let anywhere = object.get(DT_TEXTREL).is_some();
        let place = relocation.offset;
        let lost = |access| object.refused(access, FaultKind::WritesNowhere, "r_offset");
        let abi = object.abi();
        let knows = object.relocates(Relocator::Musl, kind);
        let addend = match relocation.addend {
            Some(addend) => addend,
            None if matches!(effect, Effect::Slot | Effect::Copy) => 0,
            None => place.and_then(|place| object.memory.number(place, object.word())).map_err(lost)?,
        };
        let mut of = Some(object);
        let (mut asked, mut found) = (None, None);
        if relocation.symbol != 0 {
            let symbols = object.get(DT_SYMTAB).unwrap_or_default();
            let symbol = object.symbol(symbols, as_int(relocation.symbol))?;
            asked = Some(symbol);
            let strings = object.get(DT_STRTAB).unwrap_or_default();
            if symbol.bind == STB_LOCAL {
                found = Some(symbol);
            } else {
                let name = object.memory.string(strings.wrapping_add(symbol.name));
                let name = name.map_err(|access| object.lost(access, "DT_STRTAB"))?;
                let is_call = abi.is_some_and(|abi| abi.is_jump_slot(offset(kind)));
                object.look_at(self.objects.len())?;
                let is_copy = effect == Effect::Copy;
                let mut definition = self.find(&name, is_call, is_copy)?;
                // `get_lfs64` came with DT_RELR.
                if let Some(plain) = plain_name(&name).filter(|_| definition.is_none() && self.knows_relr) {
                    definition = self.find(plain, true, is_copy)?;
                }
                if definition.is_none() && !(symbol.section == 0 && symbol.bind == STB_WEAK) {
                    if self.symbols.len() < Guard::Missing.at_most(MISSING_AT_MOST) {
                        self.symbols.push(Undefined::new(name, Vec::new(), object.library, false));
                    }
                    return Ok(());
                }
                if let Some((of, found)) = definition.as_ref().filter(|_| object.index == 0 && name == MAIN) {
                    self.start = Start {
                        is_asked: true,
                        at: Some(of.base.wrapping_add(found.value)),
                        ..Start::default()
                    };
                }
                of = definition.as_ref().map(|(of, _)| *of);
                found = definition.map(|(_, symbol)| symbol);
            }
        }
        let value = match (of, &found) {
            (Some(of), Some(found)) => of.base.wrapping_add(found.value),
            _ => 0,
        };
        if !knows {
            self.fault.get_or_insert_with(|| Fault {
                number: kind,
                ..Fault::new(FaultKind::MuslRelocationType, object.library)
            });
            return Ok(());
        }
        let write = |value| {
            let size = width(object, effect);
            place.and_then(|place| object.memory.write(place, value, size, anywhere)).map_err(lost)
        };
        match effect {
            Effect::Relative => write(object.base.wrapping_add(addend)),
            Effect::Value | Effect::Slot => write(value.wrapping_add(addend)),
            Effect::Copy => match (asked, of, found) {
                (Some(asked), Some(of), Some(found)) => copy(object, place, (of, found.value), asked.size),
                (Some(asked), ..) if asked.size == 0 => Ok(()),
                _ => Err(object.lost(Access::Nothing, "R_COPY")),
            },
            Effect::Tls if of.is_none() && is_within_module(object, kind) => write(addend),
            Effect::Tls if of.is_none() => Err(object.lost(Access::Nothing, "a thread-local variable")),
            Effect::Tls if is_descriptor(object, kind) => {
                write(0)?;
                let next = place.map(|place| place.wrapping_add(object.word()));
                next.and_then(|next| object.memory.write(next, 0, object.word(), anywhere)).map_err(lost)
            }
            _ => write(0),
        }
    }

    /// `find_sym`: in all objects, or in those behind the program.
    fn find(
        &self,
        name: &[u8],
        needs_definition: bool,
        is_copy: bool,
    ) -> Step<Option<(&'r Object<'a>, Symbol)>> {
        let hash = gnu_hash(name);
        for of in scope(self.objects) {
            if is_copy && of.index == 0 {
                continue;
            }
            if let Some(symbol) = find_in(of, hash, name, needs_definition)? {
                return Ok(Some((of, symbol)));
            }
        }
        Ok(None)
    }
}

/// `decode_dyn`: what a tag leads to; a table at NULL is none.
fn pointer(of: &Object<'_>, tag: u32) -> Option<u64> {
    of.first(tag).filter(|at| of.base.wrapping_add(*at) != 0)
}

/// The same in one.
fn find_in(of: &Object<'_>, hash: u64, name: &[u8], needs_definition: bool) -> Step<Option<Symbol>> {
    let found = match pointer(of, DT_GNU_HASH) {
        Some(table) => look_up_gnu(of, table, hash, name)?,
        None => look_up_sysv(of, of.get(DT_HASH), name)?,
    };
    Ok(found.filter(|symbol| {
        let is_undefined = symbol.section == 0 && (needs_definition || symbol.kind == STT_TLS);
        let is_nothing = symbol.value == 0 && symbol.kind != STT_TLS;
        !is_undefined
            && !is_nothing
            && matches!(symbol.kind, 0..=2 | 5 | 6)
            && matches!(symbol.bind, 1 | 2 | 10)
    }))
}

/// `load_library`: one that has both of these is taken for a C library, and left alone.
fn is_libc(library: &Object<'_>) -> Step<bool> {
    let has = |name: &[u8]| Ok(find_in(library, gnu_hash(name), name, true)?.is_some());
    Ok(has(MAIN)? && has(b"stdin")?)
}

/// R_X86_64_DTPOFF64, for which musl needs no object.
fn is_within_module(object: &Object<'_>, kind: u64) -> bool {
    object.image.header.e_machine == EM_X86_64 && kind == 17
}

/// R_X86_64_TLSDESC, which is two words.
fn is_descriptor(object: &Object<'_>, kind: u64) -> bool {
    object.image.header.e_machine == EM_X86_64 && kind == 36
}

/// Its index of a symbol has a sign.
const fn as_int(index: u64) -> u64 {
    if index & 0x8000_0000 == 0 { index } else { index | 0xffff_ffff_0000_0000 }
}

/// Whether a symbol is the one that is looked for.
fn matches(of: &Object<'_>, index: u64, name: &[u8]) -> Step<Option<Symbol>> {
    if let Some(marks) = pointer(of, DT_VERSYM) {
        if of.number(marks.wrapping_add(index.wrapping_mul(2)), 2, "DT_VERSYM")? & 0x8000 != 0 {
            return Ok(None);
        }
    }
    let symbol = of.symbol(of.get(DT_SYMTAB).unwrap_or_default(), index)?;
    let at = of.get(DT_STRTAB).unwrap_or_default().wrapping_add(symbol.name);
    let is_same = of.memory.is_string(at, name).map_err(|access| of.lost(access, "DT_STRTAB"))?;
    Ok(is_same.then_some(symbol))
}

/// `gnu_lookup_filtered`, `gnu_lookup`.
fn look_up_gnu(of: &Object<'_>, table: u64, hash: u64, name: &[u8]) -> Step<Option<Symbol>> {
    const WHAT: &str = "DT_GNU_HASH";
    let field = |index: u64| of.number(table.wrapping_add(index.wrapping_mul(4)), 4, WHAT);
    let (count, first, words, shift) = (field(0)?, field(1)?, field(2)?, field(3)?);
    let (word, bits) = (of.word(), of.word().wrapping_mul(8));
    let at = hash.checked_div(bits).unwrap_or_default() & words.wrapping_sub(1) & 0xffff_ffff;
    let filter = of.number(table.wrapping_add(16).wrapping_add(at.wrapping_mul(word)), word, WHAT)?;
    if filter >> hash.checked_rem(bits).unwrap_or_default() & 1 == 0 {
        return Ok(None);
    }
    // As the processor shifts.
    let shifted = (hash & 0xffff_ffff).wrapping_shr(u32::try_from(shift).unwrap_or_default() & 31);
    if filter >> shifted.checked_rem(bits).unwrap_or_default() & 1 == 0 {
        return Ok(None);
    }
    let buckets = words.wrapping_mul(word / 4).wrapping_add(4);
    let Some(bucket) = hash.checked_rem(count) else { return Err(of.fault(FaultKind::DividesByZero, WHAT)) };
    let mut index = field(buckets.wrapping_add(bucket))?;
    if index == 0 {
        return Ok(None);
    }
    let chain = buckets.wrapping_add(count);
    for _ in 0..STEPS_AT_MOST {
        // In 32 bits.
        let found = field(chain.wrapping_add(index.wrapping_sub(first) & 0xffff_ffff))?;
        if found | 1 == hash | 1 {
            if let Some(symbol) = matches(of, index, name)? {
                return Ok(Some(symbol));
            }
        }
        if found & 1 != 0 {
            return Ok(None);
        }
        index = index.wrapping_add(1) & 0xffff_ffff;
    }
    Err(End::TooMuch)
}

/// `sysv_lookup`.
fn look_up_sysv(of: &Object<'_>, table: Option<u64>, name: &[u8]) -> Step<Option<Symbol>> {
    const WHAT: &str = "DT_HASH";
    let Some(table) = table else { return Err(of.fault(FaultKind::NoHash, WHAT)) };
    let field = |index: u64| of.number(table.wrapping_add(index.wrapping_mul(4)), 4, WHAT);
    let count = field(0)?;
    let Some(bucket) = u64::from(sysv_hash(name)).checked_rem(count) else {
        return Err(of.fault(FaultKind::DividesByZero, WHAT));
    };
    let mut index = field(bucket.wrapping_add(2))?;
    let mut circle = Circle::default();
    for _ in 0..STEPS_AT_MOST {
        circle.pass(of, index)?;
        if index == 0 {
            return Ok(None);
        }
        if let Some(symbol) = matches(of, index, name)? {
            return Ok(Some(symbol));
        }
        index = field(count.wrapping_add(2).wrapping_add(index))?;
    }
    Err(End::TooMuch)
}
