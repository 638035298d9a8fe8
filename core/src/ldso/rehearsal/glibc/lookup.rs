//! elf/dl-lookup.c.

use alloc::vec::Vec;

use super::super::super::Undefined;
use super::super::super::fault::{Fault, FaultKind};
use super::super::main::Start;
use super::super::memory::Access;
use super::super::{Circle, End, MAIN, Object, STEPS_AT_MOST, Step, Symbol, gnu_hash, scope, sysv_hash};
use super::heap::{Map, Text, Version};
use super::{Class, Found, HIDDEN, Hash, Rehearsal, SHN_ABS, Table, text};
use crate::elf::consts::{DT_STRTAB, DT_SYMTAB, EM_ARM, EM_PPC64, EM_S390};
use crate::ldso::sound::C_LIBRARY;

const STB_GLOBAL: u64 = 1;
pub(super) const STB_WEAK: u64 = 2;
const STB_GNU_UNIQUE: u64 = 10;
const STT_TLS: u64 = 6;
const STV_PROTECTED: u64 = 3;
pub(super) const STO_MIPS_PLT: u64 = 8;

impl<'r, 'a> Rehearsal<'r, 'a> {
    /// elf/dl-lookup.c `_dl_lookup_symbol_x`.
    pub(super) fn look_up(
        &self,
        by: &Object<'_>,
        asked: &Symbol,
        version: Option<&Version>,
        class: Class,
    ) -> Step<Found<'r, 'a>> {
        let strings = by.get(DT_STRTAB).ok_or_else(|| by.fault(FaultKind::NoSymbolTable, "DT_STRTAB"))?;
        let name = text(by, strings, asked.name)?;
        by.look_at(self.objects.len())?;
        let is_main = by.index == 0 && name == MAIN;
        let ask = Ask { name: &name, gnu: gnu_hash(&name), sysv: sysv_hash(&name).into(), version, class };
        for of in scope(self.objects) {
            if class == Class::Copy && of.index == 0 {
                continue;
            }
            let found = self.look_in(of, &ask)?;
            if let Some(found) = found.filter(|found| {
                matches!(found.bind, STB_GLOBAL | STB_WEAK | STB_GNU_UNIQUE) && !found.is_hidden()
            }) {
                // One that is protected is its own object's, defined or not.
                if asked.other & 3 == STV_PROTECTED && of.index != by.index {
                    return Ok(self
                        .objects
                        .iter()
                        .find(|own| own.index == by.index)
                        .map(|own| (own, *asked)));
                }
                if is_main {
                    let at = of.base.wrapping_add(found.value);
                    self.start.set(Start { is_asked: true, at: Some(at), ..self.start.get() });
                }
                return Ok(Some((of, found)));
            }
        }
        if asked.bind == STB_WEAK {
            return Ok(None);
        }
        Err(Self::nobody_has(by, asked, version)?)
    }

    /// elf/rtld.c `dl_main`: where an object asks for the loader as for a library, that looks for malloc() and the like in all of
    /// them.
    pub(super) fn relocates_loader(&self) -> Step<()> {
        const NAMES: [&[u8]; 4] = [b"calloc", b"free", b"malloc", b"realloc"];
        if !self.is_loader_asked_for() {
            return Ok(());
        }
        NAMES.iter().try_for_each(|name| self.seek(name))
    }

    /// Looks a name up in all objects, whatever is found.
    pub(super) fn seek(&self, name: &[u8]) -> Step<()> {
        let ask = Ask::function(name);
        for of in scope(self.objects) {
            if self.look_in(of, &ask)?.is_some() {
                break;
            }
        }
        Ok(())
    }

    fn is_loader_asked_for(&self) -> bool {
        let is_loader =
            |name: &Vec<u8>| self.objects.get(1).is_some_and(|loader| loader.library.is_called(name));
        self.objects.iter().any(|object| object.dynamic.needed.iter().any(is_loader))
    }

    /// The C library is started before all else.
    pub(super) fn starts_c_library(&self) -> Step<()> {
        const NAME: &[u8] = b"__libc_early_init";
        const SINCE: (u64, u64) = (2, 32);
        let is_called = |object: &&Object<'_>| object.dynamic.soname.as_deref() == Some(C_LIBRARY);
        let named = self.objects.iter().find(is_called);
        let Some(object) = named.filter(|object| !self.linker.is_c_library(object.library)) else {
            return Ok(());
        };
        let release = self.linker.glibc.as_ref().and_then(|facts| facts.release());
        if release.is_none_or(|release| release < SINCE) || self.is_loader_asked_for() {
            return Err(object.lost(Access::Anothers, "DT_SONAME"));
        }
        match self.look_in(object, &Ask::function(NAME))? {
            Some(_) => Ok(()),
            None => Err(object.fault(FaultKind::NoEarlyInit, "DT_SONAME")),
        }
    }

