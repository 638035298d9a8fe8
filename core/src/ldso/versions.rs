//! Versions that an object asks for (DT_VERNEED) and defines (DT_VERDEF): glibc's elf/dl-version.c. musl knows none.

use alloc::vec::Vec;

use super::object::Library;
use super::{Linker, Undefined};
use crate::candidate::Image;
use crate::candidate::reader::{Contents, Reader};
use crate::elf::consts::{DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM};
use crate::elf::offset;

/// A table whose size nobody tells is read no further than that.
const LIMIT: usize = 1 << 20;
/// Versions of an object that are heeded; libstdc++ defines 60.
const MANY: usize = 4096;
const VER_FLG_BASE: usize = 1;
const VER_FLG_WEAK: usize = 2;

/// A version by which a symbol can be asked for or defined.
#[derive(Debug, Default)]
pub(super) struct Version {
    /// What DT_VERSYM holds of it.
    pub(super) index: usize,
    /// ELF hash of its name.
    pub(super) hash: u32,
    /// Its name, in DT_STRTAB.
    pub(super) name: usize,
    /// The file that is to define it, in DT_STRTAB.
    file: usize,
    is_weak: bool,
}

/// What an object asks for.
pub(super) fn needed(file: &Contents, image: &Image) -> Vec<Version> {
    let mut found = Vec::new();
    let _ends_early = read(file, image, false, &mut found);
    found
}

/// What an object defines, but for its base version, which is its own name.
pub(super) fn defined(file: &Contents, image: &Image) -> Vec<Version> {
    let mut found = Vec::new();
    let _ends_early = read(file, image, true, &mut found);
    found
}

/// Either table: each entry tells how far behind it the next one is.
fn read(file: &Contents, image: &Image, defined: bool, found: &mut Vec<Version>) -> Option<()> {
    let (tag, count) = if defined { (DT_VERDEF, DT_VERDEFNUM) } else { (DT_VERNEED, DT_VERNEEDNUM) };
    let mut table = Reader::dynamic(file, image, tag, LIMIT)?;
    let mut field = |at: usize, place, size| table.number_at(at.saturating_add(place), size);
    let mut at = 0_usize;
    for _ in 0..offset(image.dynamic.as_ref()?.flags(count)).min(MANY) {
        if defined {
            // Elf32_Verdef, and Elf64_Verdef.
            let next = field(at, 16, 4)?;
            if field(at, 2, 2)? & VER_FLG_BASE == 0 {
                let hash = u32::try_from(field(at, 8, 4)?).unwrap_or_default();
                found.push(Version { index: field(at, 4, 2)?, hash, ..Version::default() });
            }
            at = at.wrapping_add(next);
        } else {
            // Elf32_Verneed, then the Elf32_Vernaux of it; those of 64 bits are the same.
            let next = field(at, 12, 4)?;
            let (count, file) = (field(at, 2, 2)?, field(at, 4, 4)?);
            let mut aux = at.wrapping_add(field(at, 8, 4)?);
            for _ in 0..count {
                let next = field(aux, 12, 4)?;
                found.push(Version {
                    index: field(aux, 6, 2)?,
                    hash: u32::try_from(field(aux, 0, 4)?).unwrap_or_default(),
                    name: field(aux, 8, 4)?,
                    file,
                    is_weak: field(aux, 4, 2)? & VER_FLG_WEAK != 0,
                });
                aux = aux.wrapping_add(next);
                if found.len() >= MANY {
                    return None;
                }
            }
            at = at.wrapping_add(next);
        }
    }
    Some(())
}

/// The one that DT_VERSYM holds of a symbol.
pub(super) fn at(versions: &[Version], index: usize) -> Option<&Version> {
    versions.iter().find(|version| version.index == index)
}

/// Versions that a loaded library should define and does not. One without any is taken as it is.
pub(super) fn undefined(linker: &Linker<'_>) -> Vec<Undefined> {
    let mut missing = Vec::new();
    for object in &linker.link.objects {
        let (Some(file), Some(image)) = (linker.open(object), &object.image) else { continue };
        let Some(mut strings) = Reader::strings(&file.contents, image) else { continue };
        for version in &needed(&file.contents, image) {
            let Some(name) = strings.string_at(version.file) else { continue };
            let Some(of) = linker.link.objects.iter().find(|other| other.is_called(name)) else { continue };
            let known = linker.defined(of);
            let has_it = known.iter().any(|definition| definition.hash == version.hash);
            if !known.is_empty() && !has_it && !version.is_weak {
                let name = strings.string_at(version.name).unwrap_or_default().to_vec();
                missing.push(Undefined::new(name, &of.path, object, false));
            }
        }
    }
    missing
}

impl Linker<'_> {
    /// What an object defines; read once.
    pub(super) fn defined<'a>(&self, object: &'a Library) -> &'a [Version] {
        object.defined.get_or_init(|| match (self.open(object), &object.image) {
            (Some(file), Some(image)) => defined(&file.contents, image),
            _ => Vec::new(),
        })
    }
}
