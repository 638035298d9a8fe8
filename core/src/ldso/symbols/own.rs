//! What the relocations of an object ask for: whether they ask as linkers have them do, and whether the loader finds what the
//! object defines itself. What it defines and does not ask for nobody has to find there.

use alloc::vec::Vec;

use super::super::abi::Effect;
use super::super::object::Library;
use super::super::rehearsal::code::{CODE, called_slot};
use super::super::rehearsal::{self, MAIN, PROFILER, gnu_hash};
use super::super::{Linker, versions};
use super::relocations::OfProgram;
use super::table::{Symbol, Symbols};
use super::{
    HIDDEN, SHN_ABS, STB_GLOBAL, STB_GNU_UNIQUE, STB_LOCAL, STB_WEAK, STT_GNU_IFUNC, STT_OBJECT, STT_TLS,
    VER_NDX_GLOBAL,
};
use crate::candidate::reader::{Contents, Reader};
use crate::candidate::{File, Image};
use crate::elf::consts::{
    DT_GNU_HASH, DT_HASH, DT_RELA, DT_STRTAB, DT_SYMTAB, DT_VERSYM, EI_OSABI, ELFOSABI_GNU, EM_386,
    EM_X86_64, ET_EXEC,
};
use crate::elf::{Class, offset};

/// Of many that an object defines and asks for the first are looked at.
const LOOKED_AT: usize = 4;
/// Of many that a program defines so many are looked at.
const DEFINED: usize = 16;
/// Of so many symbols that are not defined one may be listed without being asked for: an inlined function's, as of libgcc.
const FEW: usize = 64;
/// Symbols of an object that are noted; the largest libraries have more.
const ASKED_AT_MOST: usize = 1 << 12;
/// No object has more.
const SYMBOLS_AT_MOST: usize = 1 << 20;

/// Slots of the GOT that are noted.
const SLOTS: usize = 16;

/// What asks for a symbol: anything, a thread-local variable, a slot for calls, a slot in the GOT, a copy.
const ASKED: u8 = 1;
const AS_TLS: u8 = 2;
const AS_CALL: u8 = 4;
const AS_SLOT: u8 = 8;
const AS_COPY: u8 = 16;

/// The symbols that the relocations of an object ask for.
pub(in super::super) struct Asks {
    symbols: Vec<u8>,
    /// There are no more, as far as that is known.
    count: usize,
    /// Its linker (gold, lld) lists symbols that nothing asks for. It puts DT_GNU_HASH behind them.
    lists_more: bool,
    /// The first slots in the GOT.
    slots: [u64; SLOTS],
    slots_met: usize,
    /// Thread-local variables are asked for by their names.
    has_tls: bool,
    /// The slot through which the program calls what starts it, and the symbol that is asked for there.
    main_slot: Option<u64>,
    main: usize,
    /// The slot of main()'s address, how many relocations write there, and what the last one of them leads to.
    address_slot: Option<u64>,
    addresses: usize,
    address: Option<u64>,
}

impl Asks {
    pub(in super::super) fn new(linker: &Linker<'_>, object: &Library, image: &Image, file: &File) -> Asks {
        let mut asks = Asks {
            symbols: Vec::new(),
            count: SYMBOLS_AT_MOST,
            lists_more: false,
            slots: [0; SLOTS],
            slots_met: 0,
            has_tls: false,
            main_slot: None,
            main: 0,
            address_slot: None,
            addresses: 0,
            address: None,
        };
        let Some(dynamic) = &image.dynamic else { return asks };
        if object.parent.is_none() {
            asks.main_slot = main_slot(image, &file.contents);
            // That of x86-64 has no slot.
            let has_slot = !crate::ROUTER && image.header.e_machine != EM_X86_64;
            if has_slot && linker.can_rehearse() {
                asks.address_slot = rehearsal::address_of_main(linker, file);
            }
        }
        // What lies behind DT_SYMTAB tells how many there are.
        let start = dynamic.flags(DT_SYMTAB);
        let behind = |(tag, value): &(u32, u64)| {
            let is_table = matches!(*tag, DT_STRTAB | DT_VERSYM | DT_GNU_HASH | DT_HASH | DT_RELA);
            (is_table && *value > start).then_some(*value)
        };
        if let Some(end) = dynamic.entries.iter().filter_map(behind).min() {
            let entry = if image.encoding.class == Class::Elf64 { 24 } else { 16 };
            asks.lists_more = dynamic.flags(DT_GNU_HASH) > start;
            let count = end.wrapping_sub(start).checked_div(entry).unwrap_or_default();
            asks.count = offset(count).min(SYMBOLS_AT_MOST);
        }
        asks
    }