    /// `undefined symbol`.
    pub(super) fn nobody_has(by: &Object<'_>, asked: &Symbol, version: Option<&Version>) -> Step<End> {
        let strings = by.get(DT_STRTAB).unwrap_or_default();
        let of = match version.map(|version| &version.name) {
            None | Some(Text::None) => Vec::new(),
            Some(Text::Of(name)) => name.clone(),
            Some(Text::Nowhere) => return Err(by.fault(FaultKind::Unmapped, "DT_VERSYM")),
        };
        let symbol = Undefined::new(text(by, strings, asked.name)?, of, by.library, false);
        Ok(End::Symbol(Undefined { is_versioned: version.is_some(), ..symbol }))
    }

    /// elf/dl-lookup.c `do_lookup_x` of one object.
    fn look_in(&self, of: &Object<'_>, ask: &Ask<'_>) -> Step<Option<Symbol>> {
        let Some(map) = self.maps.of(of) else { return Ok(None) };
        let tables = || {
            let symbols = of.get(DT_SYMTAB).ok_or_else(|| of.fault(FaultKind::NoSymbolTable, "DT_SYMTAB"))?;
            let strings = of.get(DT_STRTAB).ok_or_else(|| of.fault(FaultKind::NoSymbolTable, "DT_STRTAB"))?;
            Ok((symbols, strings))
        };
        let mut versioned = Versioned::default();
        match &map.hash {
            Hash::None | Hash::Gnu { count: 0, .. } | Hash::Sysv(Table { count: 0, .. }, _) => {
                return Ok(None);
            }
            &Hash::Gnu { buckets, count, filter, mask, shift, chain, symbols } => {
                const WHAT: &str = "DT_GNU_HASH";
                let tables = tables()?;
                let (word, bits) = (of.word(), of.word().wrapping_mul(8));
                let at = ask.gnu.checked_div(bits).unwrap_or_default() & mask;
                let filter = of.memory.number(filter.wrapping_add(at.wrapping_mul(word)), word);
                // Where it is not known, each name passes.
                let filter = self.unless_anothers(of, WHAT, filter)?.unwrap_or(u64::MAX);
                let has = |hash: u64| filter >> (hash & bits.wrapping_sub(1)) & 1 != 0;
                if !(has(ask.gnu) && has(shifted(of, ask.gnu, shift))) {
                    return Ok(None);
                }
                let bucket = ask.gnu.checked_rem(count).unwrap_or_default();
                let mut index = of.number(buckets.wrapping_add(bucket.wrapping_mul(4)), 4, WHAT)?;
                if index == 0 {
                    return Ok(None);
                }
                for _ in 0..STEPS_AT_MOST {
                    let hash = of.memory.number(chain.wrapping_add(index.wrapping_mul(4)), 4);
                    // Where it is not known, it is that hash by chance alone, and the chain may go on.
                    let hash = self.unless_anothers(of, WHAT, hash)?.unwrap_or(!ask.gnu & !1);
                    if (hash ^ ask.gnu) >> 1 == 0 {
                        let symbol = match symbols {
                            Some(symbols) => {
                                of.number(symbols.wrapping_add(index.wrapping_mul(4)), 4, WHAT)?
                            }
                            None => index,
                        };
                        if let Some(found) = self.matches(of, map, tables, symbol, ask, &mut versioned)? {
                            return Ok(Some(found));
                        }
                    }
                    if hash & 1 != 0 {
                        return Ok(versioned.only());
                    }
                    index = index.wrapping_add(1);
                }
            }
            Hash::Sysv(table, filter) => {
                const WHAT: &str = "DT_HASH";
                let tables = tables()?;
                if filter.lacks(of, *table, ask.gnu, ask.sysv) {
                    return Ok(None);
                }
                let Table { buckets, count, chain, size } = *table;
                let bucket = ask.sysv.checked_rem(count).unwrap_or_default();
                let number = |table: u64, index: u64| {
                    of.number(table.wrapping_add(index.wrapping_mul(size)), size, WHAT)
                };
                let mut index = number(buckets, bucket)?;
                let mut circle = Circle::default();
                for _ in 0..STEPS_AT_MOST {
                    circle.pass(of, index)?;
                    if index == 0 {
                        return Ok(versioned.only());
                    }
                    if let Some(found) = self.matches(of, map, tables, index, ask, &mut versioned)? {
                        return Ok(Some(found));
                    }
                    index = number(chain, index)?;
                }
            }
        }
        Err(End::TooMuch)
    }

    /// What was read of a table. None where it may be another's memory, which is kept as a [`super::Doubt`].
    fn unless_anothers<T>(
        &self,
        of: &Object<'_>,
        what: &'static str,
        read: Result<T, Access>,
    ) -> Step<Option<T>> {
        match read {
            Err(Access::Anothers) => {
                self.doubt.set(Some((of.index, what)));
                Ok(None)
            }
            read => read.map(Some).map_err(|access| of.lost(access, what)),
        }
    }

