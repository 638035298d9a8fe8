//! Symbols that are asked for and that nothing defines.
//!
//! The loaders look up one symbol after the other. Here all that is asked for is gathered first, then each object's
//! definitions are looked up in turn: that takes a bounded part of memory, and few reads. Only where something is missing is
//! it looked up which relocation asks for it, since nobody minds what none does.

mod gnu_hash;
mod missing;
pub(super) mod relocations;
mod settled;
mod unversioned;
mod wanted;

use alloc::vec::Vec;

use super::object::Library;
use super::versions::{self, Version};
use super::{Linker, Undefined};
use crate::arch;
use crate::budget::{Guard, SLOTS_OF_A_STEP, STEPS_OF_A_SYMBOL, VERSIONS_OF_A_STEP};
use crate::candidate::Image;
use crate::candidate::reader::{Contents, Reader};
use crate::elf::consts::{
    DT_HASH, DT_MIPS_SYMTABNO, DT_MIPS_XHASH, DT_STRTAB, DT_SYMTAB, DT_VERNEED, DT_VERSYM, EM_S390,
};
use crate::elf::{Class, Encoding, offset};
use gnu_hash::Gnu;
use missing::{are_enough, tell};
use settled::Scope;
pub(super) use settled::Settled;
pub(super) use unversioned::found_without_version;
use wanted::{Key, Wanted};

const STB_GLOBAL: u8 = 1;
const STB_WEAK: u8 = 2;
const STB_GNU_UNIQUE: u8 = 10;
const STT_SECTION: u8 = 3;
const STT_FILE: u8 = 4;
const STT_TLS: u8 = 6;
const STT_GNU_IFUNC: u8 = 10;
const SHN_ABS: usize = 0xfff1;
/// What DT_VERSYM has of a symbol without a version.
const VER_NDX_GLOBAL: usize = 1;
/// A definition that only who asks for its version gets, in DT_VERSYM.
const HIDDEN: usize = 0x8000;
/// Missing symbols that are told at most.
const MISSING_AT_MOST: usize = 64;

/// The symbols of an object.
struct Symbols<'a> {
    table: Reader<'a>,
    strings: Reader<'a>,
    /// DT_VERSYM.
    marks: Reader<'a>,
    gnu: Option<Gnu<'a>>,
    /// How many there are: DT_HASH tells, else what lies between DT_SYMTAB and DT_STRTAB, else the relocations.
    count: usize,
    /// How many can be looked up without DT_GNU_HASH: those of DT_HASH.
    hashed: usize,
    encoding: Encoding,
    /// Those that are copied into the program.
    copied: Vec<usize>,
}

/// Elf32_Sym or Elf64_Sym.
struct Symbol {
    name: usize,
    bind: u8,
    kind: u8,
    section: usize,
    has_value: bool,
    /// Its own object alone finds it (STV_INTERNAL, STV_HIDDEN).
    is_hidden: bool,
}

impl<'a> Symbols<'a> {
    fn open(linker: &Linker<'_>, object: &Library, image: &Image, file: &'a Contents) -> Option<Symbols<'a>> {
        let encoding = image.encoding;
        let hashed = hashed(file, image)?;
        let (start, left) = image.dynamic_part(DT_SYMTAB)?;
        let mut count = hashed;
        if count == 0 {
            count = match image.dynamic_offset(DT_STRTAB)?.checked_sub(start) {
                Some(size) => size.checked_div(entry(encoding)).unwrap_or_default(),
                // patchelf puts .dynstr before it: then as many as are asked for.
                None => relocations::highest(linker, image, file).wrapping_add(1),
            };
        }
        let gnu = if arch::HAS_GNU_HASH { Gnu::open(file, image) } else { None };
        // One that is hashed may lie further behind.
        let symbols = if gnu.is_some() { usize::MAX >> 8 } else { count };
        let size = symbols.saturating_mul(entry(encoding)).min(left);
        Some(Symbols {
            table: Reader::new(file, encoding.order, start, size),
            strings: Reader::strings(file, image),
            marks: Reader::dynamic(file, image, DT_VERSYM, symbols.saturating_mul(2)),
            gnu,
            count,
            hashed,
            encoding,
            copied: relocations::copied(linker, object, image, file),
        })
    }

    /// Those of a program, of which each is looked at once.
    fn once(&mut self) {
        self.table.once();
        self.marks.once();
    }

    fn gnu(&mut self) -> Option<&mut Gnu<'a>> {
        if arch::HAS_GNU_HASH { self.gnu.as_mut() } else { None }
    }

    /// One that is copied into the program is looked for elsewhere, as if it were not defined.
    fn symbol(&mut self, index: usize) -> Option<Symbol> {
        let Encoding { class, order } = self.encoding;
        let size = entry(self.encoding);
        let symbol = self.table.bytes_at(index.wrapping_mul(size), size)?;
        let (info, section, value): (usize, _, _) = match class {
            Class::Elf64 => (4, 6, order.u32(symbol, 8) | order.u32(symbol, 12)),
            Class::Elf32 => (12, 14, order.u32(symbol, 4)),
        };
        let is_hidden = !crate::ROUTER && matches!(symbol.get(info.wrapping_add(1))? & 3, 1 | 2);
        let info = *symbol.get(info)?;
        let stays = if crate::ROUTER || Guard::Copies.is_out() {
            !self.copied.contains(&index)
        } else {
            self.copied.binary_search(&index).is_err()
        };
        Some(Symbol {
            name: offset(order.u32(symbol, 0).into()),
            bind: info >> 4,
            kind: info & 15,
            section: if stays { offset(order.uint(symbol, section, 2)) } else { 0 },
            has_value: stays && value != 0,
            is_hidden,
        })
    }

    /// What DT_VERSYM has of a symbol.
    fn mark(&mut self, index: usize) -> usize {
        self.marks.number_at(index.wrapping_mul(2), 2).unwrap_or(VER_NDX_GLOBAL)
    }

    /// The symbols that are not defined stand before this one. Those of a program can have the address of their stub as
    /// their value, and are hashed then.
    fn end_of_undefined(&mut self, is_program: bool) -> usize {
        let count = self.count;
        match self.gnu() {
            Some(gnu) if !is_program => {
                if gnu.is_empty() {
                    count
                } else {
                    gnu.first
                }
            }
            _ => count,
        }
    }
}

