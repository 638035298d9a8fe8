//! Symbols that are asked for and that nothing defines.
//!
//! The loaders look up one symbol after the other. Here all that is asked for is gathered first, then each object's
//! definitions are read once: that takes a bounded part of memory, and few reads. Only where something is missing is
//! it looked up which relocation asks for it, since nobody minds what none does.

mod relocations;
mod wanted;

use alloc::vec::Vec;

use super::object::Library;
use super::versions;
use super::{Linker, Undefined};
use crate::candidate::Image;
use crate::candidate::reader::{Contents, Reader};
use crate::elf::consts::{DT_GNU_HASH, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_VERSYM};
use crate::elf::{Class, Encoding};
use crate::machine::family;
use wanted::{Key, Wanted};

const STB_GLOBAL: usize = 1;
const STB_WEAK: usize = 2;
const STB_GNU_UNIQUE: usize = 10;
const STT_SECTION: usize = 3;
const STT_FILE: usize = 4;
const STT_TLS: usize = 6;
const STT_GNU_IFUNC: usize = 10;
const SHN_ABS: usize = 0xfff1;
/// What DT_VERSYM has of a symbol without a version.
const VER_NDX_GLOBAL: usize = 1;
/// A definition that only who asks for its version gets, in DT_VERSYM.
const HIDDEN: usize = 0x8000;
/// Symbols of an object that are heeded; the largest libraries have a fifth of that.
const MANY: usize = 1 << 20;
/// MIPS files have none: their symbols have to stand in the order of the GOT.
const GNU_HASH: bool = family::X86 || family::ARM || family::RISCV || family::POWERPC || family::LOONGARCH;
/// Missing symbols that are told at most.
const TOLD: usize = 64;

/// The symbols of an object.
struct Symbols<'a> {
    table: Reader<'a>,
    strings: Reader<'a>,
    marks: Option<Reader<'a>>,
    gnu: Option<Gnu<'a>>,
    /// How many there are: DT_HASH tells, else what lies between DT_SYMTAB and DT_STRTAB.
    count: usize,
    /// How many can be looked up without DT_GNU_HASH: those of DT_HASH.
    hashed: usize,
    encoding: Encoding,
    /// Those that are copied into the program.
    copied: Vec<usize>,
}

/// DT_GNU_HASH. It has the defined symbols only, which stand behind the others.
struct Gnu<'a> {
    table: Reader<'a>,
    buckets: usize,
    first: usize,
    chains: usize,
}

/// Elf32_Sym or Elf64_Sym.
struct Symbol {
    name: usize,
    bind: usize,
    kind: usize,
    section: usize,
    has_value: bool,
}

impl<'a> Symbols<'a> {
    fn open(object: &Library, image: &Image, file: &'a Contents) -> Option<Symbols<'a>> {
        let encoding = image.encoding;
        let mut hashed = 0;
        if let Some(mut hash) = Reader::dynamic(file, image, DT_HASH, 8) {
            hashed = hash.number_at(4, 4)?.min(MANY);
        }
        let mut count = hashed;
        let gnu = if GNU_HASH { Gnu::open(file, image) } else { None };
        let (start, left) = image.dynamic_part(DT_SYMTAB)?;
        if count == 0 {
            let size = image.dynamic_offset(DT_STRTAB)?.saturating_sub(start);
            count = size.checked_div(entry(encoding)).unwrap_or_default().min(MANY);
        }
        // One that is hashed may lie further behind.
        let symbols = if gnu.is_some() { usize::MAX >> 8 } else { count };
        let size = symbols.saturating_mul(entry(encoding)).min(left);
        Some(Symbols {
            table: Reader::new(file, encoding.order, start, size),
            strings: Reader::strings(file, image)?,
            marks: Reader::dynamic(file, image, DT_VERSYM, symbols.saturating_mul(2)),
            gnu,
            count,
            hashed,
            encoding,
            copied: relocations::copied(object, image, file),
        })
    }

    fn gnu(&mut self) -> Option<&mut Gnu<'a>> {
        if GNU_HASH { self.gnu.as_mut() } else { None }
    }

    /// One that is copied into the program is looked for elsewhere, as if it were not defined.
    fn symbol(&mut self, index: usize) -> Option<Symbol> {
        let at = index.wrapping_mul(entry(self.encoding));
        let (name, info, section, value) = if self.encoding.class == Class::Elf64 {
            let [name, info, _st_other, section, value, rest] =
                self.table.fields_at(at, [4, 1, 1, 2, 4, 4])?;
            (name, info, section, value | rest)
        } else {
            let [name, value, _st_size, info, _st_other, section] =
                self.table.fields_at(at, [4, 4, 4, 1, 1, 2])?;
            (name, info, section, value)
        };
        let stays = self.copied.iter().all(|copied| *copied != index);
        Some(Symbol {
            name,
            bind: info >> 4,
            kind: info & 15,
            section: if stays { section } else { 0 },
            has_value: stays && value != 0,
        })
    }

