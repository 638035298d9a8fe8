//! A loader, rehearsed: what it does from the moment it has mapped all objects to main(), step by step on a copy of their
//! memory. Only what a linker has not made so needs that; of sound tables less tells as much ([`super::symbols`]).

mod glibc;
mod memory;
mod musl;
mod start;

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::abi::Effect;
use super::fault::{Fault, FaultKind};
use super::symbols::relocations::info;
use super::{Library, LibraryState, Linker, Undefined};
use crate::arch;
use crate::candidate::{Dynamic, File, Image};
use crate::elf::Class;
use crate::elf::consts::{
    DT_GNU_HASH, DT_HASH, DT_NEEDED, DT_STRSZ, DT_STRTAB, DT_SYMTAB, DT_TEXTREL, ET_EXEC, PT_DYNAMIC,
};
use crate::exec::Missing;
use memory::{Access, Memory};

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
}

/// An object in memory.
struct Object<'a> {
    index: usize,
    library: &'a Library,
    image: &'a Image,
    dynamic: &'a Dynamic,
    memory: Memory<'a>,
    /// Where it is: of no use but to tell the addresses of objects apart.
    base: u64,
}

/// A relocation.
struct Relocation {
    /// Read when it is written to: what ends the loader before counts more.
    offset: Result<u64, Access>,
    symbol: u64,
    kind: u64,
    /// None: what stands where it is applied.
    addend: Option<u64>,
}

impl<'a> Object<'a> {
    fn new(
        index: usize,
        library: &'a Library,
        file: &'a File,
        page: u64,
        is_glibc: bool,
    ) -> Option<Object<'a>> {
        let image = library.image.as_deref()?;
        // The program and its interpreter are the kernel's.
        let memory = Memory::new(&file.contents, image, page, index == 0, is_glibc && index > 1);
        let place = (index as u64).wrapping_add(1);
        let base = match image.encoding.class {
            _ if image.header.e_type == ET_EXEC => 0,
            Class::Elf64 if index == 0 => PROGRAM_BASE,
            Class::Elf64 => LIBRARY_BASE.wrapping_add(place.wrapping_shl(32)),
            Class::Elf32 => place.wrapping_shl(26),
        };
        Some(Object { index, library, image, dynamic: image.dynamic.as_ref()?, memory, base })
    }

    /// The value of an entry; of several the last.
    fn get(&self, tag: u32) -> Option<u64> {
        self.dynamic.get(tag)
    }

    /// The same of the first of several.
    fn first(&self, tag: u32) -> Option<u64> {
        self.dynamic.entries.iter().find(|(known, _)| *known == tag).map(|(_, value)| *value)
    }

    /// PT_DYNAMIC as it stands in memory once relocations have written there: tags and values.
    fn entries(&self) -> Vec<(u32, u64)> {
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

    fn word(&self) -> u64 {
        self.image.encoding.word() as u64
    }

    fn fault(&self, kind: FaultKind, what: &'static str) -> End {
        End::Fault(Fault { name: what.as_bytes().to_vec(), ..Fault::new(kind, self.library) })
    }

    /// The end where an address of a table cannot be used.
    fn lost(&self, access: Access, what: &'static str) -> End {
        let kind = match access {
            Access::Nothing => FaultKind::Unmapped,
            Access::Anothers => FaultKind::AnothersMemory,
            Access::TooMuch => return End::TooMuch,
        };
        self.fault(kind, what)
    }

    /// The same where it is known what comes of an address at which nothing is.
    fn refused(&self, access: Access, kind: FaultKind, what: &'static str) -> End {
        if access == Access::Nothing { self.fault(kind, what) } else { self.lost(access, what) }
    }

    /// A number in a table.
    fn number(&self, address: u64, size: u64, what: &'static str) -> Step<u64> {
        self.memory.number(address, size).map_err(|access| self.lost(access, what))
    }

    /// A relocation at an address.
    fn relocation(&self, at: u64, has_addend: bool) -> Step<Relocation> {
        const WHAT: &str = "a relocation";
        let word = self.word();
        let info_at = at.wrapping_add(word);
        let part = |(within, size): (usize, usize)| {
            self.number(info_at.wrapping_add(within as u64), size as u64, WHAT)
        };
        let (symbol, kind) = info(self.image);
        let offset = self.memory.number(at, word);
        let (symbol, kind) = (part(symbol)?, part(kind)?);
        let addend =
            if has_addend { Some(self.number(info_at.wrapping_add(word), word, WHAT)?) } else { None };
        Ok(Relocation { offset, symbol, kind, addend })
    }

    /// Bytes of a relocation in DT_RELA, or in DT_REL.
    fn entry(&self, has_addend: bool) -> u64 {
        self.word().wrapping_mul(if has_addend { 3 } else { 2 })
    }

    /// Elf32_Sym or Elf64_Sym.
    fn symbol(&self, symbols: u64, index: u64) -> Step<Symbol> {
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
            visibility: field(other, 1)? & 3,
            section: field(section, 2)?,
            value: field(value, self.word())?,
            size: field(size, self.word())?,
        })
    }
}

/// Entries of PT_DYNAMIC.
const ENTRIES_AT_MOST: u64 = 1 << 10;
/// Somewhere about where they are: the upper half of an address is what it would be.
const PROGRAM_BASE: u64 = 0x5555_5000_0000;
const LIBRARY_BASE: u64 = 0x7f00_0000_0000;
const STRINGS_AT_MOST: u64 = 64 << 10;
/// Objects of a program; the largest have 200.
const OBJECTS_AT_MOST: usize = 512;
/// Records, links of a chain, relocations of a table: more than any file has.
const STEPS_AT_MOST: usize = 1 << 20;

