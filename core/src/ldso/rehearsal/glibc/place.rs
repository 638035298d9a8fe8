//! What a relocation of an object does there: sysdeps/*/dl-machine.h.

use super::super::super::abi::{Effect, Relocator};
use super::super::super::fault::{Fault, FaultKind};
use super::super::memory::{Access, Memory};
use super::super::object::ALONE;
use super::super::start::begins_function;
use super::super::{End, Object, Relocation, Step, Symbol, copy, width};
use super::profiler::is_profiler;
use super::{SHN_ABS, field};
use crate::elf::consts::{
    DT_JMPREL, DT_PLTGOT, DT_TEXTREL, EM_386, EM_RISCV, EM_S390, EM_X86_64, PT_DYNAMIC, PT_GNU_RELRO, PT_TLS,
};

const STT_GNU_IFUNC: u64 = 10;

/// Asks a function of an object for an address.
pub(super) fn resolve(by: &Object<'_>, of: &Object<'_>, function: u64, what: &'static str) -> Step<()> {
    // A program is relocated last: x86's loader ends there and says so, others ask its function all the same.
    if of.index == 0 && by.index > 0 {
        return Err(by.lost(Access::Anothers, what));
    }
    if !of.memory.can_run(function) {
        Err(by.fault(FaultKind::JumpsNowhere, what))
    } else if begins_function(of, function) {
        Ok(())
    } else {
        Err(by.lost(Access::Anothers, what))
    }
}

/// Of s390x the first slot for a function where what the loader keeps for itself stands in another table: .got, which begins
/// with the address of PT_DYNAMIC, and becomes read-only (PT_GNU_RELRO) up to where .got.plt begins.
fn split_slots(object: &Object<'_>, got: u64) -> Option<u64> {
    let segment = |kind| object.image.table().iter().find(|segment| segment.p_type == kind);
    let (dynamic, read_only) = (segment(PT_DYNAMIC)?, segment(PT_GNU_RELRO)?);
    let is_table = object.image.header.e_machine == EM_S390
        && object.memory.number(got, object.word()) == Ok(dynamic.p_vaddr);
    is_table.then(|| read_only.p_vaddr.wrapping_add(read_only.p_memsz))
}

/// A relocation of an object.
#[derive(Clone, Copy)]
pub(super) struct Place<'r, 'a> {
    pub(super) object: &'r Object<'a>,
    pub(super) relocation: &'r Relocation,
    pub(super) effect: Effect,
}

impl Place<'_, '_> {
    pub(super) fn is_known(&self, by: Relocator) -> bool {
        self.object.relocates(by, self.relocation.kind)
    }

    pub(super) fn unknown(&self, kind: FaultKind) -> End {
        let number = self.relocation.kind & !ALONE;
        End::Fault(Fault { number, ..Fault::new(kind, self.object.library) })
    }

    /// A function of the program that is called by another slot than its own: what starts it may be, where its code is not known.
    pub(super) fn strays(&self) -> bool {
        let (object, Relocation { at, offset, .. }) = (self.object, self.relocation);
        let Some(reserved) = object.abi().and_then(|abi| abi.setup.reserved()) else { return false };
        if object.index > 0 || object.has_resolvers || object.knows_code() {
            return false;
        }
        let (Some(got), Some(calls)) = (object.get(DT_PLTGOT), object.get(DT_JMPREL)) else { return false };
        let entry = object.entry(self.relocation.addend.is_some());
        let index = at.wrapping_sub(calls).checked_div(entry).unwrap_or_default();
        let first = split_slots(object, got)
            .unwrap_or_else(|| got.wrapping_add(reserved.wrapping_mul(object.word())));
        *offset != Ok(first.wrapping_add(index.wrapping_mul(object.word())))
    }

    /// R_X86_64_TPOFF64 and TLSDESC, R_386_TLS_TPOFF, TLS_TPOFF32 and TLS_DESC: the variable has its place from the start on.
    fn takes_static_tls(&self) -> bool {
        let machine = self.object.image.header.e_machine;
        matches!((machine, self.relocation.kind), (EM_X86_64, 18 | 36) | (EM_386, 14 | 37 | 41))
    }

    pub(super) fn lost(&self, access: Access) -> End {
        self.object.refused(access, FaultKind::WritesNowhere, "r_offset")
    }

    pub(super) fn write(&self, value: u64) -> Step<()> {
        let (object, size) = (self.object, width(self.object, self.effect));
        let anywhere = object.get(DT_TEXTREL).is_some();
        let written =
            self.relocation.offset.and_then(|offset| object.memory.write(offset, value, size, anywhere));
        written.map_err(|access| self.lost(access))
    }

    /// What stands there, which is written to next.
    pub(super) fn here(&self) -> Step<u64> {
        let (memory, word) = (&self.object.memory, self.object.word());
        let anywhere = self.object.get(DT_TEXTREL).is_some();
        let number = self.relocation.offset.and_then(|offset| {
            memory.number(offset, word).map_err(|access| match access {
                Access::Anothers => memory.may_write_all(offset, word, anywhere).err().unwrap_or(access),
                _ if memory.has(offset) => access,
                _ => memory.where_written(offset, access),
            })
        });
        number.map_err(|access| self.lost(access))
    }

    /// Adds where the object is to what stands there.
    pub(super) fn shift(&self) -> Step<()> {
        self.add(self.object.base)
    }

