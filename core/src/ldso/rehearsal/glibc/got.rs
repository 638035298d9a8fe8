//! sysdeps/*/dl-machine.h `elf_machine_runtime_setup`: what is written into DT_PLTGOT before relocations; and the GOT of
//! MIPS, whose entries have none (`elf_machine_got_rel`).

use core::ops::Range;

use super::super::super::abi::Setup;
use super::super::super::fault::FaultKind;
use super::super::memory::Access;
use super::super::start::is_among_tables;
use super::super::{End, MAIN, Object, STEPS_AT_MOST, Step, Symbol};
use super::lookup::STO_MIPS_PLT;
use super::{Class, Rehearsal, SHN_ABS};
use crate::elf::consts::{
    DT_JMPREL, DT_MIPS_GOTSYM, DT_MIPS_LOCAL_GOTNO, DT_MIPS_PLTGOT, DT_MIPS_RLD_MAP_REL, DT_MIPS_SYMTABNO,
    DT_PLTGOT, DT_PLTRELSZ, DT_PPC64_GLINK, DT_STRTAB, DT_SYMTAB, DT_TEXTREL, EM_X86_64, PT_DYNAMIC,
};

const STB_LOCAL: u64 = 0;
const STT_FUNC: u64 = 2;
const STT_SECTION: u64 = 3;
const SHN_COMMON: u64 = 0xfff2;
/// DT_PPC64_GLINK tells where the stubs are, less so many bytes.
const BEFORE_STUBS: u64 = 32;
/// Numbers of entries are ints.
const INT: u64 = 0xffff_ffff;
const SIGN: u64 = 1 << 31;

/// A table of addresses.
struct Got<'r, 'a> {
    object: &'r Object<'a>,
    at: u64,
    what: &'static str,
}

impl<'r, 'a> Got<'r, 'a> {
    fn open(object: &'r Object<'a>, tag: u32, what: &'static str) -> Step<Got<'r, 'a>> {
        let at = object.get(tag).ok_or_else(|| object.fault(FaultKind::Unmapped, what))?;
        Ok(Got { object, at, what })
    }

    fn place(&self, index: u64) -> u64 {
        self.at.wrapping_add(self.object.word().wrapping_mul(index))
    }

    fn get(&self, index: u64) -> Step<u64> {
        self.object.number(self.place(index), self.object.word(), self.what)
    }

    /// Whether all of these can be written to.
    fn may_set_all(&self, places: Range<u64>) -> Step<()> {
        let (object, word) = (self.object, self.object.word());
        let anywhere = object.get(DT_TEXTREL).is_some();
        for index in places.take(STEPS_AT_MOST) {
            let access = object.memory.may_write_all(self.place(index), word, anywhere);
            access.map_err(|access| object.lost(access, self.what))?;
        }
        Ok(())
    }

    fn set(&self, index: u64, value: u64) -> Step<()> {
        let anywhere = self.object.get(DT_TEXTREL).is_some();
        let written = self.object.memory.write(self.place(index), value, self.object.word(), anywhere);
        written.map_err(|access| self.object.lost(access, self.what))
    }
}

impl<'r, 'a> Rehearsal<'r, 'a> {
    pub(super) fn set_up(&self, object: &'r Object<'a>, is_lazy: bool) -> Step<()> {
        let setup = object.abi().map_or(Setup::Second, |abi| abi.setup);
        if setup == Setup::Got {
            return self.relocate_got(object, is_lazy);
        }
        let Some(size) = object.get(DT_JMPREL).map(|_| object.get(DT_PLTRELSZ)) else { return Ok(()) };
        let words = match setup {
            Setup::First => 0..2,
            Setup::Plt if is_lazy => {
                let size = size.ok_or_else(|| object.fault(FaultKind::NoEntrySize, "DT_PLTRELSZ"))?;
                0..(size.checked_div(object.entry(true)).unwrap_or_default() & INT).wrapping_add(2)
            }
            Setup::Second if is_lazy => 1..3,
            // That of PPC64 looks where it is in any case.
            Setup::Plt => 0..0,
            _ => return Ok(()),
        };
        let got = Got::open(object, DT_PLTGOT, "DT_PLTGOT")?;
        if setup == Setup::Plt && is_lazy {
            let stubs = object.get(DT_PPC64_GLINK);
            let stubs = stubs.ok_or_else(|| object.fault(FaultKind::Unmapped, "DT_PPC64_GLINK"))?;
            // A program calls what starts it through them; a library what is called later, but for the C library.
            let is_followed = object.knows_code() || object.index > 0;
            if !is_followed && !object.memory.can_run(stubs) {
                return Err(object.fault(FaultKind::JumpsNowhere, "DT_PPC64_GLINK"));
            }
            let is_used = !is_followed || self.linker.is_c_library(object.library);
            if is_used && is_among_tables(object.image, stubs) {
                return Err(object.lost(Access::Anothers, "DT_PPC64_GLINK"));
            }
        }
        // What prelink(8) has left there leads to the stubs of functions. Of x86-64 what starts a program has none.
        let has_stubs = is_lazy && object.index == 0 && object.image.header.e_machine != EM_X86_64;
        if has_stubs && setup != Setup::Plt && got.get(1)? != 0 {
            got.may_set_all(words)?;
            return Err(object.lost(Access::Anothers, "DT_PLTGOT"));
        }
        if words.end > STEPS_AT_MOST as u64 {
            return Err(End::TooMuch);
        }
        // Where the loader is, of which each start has another address.
        let loader = self.objects.get(1).map_or(0, |loader| loader.base);
        words.into_iter().try_for_each(|index| {
            let stub = object.get(DT_PPC64_GLINK).zip(index.checked_sub(2)).filter(|_| setup == Setup::Plt);
            let led_to = stub.map_or(loader, |(stubs, index)| {
                let first = object.base.wrapping_add(stubs).wrapping_add(BEFORE_STUBS);
                first.wrapping_add(index.wrapping_mul(4))
            });
            got.set(index, led_to)
        })
    }