#[derive(Clone, Copy)]
struct Symbol {
    name: u64,
    bind: u64,
    kind: u64,
    visibility: u64,
    section: u64,
    value: u64,
    size: u64,
}

/// Bytes that a relocation of that kind writes.
fn width(object: &Object<'_>, effect: Effect) -> u64 {
    if effect == Effect::Half { 4 } else { object.word() }
}

/// What a relocation of that kind does.
fn effect(object: &Object<'_>, kind: u64) -> Effect {
    let arch = arch::of(object.image.header.e_machine);
    arch.map_or(Effect::Other, |arch| arch.ldso.effect(crate::elf::offset(kind)))
}

impl Linker<'_> {
    /// Whether there is what a rehearsal needs: what relocations do, symbols, and tables to look them up by.
    pub(super) fn can_rehearse(&self) -> bool {
        let machine =
            self.object(0).and_then(|program| program.image.as_ref()).map(|image| image.header.e_machine);
        if machine.and_then(arch::of).is_none_or(|arch| arch.ldso.effects.is_empty()) {
            return false;
        }
        let mut libraries =
            self.link.objects.iter().skip(1).filter(|object| object.state == LibraryState::Found);
        libraries.all(|object| {
            let has = |tag| object.dynamic().is_some_and(|dynamic| dynamic.get(tag).is_some());
            let ends_early = object.dynamic().is_some_and(|dynamic| dynamic.goes_on);
            ends_early || has(DT_SYMTAB) && (has(DT_HASH) || has(DT_GNU_HASH))
        })
    }

    /// What the DT_NEEDED of an object name where one of them lies outside of its strings: what its loader reads there, up to
    /// one that cannot be read, and what comes of that. None where all lie in them.
    pub(super) fn odd_names(&self, index: usize) -> Option<(Vec<Vec<u8>>, Option<Fault>)> {
        if crate::ROUTER {
            return None;
        }
        let library = self.object(index)?;
        let image = library.image.as_deref()?;
        let dynamic = image.dynamic.as_ref()?;
        let size = dynamic.get(DT_STRSZ).unwrap_or_default();
        let lies_outside = |(tag, value): &(u32, u64)| *tag == DT_NEEDED && *value >= size;
        if !(dynamic.lost_name || dynamic.entries.iter().any(lies_outside)) || !self.can_rehearse() {
            return None;
        }
        let file = self.open(library)?;
        let page = self.machine.kernel().page().get();
        let memory = Memory::new(&file.contents, image, page, index == 0, self.is_glibc() && index > 1);
        let strings = dynamic.flags(DT_STRTAB);
        let mut names = Vec::new();
        for (_, value) in dynamic.entries.iter().filter(|(tag, _)| *tag == DT_NEEDED) {
            match memory.string(strings.wrapping_add(*value)) {
                Ok(name) => names.push(name),
                Err(access) => {
                    let kind = if access == Access::Nothing {
                        FaultKind::Unmapped
                    } else {
                        FaultKind::AnothersMemory
                    };
                    let fault = Fault { name: b"DT_NEEDED".to_vec(), ..Fault::new(kind, library) };
                    return Some((names, Some(fault)));
                }
            }
        }
        Some((names, None))
    }

    /// Something is wrong, or may be.
    pub(super) fn is_doubtful(&self) -> bool {
        if !self.can_rehearse() {
            return false;
        }
        let link = &self.link;
        let is_wrong = link.fault.as_ref().is_some_and(|fault| !fault.lazy) || !link.versions.is_empty();
        is_wrong || self.doubts.get() || link.symbols.iter().any(|symbol| !symbol.lazy) || !self.is_sound()
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
        let Some(Rehearsed { fault, versions, symbols, later }) = rehearse(self) else { return };
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
            }
            link.fault = link.fault.take().filter(|fault| fault.lazy);
        } else {
            (link.fault, link.versions, link.symbols) = (fault, versions, symbols);
        }
    }
}

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
    let mut objects = Vec::new();
    for (index, (library, file)) in libraries.iter().zip(&files).enumerate() {
        if library.state == LibraryState::Found {
            objects.push(Object::new(index, library, file.as_ref()?, page, linker.is_glibc())?);
        }
    }
    if linker.is_glibc() { glibc::rehearse(linker, &objects) } else { musl::rehearse(linker, &objects) }
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
    while left != 0 && steps.next().is_some() {
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

/// R_*_COPY: so many bytes from one object to another.
fn copy(object: &Object<'_>, to: Result<u64, Access>, (of, from): (&Object<'_>, u64), size: u64) -> Step<()> {
    let Some(last) = size.checked_sub(1) else { return Ok(()) };
    let anywhere = object.get(DT_TEXTREL).is_some();
    for within in [0, last] {
        let read = of.memory.number(from.wrapping_add(within), 1);
        let byte = read.map_err(|access| object.lost(access, "R_COPY"))?;
        let written = to.and_then(|to| object.memory.write(to.wrapping_add(within), byte, 1, anywhere));
        written.map_err(|access| object.refused(access, FaultKind::WritesNowhere, "r_offset"))?;
    }
    Ok(())
}

/// What the C library is started by: every program that is linked with one asks for it.
const MAIN: &[u8] = b"__libc_start_main";

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
            return Err(of.lost(Access::Anothers, "DT_HASH"));
        }
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_power_of_two() {
            self.passed = symbol;
        }
        Ok(())
    }
}

/// The hash of DT_GNU_HASH.
fn gnu_hash(name: &[u8]) -> u64 {
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
