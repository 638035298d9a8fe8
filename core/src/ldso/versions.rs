//! Versions that an object asks for (DT_VERNEED) and defines (DT_VERDEF): glibc's elf/dl-version.c. musl knows none.

use alloc::format;
use alloc::vec::Vec;

use super::fault::{Fault, FaultKind};
use super::object::Library;
use super::rehearsal::sysv_hash;
use super::{Linker, Undefined};
use crate::budget::Guard;
use crate::candidate::reader::{Contents, Reader};
use crate::candidate::{Candidate, Files, Image};
use crate::elf::consts::{DT_STRTAB, DT_VERDEF, DT_VERNEED, DT_VERSYM};
use crate::elf::offset;
use crate::exec::Missing;
use crate::machine::{decimal, parts};
use crate::target::Root;

/// A table whose size nobody tells is read no further than that.
const LIMIT: usize = 1 << 20;
/// Missing ones that are told at most.
const MISSING_AT_MOST: usize = 64;
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
    pub(super) file: usize,
    pub(super) is_weak: bool,
    /// vn_version or vd_version of its record: 1.
    record: usize,
}

/// What an object asks for (DT_VERNEED), or what it defines (DT_VERDEF).
pub(super) fn of(file: &Contents, image: &Image, tag: u32) -> Vec<Version> {
    read_all(file, image, tag).0
}

/// The same, and whether all of it could be read.
pub(super) fn read_all(file: &Contents, image: &Image, tag: u32) -> (Vec<Version>, bool) {
    let mut found = Vec::new();
    if !crate::ROUTER && image.dynamic_offset(tag).is_some() {
        found.reserve(16);
    }
    let mut table = Reader::dynamic(file, image, tag, LIMIT);
    let is_whole = read(&mut table, image, tag, &mut found).is_some();
    (found, is_whole)
}

