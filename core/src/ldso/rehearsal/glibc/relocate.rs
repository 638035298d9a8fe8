//! elf/dl-reloc.c, elf/dynamic-link.h, elf/do-rel.h, sysdeps/*/dl-machine.h.

use super::super::super::abi::{Abi, Effect, Relocator, Setup};
use super::super::super::fault::FaultKind;
use super::super::super::symbols::relocations::is_bound_later;
use super::super::main::Start;
use super::super::memory::{Access, NOWHERE};
use super::super::start::is_x86;
use super::super::{End, MAIN, Object, Relocation, STEPS_AT_MOST, Step, Symbol, effect, unpack};
use super::got::of_got;
use super::heap::Version;
use super::lookup::STB_WEAK;
use super::place::{Place, resolve};
use super::{Class, Found, HIDDEN, Rehearsal};
use crate::elf::consts::{
    DT_JMPREL, DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELACOUNT, DT_RELASZ, DT_RELCOUNT, DT_RELR,
    DT_RELRSZ, DT_RELSZ, DT_SYMTAB, DT_VERSYM, EM_RISCV,
};
use crate::elf::offset;

const STB_LOCAL: u64 = 0;
/// What it takes to keep that one is asked for.
const KEPT_OF_A_WEAK: usize = 32;
/// glibc's `__libc_early_init` calls it (nptl/pthread_mutex_conf.c `__pthread_tunables_init`).
const EARLY: &[u8] = b"__tunable_get_val";
/// In place of a symbol: any of them.
pub(super) const ANY: u64 = u64::MAX;

impl<'r, 'a> Rehearsal<'r, 'a> {
    /// elf/dl-reloc.c `_dl_relocate_object`, elf/dynamic-link.h `ELF_DYNAMIC_RELOCATE`.
    pub(super) fn relocate(&self, object: &'r Object<'a>) -> Step<()> {
        let has_rel = object.abi().is_some_and(|abi| abi.has_rel);
        let is_lazy = is_bound_later(self.linker, object.dynamic);
        let value = |tag| {
            object
                .get(tag)
                .ok_or_else(|| object.fault(FaultKind::NoEntrySize, "the size of a table of relocations"))
        };
        if let Some(table) =
            object.get(DT_RELR).filter(|_| self.linker.glibc.as_ref().is_some_and(|facts| facts.knows_relr()))
        {
            unpack(object, table, value(DT_RELRSZ)?, false)?;
        }
        self.set_up(object, is_lazy)?;
        // sysdeps/riscv/dl-machine.h `elf_machine_runtime_setup`: what the program has in gp.
        if object.index == 0 && object.image.header.e_machine == EM_RISCV {
            self.seek(b"__global_pointer$")?;
        }
        let ways: &[_] = if has_rel {
            &[(DT_REL, DT_RELSZ, DT_RELCOUNT, false), (DT_RELA, DT_RELASZ, DT_RELACOUNT, true)]
        } else {
            &[(DT_RELA, DT_RELASZ, DT_RELACOUNT, true)]
        };
        for &(tag, size, count, has_addend) in ways {
            let (mut start, mut end, mut relative) = (0, 0, 0);
            // One at 0 is none (observed on 2.36).
            if let Some(table) = object.get(tag).filter(|table| *table != 0) {
                start = table;
                end = table.wrapping_add(value(size)?);
                relative = object.get(count).unwrap_or_default();
            }
            let mut calls = None;
            if object.get(DT_PLTREL).is_some_and(|kind| !has_rel || kind == tag.into()) {
                let (from, size) = (value(DT_JMPREL)?, value(DT_PLTRELSZ)?);
                if end == from.wrapping_add(size) {
                    end = end.wrapping_sub(size);
                }
                if !is_lazy && end == from {
                    end = end.wrapping_add(size);
                } else {
                    calls = Some((from, from.wrapping_add(size)));
                }
            }
            self.range(object, (start, end), relative, has_addend, false)?;
            if let Some(range) = calls {
                self.range(object, range, 0, has_addend, is_lazy)?;
            }
        }
        Ok(())
    }