    /// What DT_VERSYM has of a symbol.
    fn mark(&mut self, index: usize) -> usize {
        let mark = self.marks.as_mut().and_then(|marks| marks.number_at(index.wrapping_mul(2), 2));
        mark.unwrap_or(VER_NDX_GLOBAL)
    }

    /// The symbols that are not defined stand before this one. Those of a program can have the address of their stub as
    /// their value, and are hashed then.
    fn end_of_undefined(&mut self, is_program: bool) -> usize {
        let count = self.count;
        let gnu = self.gnu().filter(|_| !is_program);
        gnu.and_then(|gnu| gnu.last().map(|_| gnu.first)).unwrap_or(count)
    }
}

/// sizeof(Elf32_Sym) or sizeof(Elf64_Sym).
fn entry(encoding: Encoding) -> usize {
    if encoding.class == Class::Elf64 { 24 } else { 16 }
}

impl<'a> Gnu<'a> {
    fn open(file: &'a Contents, image: &Image) -> Option<Gnu<'a>> {
        let mut header = Reader::dynamic(file, image, DT_GNU_HASH, 16)?;
        let mut field = |at| header.number_at(at, 4);
        let (buckets, first, bloom) = (field(0)?.min(MANY), field(4)?, field(8)?);
        let at = bloom.wrapping_mul(image.encoding.word()).wrapping_add(16);
        let (start, left) = image.dynamic_part(DT_GNU_HASH)?;
        let table =
            Reader::new(file, image.encoding.order, start.saturating_add(at), left.saturating_sub(at));
        Some(Gnu { table, buckets, first, chains: buckets.wrapping_mul(4) })
    }

    /// The hash of a symbol without its lowest bit, which says that its chain ends.
    fn hash(&mut self, index: usize) -> Option<u32> {
        let at = index.wrapping_sub(self.first).wrapping_mul(4).wrapping_add(self.chains);
        u32::try_from(self.table.number_at(at, 4)?).ok()
    }

    /// The last symbol.
    fn last(&mut self) -> Option<usize> {
        let mut last = 0;
        for bucket in 0..self.buckets {
            last = last.max(self.table.number_at(bucket.wrapping_mul(4), 4)?);
        }
        // None: a table without symbols has any number here.
        if last < self.first || last == 0 {
            return None;
        }
        while last < self.first.wrapping_add(MANY) && self.hash(last)? & 1 == 0 {
            last = last.wrapping_add(1);
        }
        Some(last)
    }
}

/// An undefined symbol.
#[derive(Clone, Copy)]
struct Asked {
    index: usize,
    /// Its name and its version's, in DT_STRTAB.
    name: usize,
    version: Option<usize>,
    /// It has a value all the same: where its stub is.
    has_stub: bool,
    key: Key,
}

/// What nothing defines of all that the program and its libraries ask for.
pub(super) fn undefined(linker: &Linker<'_>) -> Vec<Undefined> {
    let mut missing = Vec::new();
    let mut at = (0, 1);
    // In parts, each of which the table has room for.
    while at.0 < linker.link.objects.len() && missing.len() < TOLD {
        let mut wanted = Wanted::new();
        let from = at;
        while at.0 < linker.link.objects.len() {
            let mut full_at = None;
            let _ends_early = each_undefined(linker, at.0, at.1, &mut |asked| {
                let has_room = wanted.add(asked.key);
                full_at = (!has_room).then_some(asked.index);
                has_room
            });
            match full_at {
                Some(index) => {
                    at.1 = index;
                    break;
                }
                None => at = (at.0.wrapping_add(1), 1),
            }
        }
        for object in &linker.link.objects {
            let _cut_short = define(linker, object, &mut wanted);
        }
        if !wanted.is_complete() {
            tell(linker, from, at, &mut wanted, &mut missing);
        }
    }
    missing
}

/// Calls `each` with every undefined symbol of an object from one on, until it returns false.
fn each_undefined(
    linker: &Linker<'_>,
    object: usize,
    from: usize,
    each: &mut dyn FnMut(Asked) -> bool,
) -> Option<()> {
    let is_program = object == 0;
    let object = linker.object(object)?;
    let (file, image) = (linker.open(object)?, object.image.as_ref()?);
    let mut symbols = Symbols::open(object, image, &file.contents)?;
    let versions = if linker.is_glibc() { versions::needed(&file.contents, image) } else { Vec::new() };
    for index in from..symbols.end_of_undefined(is_program) {
        let symbol = symbols.symbol(index)?;
        if symbol.section != 0 || symbol.bind != STB_GLOBAL {
            continue;
        }
        let version = versions::at(&versions, symbols.mark(index) & !HIDDEN);
        let Some(name) = symbols.strings.string_at(symbol.name).filter(|name| !name.is_empty()) else {
            continue;
        };
        let asked = Asked {
            key: Key::new(name, version.map_or(0, |version| version.hash)),
            index,
            name: symbol.name,
            version: version.map(|version| version.name),
            has_stub: symbol.has_value,
        };
        if !each(asked) {
            break;
        }
    }
    Some(())
}

/// Marks what an object defines.
fn define(linker: &Linker<'_>, object: &Library, wanted: &mut Wanted) -> Option<()> {
    let (file, image) = (linker.open(object)?, object.image.as_ref()?);
    let mut symbols = Symbols::open(object, image, &file.contents)?;
    let glibc = linker.is_glibc();
    let versions = if glibc { linker.defined(object) } else { &[] };
    let (first, last) = match symbols.gnu() {
        Some(gnu) => (gnu.first, gnu.last()?.wrapping_add(1)),
        None => (1, symbols.hashed),
    };
    for index in first..last {
        if let Some(gnu) = symbols.gnu() {
            if !wanted.may_hold(gnu.hash(index)?) {
                continue;
            }
        }
        let symbol = symbols.symbol(index)?;
        if !is_definition(&symbol, glibc) {
            continue;
        }
        let mark = symbols.mark(index);
        let is_hidden = mark & HIDDEN != 0;
        let hash = versions::at(versions, mark & !HIDDEN).map_or(0, |version| version.hash);
        let Some(name) = symbols.strings.string_at(symbol.name) else { continue };
        // elf/dl-lookup.c `check_match`
        wanted.define(&Key::new(name, 0), &mut |asked| match asked {
            0 => !is_hidden || (glibc && mark & !HIDDEN < 3),
            asked => asked == hash || (hash == 0 && !is_hidden),
        });
    }
    Some(())
}

/// glibc elf/dl-lookup.c `check_match`, musl ldso/dynlink.c `find_sym2`.
fn is_definition(symbol: &Symbol, glibc: bool) -> bool {
    let is_kind = symbol.kind <= STT_TLS && !matches!(symbol.kind, STT_SECTION | STT_FILE);
    symbol.section != 0
        && matches!(symbol.bind, STB_GLOBAL | STB_WEAK | STB_GNU_UNIQUE)
        && (is_kind || (glibc && symbol.kind == STT_GNU_IFUNC))
        && (symbol.has_value || symbol.kind == STT_TLS || (glibc && symbol.section == SHN_ABS))
}

/// Adds what is still not defined of a part, where a relocation asks for it, in the order in which the loader
/// relocates: glibc the program last and its libraries from the last one, musl from the first.
fn tell(
    linker: &Linker<'_>,
    from: (usize, usize),
    to: (usize, usize),
    wanted: &mut Wanted,
    missing: &mut Vec<Undefined>,
) {
    let count = linker.link.objects.len();
    for step in 1..=count {
        let at = if linker.is_glibc() {
            count.saturating_sub(step)
        } else {
            step.checked_rem(count).unwrap_or_default()
        };
        if at < from.0 || at > to.0 {
            continue;
        }
        let Some(object) = linker.object(at) else { return };
        let first = if at == from.0 { from.1 } else { 1 };
        let last = if at == to.0 { to.1 } else { usize::MAX };
        let mut symbols = Vec::new();
        let _ends_early = each_undefined(linker, at, first, &mut |asked| {
            if !wanted.has(&asked.key) && asked.index < last {
                symbols.push(asked);
            }
            asked.index < last && symbols.len() < TOLD
        });
        let Some(image) = object.image.as_ref().filter(|_| !symbols.is_empty()) else { continue };
        let Some(file) = linker.open(object) else { continue };
        let Some(mut strings) = Reader::strings(&file.contents, image) else { continue };
        relocations::uses(linker, image, &file.contents, &mut symbols, &mut |asked, lazy| {
            let mut text = |at| strings.string_at(at).unwrap_or_default().to_vec();
            let of = asked.version.map_or_else(Vec::new, &mut text);
            missing.push(Undefined::new(text(asked.name), &of, object, lazy));
        });
    }
}