    fn relocate_got(&self, object: &'r Object<'a>, is_lazy: bool) -> Step<()> {
        let got = Got::open(object, DT_PLTGOT, "DT_PLTGOT")?;
        if is_lazy {
            got.set(0, 0)?;
        }
        // The highest bit of the second entry is the mark of GNU's linker, which keeps that.
        let bits = object.word().wrapping_mul(8).wrapping_sub(1);
        let kept = if got.get(1)? >> bits == 0 { 1 } else { 2 };
        let own = int(number(object, DT_MIPS_LOCAL_GOTNO)?);
        let (first, end) = (number(object, DT_MIPS_GOTSYM)?, number(object, DT_MIPS_SYMTABNO)?);
        let count = end.wrapping_sub(first) & INT;
        let symbols =
            object.get(DT_SYMTAB).ok_or_else(|| object.fault(FaultKind::NoSymbolTable, "DT_SYMTAB"))?;
        let is_counted = (kept..SIGN).contains(&own);
        let moved = if object.base != 0 && is_counted { kept..own } else { 0..0 };
        got.may_set_all(moved.clone())?;
        // Looked at as it was built; it counts once nothing else has ended the loader.
        let order = self.check_order(&got, symbols, own);
        for index in moved {
            got.set(index, got.get(index)?.wrapping_add(object.base))?;
        }
        let mut steps = 0..STEPS_AT_MOST;
        for at in 0..count {
            if steps.next().is_none() {
                return Err(End::TooMuch);
            }
            let index = int(first.wrapping_add(at));
            let symbol = object.symbol(symbols, index)?;
            let place = own.wrapping_add(at);
            if let Some(value) = self.global_entry(object, index, &symbol, got.get(place)?, is_lazy)? {
                got.set(place, value)?;
            }
        }
        if is_lazy && object.get(DT_JMPREL).is_some() {
            let calls = Got::open(object, DT_MIPS_PLTGOT, "DT_MIPS_PLTGOT")?;
            calls.set(0, 0)?;
            calls.set(1, 0)?;
        }
        // Of its own part what is run before main() takes what no symbol stands for.
        if !(order? && (object.base == 0 || is_counted)) {
            if !self.knows_all(object) {
                return Err(object.lost(Access::Anothers, "the GOT"));
            }
            self.disordered.borrow_mut().insert(object.index);
        }
        Ok(())
    }

    /// Whether the GOT has its symbols in their order: one that is not as linkers make it may itself be another; of several
    /// all are.
    fn check_order(&self, got: &Got<'_, '_>, symbols: u64, own: u64) -> Step<bool> {
        let object = got.object;
        let (first, end) = (number(object, DT_MIPS_GOTSYM)?, number(object, DT_MIPS_SYMTABNO)?);
        // Strings stand behind them: what is counted there is none.
        let size = if object.word() == 8 { 24 } else { 16 };
        let there = object.get(DT_STRTAB).and_then(|strings| strings.checked_sub(symbols));
        let end = there.map_or(end, |there| end.min(there.checked_div(size).unwrap_or_default()));
        let (mut odd, mut right, mut differ) = (None, None, false);
        for index in (first..end).take(STEPS_AT_MOST) {
            let symbol = object.symbol(symbols, index)?;
            // What cannot be read tells when it is written to.
            let Ok(entry) = got.get(own.wrapping_add(index.wrapping_sub(first))) else { break };
            // Linkers put the value of a symbol there, or the address of a function's stub; local ones stand before.
            let is_value = match symbol.kind {
                // A stub that is called by another object stands there in its place.
                STT_FUNC => symbol.section == 0 && symbol.other & STO_MIPS_PLT == 0,
                STT_SECTION => false,
                _ => symbol.section != SHN_COMMON,
            };
            let is_right = symbol.bind != STB_LOCAL && !(is_value && entry != symbol.value);
            if !is_right && (odd.replace(index).is_some() || !self.knows_all(object)) {
                return Ok(false);
            }
            // An undefined function's stub is its value, too.
            if is_right && entry == symbol.value {
                differ |= right.replace(entry).is_some_and(|before| before != entry);
            }
        }
        // Where all others are alike they may all stand one further on.
        Ok(odd != Some(first) || differ)
    }