    /// elf/do-rel.h `elf_dynamic_do_Rel`.
    fn range(
        &self,
        object: &'r Object<'a>,
        (mut at, end): (u64, u64),
        relative: u64,
        has_addend: bool,
        is_lazy: bool,
    ) -> Step<()> {
        let entry = object.entry(has_addend);
        // A size that is less than none leads before the first, wherever an object is.
        let end = object.memory.in_word(end);
        // Where the object is tells which comes first: the end of all addresses, so that nothing of the table is read but what is
        // counted as relative; or what is no relocation, which ends the loader.
        let table = at;
        let is_far = |to: u64| {
            let to = object.memory.in_word(to);
            object.word() == 4 && object.base != 0 && to > table && to.wrapping_sub(table) >> 28 != 0
        };
        // In memory: what wraps around there is another table.
        let absolute = |at: u64| object.memory.in_word(object.base.wrapping_add(at));
        let relative_end = at.wrapping_add(relative.wrapping_mul(entry));
        if !is_lazy && object.get(DT_SYMTAB).is_none() {
            return Err(object.fault(FaultKind::NoSymbolTable, "DT_SYMTAB"));
        }
        let mut steps = 0..STEPS_AT_MOST;
        for (is_relative, to) in [(true, relative_end), (false, end)] {
            if is_relative && is_lazy {
                continue;
            }
            if is_far(to) {
                // Of those that are counted as relative it goes on behind the last, where none is.
                if is_relative {
                    return Err(object.fails(Access::Anothers, "the number of relative relocations"));
                }
                self.doubt.set(Some((object.index, "the size of a table of relocations")));
                break;
            }
            while absolute(at) < absolute(to) {
                if steps.next().is_none() {
                    return Err(End::TooMuch);
                }
                let relocation = match object.relocation(at, has_addend) {
                    // What is bound later is not looked at there.
                    Err(_) if is_lazy && object.abi().is_some_and(|abi| abi.setup == Setup::Plt) => break,
                    relocation => relocation?,
                };
                at = at.wrapping_add(entry);
                // What stands there needs no change where an object is not moved.
                if !(is_relative && !has_addend && object.base == 0) {
                    let applied = self.apply(object, &relocation, is_relative, is_lazy);
                    // What is none whatever a part of it is, but may not be there to be read: what else ends the loader may come before.
                    let is_torn = relocation.offset.is_ok_and(|offset| offset & NOWHERE != 0)
                        && object.memory.number(relocation.at, object.word()).is_err();
                    if is_torn && !applied.as_ref().is_err_and(End::is_deadly) {
                        let ends = applied.as_ref().is_err_and(|end| !end.is_open());
                        let end = if ends { Object::fails } else { Object::lost };
                        return Err(end(object, Access::Anothers, "r_offset"));
                    }
                    // What becomes of another's memory lets no program start that does not else.
                    let is_open = matches!(&applied, Err(end @ End::Fault(_)) if end.is_open());
                    if is_open && object.is_beside(&relocation) {
                        self.doubt.set(Some((object.index, "r_offset")));
                        continue;
                    }
                    applied?;
                }
            }
            // One that counts too many, or less than none, has the rest begin elsewhere.
            at = relative_end;
        }
        Ok(())
    }

    fn apply(
        &self,
        object: &'r Object<'a>,
        relocation: &Relocation,
        is_relative: bool,
        is_lazy: bool,
    ) -> Step<()> {
        let effect = effect(object, relocation.kind);
        if object.index == 0 && object.abi().is_some_and(|abi| abi.is_jump_slot(offset(relocation.kind))) {
            self.start.set(Start { has_calls: true, ..self.start.get() });
        }
        let place = Place { object, relocation, effect };
        // r_offset is read before r_info is looked at. Where it lies in what may be another object it can be read on x86, and is
        // of no use to most relocations.
        let is_unread = is_lazy && object.abi().is_some_and(|abi| abi.setup == Setup::Plt);
        if let (Err(access), false) = (relocation.offset, is_unread) {
            if is_relative || is_lazy || access != Access::Anothers || !is_x86(object) {
                return Err(place.lost(access));
            }
        }
        if is_relative {
            let is_usual = |abi: &&Abi| abi.has_rel == relocation.addend.is_none();
            let asserts = object.abi().filter(is_usual).and_then(|abi| abi.asserts_relative);
            if let Some(kind) = asserts.filter(|_| effect != Effect::Relative) {
                let count = if relocation.addend.is_some() { "DT_RELACOUNT" } else { "DT_RELCOUNT" };
                return Err(object.fault(kind, count));
            }
            // MIPS has none.
            let is_none = object.abi().is_some_and(|abi| abi.setup == Setup::Got);
            let place = Place { effect: Effect::Relative, ..place };
            let moved = if is_none { Ok(()) } else { place.moved() };
            if matches!(effect, Effect::Relative | Effect::OfGot) {
                return moved;
            }
            moved?;
            // What else is counted as one is left without its symbol, of which the program's may be main().
            let may_be_main = object.index == 0 && relocation.symbol != 0 && !object.knows_code();
            let is_lost = effect == Effect::Indirect || may_be_main;
            return if is_lost { Err(object.lost(Access::Anothers, "DT_RELACOUNT")) } else { Ok(()) };
        }
        if is_lazy {
            return match effect {
                Effect::Indirect => resolve(object, object, place.addend()?, "IRELATIVE"),
                _ if !place.is_known(Relocator::GlibcLazy) => {
                    Err(place.unknown(FaultKind::PltRelocationType))
                }
                Effect::Slot if place.strays() => Err(object.lost(Access::Anothers, "r_offset")),
                Effect::Slot => {
                    // The PLT of PPC64 has been filled as a whole; that of MIPS is a program's, which is not moved.
                    let is_filled =
                        object.abi().is_some_and(|abi| matches!(abi.setup, Setup::Plt | Setup::Got));
                    // RISC-V's leaves alone what is not moved.
                    let stays = object.base == 0 && object.image.header.e_machine == EM_RISCV;
                    if !is_filled && !stays {
                        place.shift()?;
                    }
                    if object.index == 0 && object.asks_for(relocation.symbol, MAIN) {
                        if !object.knows_code() && relocation.addend.is_some_and(|addend| addend != 0) {
                            return Err(object.lost(Access::Anothers, "r_addend"));
                        }
                        if !is_filled {
                            self.keep_slot(&place);
                        }
                    }
                    self.look_up_later(object, relocation.symbol)
                }
                // All of a descriptor at once.
                Effect::Tls => self.bind(&place),
                _ => Ok(()),
            };
        }
        if effect != Effect::Indirect {
            let _mark = self.mark(object, relocation.symbol)?;
        }
        match effect {
            Effect::None => Ok(()),
            Effect::Relative => place.moved(),
            Effect::OfGot => place.write(of_got(object, relocation.symbol)?.wrapping_add(place.addend()?)),
            Effect::Indirect => {
                resolve(object, object, place.addend()?, "IRELATIVE")?;
                place.write(0)
            }
            _ => self.bind(&place),
        }
    }

