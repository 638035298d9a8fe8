//! Versions that an object asks for (DT_VERNEED) and defines (DT_VERDEF): glibc's elf/dl-version.c. musl knows none.

use super::object::Object;
use super::{Undefined, path};
use crate::candidate::table::{Handle, Table};
use crate::elf::consts::{DT_STRSZ, DT_STRTAB, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM};
use crate::elf::{View, offset};
use crate::system::System;

/// A table whose size nobody tells is read no further than that.
const LIMIT: usize = 1 << 20;
/// Versions of an object that are heeded; libstdc++ defines 60.
const MANY: usize = 4096;
const VER_FLG_BASE: u64 = 1;
const VER_FLG_WEAK: u64 = 2;

/// A version by which a symbol can be asked for or defined.
pub(super) struct Version {
    /// What DT_VERSYM holds of it.
    pub(super) index: u64,
    /// ELF hash of its name.
    pub(super) hash: u32,
    /// Its name, in DT_STRTAB.
    pub(super) name: usize,
    /// The file that is to define it, in DT_STRTAB.
    file: usize,
    is_weak: bool,
}

/// The tables of an object that lead from one to the next.
pub(super) struct Chain {
    table: Table,
    view: View,
    count: usize,
}

impl Chain {
    fn of(object: &Object, file: &Handle, tag: u64, number: u64) -> Option<Chain> {
        let table = Table::new(file, object.image.as_ref()?.dynamic_offset(tag)?, LIMIT);
        Some(Chain {
            table,
            view: object.image.as_ref()?.view,
            count: offset(object.flags(number)).min(MANY),
        })
    }

    fn number(&mut self, at: usize, field: usize, len: usize) -> Option<u64> {
        self.table.uint(at.wrapping_add(field), len, self.view)
    }

    /// Where a field of 4 bytes leads to.
    fn next(&mut self, at: usize, field: usize) -> Option<usize> {
        Some(at.wrapping_add(offset(self.number(at, field, 4)?)))
    }
}

/// What an object asks for.
pub(super) fn needed(object: &Object, file: &Handle) -> Vec<Version> {
    let mut found = Vec::new();
    if let Some(mut chain) = Chain::of(object, file, DT_VERNEED, DT_VERNEEDNUM) {
        let _ends_early = read_needed(&mut chain, &mut found);
    }
    found
}

fn read_needed(chain: &mut Chain, found: &mut Vec<Version>) -> Option<()> {
    let mut need = 0;
    for _ in 0..chain.count {
        let file = offset(chain.number(need, 4, 4)?);
        let mut aux = chain.next(need, 8)?;
        for _ in 0..chain.number(need, 2, 2)? {
            if found.len() >= MANY {
                return None;
            }
            found.push(Version {
                hash: u32::try_from(chain.number(aux, 0, 4)?).unwrap_or_default(),
                index: chain.number(aux, 6, 2)?,
                name: offset(chain.number(aux, 8, 4)?),
                is_weak: chain.number(aux, 4, 2)? & VER_FLG_WEAK != 0,
                file,
            });
            aux = chain.next(aux, 12)?;
        }
        need = chain.next(need, 12)?;
    }
    Some(())
}

/// What an object defines, but for its base version, which is its own name.
pub(super) fn defined(object: &Object, file: &Handle) -> Vec<Version> {
    let mut found = Vec::new();
    if let Some(mut chain) = Chain::of(object, file, DT_VERDEF, DT_VERDEFNUM) {
        let _ends_early = read_defined(&mut chain, &mut found);
    }
    found
}

fn read_defined(chain: &mut Chain, found: &mut Vec<Version>) -> Option<()> {
    let mut definition = 0;
    for _ in 0..chain.count {
        let flags = chain.number(definition, 2, 2)?;
        if flags & VER_FLG_BASE == 0 {
            found.push(Version {
                index: chain.number(definition, 4, 2)?,
                hash: u32::try_from(chain.number(definition, 8, 4)?).unwrap_or_default(),
                name: 0,
                file: 0,
                is_weak: false,
            });
        }
        definition = chain.next(definition, 16)?;
    }
    Some(())
}

/// The strings of an object.
pub(super) fn strings(object: &Object, file: &Handle) -> Option<Table> {
    let start = object.image.as_ref()?.dynamic_offset(DT_STRTAB)?;
    Some(Table::strings(file, start, offset(object.flags(DT_STRSZ))))
}

/// Versions that a loaded library should define and does not. One without any is taken as it is.
pub(super) fn undefined(system: &dyn System, objects: &[Object]) -> Vec<Undefined> {
    let mut missing = Vec::new();
    let mut definitions: Vec<Option<Vec<Version>>> = objects.iter().map(|_| None).collect();
    for object in objects {
        let Some(file) = Handle::open(system, path(&object.path)) else { continue };
        let Some(mut strings) = strings(object, &file) else { continue };
        for version in needed(object, &file) {
            let Some(name) = strings.string(version.file) else { continue };
            let is_it = |other: &Object| {
                other.names.iter().any(|known| known == name) || other.soname() == Some(name)
            };
            let Some(at) = objects.iter().position(is_it) else { continue };
            let (Some(of), Some(known)) = (objects.get(at), definitions.get_mut(at)) else { continue };
            let known = known.get_or_insert_with(|| {
                Handle::open(system, path(&of.path)).map_or_else(Vec::new, |file| defined(of, &file))
            });
            let has_it = known.iter().any(|definition| definition.hash == version.hash);
            if !known.is_empty() && !has_it && !version.is_weak {
                let name = strings.string(version.name).unwrap_or_default().to_vec();
                let (of, needed_by) = (of.path.clone(), object.path.clone());
                missing.push(Undefined { name, of, needed_by, lazy: false });
            }
        }
    }
    missing
}
