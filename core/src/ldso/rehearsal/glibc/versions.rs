//! elf/dl-version.c.

use alloc::vec::Vec;

use super::super::super::fault::{Fault, FaultKind};
use super::super::super::resolve::GUARD;
use super::super::super::symbols::MISSING_AT_MOST;
use super::super::super::{Linker, Undefined};
use super::super::memory::Access;
use super::super::{End, Object, Rehearsed, STEPS_AT_MOST, Step};
use super::heap::{Map, Text, Version};
use super::{Doubt, HIDDEN};
use crate::budget::Guard;
use crate::elf::consts::{DT_RELR, DT_STRTAB, DT_VERDEF, DT_VERNEED, DT_VERSYM};

const VER_FLG_BASE: u64 = 1;
const VER_FLG_WEAK: u64 = 2;

/// elf/dl-version.c `_dl_check_map_versions`: whether the version is among them that guards DT_RELR.
pub(super) fn check_versions(
    objects: &[Object<'_>],
    object: &Object<'_>,
    map: &mut Map,
    rehearsed: &mut Rehearsed,
    doubt: &Doubt,
) -> Step<bool> {
    let Some(strings) = object.get(DT_STRTAB) else { return Ok(false) };
    let mut highest = 0;
    let mut needs = Vec::new();
    let mut steps = 0..STEPS_AT_MOST;
    let mut is_guarded = false;
    if let Some(mut record) = object.get(DT_VERNEED) {
        let field = |at: u64, within: u64, size| object.number(at.wrapping_add(within), size, "DT_VERNEED");
        // Elsewhere there is no record of this object, or none that names a file by its strings.
        let number = object.memory.number(record, 2);
        let number = number.map_err(|access| object.fails(access, "DT_VERNEED"))?;
        if number != 1 {
            return Err(End::Fault(Fault { number, ..Fault::new(FaultKind::VerneedRecord, object.library) }));
        }
        loop {
            let file = match object.memory.string(strings.wrapping_add(field(record, 4, 4)?)) {
                // An empty name is the program's; by any other it ends.
                Err(Access::Anothers) => {
                    doubt.set(Some((object.index, "DT_STRTAB")));
                    Vec::new()
                }
                file => file.map_err(|access| object.lost(access, "DT_STRTAB"))?,
            };
            object.look_at(objects.len())?;
            let Some(other) = objects.iter().find(|other| {
                other.library.is_called(&file) || other.library.path == file && other.index > 0
            }) else {
                return Err(End::Fault(Fault {
                    name: file,
                    ..Fault::new(FaultKind::VersionsOfNoFile, object.library)
                }));
            };
            let mut aux = record.wrapping_add(field(record, 8, 4)?);
            while steps.next().is_some() {
                let (hash, flags, index) = (field(aux, 0, 4)?, field(aux, 4, 2)?, field(aux, 6, 2)?);
                let is_weak = flags & VER_FLG_WEAK != 0;
                let at = strings.wrapping_add(field(aux, 8, 4)?);
                let is_compared = !is_weak && other.get(DT_VERDEF).is_some();
                let name = object.memory.string(at).map_err(|access| {
                    // No version that hashes so is called as another object's strings go.
                    let fails = if is_compared { Object::fails } else { Object::lost };
                    fails(object, access, "DT_STRTAB")
                })?;
                is_guarded |= hash == GUARD.0.into() && name == GUARD.1;
                match_symbol(object, other, (hash, &name), is_weak, rehearsed)?;
                highest = highest.max(index & !HIDDEN);
                object.keep(name.len().saturating_add(file.len()).saturating_add(size_of::<Version>()))?;
                let version = Version {
                    hash,
                    name: Text::Of(name),
                    is_hidden: index & HIDDEN != 0,
                    file: Text::Of(file.clone()),
                };
                needs.push((index & !HIDDEN, version));
                match field(aux, 12, 4)? {
                    0 => break,
                    next => aux = aux.wrapping_add(next),
                }
            }
            match field(record, 12, 4)? {
                0 => break,
                _ if steps.is_empty() => return Err(End::TooMuch),
                next => record = record.wrapping_add(next),
            }
        }
    }
    let mut defines = Vec::new();
    if let Some(mut record) = object.get(DT_VERDEF) {
        let field = |at: u64, within: u64, size| object.number(at.wrapping_add(within), size, "DT_VERDEF");
        loop {
            let (flags, index, hash) =
                (field(record, 2, 2)?, field(record, 4, 2)? & !HIDDEN, field(record, 8, 4)?);
            highest = highest.max(index);
            if flags & VER_FLG_BASE == 0 {
                let aux = record.wrapping_add(field(record, 12, 4)?);
                object.keep(size_of::<(u64, u64, Step<u64>)>())?;
                defines.push((index, hash, field(aux, 0, 4)));
            }
            match field(record, 16, 4)? {
                0 => break,
                _ if steps.next().is_none() => return Err(End::TooMuch),
                next => record = record.wrapping_add(next),
            }
        }
    }
    if highest == 0 {
        return Ok(is_guarded);
    }
    map.count = highest.wrapping_add(1);
    map.marks = object.get(DT_VERSYM);
    if map.marks.is_none() {
        return Err(object.fault(FaultKind::NoVersym, "DT_VERSYM"));
    }
    map.versions.extend(needs);
    for (index, hash, name) in defines {
        let name = object.memory.string(strings.wrapping_add(name?)).unwrap_or_default();
        object.keep(name.len())?;
        map.versions.insert(index, Version { hash, ..Version::named(name) });
    }
    Ok(is_guarded)
}

/// The same (since 2.36): DT_RELR has to come with a version that says so.
pub(super) fn check_guard(linker: &Linker<'_>, object: &Object<'_>, is_guarded: bool) -> Step<()> {
    let knows_relr = linker.glibc.as_ref().is_some_and(|facts| facts.knows_relr());
    let needs_libc = object.dynamic.needed.iter().any(|name| name.starts_with(b"libc.so."));
    let has = |tag| object.get(tag).is_some();
    let has_versions = has(DT_STRTAB) && has(DT_VERNEED);
    if is_guarded || !(knows_relr && needs_libc && has(DT_RELR) && has_versions) {
        return Ok(());
    }
    Err(End::Fault(Fault::new(FaultKind::RelrGuard, object.library)))
}

/// elf/dl-version.c `match_symbol`.
fn match_symbol(
    by: &Object<'_>,
    of: &Object<'_>,
    (hash, name): (u64, &[u8]),
    is_weak: bool,
    rehearsed: &mut Rehearsed,
) -> Step<()> {
    // It takes both before it looks at either.
    let Some(strings) = of.get(DT_STRTAB) else {
        return Err(of.fault(FaultKind::NoSymbolTable, "DT_STRTAB"));
    };
    let Some(mut record) = of.get(DT_VERDEF) else { return Ok(()) };
    if record == 0 {
        return Err(of.fault(FaultKind::NoVerdef, "DT_VERDEF"));
    }
    let field = |at: u64, within: u64, size| of.number(at.wrapping_add(within), size, "DT_VERDEF");
    for _ in 0..STEPS_AT_MOST {
        let number = field(record, 0, 2)?;
        if number != 1 {
            let fault = Fault { number, ..Fault::new(FaultKind::VerdefRecord, of.library) };
            rehearsed.fault.get_or_insert(fault);
            return Ok(());
        }
        if field(record, 8, 4)? == hash {
            let aux = record.wrapping_add(field(record, 12, 4)?);
            let at = strings.wrapping_add(field(aux, 0, 4)?);
            let fails = if is_weak { Object::lost } else { Object::fails };
            if of.memory.is_string(at, name).map_err(|access| fails(of, access, "DT_STRTAB"))? {
                return Ok(());
            }
        }
        match field(record, 16, 4)? {
            0 => break,
            next => record = record.wrapping_add(next),
        }
    }
    if !is_weak && rehearsed.versions.len() < Guard::Missing.at_most(MISSING_AT_MOST) {
        rehearsed.versions.push(Undefined::new(name.to_vec(), of.library.path.clone(), by.library, false));
    }
    Ok(())
}