/// How many symbols DT_HASH has; None where it is there and cannot be read.
fn hashed(file: &Contents, image: &Image) -> Option<usize> {
    if image.dynamic_offset(DT_HASH).is_none() {
        // Of MIPS, which glibc 2.33 and newer knows: it has all that is defined.
        let dynamic = image.dynamic.as_ref()?;
        let is_extended = dynamic.flags(DT_MIPS_XHASH) != 0;
        return Some(if is_extended { offset(dynamic.flags(DT_MIPS_SYMTABNO)) } else { 0 });
    }
    let size = hash_word(image);
    Reader::dynamic(file, image, DT_HASH, 16).number_at(size, size)
}

/// sizeof(Elf_Symndx): bytes of a number of DT_HASH.
pub(super) fn hash_word(image: &Image) -> usize {
    let is_wide = !crate::ROUTER && image.header.e_machine == EM_S390;
    if is_wide { image.encoding.word() } else { 4 }
}

/// sizeof(Elf32_Sym) or sizeof(Elf64_Sym).
fn entry(encoding: Encoding) -> usize {
    if encoding.class == Class::Elf64 { 24 } else { 16 }
}

/// An undefined symbol.
#[derive(Clone, Copy)]
struct Asked {
    index: usize,
    /// Its name and its version's, in DT_STRTAB.
    name: usize,
    version: Option<usize>,
    /// The file that is to define that, in DT_STRTAB.
    file: usize,
    /// It has a value all the same: where its stub is.
    has_stub: bool,
    key: Key,
}

/// What nothing defines of all that the program and its libraries ask for.
pub(super) fn undefined(linker: &Linker<'_>) -> Vec<Undefined> {
    let mut missing = Vec::new();
    let objects = linker.link.objects.len();
    let scope = Scope::new(linker);
    let settled = scope.settled(linker);
    let mut at = (0, 1);
    // In parts, each of which the table has room for.
    while at.0 < objects && !are_enough(&missing) && linker.goes_on(1) {
        let mut wanted = Wanted::new();
        let from = at;
        while at.0 < objects {
            let mut full_at = None;
            if settled.get(at.0) != Some(&true) {
                let _ends_early = each_undefined(linker, at.0, at.1, false, &mut |asked| {
                    let has_room = scope.defines(&asked.key) || wanted.add(asked.key);
                    let _is_over = linker.goes_on(wanted.take_steps());
                    full_at = (!has_room).then_some(asked.index);
                    has_room
                });
            }
            match full_at {
                Some(index) => {
                    at.1 = index;
                    break;
                }
                None => at = (at.0.wrapping_add(1), 1),
            }
        }
        // The program last: few ask for what it defines.
        for object in (1..objects).chain([0]) {
            if wanted.open() > 0 {
                scope.define(linker, object, &mut wanted);
            }
        }
        if wanted.open() > 0 {
            tell(linker, from..=at, &mut wanted, &mut missing);
        }
    }
    missing
}

