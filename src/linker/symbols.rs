//! Symbols that are asked for and that nothing defines.
//!
//! The loaders look up one symbol after the other. Here all that is asked for is gathered first, then each object's
//! definitions are read once: that takes a bounded part of memory, and few reads. Only where something is missing is
//! it looked up which relocation asks for it, since nobody minds what none does.

mod relocations;
mod wanted;

use super::object::Object;
use super::versions;
use super::{Linker, Undefined, path};
use crate::candidate::table::{Handle, Table};
use crate::elf::consts::{DT_GNU_HASH, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_VERSYM};
use crate::elf::{Class, View, offset};
use crate::machine::family;
use relocations::Use;
use wanted::{Key, Wanted};

const STB_GLOBAL: u8 = 1;
const STB_WEAK: u8 = 2;
const STB_GNU_UNIQUE: u8 = 10;
const STT_SECTION: u8 = 3;
const STT_FILE: u8 = 4;
const STT_TLS: u8 = 6;
const STT_GNU_IFUNC: u8 = 10;
const SHN_ABS: u64 = 0xfff1;
/// A definition that only who asks for its version gets, in DT_VERSYM.
const HIDDEN: u64 = 0x8000;
/// Symbols of an object that are heeded; the largest libraries have a fifth of that.
const MANY: usize = 1 << 20;
/// MIPS files have none: their symbols have to stand in the order of the GOT.
const GNU_HASH: bool = family::X86 || family::ARM || family::RISCV || family::POWERPC || family::LOONGARCH;
/// Missing symbols that are told at most.
const TOLD: usize = 64;

/// The symbols of an object.
struct Symbols {
    table: Table,
    strings: Table,
    versions: Option<Table>,
    gnu: Option<Gnu>,
    /// How many there are: DT_HASH tells, else what lies between DT_SYMTAB and DT_STRTAB.
    count: usize,
    /// How many can be looked up without DT_GNU_HASH: those of DT_HASH.
    hashed: usize,
    view: View,
    entry: usize,
}

/// DT_GNU_HASH. It has the defined symbols only, which stand behind the others.
struct Gnu {
    table: Table,
    buckets: usize,
    first: usize,
    chains: usize,
}

/// Elf32_Sym or Elf64_Sym.
struct Symbol {
    name: usize,
    bind: u8,
    kind: u8,
    section: u64,
    value: u64,
}

impl Symbols {
    fn open(linker: &Linker<'_>, object: &Object) -> Option<(Handle, Symbols)> {
        let image = object.image.as_ref()?;
        let view = image.view;
        let file = Handle::open(linker.system, path(&object.path))?;
        let mut hashed = 0;
        if let Some(start) = image.dynamic_offset(DT_HASH) {
            hashed = offset(Table::new(&file, start, 8).uint(4, 4, view)?).min(MANY);
        }
        let mut count = hashed;
        let gnu = image.dynamic_offset(DT_GNU_HASH).filter(|_| GNU_HASH);
        let gnu = gnu.and_then(|start| Gnu::open(&file, start, view));
        let entry: usize = if view.class == Class::Elf64 { 24 } else { 16 };
        let start = image.dynamic_offset(DT_SYMTAB)?;
        if count == 0 {
            let size = image.dynamic_offset(DT_STRTAB)?.saturating_sub(start);
            count = size.checked_div(entry).unwrap_or_default().min(MANY);
        }
        // One that is hashed may lie further behind.
        let symbols = if gnu.is_some() { usize::MAX >> 8 } else { count };
        let symbols = Symbols {
            table: Table::new(&file, start, symbols.saturating_mul(entry)),
            strings: versions::strings(object, &file)?,
            versions: image
                .dynamic_offset(DT_VERSYM)
                .map(|start| Table::new(&file, start, symbols.saturating_mul(2))),
            gnu,
            count,
            hashed,
            view,
            entry,
        };
        Some((file, symbols))
    }