    /// Notes what a relocation asks for; false where it should ask for something, or for nothing.
    pub(super) fn note(&mut self, index: usize, effect: Effect, is_call: bool) -> bool {
        if index == 0 {
            return !matches!(effect, Effect::Value | Effect::Slot | Effect::Copy);
        }
        if matches!(effect, Effect::None | Effect::Relative | Effect::Indirect) || index >= self.count {
            return false;
        }
        if index >= self.symbols.len() {
            if index > ASKED_AT_MOST {
                return true;
            }
            self.symbols.resize(index.saturating_add(256), 0);
        }
        self.has_tls |= effect == Effect::Tls;
        let how = match effect {
            Effect::Tls => AS_TLS,
            Effect::Copy => AS_COPY,
            Effect::Slot if is_call => AS_CALL,
            Effect::Slot => AS_SLOT,
            _ => ASKED,
        };
        let Some(symbol) = self.symbols.get_mut(index) else { return true };
        // There is one slot for each.
        let is_new = *symbol & how & (AS_CALL | AS_SLOT | AS_COPY) == 0;
        *symbol |= how | ASKED;
        is_new
    }

    /// Notes where a slot of the GOT is; false where there is one already.
    pub(super) fn note_slot(&mut self, index: usize, place: u64) -> bool {
        if Some(place) == self.main_slot {
            self.main = index;
        }
        let met = self.slots.get(..self.slots_met).unwrap_or(&self.slots);
        if met.contains(&place) {
            return false;
        }
        if let Some(slot) = self.slots.get_mut(self.slots_met) {
            *slot = place;
            self.slots_met = self.slots_met.wrapping_add(1);
        }
        true
    }

    /// Whether there is a slot of main()'s address.
    pub(super) const fn seeks_main(&self) -> bool {
        self.address_slot.is_some()
    }

    /// Whether it is at a place.
    pub(super) fn is_main(&self, place: u64) -> bool {
        self.address_slot == Some(place)
    }

    /// Notes a relocation of that, and what it leads to if it is relative.
    pub(super) fn note_main(&mut self, address: Option<u64>) {
        self.addresses = self.addresses.saturating_add(1);
        self.address = address;
    }

    /// Whether main()'s address is what a linker has made it.
    fn leads_to_main(&self, linker: &Linker<'_>, image: &Image, file: &File) -> bool {
        let is_moved = image.header.e_type != ET_EXEC;
        // One that a program exports is looked up by its name.
        self.addresses == usize::from(is_moved)
            && self.address.is_none_or(|address| rehearsal::may_be_main(linker, file, address))
    }