/// Calls `each` with every undefined symbol of an object from one on, until it returns false; with those that need not be
/// defined where `weak` says so.
fn each_undefined(
    linker: &Linker<'_>,
    object: usize,
    from: usize,
    weak: bool,
    each: &mut dyn FnMut(Asked) -> bool,
) -> Option<()> {
    let is_program = object == 0;
    let object = linker.object(object)?;
    let (file, image) = (linker.open(object)?, object.image.as_ref()?);
    let mut symbols = Symbols::open(linker, object, image, &file.contents)?;
    if is_program {
        symbols.once();
    }
    let versions =
        if linker.is_glibc() { versions::of(&file.contents, image, DT_VERNEED) } else { Vec::new() };
    // Nobody finds what it defines, not even itself.
    let is_lost = !crate::ROUTER && symbols.hashed == 0 && symbols.gnu().is_none();
    for index in from..symbols.end_of_undefined(is_program) {
        let goes_on = symbols.table.steps(STEPS_OF_A_SYMBOL.saturating_add(steps_of(&versions)));
        let Some(symbol) = symbols.symbol(index).filter(|_| goes_on) else { break };
        if !crate::ROUTER && symbol.section == 0 {
            let is_named = symbols.strings.has(symbol.name);
            if !(is_named && matches!(symbol.bind, STB_GLOBAL | STB_WEAK)) {
                linker.doubt();
            }
        }
        if (symbol.section != 0 && !is_lost)
            || !(symbol.bind == STB_GLOBAL || weak && symbol.bind == STB_WEAK)
        {
            // Weak ones are few.
            let is_odd = !crate::ROUTER && symbol.section == 0 && linker.is_glibc() && {
                let mark = symbols.mark(index) & !HIDDEN;
                mark > VER_NDX_GLOBAL && versions::at(&versions, mark).is_none()
            };
            if is_odd {
                linker.doubt();
            }
            continue;
        }
        let mark = symbols.mark(index) & !HIDDEN;
        let version = versions::at(&versions, mark);
        let Some(name) = symbols.strings.string_at(symbol.name) else {
            linker.doubt();
            continue;
        };
        if !crate::ROUTER && version.is_none() && mark > VER_NDX_GLOBAL && linker.is_glibc() {
            linker.doubt();
        }
        let asked = Asked {
            key: Key::new(name, version.map_or(0, |version| version.hash)),
            index,
            name: symbol.name,
            version: version.map(|version| version.name),
            file: version.map_or(0, |version| version.file),
            has_stub: symbol.has_value,
        };
        if !each(asked) {
            break;
        }
    }
    Some(())
}

/// Marks what an object defines, and calls `each` with it.
fn define(
    linker: &Linker<'_>,
    object: &Library,
    wanted: &mut Wanted,
    each: &mut dyn FnMut(Key),
) -> Option<()> {
    let (file, image) = (linker.open(object)?, object.image.as_ref()?);
    let mut symbols = Symbols::open(linker, object, image, &file.contents)?;
    let versions = if linker.is_glibc() { linker.defined(object) } else { &[] };
    if symbols.gnu().is_none() {
        for index in 1..symbols.hashed {
            if !symbols.table.steps(STEPS_OF_A_SYMBOL) {
                break;
            }
            define_one(linker, &mut symbols, versions, index, wanted, each)?;
        }
        return Some(());
    }
    let _is_over = symbols.table.steps(wanted.slots() / SLOTS_OF_A_STEP);
    for slot in 0..wanted.slots() {
        let Some(hash) = wanted.asked_at(slot) else { continue };
        let mut next = symbols.gnu()?.chain(hash);
        while let Some(index) = next.filter(|_| Guard::Chains.is_out() || linker.goes_on(1)) {
            let found = symbols.gnu()?.hash(index)?;
            if found | 1 == hash | 1 {
                define_one(linker, &mut symbols, versions, index, wanted, each)?;
            }
            next = index.checked_add(1).filter(|_| found & 1 == 0);
        }
    }
    Some(())
}

/// Marks what a symbol of an object defines.
fn define_one(
    linker: &Linker<'_>,
    symbols: &mut Symbols<'_>,
    versions: &[Version],
    index: usize,
    wanted: &mut Wanted,
    each: &mut dyn FnMut(Key),
) -> Option<()> {
    let glibc = linker.is_glibc();
    let symbol = symbols.symbol(index)?;
    if !is_definition(&symbol, glibc) {
        return Some(());
    }
    let mark = symbols.mark(index);
    let is_hidden = mark & HIDDEN != 0;
    let hash = versions::at(versions, mark & !HIDDEN).map_or(0, |version| version.hash);
    if let Some(name) = symbols.strings.string_at(symbol.name) {
        // elf/dl-lookup.c `check_match`
        let serves = |asked| match asked {
            0 => !is_hidden || (glibc && mark & !HIDDEN < 3),
            asked => asked == hash || (hash == 0 && !is_hidden),
        };
        wanted.define(&Key::new(name, 0), &serves, each);
        let _is_over = linker.goes_on(wanted.take_steps().saturating_add(steps_of(versions)));
    }
    Some(())
}

/// What it takes to look through them.
fn steps_of(versions: &[Version]) -> usize {
    Guard::Versions.counts(versions.len() / VERSIONS_OF_A_STEP)
}

/// glibc elf/dl-lookup.c `check_match`, musl ldso/dynlink.c `find_sym2`.
fn is_definition(symbol: &Symbol, glibc: bool) -> bool {
    let is_kind = symbol.kind <= STT_TLS && !matches!(symbol.kind, STT_SECTION | STT_FILE);
    symbol.section != 0
        && !(glibc && symbol.is_hidden)
        && matches!(symbol.bind, STB_GLOBAL | STB_WEAK | STB_GNU_UNIQUE)
        && (is_kind || (glibc && symbol.kind == STT_GNU_IFUNC))
        && (symbol.has_value || symbol.kind == STT_TLS || (glibc && symbol.section == SHN_ABS))
}