    /// DT_VERSYM of what a relocation asks for: read of each, whether it asks for a symbol or not.
    fn mark(&self, object: &Object<'_>, index: u64) -> Step<Option<u64>> {
        let marks = self.maps.of(object).and_then(|map| map.marks);
        let mark = |marks: u64| {
            let at = marks.wrapping_add(index.wrapping_mul(2));
            Ok(object.number(at, 2, "DT_VERSYM")? & !HIDDEN)
        };
        marks.map(mark).transpose()
    }

    /// Notes from where the program calls what starts it.
    fn keep_slot(&self, place: &Place<'r, 'a>) {
        let slot = place.relocation.offset.ok();
        let led_to = slot.and_then(|slot| place.object.memory.number(slot, place.object.word()).ok());
        self.start.set(Start { slot: slot.zip(led_to), ..self.start.get() });
    }

    /// What takes a symbol: sysdeps/*/dl-machine.h `elf_machine_rel`, `elf_machine_rela`.
    fn bind(&self, place: &Place<'r, 'a>) -> Step<()> {
        let abi = place.object.abi();
        let class = match place.effect {
            Effect::Copy => Class::Copy,
            // On MIPS an undefined one is none anyway.
            Effect::Tls => Class::Plt,
            _ if abi.is_some_and(|abi| abi.is_jump_slot(offset(place.relocation.kind))) => Class::Plt,
            _ => Class::Other,
        };
        // Of MIPS the kind is looked at first.
        if !place.is_known(Relocator::Glibc) && abi.is_some_and(|abi| abi.setup == Setup::Got) {
            return Err(place.unknown(FaultKind::RelocationType));
        }
        let (asked, found) = match self.find(place.object, place.relocation.symbol, class, false) {
            Err(lost) if !lost.is_deadly() && self.is_either(place, class)? => return place.scatter(),
            found => found?,
        };
        if !place.is_known(Relocator::Glibc) {
            return Err(place.unknown(FaultKind::RelocationType));
        }
        match found {
            Some((of, found)) => {
                let is_main =
                    place.object.index == 0 && self.start.get().at == Some(of.base.wrapping_add(found.value));
                let adds = place.relocation.addend.is_some_and(|addend| addend != 0);
                if is_main && adds && !place.object.knows_code() {
                    return Err(place.object.lost(Access::Anothers, "r_addend"));
                }
                place.bound(&asked, Some(of), &found)?;
                if is_main {
                    self.keep_slot(place);
                }
                Ok(())
            }
            None => place.bound(&asked, None, &asked),
        }
    }

