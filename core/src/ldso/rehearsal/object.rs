//! An object as a loader has it in memory.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, OnceCell};

use super::super::Library;
use super::super::abi::{Abi, Effect, Relocator};
use super::super::fault::{Fault, FaultKind};
use super::super::symbols::relocations::info;
use super::memory::{Access, MappedBy, Memory};
use super::start::is_x86;
use super::{End, Step, crt};
use crate::arch;
use crate::candidate::{Dynamic, File, Image};
use crate::elf::consts::{
    DT_INIT, DT_STRTAB, DT_SYMTAB, EI_OSABI, ELFOSABI_GNU, EM_AARCH64, EM_MIPS, ET_EXEC, PT_DYNAMIC,
};
use crate::elf::{Class, offset};

/// An object in memory.
pub(super) struct Object<'a> {
    pub(super) index: usize,
    pub(super) library: &'a Library,
    pub(super) image: &'a Image,
    pub(super) dynamic: &'a Dynamic,
    pub(super) memory: Memory<'a>,
    /// Where it is: of no use but to tell the addresses of objects apart.
    pub(super) base: u64,
    /// Symbols of it can be asked for their address: linkers mark such files.
    pub(super) has_resolvers: bool,
    /// [`Object::knows_code`].
    knows_code: OnceCell<bool>,
}

/// A relocation.
pub(super) struct Relocation {
    pub(super) at: u64,
    /// Read when it is written to: what ends the loader before counts more.
    pub(super) offset: Result<u64, Access>,
    pub(super) symbol: u64,
    pub(super) kind: u64,
    /// None: what stands where it is applied.
    pub(super) addend: Option<u64>,
}

