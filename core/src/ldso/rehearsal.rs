//! A loader, rehearsed: what it does from the moment it has mapped all objects to main(), step by step on a copy of their
//! memory. Only what a linker has not made so needs that; of sound tables less tells as much ([`super::symbols`]).

mod glibc;
mod memory;
mod musl;

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::abi::{Abi, Effect, JudgedBy, Setup};
use super::fault::{Fault, FaultKind};
use super::symbols::relocations::info;
use super::{Library, LibraryState, Linker, Undefined};
use crate::arch;
use crate::candidate::{Dynamic, File, Image};
use crate::elf::Class;
use crate::elf::consts::{
    DT_GNU_HASH, DT_HASH, DT_INIT, DT_INIT_ARRAY, DT_INIT_ARRAYSZ, DT_MIPS_XHASH, DT_STRSZ, DT_STRTAB,
    DT_SYMTAB, DT_TEXTREL, EF_PPC64_ABI, EM_MIPS, ET_EXEC,
};
use crate::exec::Missing;
use crate::machine::holds;
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

type Step<T> = Result<T, End>;

/// What came of it.
#[derive(Default)]
pub(super) struct Rehearsed {
    pub(super) fault: Option<Fault>,
    pub(super) versions: Vec<Undefined>,
    pub(super) symbols: Vec<Undefined>,
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
    offset: u64,
    symbol: u64,
    kind: u64,
    /// None: what stands where it is applied.
    addend: Option<u64>,
}

impl<'a> Object<'a> {
    /// `free`: from where on nothing is, of 32 bits of addresses.
    fn new(index: usize, library: &'a Library, file: &'a File, page: u64, free: u64) -> Option<Object<'a>> {
        let image = library.image.as_deref()?;
        let memory = Memory::new(&file.contents, image, page, index == 0);
        let place = (index as u64).wrapping_add(1);
        let base = match image.encoding.class {
            _ if image.header.e_type == ET_EXEC => 0,
            Class::Elf64 => place.wrapping_shl(40),
            Class::Elf32 => free,
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

    fn word(&self) -> u64 {
        self.image.encoding.word() as u64
    }

    fn abi(&self) -> Option<&'static Abi> {
        arch::ldso(self.image.header.e_machine)
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
        let offset = self.number(at, word, WHAT)?;
        let (symbol, mut kind) = (part(symbol)?, part(kind)?);
        if self.image.header.e_machine == EM_MIPS && word == 8 {
            // Three types and r_ssym, the first in the lowest byte.
            let types = (4..8).try_fold(0, |types, within| Ok(types << 8 | part((within, 1))?))?;
            kind = if matches!(types, MIPS64_REL32 | MIPS64_GLOB_DAT) { kind } else { types };
        }
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
        let (info, other, section, value) = if is_wide { (4, 5, 6, 8) } else { (12, 13, 14, 4) };
        let info = field(info, 1)?;
        Ok(Symbol {
            name: field(0, 4)?,
            bind: info >> 4,
            kind: info & 15,
            other: field(other, 1)?,
            section: field(section, 2)?,
            value: field(value, if is_wide { 8 } else { 4 })?,
        })
    }
}

/// R_MIPS_REL32 and R_MIPS_GLOB_DAT, each with R_MIPS_64.
const MIPS64_REL32: u64 = 0x1203;
const MIPS64_GLOB_DAT: u64 = 0x1233;
const CONSTRUCTORS_AT_MOST: u64 = 1 << 12;
const STRINGS_AT_MOST: u64 = 64 << 10;
/// Objects of a program; the largest have 200.
const OBJECTS_AT_MOST: usize = 512;
/// Records, links of a chain, relocations of a table: more than any file has.
const STEPS_AT_MOST: usize = 1 << 20;

struct Symbol {
    name: u64,
    bind: u64,
    kind: u64,
    other: u64,
    section: u64,
    value: u64,
}

impl Symbol {
    /// Its own object alone finds it: STV_INTERNAL, STV_HIDDEN.
    const fn is_hidden(&self) -> bool {
        matches!(self.other & 3, 1 | 2)
    }
}

/// Bytes that a relocation of that kind writes.
fn width(object: &Object<'_>, effect: Effect) -> u64 {
    if effect == Effect::Half { 4 } else { object.word() }
}

/// What a relocation of that kind does.
fn effect(object: &Object<'_>, kind: u64) -> Effect {
    object.abi().map_or(Effect::Other, |abi| abi.effect(crate::elf::offset(kind)))
}

impl Linker<'_> {
    /// Whether there is what a rehearsal needs: what relocations do, symbols, and tables to look them up by.
    pub(super) fn can_rehearse(&self) -> bool {
        let Some(image) = self.object(0).and_then(|program| program.image.as_ref()) else { return false };
        let Some(abi) = arch::ldso(image.header.e_machine) else { return false };
        // What ELFv1 of PPC64 has for a function's address is where its descriptor is.
        let has_descriptors = abi.setup == Setup::Plt && image.header.e_flags & EF_PPC64_ABI != 2;
        if abi.effects.is_empty() || has_descriptors || !(self.is_glibc() || abi.judged_by == JudgedBy::Both)
        {
            return false;
        }
        let mut libraries =
            self.link.objects.iter().skip(1).filter(|object| object.state == LibraryState::Found);
        libraries.all(|object| {
            let has = |tag| object.dynamic().is_some_and(|dynamic| dynamic.get(tag).is_some());
            let ends_early = object.dynamic().is_some_and(|dynamic| dynamic.goes_on);
            ends_early || has(DT_SYMTAB) && [DT_HASH, DT_GNU_HASH, DT_MIPS_XHASH].into_iter().any(has)
        })
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
        let Some(Rehearsed { fault, versions, symbols }) = rehearse(self) else { return };
        let starts = fault.is_none() && versions.is_empty() && symbols.is_empty();
        let link = &mut *self.link;
        if lacks_any {
            // musl relocates what there is all the same, and may die of it before it gives up.
            link.fault = fault.filter(Fault::is_deadly);
        } else if starts {
            // What shows later is not rehearsed.
            link.versions.clear();
            link.symbols.retain(|symbol| symbol.lazy);
            link.fault = link.fault.take().filter(|fault| fault.lazy);
        } else {
            (link.fault, link.versions, link.symbols) = (fault, versions, symbols);
        }
    }
}