    fn symbol(&mut self, index: usize) -> Option<Symbol> {
        let (order, wide) = (self.view.order, self.view.class == Class::Elf64);
        let bytes = self.table.bytes(index.wrapping_mul(self.entry), self.entry)?;
        let (value, info, section) = if wide { (8, 4, 6) } else { (4, 12, 14) };
        let info = bytes.get(info).copied()?;
        Some(Symbol {
            name: offset(order.uint(bytes, 0, 4)),
            bind: info >> 4,
            kind: info & 15,
            section: order.uint(bytes, section, 2),
            value: order.uint(bytes, value, self.view.word()),
        })
    }

    fn version(&mut self, index: usize) -> Option<u64> {
        let view = self.view;
        self.versions.as_mut()?.uint(index.wrapping_mul(2), 2, view)
    }

    /// The symbols that are not defined stand before this one. Those of a program can have the address of their stub as
    /// their value, and are hashed then.
    fn end_of_undefined(&mut self, is_program: bool) -> usize {
        if is_program {
            return self.count;
        }
        let hashed = |gnu: &mut Gnu| gnu.last(self.view).map(|_| gnu.first);
        self.gnu.as_mut().and_then(hashed).unwrap_or(self.count)
    }
}

impl Gnu {
    fn open(file: &Handle, start: usize, view: View) -> Option<Gnu> {
        let mut header = Table::new(file, start, 16);
        let mut field = |at| header.uint(at, 4, view).map(offset);
        let (buckets, first, bloom) = (field(0)?.min(MANY), field(4)?, field(8)?);
        let at = bloom.wrapping_mul(view.word()).wrapping_add(16);
        let chains = at.wrapping_add(buckets.wrapping_mul(4));
        let table = Table::new(file, start.wrapping_add(at), usize::MAX >> 8);
        Some(Gnu { table, buckets, first, chains: chains.wrapping_sub(at) })
    }

    /// The hash of a symbol without its lowest bit, which says that its chain ends.
    fn hash(&mut self, index: usize, view: View) -> Option<u32> {
        let at = index.wrapping_sub(self.first).wrapping_mul(4).wrapping_add(self.chains);
        u32::try_from(self.table.uint(at, 4, view)?).ok()
    }

    /// The last symbol.
    fn last(&mut self, view: View) -> Option<usize> {
        let mut last = 0;
        for bucket in 0..self.buckets {
            last = last.max(offset(self.table.uint(bucket.wrapping_mul(4), 4, view)?));
        }
        // None: a table without symbols has any number here.
        if last < self.first || last == 0 {
            return None;
        }
        while last < self.first.wrapping_add(MANY) && self.hash(last, view)? & 1 == 0 {
            last = last.wrapping_add(1);
        }
        Some(last)
    }
}

/// An undefined symbol, as [`each_undefined`] hands it on.
struct Asked<'a> {
    file: &'a Handle,
    strings: &'a mut Table,
    index: usize,
    name: usize,
    version: Option<usize>,
    /// It has a value all the same: where its stub is.
    has_stub: bool,
    key: Key,
}

