//! What a loader does once all is loaded.

use alloc::vec::Vec;

use super::fault::{Fault, FaultKind};
use super::symbols::relocations;
use super::versions::{self, Version};
use super::{Library, Linker, lfs64, symbols};
use crate::candidate::reader::Reader;
use crate::candidate::{File, Image};
use crate::elf::consts::{DT_INIT_ARRAY, DT_INIT_ARRAYSZ, DT_RELR, DT_RELRSZ, ET_EXEC};
use crate::machine::{decimal, parts};

/// The version by which a file says that it has DT_RELR, and its hash.
pub(super) const GUARD: (u32, &[u8]) = (0x00fd_0e42, b"GLIBC_ABI_DT_RELR");

impl Linker<'_> {
    /// Compares versions, relocates, looks up symbols.
    pub(super) fn resolve(&mut self) {
        let mut unversioned = Vec::new();
        if self.is_glibc() {
            let compared = versions::compare(self);
            (self.link.versions, self.link.fault) = (compared.missing, compared.fault);
            unversioned = compared.unversioned;
        }
        if self.link.versions.is_empty() && self.link.fault.is_none() {
            self.link.symbols = symbols::undefined(self);
            if !crate::ROUTER {
                // Where nothing is asserted such a symbol serves.
                if self.asserts_versions() {
                    self.link.fault = symbols::found_without_version(self, &unversioned);
                }
                self.link.fault = self.not_relocated().or(self.link.fault.take());
            }
        }
    }

    /// The first object, in the order in which they are relocated, of which its loader does not know a relocation. Of itself
    /// it knows all.
    pub(super) fn not_relocated(&self) -> Option<Fault> {
        let mut packed = None;
        let objects = self.link.objects.iter().enumerate();
        for (_, object) in objects.filter(|(index, object)| *index != 1 && !self.is_c_library(object)) {
            let (Some(file), Some(image)) = (self.open(object), &object.image) else { continue };
            let mut asks = symbols::Asks::new(self, object, image, &file);
            if relocations::moves_all(self, image, &file.contents, &mut asks) == Some(false) {
                self.doubt();
            }
            let unknown = relocations::unknown(self, image, &file.contents, &mut asks);
            let finds = || asks.are_found(self, object, image, &file) == Some(true);
            if !(crate::ROUTER || self.settled.finds_own(object, finds)) {
                self.doubt();
            }
            if let Some((kind, lazy)) = unknown {
                let fault = match (self.is_glibc(), lazy) {
                    (false, _) => FaultKind::MuslRelocationType,
                    (true, false) => FaultKind::RelocationType,
                    (true, true) => FaultKind::PltRelocationType,
                };
                return Some(Fault { number: kind as u64, ..Fault::new(fault, object) });
            }
            if packed.is_none()
                && image.dynamic.as_ref().is_some_and(|dynamic| dynamic.get(DT_RELR).is_some())
            {
                packed = self.not_unpacked(object, (&file, image));
            }
        }
        packed
    }

    /// Whether glibc asserts that a file has versions of which one is asked for.
    pub(super) fn asserts_versions(&self) -> bool {
        self.glibc.as_ref().is_some_and(|facts| facts.asserts_versions())
    }

    /// Whether the loader knows DT_RELR.
    pub(super) fn knows_relr(&self) -> bool {
        match &self.glibc {
            Some(facts) => facts.knows_relr(),
            None => self.is_since_1_2_4(),
        }
    }

    /// musl's first release with DT_RELR, and with a list of names in the place of `open64` and its like.
    fn is_since_1_2_4(&self) -> bool {
        !is_before(self.musl_release().unwrap_or_default(), [1, 2, 4])
    }

    /// Whether musl finds under another name what nothing defines.
    pub(super) fn finds_lfs64(&self, name: &[u8]) -> bool {
        !self.is_glibc() && lfs64::plain_name(name).is_some() && self.is_since_1_2_4()
    }

    /// What comes of DT_RELR (since glibc 2.36, which wants a guard, and musl 1.2.4).
    fn not_unpacked(&self, object: &Library, (file, image): (&File, &Image)) -> Option<Fault> {
        let dynamic = image.dynamic.as_ref()?;
        if self.knows_relr() {
            if !self.is_glibc() {
                return None;
            }
            let mut strings = Reader::strings(&file.contents, image);
            let needs_libc = dynamic.needed.iter().any(|name| name.starts_with(b"libc.so."));
            let versions = self.verneed(object);
            let mut is_guard = |version: &Version| {
                version.hash == GUARD.0 && strings.string_at(version.name) == Some(GUARD.1)
            };
            let is_open = needs_libc && !versions.is_empty() && !versions.iter().any(&mut is_guard);
            return is_open.then(|| Fault::new(FaultKind::RelrGuard, object));
        }
        // One at a fixed address is not moved.
        if image.header.e_type == ET_EXEC || dynamic.flags(DT_RELRSZ) == 0 {
            return None;
        }
        let first = dynamic.get(DT_INIT_ARRAY).filter(|_| dynamic.flags(DT_INIT_ARRAYSZ) > 0);
        let dies = first.is_some_and(|first| relocations::is_packed(image, &file.contents, first));
        Some(Fault { lazy: !dies, ..Fault::new(FaultKind::Relr, object) })
    }
}

impl Linker<'_> {
    /// The C library's release, where somebody asks for it.
    pub(super) fn tell_release(&mut self) {
        let is_packed = self.link.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Relr);
        match &self.glibc {
            Some(facts) if facts.release.is_empty() && (is_packed || !self.link.versions.is_empty()) => {
                self.link.release = self.newest_version().unwrap_or_default();
            }
            Some(facts) => self.link.release.clone_from(&facts.release),
            None => {
                self.link.path_file = self.path_file();
                if is_packed || !self.link.symbols.is_empty() {
                    self.link.release = self.musl_release().unwrap_or_default().to_vec();
                }
            }
        }
    }
}

/// Whether a release, "1.2.3", is older.
fn is_before(release: &[u8], other: [u64; 3]) -> bool {
    let mut numbers = parts(release, b'.').map(|number| decimal(number).unwrap_or(u64::MAX));
    let mut next = || numbers.next().unwrap_or(u64::MAX);
    [next(), next(), next()] < other
}