/// It was begun because the tables are not as a linker makes them: without its end nothing is known.
fn too_much(linker: &Linker<'_>) -> Option<Rehearsed> {
    linker.files.budget().cut(Missing::TooMuchToRead);
    None
}

/// Behind what a program that is not moved takes.
const FIRST_FREE: u64 = 1 << 28;
/// Between objects.
const APART: u64 = 4 << 20;
const END_OF_32_BITS: u64 = 1 << 32;

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
    let mut free = FIRST_FREE;
    for (index, (library, file)) in libraries.iter().zip(&files).enumerate() {
        if library.state == LibraryState::Found {
            let object = Object::new(index, library, file.as_ref()?, page, free)?;
            free = free.checked_add(object.memory.end())?.checked_add(APART)?;
            objects.push(object);
        }
    }
    if objects.first()?.word() == 4 && free > END_OF_32_BITS {
        return None;
    }
    if linker.is_glibc() { glibc::rehearse(linker, &objects) } else { musl::rehearse(linker, &objects) }
}

/// DT_RELR.
fn unpack(object: &Object<'_>, table: u64, size: u64) -> Step<()> {
    let word = object.word();
    let anywhere = object.get(DT_TEXTREL).is_some();
    let change = |at: u64| {
        let lost = |access| object.refused(access, FaultKind::WritesNowhere, "DT_RELR");
        let old = object.memory.number(at, word).map_err(lost)?;
        object.memory.write(at, old.wrapping_add(object.base), word, anywhere).map_err(lost)
    };
    let (mut at, end) = (table, table.wrapping_add(size));
    let mut next = 0_u64;
    let mut steps = 0..STEPS_AT_MOST;
    while at < end && steps.next().is_some() {
        let entry = object.number(at, word, "DT_RELR")?;
        at = at.wrapping_add(word);
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

/// What the C library is started by: every program that is linked with one asks for it.
const MAIN: &[u8] = b"__libc_start_main";

/// What becomes of a program that no relocation has led there: if it asks for that, it calls nothing.
fn lacks_main(program: &Object<'_>) -> Step<()> {
    let Some(strings) = program.get(DT_STRTAB) else { return Ok(()) };
    let size = program.get(DT_STRSZ).unwrap_or(STRINGS_AT_MOST);
    let mut names = Vec::new();
    for at in 0..size.min(STRINGS_AT_MOST) {
        names.extend(program.memory.number(strings.wrapping_add(at), 1).map(|byte| byte.to_le_bytes()[0]));
    }
    if holds(&names, MAIN) {
        Err(program.fault(FaultKind::JumpsNowhere, "__libc_start_main"))
    } else {
        Ok(())
    }
}

/// Calls the constructors of an object: DT_INIT, then those of DT_INIT_ARRAY. `count_mask`: glibc counts them in 32 bits.
fn construct<'a>(objects: &[Object<'a>], object: &Object<'a>, count_mask: u64) -> Step<()> {
    const WHAT: &str = "DT_INIT_ARRAY";
    let call = |address: u64| {
        let within = |of: &Object<'a>| of.memory.wrapped(address.wrapping_sub(of.base));
        let of = objects.iter().find(|of| of.memory.has(within(of))).unwrap_or(object);
        if of.memory.can_run(within(of)) { Ok(()) } else { Err(object.fault(FaultKind::JumpsNowhere, WHAT)) }
    };
    if let Some(init) = object.get(DT_INIT) {
        call(object.base.wrapping_add(init))?;
    }
    let Some(array) = object.get(DT_INIT_ARRAY) else { return Ok(()) };
    let size = match object.get(DT_INIT_ARRAYSZ) {
        Some(size) => size,
        // musl takes it for 0.
        None if count_mask == u64::MAX => 0,
        None => return Err(object.fault(FaultKind::NoEntrySize, WHAT)),
    };
    let count = size.checked_div(object.word()).unwrap_or_default() & count_mask;
    for index in 0..count.min(CONSTRUCTORS_AT_MOST) {
        let at = array.wrapping_add(index.wrapping_mul(object.word()));
        let address = object.memory.number(at, object.word());
        call(address.map_err(|access| object.refused(access, FaultKind::JumpsNowhere, WHAT))?)?;
    }
    Ok(())
}

/// In the order in which symbols are looked up: the loader itself last, which the C library needs.
fn scope<'r, 'a>(objects: &'r [Object<'a>]) -> impl Iterator<Item = &'r Object<'a>> {
    objects.iter().take(1).chain(objects.iter().skip(2)).chain(objects.get(1))
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