/// What nothing defines of all that the program and its libraries ask for.
pub(super) fn undefined(linker: &Linker<'_>) -> Vec<Undefined> {
    let mut missing = Vec::new();
    let mut wanted = Wanted::new();
    let mut at = (0, 1);
    // In parts, each of which the table has room for.
    while at.0 < linker.link.objects.len() && missing.len() < TOLD {
        wanted.clear();
        let from = at;
        while at.0 < linker.link.objects.len() {
            let mut full_at = None;
            each_undefined(linker, at.0, at.1, &mut |asked| {
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
            tell(linker, from, at, &wanted, &mut missing);
        }
    }
    missing
}

/// Calls `each` with every undefined symbol of an object from one on, until it returns false.
fn each_undefined(
    linker: &Linker<'_>,
    object: usize,
    from: usize,
    each: &mut dyn FnMut(&mut Asked<'_>) -> bool,
) {
    let is_program = object == 0;
    let Some(object) = linker.object(object) else { return };
    let Some((file, mut symbols)) = Symbols::open(linker, object) else { return };
    let versions = if linker.is_glibc() { versions::needed(object, &file) } else { Vec::new() };
    let copied = relocations::copied(object, &file);
    for index in from..symbols.end_of_undefined(is_program) {
        let Some(symbol) = symbols.symbol(index) else { break };
        let is_defined = symbol.section != 0 && !copied.contains(&index);
        if is_defined || symbol.bind != STB_GLOBAL {
            continue;
        }
        let mark = symbols.version(index).unwrap_or_default() & !HIDDEN;
        let version = versions.iter().find(|version| version.index == mark);
        let Some(name) = symbols.strings.string(symbol.name).filter(|name| !name.is_empty()) else {
            continue;
        };
        let mut asked = Asked {
            key: Key::new(name, version.map_or(0, |version| version.hash)),
            file: &file,
            strings: &mut symbols.strings,
            index,
            name: symbol.name,
            version: version.map(|version| version.name),
            has_stub: symbol.section == 0 && symbol.value != 0,
        };
        if !each(&mut asked) {
            return;
        }
    }
}

/// Marks what an object defines.
fn define(linker: &Linker<'_>, object: &Object, wanted: &mut Wanted) -> Option<()> {
    let (file, mut symbols) = Symbols::open(linker, object)?;
    let by_version = linker.is_glibc();
    let versions = if by_version { versions::defined(object, &file) } else { Vec::new() };
    let view = symbols.view;
    let (first, last) = match &mut symbols.gnu {
        Some(gnu) => (gnu.first, gnu.last(view)?.wrapping_add(1)),
        None => (1, symbols.hashed),
    };
    let copied = relocations::copied(object, &file);
    for index in first..last {
        if let Some(gnu) = &mut symbols.gnu {
            if !wanted.may_hold(gnu.hash(index, view)?) {
                continue;
            }
        }
        let symbol = symbols.symbol(index)?;
        if !is_definition(&symbol, by_version) || copied.contains(&index) {
            continue;
        }
        let mark = symbols.version(index);
        let hash = mark.and_then(|mark| versions.iter().find(|version| version.index == mark & !HIDDEN));
        let hash = hash.map_or(0, |version| version.hash);
        let is_hidden = mark.is_some_and(|mark| mark & HIDDEN != 0);
        let Some(name) = symbols.strings.string(symbol.name) else { continue };
        wanted.define(&Key::new(name, 0), &mut |asked| {
            if !by_version {
                return !is_hidden;
            }
            // elf/dl-lookup.c `check_match`
            match mark {
                None => true,
                Some(mark) if asked == 0 => !is_hidden || mark & !HIDDEN < 3,
                Some(_) => hash == asked || (hash == 0 && !is_hidden),
            }
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
        && (symbol.value != 0 || symbol.kind == STT_TLS || (glibc && symbol.section == SHN_ABS))
}

/// Adds what is still not defined of a part, where a relocation asks for it, in the order in which the loader
/// relocates: glibc the program last and its libraries from the last one, musl from the first.
fn tell(
    linker: &Linker<'_>,
    from: (usize, usize),
    to: (usize, usize),
    wanted: &Wanted,
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
        let mut found: Vec<(usize, Undefined)> = Vec::new();
        let mut symbols = Vec::new();
        let mut file = None;
        each_undefined(linker, at, first, &mut |asked| {
            if asked.index >= last || symbols.len() >= TOLD {
                return false;
            }
            if !wanted.has(&asked.key) {
                let mut text = |at| asked.strings.string(at).unwrap_or_default().to_vec();
                let (name, of) = (text(asked.name), asked.version.map_or_else(Vec::new, text));
                let needed_by = object.path.clone();
                found.push((asked.index, Undefined { name, of, needed_by, lazy: false }));
                symbols.push((asked.index, asked.has_stub));
                file = Some(asked.file.clone());
            }
            true
        });
        let Some(file) = file else { continue };
        relocations::uses(linker, object, &file, &symbols, &mut |symbol, how| {
            if let Some(place) = found.iter().position(|(index, _)| *index == symbol) {
                let (_, mut undefined) = found.remove(place);
                undefined.lazy = how == Use::Lazy;
                missing.push(undefined);
            }
        });
    }
}