    /// Whether the object asks for all that it does not define, and finds what it does.
    pub(in super::super) fn are_found(
        &self,
        linker: &Linker<'_>,
        object: &Library,
        image: &Image,
        file: &File,
    ) -> Option<bool> {
        let mut symbols = Symbols::with(linker, image, &file.contents, OfProgram::default())?;
        if self.seeks_main() && !self.leads_to_main(linker, image, file) {
            return Some(false);
        }
        if self.main_slot.is_some() {
            let main = symbols.symbol(self.main)?;
            if main.section != 0 || !symbols.strings.is_string(main.name, MAIN) {
                return Some(false);
            }
        }
        let glibc = linker.is_glibc();
        let is_program = object.parent.is_none() && image.interp.is_some();
        if is_program && self.main_slot.is_none() && self.lacks_main(&mut symbols) {
            return Some(false);
        }
        let defined = if glibc { linker.defined(object) } else { &[] };
        let of_threads =
            self.symbols.iter().enumerate().filter(|(_, how)| self.has_tls && *how & AS_TLS != 0);
        for (index, _) in of_threads {
            if symbols.symbol(index)?.kind != STT_TLS {
                return Some(false);
            }
        }
        // Those that are not defined stand before the others, and are looked at with all that are asked for.
        let first = symbols.gnu().map_or(1, |gnu| gnu.first);
        // Section symbols and the like stand first, and are asked for by their value alone.
        for (index, how) in self.symbols.iter().enumerate().skip(1) {
            if symbols.symbol(index)?.bind != STB_LOCAL {
                break;
            }
            if how & (AS_CALL | AS_SLOT | AS_COPY) != 0 {
                return Some(false);
            }
        }
        let end = if self.lists_more { 0 } else { first.min(self.count).min(ASKED_AT_MOST) };
        let mut unasked = 0_usize;
        let is_x86 = matches!(image.header.e_machine, EM_X86_64 | EM_386);
        for index in 1..end {
            let is_asked = self.symbols.get(index).is_some_and(|how| *how != 0);
            // Of variables other names may be listed as well.
            let is_variable = |symbol: &Symbol| symbol.kind == STT_OBJECT || symbol.bind == STB_LOCAL;
            if !is_asked && !is_variable(&symbols.symbol(index)?) {
                unasked = unasked.saturating_add(FEW);
            }
            // crti.o calls it by another slot than that by which it asks whether it is there, but of x86.
            let calls = !is_x86 && self.symbols.get(index) == Some(&(ASKED | AS_CALL));
            if calls && symbols.symbol(index).is_some_and(|symbol| symbol.bind == STB_WEAK) {
                let name = symbols.symbol(index)?.name;
                if symbols.strings.is_string(name, PROFILER) {
                    return Some(false);
                }
            }
        }
        if unasked > end {
            return Some(false);
        }
        // What libraries define, and ask for, is looked for in the program first.
        if object.parent.is_none() {
            let end = symbols.count.min(self.count).min(first.saturating_add(DEFINED));
            for index in first..end {
                let symbol = symbols.symbol(index)?;
                let asks = symbol.kind == STT_GNU_IFUNC && file.contents.ident()[EI_OSABI] != ELFOSABI_GNU;
                if asks || !symbols.strings.has(symbol.name) {
                    return Some(false);
                }
            }
        }
        let asked = self.symbols.iter().enumerate().skip(first).filter(|(_, how)| **how != 0);
        for (index, how) in asked.take(LOOKED_AT) {
            let symbol = symbols.symbol(index)?;
            if how & AS_COPY != 0 {
                let (value, size) = symbols.place(index)?;
                let load = image.loads().find(|load| value.wrapping_sub(load.p_vaddr) < load.p_memsz)?;
                if size > load.p_memsz.wrapping_sub(value.wrapping_sub(load.p_vaddr)) {
                    return Some(false);
                }
            }
            // To musl one at 0 is none, whatever its section.
            if !glibc && symbol.section == SHN_ABS && !symbol.has_value {
                return Some(false);
            }
            if symbol.section == 0 || symbol.section == SHN_ABS {
                continue;
            }
            let is_common = matches!(symbol.bind, STB_GLOBAL | STB_WEAK | STB_GNU_UNIQUE);
            let is_thread_local = how & AS_TLS != 0;
            if !is_common || symbol.is_hidden() || is_thread_local != (symbol.kind == STT_TLS) {
                return Some(false);
            }
            let mark = symbols.mark(index) & !HIDDEN;
            // What is copied into a program has the version of the library's.
            let is_defined = object.parent.is_some() && mark > VER_NDX_GLOBAL;
            if glibc && is_defined && versions::at(defined, mark).is_none() {
                return Some(false);
            }
            let hash = u32::try_from(gnu_hash(symbols.strings.string_at(symbol.name)?)).ok()?;
            let Some(gnu) = symbols.gnu() else { continue };
            if !gnu.leads_to(hash, index)? {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Whether it calls functions, and not what starts a program, which is another object's.
    fn lacks_main(&self, symbols: &mut Symbols<'_>) -> bool {
        let mut is_main = |index| {
            let symbol = symbols.symbol(index)?;
            Some(symbol.section == 0 && symbols.strings.is_string(symbol.name, MAIN))
        };
        let mut asked = self.symbols.iter().enumerate().filter(|(_, how)| **how != 0);
        let calls = self.symbols.iter().any(|how| how & AS_CALL != 0);
        calls && !asked.any(|(index, _)| is_main(index) == Some(true))
    }
}

/// `call *slot(%rip)` of glibc's crt1.o for x86-64, whose code is known.
fn main_slot(image: &Image, file: &Contents) -> Option<u64> {
    if image.header.e_machine != EM_X86_64 {
        return None;
    }
    let entry = image.header.e_entry;
    let mut code = Reader::new(file, image.encoding.order, image.offset_of(entry)?, CODE);
    let code = code.up_to(0, CODE);
    called_slot(code, entry)
}
