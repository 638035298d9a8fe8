//! Versions that an object asks for (DT_VERNEED) and defines (DT_VERDEF): glibc's elf/dl-version.c. musl knows none.

use alloc::format;
use alloc::vec::Vec;

use super::object::Library;
use super::{Linker, Undefined};
use crate::candidate::reader::{Contents, Reader};
use crate::candidate::{Candidate, Files, Image};
use crate::elf::consts::{DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM};
use crate::elf::offset;
use crate::machine::{decimal, parts};
use crate::target::Root;

/// A table whose size nobody tells is read no further than that.
const LIMIT: usize = 1 << 20;
/// Versions of an object that are heeded; libstdc++ defines 60.
const VERSIONS_AT_MOST: usize = 4096;
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

/// What an object asks for (DT_VERNEED), or what it defines (DT_VERDEF) but for its base version, which is its own name.
pub(super) fn of(file: &Contents, image: &Image, tag: u32) -> Vec<Version> {
    let mut found = Vec::new();
    let mut table = Reader::dynamic(file, image, tag, LIMIT);
    let _ends_early = read(&mut table, image, tag, &mut found);
    found
}

/// Either table: each entry tells how far behind it the next one is.
fn read(table: &mut Reader<'_>, image: &Image, tag: u32, found: &mut Vec<Version>) -> Option<()> {
    let defined = tag == DT_VERDEF;
    let count = if defined { DT_VERDEFNUM } else { DT_VERNEEDNUM };
    let count = offset(image.dynamic.as_ref()?.flags(count)).min(VERSIONS_AT_MOST);
    let order = image.encoding.order;
    let field = |entry: &[u8], at, size| offset(order.uint(entry, at, size));
    let mut at = 0_usize;
    for _ in 0..count {
        if defined {
            let verdef = table.bytes_at(at, 20)?;
            if field(verdef, 2, 2) & VER_FLG_BASE == 0 {
                let (index, hash, next) = (field(verdef, 4, 2), order.u32(verdef, 8), field(verdef, 16, 4));
                let aux = at.wrapping_add(field(verdef, 12, 4));
                let name = table.bytes_at(aux, 8).map_or(0, |verdaux| field(verdaux, 0, 4));
                found.push(Version { index, hash, name, ..Version::default() });
                at = at.wrapping_add(next);
            } else {
                at = at.wrapping_add(field(verdef, 16, 4));
            }
        } else {
            let verneed = table.bytes_at(at, 16)?;
            let (count, file) = (field(verneed, 2, 2), field(verneed, 4, 4));
            let mut aux = at.wrapping_add(field(verneed, 8, 4));
            at = at.wrapping_add(field(verneed, 12, 4));
            for _ in 0..count {
                let vernaux = table.bytes_at(aux, 16)?;
                found.push(Version {
                    index: field(vernaux, 6, 2),
                    hash: order.u32(vernaux, 0),
                    name: field(vernaux, 8, 4),
                    file,
                    is_weak: field(vernaux, 4, 2) & VER_FLG_WEAK != 0,
                });
                aux = aux.wrapping_add(field(vernaux, 12, 4));
                if found.len() >= VERSIONS_AT_MOST {
                    return None;
                }
            }
        }
    }
    Some(())
}

/// The highest version of glibc that a program asks for, of those that are numbers: "GLIBC_2.34". Empty where it asks for
/// none, or is none.
pub(crate) fn glibc_of(root: &dyn Root, files: &Files, candidate: &Candidate) -> Vec<u8> {
    let wanted = || {
        // Of a router's programs few are glibc's.
        if crate::ROUTER {
            return None;
        }
        let image = candidate.program()?.image()?;
        image.dynamic.as_ref()?.get(DT_VERNEED)?;
        let file = files.open(root, &candidate.path, candidate.found()?)?.ok()?;
        let mut strings = Reader::strings(&file.contents, image);
        let mut highest = ((0, 0, 0), Vec::new());
        for version in of(&file.contents, image, DT_VERNEED).iter().filter(|version| !version.is_weak) {
            let Some(name) = strings.string_at(version.name) else { continue };
            let Some(number) = number_of(name).filter(|number| *number > highest.0) else { continue };
            highest = (number, name.to_vec());
        }
        Some(highest.1)
    };
    wanted().unwrap_or_default()
}

/// (2, 3, 4) of "GLIBC_2.3.4".
fn number_of(name: &[u8]) -> Option<(u64, u64, u64)> {
    let mut numbers = parts(name.strip_prefix(b"GLIBC_")?, b'.');
    let (major, minor) = (decimal(numbers.next()?)?, decimal(numbers.next()?)?);
    Some((major, minor, numbers.next().map_or(Some(0), decimal)?))
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
        let mut strings = Reader::strings(&file.contents, image);
        for version in &of(&file.contents, image, DT_VERNEED) {
            let Some(name) = strings.string_at(version.file) else { continue };
            let Some(of) = linker.link.objects.iter().find(|other| other.is_called(name)) else { continue };
            let known = linker.defined(of);
            let has_it = known.iter().any(|definition| definition.hash == version.hash);
            if !known.is_empty() && !has_it && !version.is_weak {
                let name = strings.string_at(version.name).unwrap_or_default().to_vec();
                missing.push(Undefined::new(name, of.path.clone(), object, false));
            }
        }
    }
    missing
}

impl Linker<'_> {
    /// glibc's release by the newest version that its libc.so.6 defines: "2.31". Most releases bring one.
    pub(super) fn newest_version(&self) -> Option<Vec<u8>> {
        let libc = self.link.objects.iter().find(|object| object.is_called(b"libc.so.6"))?;
        let (file, image) = (self.open(libc)?, libc.image.as_ref()?);
        let mut strings = Reader::strings(&file.contents, image);
        let mut newest = None;
        for version in self.defined(libc) {
            let name = strings.string_at(version.name).unwrap_or_default();
            let minor = name.strip_prefix(b"GLIBC_2.").and_then(decimal);
            newest = newest.max(minor);
        }
        newest.map(|minor| format!("2.{minor}").into_bytes())
    }

    /// What an object defines; read once.
    pub(super) fn defined<'a>(&self, object: &'a Library) -> &'a [Version] {
        object.defined.get_or_init(|| match (self.open(object), &object.image) {
            (Some(file), Some(image)) => of(&file.contents, image, DT_VERDEF),
            _ => Vec::new(),
        })
    }
}
