//! elf/dl-reloc.c, elf/dynamic-link.h, elf/do-rel.h, sysdeps/*/dl-machine.h.

use alloc::vec::Vec;

use super::super::super::Undefined;
use super::super::super::abi::{Abi, Effect, Relocator, Setup};
use super::super::super::fault::{Fault, FaultKind};
use super::super::super::symbols::relocations::is_bound_later;
use super::super::memory::Access;
use super::super::{End, MAIN, Object, Relocation, STEPS_AT_MOST, Step, Symbol, copy, effect, unpack, width};
use super::got::of_got;
use super::{Class, Found, HIDDEN, Rehearsal, SHN_ABS, Version};
use crate::elf::consts::{
    DT_JMPREL, DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELACOUNT, DT_RELASZ, DT_RELCOUNT, DT_RELR,
    DT_RELRSZ, DT_RELSZ, DT_SYMTAB, DT_TEXTREL, DT_VERSYM, EM_X86_64,
};
use crate::elf::offset;

/// Some other bytes, taken for one.
const NO_VERSION: Version = Version { hash: 1, name: Vec::new(), is_hidden: false, file: None };
const STB_LOCAL: u64 = 0;
const STT_GNU_IFUNC: u64 = 10;

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
        // Where an address that is far behind lies, tells where the object is.
        if object.word() == 4 && end > at && end.wrapping_sub(at) >> 28 != 0 {
            return Err(object.lost(Access::Anothers, "the size of a table of relocations"));
        }
        // In memory: what wraps around there is another table.
        let absolute = |at: u64| object.memory.wrapped(object.base.wrapping_add(at));
        let relative_end = at.wrapping_add(relative.wrapping_mul(entry));
        if !is_lazy && object.get(DT_SYMTAB).is_none() {
            return Err(object.fault(FaultKind::NoSymbolTable, "DT_SYMTAB"));
        }
        let mut steps = 0..STEPS_AT_MOST;
        for (is_relative, to) in [(true, relative_end), (false, end)] {
            if is_relative && is_lazy {
                continue;
            }
            while absolute(at) < absolute(to) {
                if steps.next().is_none() {
                    return Err(End::TooMuch);
                }
                let relocation = object.relocation(at, has_addend)?;
                at = at.wrapping_add(entry);
                // What stands there needs no change where an object is not moved.
                if !(is_relative && !has_addend && object.base == 0) {
                    self.apply(object, &relocation, is_relative, is_lazy)?;
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
        let place = Place { object, relocation, effect };
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
            return if is_none { Ok(()) } else { place.moved() };
        }
        if is_lazy {
            return match effect {
                Effect::Indirect if object.memory.can_run(place.addend()?) => Ok(()),
                Effect::Indirect => Err(object.fault(FaultKind::JumpsNowhere, "IRELATIVE")),
                _ if !place.is_known(Relocator::GlibcLazy) => {
                    Err(place.unknown(FaultKind::PltRelocationType))
                }
                Effect::Slot => {
                    // The PLT of PPC64 has been filled as a whole; that of MIPS is a program's, which is not moved.
                    let is_filled =
                        object.abi().is_some_and(|abi| matches!(abi.setup, Setup::Plt | Setup::Got));
                    if !is_filled {
                        place.write(object.base.wrapping_add(place.here()?))?;
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
            Effect::Indirect if object.memory.can_run(place.addend()?) => place.write(0),
            Effect::Indirect => Err(object.fault(FaultKind::JumpsNowhere, "IRELATIVE")),
            _ => self.bind(&place),
        }
    }

    /// DT_VERSYM of what a relocation asks for: read of each, whether it asks for a symbol or not.
    fn mark(&self, object: &Object<'_>, index: u64) -> Step<Option<u64>> {
        let marks = self.maps.get(object.index).and_then(|map| map.marks);
        let mark = |marks: u64| {
            let at = marks.wrapping_add(index.wrapping_mul(2));
            Ok(object.number(at, 2, "DT_VERSYM")? & !HIDDEN)
        };
        marks.map(mark).transpose()
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
        let (asked, found) = self.find(place.object, place.relocation.symbol, class, false)?;
        if !place.is_known(Relocator::Glibc) {
            return Err(place.unknown(FaultKind::RelocationType));
        }
        match found {
            Some((of, found)) => place.bound(&asked, Some(of), &found),
            None => place.bound(&asked, None, &asked),
        }
    }

    /// What is called is looked up then: that it is not found is told. What starts a program is called at once.
    pub(super) fn look_up_later(&self, object: &'r Object<'a>, index: u64) -> Step<()> {
        match self.find(object, index, Class::Plt, true) {
            Err(End::Symbol(symbol)) if object.index == 0 && symbol.name == MAIN => Err(End::Symbol(symbol)),
            Err(End::Symbol(symbol)) => {
                self.later.borrow_mut().push(Undefined { lazy: true, ..symbol });
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
        let map = self.maps.get(object.index);
        let mut version = Ok(None);
        if let (Some(mark), Some(map)) = (self.mark(object, index)?, map) {
            version = map.version(object, mark).map(|version| version.filter(|version| version.hash != 0));
        }
        let symbol = object.symbol(symbols, index)?;
        if (symbol.bind == STB_LOCAL && !is_called) || symbol.is_hidden() {
            return Ok((symbol, Some((object, symbol))));
        }
        // l_versions is NULL where there are none, and looked into all the same.
        if map.is_some_and(|map| map.marks.is_none()) && object.get(DT_VERSYM).is_some() {
            return Err(object.fault(FaultKind::Unmapped, "DT_VERSYM"));
        }
        let found = match version {
            Ok(version) => self.look_up(object, &symbol, version, class)?,
            Err(lost) if lost.is_deadly() => return Err(lost),
            // Whatever that version is, a symbol that nobody has is not there. None has that version, but by chance.
            Err(lost) => match self.look_up(object, &symbol, None, class) {
                Ok(None) => None,
                Ok(_) if is_called => return Err(Self::nobody_has(object, &symbol, Some(&NO_VERSION))?),
                _ => return Err(lost),
            },
        };
        Ok((symbol, found))
    }
}

/// A relocation of an object.
#[derive(Clone, Copy)]
struct Place<'r, 'a> {
    object: &'r Object<'a>,
    relocation: &'r Relocation,
    effect: Effect,
}

impl Place<'_, '_> {
    fn is_known(&self, by: Relocator) -> bool {
        self.object.abi().is_some_and(|abi| (abi.relocates)(by, offset(self.relocation.kind)))
    }

    fn unknown(&self, kind: FaultKind) -> End {
        End::Fault(Fault { number: self.relocation.kind, ..Fault::new(kind, self.object.library) })
    }

    fn lost(&self, access: Access) -> End {
        self.object.refused(access, FaultKind::WritesNowhere, "r_offset")
    }

    fn write(&self, value: u64) -> Step<()> {
        let (object, size) = (self.object, width(self.object, self.effect));
        let anywhere = object.get(DT_TEXTREL).is_some();
        let written =
            self.relocation.offset.and_then(|offset| object.memory.write(offset, value, size, anywhere));
        written.map_err(|access| self.lost(access))
    }

    /// What stands there.
    fn here(&self) -> Step<u64> {
        let number =
            self.relocation.offset.and_then(|offset| self.object.memory.number(offset, self.object.word()));
        number.map_err(|access| self.lost(access))
    }

    fn addend(&self) -> Step<u64> {
        self.relocation.addend.map_or_else(|| self.here(), Ok)
    }

    fn moved(&self) -> Step<()> {
        self.write(self.object.base.wrapping_add(self.addend()?))
    }

    /// Led to a symbol, and the object that has it; None: it need not be there, and is not.
    fn bound(&self, asked: &Symbol, of: Option<&Object<'_>>, found: &Symbol) -> Step<()> {
        const PT_TLS: u32 = 7;
        let (object, effect) = (self.object, self.effect);
        let base = |of: &Object<'_>| if found.section == SHN_ABS { 0 } else { of.base };
        let value = of.map_or(0, |of| base(of).wrapping_add(found.value));
        let is_asked = found.kind == STT_GNU_IFUNC && found.section != 0;
        if of.is_some_and(|of| is_asked && !of.memory.can_run(found.value)) {
            return Err(object.fault(FaultKind::JumpsNowhere, "STT_GNU_IFUNC"));
        }
        // 32 bits of where an object is differ from start to start.
        let is_null = found.section == 0 && found.value == 0 && self.relocation.symbol != 0;
        let is_x86_64 = object.image.header.e_machine == EM_X86_64;
        // What asks whether a function is there calls it where its address is not 0. Of x86-64 that code is known.
        let is_address = matches!(effect, Effect::Value | Effect::Slot) && of.is_some_and(|of| of.base != 0);
        let is_far = effect == Effect::Half && object.word() == 8;
        if is_null && (is_far || is_address && !is_x86_64) {
            return Err(object.lost(Access::Anothers, "a symbol that is not there"));
        }
        match (effect, of) {
            (Effect::Value, _) => self.write(value.wrapping_add(self.addend()?)),
            // sysdeps/x86_64/dl-machine.h adds nothing (observed on 2.36).
            (Effect::Slot, _) if is_x86_64 => self.write(value),
            (Effect::Slot, _) => self.write(value.wrapping_add(self.relocation.addend.unwrap_or_default())),
            (Effect::Copy | Effect::Tls, None) => Ok(()),
            (Effect::Copy, Some(of)) => {
                // As much as both have.
                let size = asked.size.min(found.size);
                copy(object, self.relocation.offset, (of, found.value), size)
            }
            (Effect::Tls, Some(of)) if of.image.table().iter().all(|segment| segment.p_type != PT_TLS) => {
                Err(object.lost(Access::Anothers, "a thread-local variable"))
            }
            // It may be too far away for the bits that there are.
            (Effect::Other, _) => Err(object.lost(Access::Anothers, "a relocation of few bits")),
            _ => self.write(0),
        }
    }
}