    /// Whether a symbol need not be there, is there without a version, and asks for one of which nobody knows what it is: then it
    /// is either found or not.
    fn is_either(&self, place: &Place<'r, 'a>, class: Class) -> Step<bool> {
        let object = place.object;
        let is_known = object.index > 0 || object.knows_code();
        if !is_known || !matches!(place.effect, Effect::Value | Effect::Slot) {
            return Ok(false);
        }
        let Some(mark) = self.mark(object, place.relocation.symbol)? else { return Ok(false) };
        let symbol = object.symbol(object.get(DT_SYMTAB).unwrap_or_default(), place.relocation.symbol)?;
        let is_unknown = self.maps.version(object, mark).is_err() && self.maps.is_near(object, mark);
        if !is_unknown || symbol.section != 0 || symbol.bind != STB_WEAK {
            return Ok(false);
        }
        // Where the one that is found has no versions, it is compared with where the version is from.
        let found = self.look_up(object, &symbol, None, class)?;
        Ok(found.is_none_or(|(of, _)| self.maps.of(of).is_some_and(|map| map.marks.is_some())))
    }

    /// What is called is looked up then: that it is not found is told. What starts a program is called at once.
    pub(super) fn look_up_later(&self, object: &'r Object<'a>, index: u64) -> Step<()> {
        match self.find(object, index, Class::Plt, true) {
            Err(End::Symbol(symbol)) if object.index == 0 && symbol.name == MAIN => Err(End::Symbol(symbol)),
            Err(End::Symbol(symbol)) => self.is_lost_later(object, symbol),
            // The C library calls it before main().
            Err(lost) if self.linker.is_c_library(object.library) && object.asks_for(index, EARLY) => {
                Err(lost)
            }
            // Whatever stands behind the versions of a library is hardly the one that is asked for.
            Err(End::Fault(fault)) if fault.kind == FaultKind::AnothersMemory => {
                let symbols = object.get(DT_SYMTAB).unwrap_or_default();
                let Ok(asked) = object.symbol(symbols, index) else {
                    self.ends_later(fault);
                    return Ok(());
                };
                match Self::nobody_has(object, &asked, Some(&Version::default())) {
                    Ok(End::Symbol(symbol)) if object.index == 0 && symbol.name == MAIN => {
                        Err(End::Fault(fault))
                    }
                    Ok(End::Symbol(symbol)) => self.is_lost_later(object, symbol),
                    _ => {
                        self.ends_later(fault);
                        Ok(())
                    }
                }
            }
            Err(End::Fault(fault)) => {
                self.ends_later(fault);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// elf/dl-reloc.c `RESOLVE_MAP`: a symbol of an object, and what it is found to be, and in which object, if in any.
    /// `is_called`: then a local one is looked up, too (elf/dl-runtime.c `_dl_fixup`).
    pub(super) fn find(
        &self,
        object: &'r Object<'a>,
        index: u64,
        class: Class,
        is_called: bool,
    ) -> Step<(Symbol, Found<'r, 'a>)> {
        let Some(symbols) = object.get(DT_SYMTAB) else {
            return Err(object.fault(FaultKind::NoSymbolTable, "DT_SYMTAB"));
        };
        let map = self.maps.of(object);
        let mark = self.mark(object, index)?;
        let version = mark.map_or(Ok(None), |mark| self.maps.version(object, mark));
        let version = version.map(|version| version.filter(|version| version.hash != 0));
        let symbol = object.symbol(symbols, index)?;
        let is_weak = symbol.section == 0 && symbol.bind == STB_WEAK;
        if class == Class::Other {
            let mut asked = self.asked.borrow_mut();
            if asked.insert((object.index, ANY)) | (is_weak && asked.insert((object.index, index))) {
                object.keep(KEPT_OF_A_WEAK)?;
            }
        }
        if (symbol.bind == STB_LOCAL && !is_called) || symbol.is_hidden() {
            return Ok((symbol, Some((object, symbol))));
        }
        // l_versions is NULL where there are none, and looked into all the same.
        if map.is_some_and(|map| map.marks.is_none()) && object.get(DT_VERSYM).is_some() {
            return Err(object.fault(FaultKind::Unmapped, "DT_VERSYM"));
        }
        let found = match version {
            Ok(version) => self.look_up(object, &symbol, version.as_deref(), class)?,
            Err(lost) if lost.is_deadly() => return Err(lost),
            Err(lost) if mark.is_some_and(|mark| !self.maps.is_readable(object, mark)) => return Err(lost),
            // Whatever that version is, a symbol that nobody has is not there. None has that version, but by chance.
            Err(lost) => match self.look_up(object, &symbol, None, class) {
                Ok(None) => None,
                _ => return Err(lost),
            },
        };
        Ok((symbol, found))
    }
}