impl<'a> Object<'a> {
    /// `free`: from where on nothing is, of 32 bits of addresses.
    pub(super) fn new(
        index: usize,
        library: &'a Library,
        file: &'a File,
        page: u64,
        free: u64,
        (is_glibc, chunks): (bool, &Rc<Cell<usize>>),
    ) -> Option<Object<'a>> {
        let image = library.image.as_deref()?;
        let memory = Memory::new(file, image, page, index == 0, MappedBy::of(index, is_glibc), chunks);
        let place = (index as u64).wrapping_add(1);
        let base = match image.encoding.class {
            _ if image.header.e_type == ET_EXEC => 0,
            Class::Elf64 if index == 0 => PROGRAM_BASE,
            Class::Elf64 => LIBRARY_BASE.wrapping_add(place.wrapping_mul(LIBRARIES_APART)),
            Class::Elf32 => free,
        };
        let has_resolvers = file.contents.ident()[EI_OSABI] == ELFOSABI_GNU;
        let dynamic = image.dynamic.as_ref()?;
        let knows_code = OnceCell::new();
        Some(Object { index, library, image, dynamic, memory, base, has_resolvers, knows_code })
    }

    /// Whether it is known which slots the code reads that it is begun by: crt1.o's of a program, and crti.o's.
    pub(super) fn knows_code(&self) -> bool {
        *self.knows_code.get_or_init(|| {
            let begins = || self.index > 0 || crt::lead(self).is_some();
            let asks = || self.get(DT_INIT).is_none_or(|init| crt::profiler_slot(self, init).is_some());
            is_x86(self) || begins() && asks()
        })
    }

    /// The value of an entry; of several the last.
    pub(super) fn get(&self, tag: u32) -> Option<u64> {
        self.look_through();
        self.dynamic.get(tag)
    }

    /// The same of the first of several.
    pub(super) fn first(&self, tag: u32) -> Option<u64> {
        self.look_through();
        self.dynamic.entries.iter().find(|(known, _)| *known == tag).map(|(_, value)| *value)
    }

    /// Takes steps for looking through many entries. Where there are none left, the next look at memory tells.
    pub(super) fn look_through(&self) {
        let _is_over = self.memory.steps(self.dynamic.entries.len() / ENTRIES_OF_A_STEP);
    }

    /// Takes steps for looking at each of many objects.
    pub(super) fn look_at(&self, objects: usize) -> Step<()> {
        self.memory.steps(objects / OBJECTS_OF_A_STEP).map_err(|_| End::TooMuch)
    }

    /// Takes bytes of what a judgement may keep.
    pub(super) fn keep(&self, bytes: usize) -> Step<()> {
        self.memory.keeps(bytes).map_err(|_| End::TooMuch)
    }

    /// PT_DYNAMIC as it stands in memory once relocations have written there: tags and values.
    pub(super) fn entries(&self) -> Vec<(u32, u64)> {
        let word = self.word();
        let segment = self.image.table().iter().find(|segment| segment.p_type == PT_DYNAMIC);
        let Some(from) = segment.map(|segment| segment.p_vaddr) else { return Vec::new() };
        let number = |at: u64| self.memory.number(from.wrapping_add(at), word).ok();
        let entry = |index: u64| {
            let at = index.wrapping_mul(word).wrapping_mul(2);
            let tag = number(at)?;
            (tag != 0).then_some((u32::try_from(tag).unwrap_or(u32::MAX), number(at.wrapping_add(word))?))
        };
        (0..ENTRIES_AT_MOST).map_while(entry).collect()
    }

    pub(super) fn word(&self) -> u64 {
        self.image.encoding.word() as u64
    }

    pub(super) fn abi(&self) -> Option<&'static Abi> {
        arch::ldso(self.image.header.e_machine)
    }

    /// Whether a loader knows relocations of a kind.
    pub(super) fn relocates(&self, by: Relocator, kind: u64) -> bool {
        self.abi().is_some_and(|abi| (abi.relocates)(by, self.image.encoding.class, offset(kind)))
    }

    pub(super) fn fault(&self, kind: FaultKind, what: &'static str) -> End {
        End::Fault(Fault { name: what.as_bytes().to_vec(), ..Fault::new(kind, self.library) })
    }

    /// The end where an address of a table cannot be used.
    pub(super) fn lost(&self, access: Access, what: &'static str) -> End {
        if access == Access::TooMuch { End::TooMuch } else { self.fault(access.fault(), what) }
    }

    /// The same where nothing that may stand there serves, and the loader, or the program, ends by it before main().
    pub(super) fn fails(&self, access: Access, what: &'static str) -> End {
        if access == Access::Anothers {
            self.fault(FaultKind::AnothersTable, what)
        } else {
            self.lost(access, what)
        }
    }

    /// The same of a word that leads to a function: what is put together of parts leads elsewhere at each start, and to none, but
    /// for a tag of AArch64.
    pub(super) fn misled(&self, access: Access, at: u64, what: &'static str) -> End {
        let has_tags = self.image.header.e_machine == EM_AARCH64;
        if !has_tags && self.memory.is_torn(at) { self.fails(access, what) } else { self.lost(access, what) }
    }

    /// The same where it is known what comes of an address at which nothing is.
    pub(super) fn refused(&self, access: Access, kind: FaultKind, what: &'static str) -> End {
        if access == Access::Nothing { self.fault(kind, what) } else { self.lost(access, what) }
    }

    /// A number in a table.
    pub(super) fn number(&self, address: u64, size: u64, what: &'static str) -> Step<u64> {
        self.memory.number(address, size).map_err(|access| self.lost(access, what))
    }

    /// A relocation at an address.
    pub(super) fn relocation(&self, at: u64, has_addend: bool) -> Step<Relocation> {
        const WHAT: &str = "a relocation";
        let word = self.word();
        let info_at = at.wrapping_add(word);
        let part = |(within, size): (usize, usize)| {
            self.number(info_at.wrapping_add(within as u64), size as u64, WHAT)
        };
        let (symbol, kind) = info(self.image);
        let offset = self.memory.pointer(at);
        if offset == Err(Access::TooMuch) {
            return Err(End::TooMuch);
        }
        let (symbol, mut kind) = (part(symbol)?, part(kind)?);
        if self.image.header.e_machine == EM_MIPS && word == 8 {
            // Three types and r_ssym, the first in the lowest byte.
            let types = (4..8).try_fold(0, |types, within| Ok(types << 8 | part((within, 1))?))?;
            kind = match types {
                MIPS64_REL32 | MIPS64_GLOB_DAT => kind,
                _ if types == MIPS64_REL32 & 0xff || types == MIPS64_GLOB_DAT & 0xff => types | ALONE,
                _ => types,
            };
        }
        let addend =
            if has_addend { Some(self.number(info_at.wrapping_add(word), word, WHAT)?) } else { None };
        Ok(Relocation { at, offset, symbol, kind, addend })
    }

    /// Whether a relocation changes what is not its own.
    pub(super) fn is_beside(&self, relocation: &Relocation) -> bool {
        relocation.offset.is_ok_and(|offset| !self.memory.has(self.memory.wrapped(offset)))
    }

    /// Bytes of a relocation in DT_RELA, or in DT_REL.
    pub(super) fn entry(&self, has_addend: bool) -> u64 {
        self.word().wrapping_mul(if has_addend { 3 } else { 2 })
    }

    /// Elf32_Sym or Elf64_Sym.
    pub(super) fn symbol(&self, symbols: u64, index: u64) -> Step<Symbol> {
        const WHAT: &str = "DT_SYMTAB";
        let is_wide = self.image.encoding.class == Class::Elf64;
        let at = symbols.wrapping_add(index.wrapping_mul(if is_wide { 24 } else { 16 }));
        let field = |within: u64, size| self.number(at.wrapping_add(within), size, WHAT);
        let (info, other, section, value, size) = if is_wide { (4, 5, 6, 8, 16) } else { (12, 13, 14, 4, 8) };
        let info = field(info, 1)?;
        Ok(Symbol {
            name: field(0, 4)?,
            bind: info >> 4,
            kind: info & 15,
            other: field(other, 1)?,
            section: field(section, 2)?,
            value: field(value, self.word())?,
            size: field(size, self.word())?,
        })
    }

    pub(super) fn has_name(&self, symbol: &Symbol, name: &[u8]) -> bool {
        let strings = self.get(DT_STRTAB).unwrap_or_default();
        self.memory.is_string(strings.wrapping_add(symbol.name), name) == Ok(true)
    }

    /// Whether a symbol of its table has that name.
    pub(super) fn asks_for(&self, index: u64, name: &[u8]) -> bool {
        let symbol = self.get(DT_SYMTAB).and_then(|symbols| self.symbol(symbols, index).ok());
        symbol.is_some_and(|symbol| self.has_name(&symbol, name))
    }
}