    /// elf/dl-lookup.c `check_match`.
    fn matches(
        &self,
        of: &Object<'_>,
        map: &Map,
        (symbols, strings): (u64, u64),
        index: u64,
        ask: &Ask<'_>,
        versioned: &mut Versioned,
    ) -> Step<Option<Symbol>> {
        let symbol = of.symbol(symbols, index)?;
        let is_undefined = symbol.value == 0 && symbol.section != SHN_ABS && symbol.kind != STT_TLS;
        // elf_machine_sym_no_match
        let is_anothers = of.abi().is_some_and(|abi| abi.has_global_got) && symbol.other & STO_MIPS_PLT == 0;
        if is_undefined || (symbol.section == 0 && (is_anothers || ask.class == Class::Plt)) {
            return Ok(None);
        }
        if !matches!(symbol.kind, 0..=2 | 5 | 6 | 10) {
            return Ok(None);
        }
        let is_same = of.memory.is_string(strings.wrapping_add(symbol.name), ask.name);
        // Where it is not known, it is that name by chance alone.
        if self.unless_anothers(of, "DT_STRTAB", is_same)? != Some(true) {
            return Ok(None);
        }
        let mark = |marks: u64| of.number(marks.wrapping_add(index.wrapping_mul(2)), 2, "DT_VERSYM");
        match (ask.version, map.marks) {
            (Some(version), None) => {
                let is_from_there = match &version.file {
                    Text::None => false,
                    Text::Of(file) => of.library.is_called(file),
                    Text::Nowhere => return Err(of.fault(FaultKind::Unmapped, "DT_VERSYM")),
                };
                if self.linker.asserts_versions() && is_from_there {
                    let fault =
                        Fault { name: ask.name.to_vec(), ..Fault::new(FaultKind::NoVersions, of.library) };
                    return Err(End::Fault(fault));
                }
            }
            (Some(version), Some(marks)) => {
                let mark = mark(marks)?;
                let known = self.maps.version(of, mark & !HIDDEN)?;
                let known = known.as_deref();
                let is_same = match known.filter(|known| known.hash == version.hash).map(|known| &known.name)
                {
                    None => false,
                    Some(name @ Text::Of(_)) => *name == version.name,
                    Some(Text::None | Text::Nowhere) => {
                        return Err(of.fault(FaultKind::Unmapped, "DT_VERSYM"));
                    }
                };
                if !is_same && (version.is_hidden || self.has_one(of, known)? || mark & HIDDEN != 0) {
                    return Ok(None);
                }
            }
            (None, Some(marks)) => {
                let mark = mark(marks)?;
                if mark & !HIDDEN >= 3 {
                    if mark & HIDDEN == 0 {
                        versioned.add(symbol);
                    }
                    return Ok(None);
                }
            }
            (None, None) => {}
        }
        Ok(Some(symbol))
    }
}

impl Rehearsal<'_, '_> {
    /// Whether that is any version: 2.41 looks whether it has a name, others at its hash (seen by a debugger).
    fn has_one(&self, of: &Object<'_>, known: Option<&Version>) -> Step<bool> {
        match known.map(|known| &known.name) {
            Some(Text::Of(name)) if self.maps.has_names => Ok(!name.is_empty()),
            Some(Text::None | Text::Nowhere) if self.maps.has_names => {
                Err(of.fault(FaultKind::Unmapped, "DT_VERSYM"))
            }
            _ => Ok(known.is_some_and(|known| known.hash != 0)),
        }
    }
}

/// A hash, of 32 bits, less so many. Of a shift by more than it has each processor makes another number, by the instruction that
/// is in Debian's loader (2.36): those of ARM (`lsr`) look at eight bits of how many, of PPC64 (`srw`) and s390x (`srlk`) at six,
/// others at five.
fn shifted(of: &Object<'_>, hash: u64, shift: u64) -> u64 {
    let most = match of.image.header.e_machine {
        EM_ARM => 255,
        EM_PPC64 | EM_S390 => 63,
        _ => 31,
    };
    let bits = u32::try_from(shift & most).unwrap_or_default();
    (hash & 0xffff_ffff).checked_shr(bits).unwrap_or_default()
}

/// What is looked up.
struct Ask<'a> {
    name: &'a [u8],
    gnu: u64,
    sysv: u64,
    version: Option<&'a Version>,
    class: Class,
}

impl<'a> Ask<'a> {
    /// For a function of any version.
    fn function(name: &'a [u8]) -> Ask<'a> {
        Ask { name, gnu: gnu_hash(name), sysv: sysv_hash(name).into(), version: None, class: Class::Plt }
    }
}

/// Symbols of versions where none is asked for: the only one of them serves.
#[derive(Default)]
struct Versioned {
    first: Option<Symbol>,
    count: usize,
}

impl Versioned {
    fn add(&mut self, symbol: Symbol) {
        self.first.get_or_insert(symbol);
        self.count = self.count.wrapping_add(1);
    }

    fn only(self) -> Option<Symbol> {
        self.first.filter(|_| self.count == 1)
    }
}