/// Either table: each record tells how far behind it the next one is. glibc does not look at their numbers (DT_VERNEEDNUM,
/// DT_VERDEFNUM, vn_cnt).
fn read(table: &mut Reader<'_>, image: &Image, tag: u32, found: &mut Vec<Version>) -> Option<()> {
    let order = image.encoding.order;
    let field = |entry: &[u8], at, size| offset(order.uint(entry, at, size));
    let mut at = 0_usize;
    while table.steps(1) {
        if found.len() >= Guard::Versions.at_most(VERSIONS_AT_MOST) {
            table.cut(Missing::TooManyNames);
            break;
        }
        let next = if tag == DT_VERDEF {
            let verdef = table.bytes_at(at, 20)?;
            let is_base = field(verdef, 2, 2) & VER_FLG_BASE != 0;
            // Its own name, which is no symbol's version.
            let index = if is_base { usize::MAX } else { field(verdef, 4, 2) };
            let (record, hash, next) = (field(verdef, 0, 2), order.u32(verdef, 8), field(verdef, 16, 4));
            let aux = at.wrapping_add(field(verdef, 12, 4));
            let name = table.bytes_at(aux, 8).map_or(0, |verdaux| field(verdaux, 0, 4));
            found.push(Version { index, hash, name, record, ..Version::default() });
            next
        } else {
            let verneed = table.bytes_at(at, 16)?;
            let (record, file, next) = (field(verneed, 0, 2), field(verneed, 4, 4), field(verneed, 12, 4));
            let mut aux = at.wrapping_add(field(verneed, 8, 4));
            while found.len() < Guard::Versions.at_most(VERSIONS_AT_MOST) && table.steps(1) {
                let vernaux = table.bytes_at(aux, 16)?;
                found.push(Version {
                    index: field(vernaux, 6, 2),
                    hash: order.u32(vernaux, 0),
                    name: field(vernaux, 8, 4),
                    file,
                    is_weak: field(vernaux, 4, 2) & VER_FLG_WEAK != 0,
                    record,
                });
                let next = field(vernaux, 12, 4);
                if next == 0 {
                    break;
                }
                aux = aux.wrapping_add(next);
            }
            next
        };
        if next == 0 {
            break;
        }
        at = at.wrapping_add(next);
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
pub(super) fn number_of(name: &[u8]) -> Option<(u64, u64, u64)> {
    let mut numbers = parts(name.strip_prefix(b"GLIBC_")?, b'.');
    let (major, minor) = (decimal(numbers.next()?)?, decimal(numbers.next()?)?);
    Some((major, minor, numbers.next().map_or(Some(0), decimal)?))
}

/// The one that DT_VERSYM holds of a symbol.
pub(super) fn at(versions: &[Version], index: usize) -> Option<&Version> {
    versions.iter().find(|version| version.index == index)
}

/// What comes of comparing what all objects ask for with what they define.
#[derive(Default)]
pub(super) struct Compared {
    /// Versions that a loaded library should define and does not. One without any is taken as it is.
    pub(super) missing: Vec<Undefined>,
    /// What the loader does not stand.
    pub(super) fault: Option<Fault>,
    /// Who asks for a version of what has none: which object, of which one, by which name in its DT_STRTAB.
    pub(super) unversioned: Vec<(usize, usize, usize)>,
}

/// elf/dl-version.c `_dl_check_all_versions`.
pub(super) fn compare(linker: &Linker<'_>) -> Compared {
    let mut compared = Compared::default();
    for (index, object) in linker.link.objects.iter().enumerate() {
        if let Some(fault) = compare_one(linker, index, object, &mut compared) {
            // What ends it at once counts more than what is told once all are compared.
            compared.fault = Some(fault);
            break;
        }
    }
    compared
}

fn compare_one(
    linker: &Linker<'_>,
    index: usize,
    object: &Library,
    compared: &mut Compared,
) -> Option<Fault> {
    let (file, image) = (linker.open(object)?, object.image.as_ref()?);
    let dynamic = image.dynamic.as_ref()?;
    dynamic.get(DT_STRTAB)?;
    let mut strings = Reader::strings(&file.contents, image);
    let versions = linker.verneed(object);
    let mut is_named = |version: &Version| {
        strings.string_at(version.name).is_some_and(|name| sysv_hash(name) == version.hash)
    };
    let is_own = linker.is_c_library(object);
    if !(crate::ROUTER || is_own || versions.iter().all(&mut is_named)) {
        linker.doubt();
    }
    if !(crate::ROUTER || is_own || index == 1 || linker.defined(object).iter().all(&mut is_named)) {
        linker.doubt();
    }
    if let Some(first) = versions.first().filter(|first| !crate::ROUTER && first.record != 1) {
        return Some(Fault { number: first.record as u64, ..Fault::new(FaultKind::VerneedRecord, object) });
    }
    for version in versions {
        // Each is looked for among all objects.
        if !linker.goes_on(linker.link.objects.len()) {
            break;
        }
        let Some(name) = strings.string_at(version.file) else {
            linker.doubt();
            continue;
        };
        let position = |answers: &dyn Fn(&Library) -> bool| linker.link.objects.iter().position(answers);
        let Some(at) = position(&|other| other.is_called(name)) else {
            if crate::ROUTER || position(&|other| other.path == name).is_some() {
                continue;
            }
            return Some(Fault { name: name.to_vec(), ..Fault::new(FaultKind::VersionsOfNoFile, object) });
        };
        let Some(of) = linker.object(at) else { continue };
        let known = linker.defined(of);
        let _is_over = linker.goes_on(known.len() / 4);
        if known.is_empty() {
            let ask = (index, at, version.file);
            if !crate::ROUTER && of.lacks_versions() && !compared.unversioned.contains(&ask) {
                compared.unversioned.push(ask);
            }
            continue;
        }
        let mut odd = None;
        let has_it = known.iter().any(|definition| {
            if !crate::ROUTER && definition.record != 1 {
                odd = odd.or(Some(definition.record));
            }
            odd.is_some() || definition.hash == version.hash
        });
        if let Some(record) = odd {
            let fault = Fault { number: record as u64, ..Fault::new(FaultKind::VerdefRecord, of) };
            compared.fault.get_or_insert(fault);
        } else if !has_it && !version.is_weak {
            if compared.missing.len() >= Guard::Missing.at_most(MISSING_AT_MOST) {
                continue;
            }
            let name = strings.string_at(version.name).unwrap_or_default().to_vec();
            compared.missing.push(Undefined::new(name, of.path.clone(), object, false));
        }
    }
    let has_versions = !versions.is_empty() || dynamic.get(DT_VERDEF).is_some();
    let dies = !crate::ROUTER && has_versions && dynamic.get(DT_VERSYM).is_none();
    dies.then(|| Fault::new(FaultKind::NoVersym, object))
}

impl Library {
    /// glibc takes note of DT_VERSYM only where there are versions.
    fn lacks_versions(&self) -> bool {
        let has = |tag| self.dynamic().is_some_and(|dynamic| dynamic.get(tag).is_some());
        !has(DT_VERSYM) || !(has(DT_VERNEED) || has(DT_VERDEF))
    }
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
        object.defined.get_or_init(|| self.versions(object, DT_VERDEF))
    }

    /// What an object asks for; read once.
    pub(super) fn verneed<'a>(&self, object: &'a Library) -> &'a [Version] {
        object.verneed.get_or_init(|| self.versions(object, DT_VERNEED))
    }

    fn versions(&self, object: &Library, tag: u32) -> Vec<Version> {
        let (Some(file), Some(image)) = (self.open(object), &object.image) else { return Vec::new() };
        let (versions, is_whole) = read_all(&file.contents, image, tag);
        let has_any = || object.dynamic().is_some_and(|dynamic| dynamic.get(tag).is_some());
        if !crate::ROUTER && !is_whole && has_any() {
            self.doubt();
        }
        versions
    }
}