/// R_MIPS_REL32 and R_MIPS_GLOB_DAT, each with R_MIPS_64.
const MIPS64_REL32: u64 = 0x1203;
const MIPS64_GLOB_DAT: u64 = 0x1233;
/// One of those without R_MIPS_64, which no loader knows.
pub(super) const ALONE: u64 = 1 << 32;
/// Entries of PT_DYNAMIC.
const ENTRIES_AT_MOST: u64 = 1 << 10;
/// Those that are looked at in a step, and objects: more than most have.
const ENTRIES_OF_A_STEP: usize = 64;
const OBJECTS_OF_A_STEP: usize = 8;
/// Somewhere about where they are: the upper half of an address is what it would be.
const PROGRAM_BASE: u64 = 0x5555_5000_0000;
const LIBRARY_BASE: u64 = 0x7f00_0000_0000;
/// No power of two, by which an address that one bit has changed leads elsewhere.
const LIBRARIES_APART: u64 = 0x9000_0000;
#[derive(Clone, Copy)]
pub(super) struct Symbol {
    pub(super) name: u64,
    pub(super) bind: u64,
    pub(super) kind: u64,
    pub(super) other: u64,
    pub(super) section: u64,
    pub(super) value: u64,
    pub(super) size: u64,
}

impl Symbol {
    /// Its own object alone finds it: STV_INTERNAL, STV_HIDDEN.
    pub(super) const fn is_hidden(&self) -> bool {
        matches!(self.other & 3, 1 | 2)
    }
}

/// Bytes that a relocation of that kind writes.
pub(super) fn width(object: &Object<'_>, effect: Effect) -> u64 {
    if effect == Effect::Half { 4 } else { object.word() }
}

/// What a relocation of that kind does.
pub(super) fn effect(object: &Object<'_>, kind: u64) -> Effect {
    object.abi().map_or(Effect::Other, |abi| abi.effect(offset(kind)))
}