    /// Adds a value to what stands there. Of what is another number at each start that is one, too, which counts where it is
    /// read.
    fn add(&self, value: u64) -> Step<()> {
        let (object, size) = (self.object, self.object.word());
        match (self.here(), self.relocation.offset) {
            (Ok(here), _) => self.write(value.wrapping_add(here)),
            (Err(End::Fault(fault)), Ok(offset))
                if fault.kind == FaultKind::AnothersMemory && object.memory.has_all(offset, size) =>
            {
                let anywhere = object.get(DT_TEXTREL).is_some();
                let is_of_page = value.trailing_zeros() >= 8;
                let scatter = if is_of_page { Memory::scatter_above } else { Memory::scatter };
                scatter(&object.memory, offset, size, anywhere).map_err(|access| self.lost(access))
            }
            (Err(lost), _) => Err(lost),
        }
    }

    /// Writes a word that is another one at each start.
    pub(super) fn scatter(&self) -> Step<()> {
        let (object, offset) = (self.object, self.relocation.offset);
        let anywhere = object.get(DT_TEXTREL).is_some();
        let scattered = offset.and_then(|offset| object.memory.scatter(offset, object.word(), anywhere));
        scattered.map_err(|access| self.lost(access))
    }

    pub(super) fn addend(&self) -> Step<u64> {
        self.relocation.addend.map_or_else(|| self.here(), Ok)
    }

    pub(super) fn moved(&self) -> Step<()> {
        let object = self.object;
        // Where a program's main() is may stand there.
        let may_be_main = object.index == 0 && !object.knows_code();
        if !may_be_main && self.relocation.addend.is_none() {
            return self.shift();
        }
        let to = self.addend()?;
        let is_own = |at: u64| object.memory.has(object.memory.wrapped(at));
        if may_be_main && !is_own(to) && !is_own(to.wrapping_sub(1)) {
            return Err(object.lost(Access::Anothers, "r_addend"));
        }
        self.write(object.base.wrapping_add(to))
    }

    /// Led to a symbol, and the object that has it; None: it need not be there, and is not.
    pub(super) fn bound(&self, asked: &Symbol, of: Option<&Object<'_>>, found: &Symbol) -> Step<()> {
        let (object, effect) = (self.object, self.effect);
        let base = |of: &Object<'_>| if found.section == SHN_ABS { 0 } else { of.base };
        let value = of.map_or(0, |of| base(of).wrapping_add(found.value));
        let is_asked = found.kind == STT_GNU_IFUNC && found.section != 0;
        if let Some(of) = of.filter(|_| is_asked) {
            resolve(object, of, found.value, "STT_GNU_IFUNC")?;
            if !of.has_resolvers {
                return Err(object.lost(Access::Anothers, "STT_GNU_IFUNC"));
            }
        }
        // 32 bits of where an object is differ from start to start.
        let is_null = found.section == 0 && found.value == 0 && self.relocation.symbol != 0;
        let is_x86_64 = object.image.header.e_machine == EM_X86_64;
        // What asks whether a function is there calls it where its address is not 0.
        let is_address = matches!(effect, Effect::Value | Effect::Slot) && of.is_some_and(|of| of.base != 0);
        // What is not defined has an address only in a program, where its stub is.
        let is_odd = found.section == 0 && found.value != 0 && of.is_some_and(|of| of.index > 0);
        let is_far = effect == Effect::Half && object.word() == 8;
        let is_null = is_null || self.relocation.symbol == 0 && is_address;
        let adds = of.is_none()
            && matches!(effect, Effect::Value | Effect::Slot)
            && self.relocation.addend.is_some_and(|addend| addend != 0);
        // Of a library crti.o asks for one alone. A program's may be main(), too.
        let is_tested = || object.index == 0 || is_profiler(object, asked);
        let is_doubtful = is_address && (is_null || is_odd) || adds;
        if is_null && is_far || is_doubtful && !object.knows_code() && is_tested() {
            return Err(object.lost(Access::Anothers, "a symbol that is not there"));
        }
        if matches!(effect, Effect::Half | Effect::Other) {
            let value = value.wrapping_add(self.relocation.addend.unwrap_or_default());
            if let Some(inserted) = field::insert(self, (asked, of), value) {
                return inserted;
            }
        }
        // R_X86_64_SIZE32, R_X86_64_SIZE64 and R_386_SIZE32: it looks for that of no symbol.
        let is_size = matches!(
            (object.image.header.e_machine, self.relocation.kind),
            (EM_X86_64, 32 | 33) | (EM_386, 38)
        );
        if is_size && of.is_none() {
            return Err(object.fault(FaultKind::Unmapped, "st_size"));
        }
        match (effect, of) {
            (Effect::Value, _) => match self.relocation.addend {
                Some(addend) => self.write(value.wrapping_add(addend)),
                None => self.add(value),
            },
            // sysdeps/x86_64/dl-machine.h adds nothing (observed on 2.36).
            (Effect::Slot, _) if is_x86_64 => self.write(value),
            (Effect::Slot, _) => self.write(value.wrapping_add(self.relocation.addend.unwrap_or_default())),
            (Effect::Copy | Effect::Tls, None) => Ok(()),
            (Effect::Copy, Some(of)) => {
                // As much as both have.
                let size = asked.size.min(found.size);
                // sysdeps/riscv/dl-machine.h adds to all.
                let adds = object.image.header.e_machine == EM_RISCV;
                let addend = self.relocation.addend.filter(|_| adds).unwrap_or_default();
                copy(object, self.relocation.offset, (of, found.value.wrapping_add(addend)), size)
            }
            (Effect::Tls, Some(of)) if of.image.table().iter().all(|segment| segment.p_type != PT_TLS) => {
                Err(if self.takes_static_tls() {
                    object.fault(FaultKind::NoTls, "PT_TLS")
                } else {
                    object.lost(Access::Anothers, "a thread-local variable")
                })
            }
            // It may be too far away for the bits that there are.
            (Effect::Other, _) => Err(object.lost(Access::Anothers, "a relocation of few bits")),
            _ => self.write(0),
        }
    }
}
