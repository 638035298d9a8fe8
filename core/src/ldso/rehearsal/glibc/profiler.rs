//! `__gmon_start__`, which crti.o's part of DT_INIT calls where it is there.

use super::super::super::fault::FaultKind;
use super::super::memory::Access;
use super::super::start::is_header;
use super::super::{Object, PROFILER, Step, Symbol, crt};
use super::lookup::STB_WEAK;
use super::relocate::ANY;
use super::{Class, Rehearsal};
use crate::elf::consts::{DT_INIT, DT_JMPREL, DT_STRTAB, DT_SYMTAB};

/// Symbols of an object that are looked through.
const SYMBOLS_AT_MOST: u64 = 1 << 10;

/// Whether the code that each object begins with asks whether a function is there, by a symbol of that name.
pub(super) fn is_profiler(object: &Object<'_>, symbol: &Symbol) -> bool {
    object.has_name(symbol, PROFILER)
}

impl Rehearsal<'_, '_> {
    /// [`PROFILER`] is called by a stub: where that is bound when it is called, nobody may have it, or the object's
    /// own header stands for it.
    pub(super) fn calls_profiler(&self, index: usize) -> Step<()> {
        let Some(object) = self.objects.iter().find(|object| object.index == index) else { return Ok(()) };
        let calls = || {
            let init = object.get(DT_INIT)?;
            let tested = object.memory.pointer(crt::profiler_slot(object, init)?).ok()?;
            let (slot, stub) = crt::profiler_call(object, init).filter(|_| tested != 0)?;
            let led_to = object.memory.pointer(slot).ok()?.wrapping_sub(object.base);
            let binding = crt::binding(object, stub, object.memory.wrapped(led_to))?;
            let has_addend = object.abi().is_none_or(|abi| !abi.has_rel);
            let within = binding.index.wrapping_mul(object.entry(has_addend));
            object.relocation(object.get(DT_JMPREL)?.wrapping_add(within), has_addend).ok()
        };
        let Some(relocation) = calls().filter(|relocation| relocation.addend.unwrap_or_default() == 0) else {
            return Ok(());
        };
        match self.find(object, relocation.symbol, Class::Plt, true)? {
            (_, None) => Err(object.fault(FaultKind::JumpsNowhere, "__gmon_start__")),
            (_, Some((of, found))) if is_header(of, found.value) => {
                Err(object.fault(FaultKind::NoInstruction, "__gmon_start__"))
            }
            _ => Ok(()),
        }
    }

    /// Whether an object asks for [`PROFILER`] that has it: else something else stands there, and is called, unless that
    /// code is known. Where a library asks for nothing, what the file has stands there: nothing. A program's code may lead to main() so.
    pub(super) fn asks_for_profiler(&self, object: &Object<'_>) -> Step<()> {
        let (Some(symbols), Some(strings)) = (object.get(DT_SYMTAB), object.get(DT_STRTAB)) else {
            return Ok(());
        };
        let has_asked = |index| self.asked.borrow().contains(&(object.index, index));
        let asks_for_none = object.index > 0 && !has_asked(ANY);
        if object.knows_code() || object.get(DT_INIT).is_none() || asks_for_none {
            return Ok(());
        }
        let size = object.memory.wrapped(strings.wrapping_sub(symbols));
        let count = size.checked_div(if object.word() == 8 { 24 } else { 16 }).unwrap_or_default();
        for index in 1..count.min(SYMBOLS_AT_MOST) {
            let symbol = object.symbol(symbols, index)?;
            let is_weak = symbol.section == 0 && symbol.bind == STB_WEAK;
            if is_weak && is_profiler(object, &symbol) && !has_asked(index) {
                return Err(object.lost(Access::Anothers, "__gmon_start__"));
            }
        }
        Ok(())
    }
}