    /// Whether all code of an object is known that is run before main(), but for constructors.
    fn knows_all(&self, object: &Object<'_>) -> bool {
        object.knows_code() && !self.linker.is_c_library(object.library)
    }

    /// What becomes of the entry of a symbol; None where it stays.
    fn global_entry(
        &self,
        object: &'r Object<'a>,
        index: u64,
        symbol: &Symbol,
        old: u64,
        is_lazy: bool,
    ) -> Step<Option<u64>> {
        let is_function = symbol.kind == STT_FUNC;
        let has_stub = match symbol.section {
            0 => is_function && symbol.value != 0 && symbol.other & STO_MIPS_PLT == 0,
            SHN_COMMON => false,
            _ => is_function && old != symbol.value,
        };
        let class = if has_stub { Class::Plt } else { Class::Other };
        if has_stub && is_lazy {
            self.look_up_later(object, index)?;
            let value = if symbol.section == 0 { symbol.value } else { old };
            if value & 3 != 0 && !self.knows_all(object) {
                return Err(object.lost(Access::Anothers, "a stub"));
            }
            // What starts a program is called at once.
            let is_followed = object.index > 0 || object.knows_code();
            if !is_followed && !object.memory.can_run(value) && object.asks_for(index, MAIN) {
                return Err(object.fault(FaultKind::JumpsNowhere, "a stub"));
            }
            return Ok(Some(object.base.wrapping_add(value)));
        }
        if !has_stub && symbol.kind == STT_SECTION && !matches!(symbol.section, 0 | SHN_COMMON) {
            return Ok((symbol.other == 0).then(|| object.base.wrapping_add(old)));
        }
        let (_, found) = self.find(object, index, class, false)?;
        let value = found.map(|(of, found)| {
            let base = if found.section == SHN_ABS { 0 } else { of.base };
            base.wrapping_add(found.value)
        });
        Ok(Some(value.unwrap_or_default()))
    }
}

/// sysdeps/mips/dl-machine.h `ELF_MACHINE_DEBUG_SETUP`: of MIPS a program has a word for where the loader keeps what a debugger
/// asks for, at a distance from the entry that tells.
pub(super) fn debug_map(program: &Object<'_>) -> Step<()> {
    const WHAT: &str = "DT_MIPS_RLD_MAP_REL";
    let mut entries = program.dynamic.entries.iter().rev();
    let Some(behind) = entries.position(|(tag, _)| *tag == DT_MIPS_RLD_MAP_REL) else { return Ok(()) };
    let segment = program.image.table().iter().find(|segment| segment.p_type == PT_DYNAMIC);
    let (Some(segment), Some(distance)) = (segment, program.get(DT_MIPS_RLD_MAP_REL)) else { return Ok(()) };
    let index = (program.dynamic.entries.len() as u64).wrapping_sub(1).wrapping_sub(behind as u64);
    let entry = segment.p_vaddr.wrapping_add(index.wrapping_mul(program.word()).wrapping_mul(2));
    let written = program.memory.scatter(entry.wrapping_add(distance), program.word(), false);
    written.map_err(|access| program.refused(access, FaultKind::WritesNowhere, WHAT))
}

/// R_MIPS_REL32: what is added to a word.
pub(super) fn of_got(object: &Object<'_>, index: u64) -> Step<u64> {
    if index == 0 {
        return Ok(object.base);
    }
    let first = number(object, DT_MIPS_GOTSYM)? & INT;
    // What has no entry there is its own.
    let Some(behind) = (index & INT).checked_sub(first) else {
        let symbols = object.get(DT_SYMTAB).unwrap_or_default();
        let symbol = object.symbol(symbols, index)?;
        let base = if symbol.section == SHN_ABS { 0 } else { object.base };
        return Ok(base.wrapping_add(symbol.value));
    };
    let got = Got::open(object, DT_PLTGOT, "DT_PLTGOT")?;
    got.get(behind.wrapping_add(number(object, DT_MIPS_LOCAL_GOTNO)? & INT))
}

/// A number of 32 bits with a sign.
const fn int(number: u64) -> u64 {
    (number & INT ^ SIGN).wrapping_sub(SIGN)
}

fn number(object: &Object<'_>, tag: u32) -> Step<u64> {
    object.get(tag).ok_or_else(|| object.fault(FaultKind::NoEntrySize, "the GOT"))
}
