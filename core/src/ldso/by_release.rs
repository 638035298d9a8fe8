//! A glibc of which its release alone is known ([`crate::target::Root::glibc`]): what of a program's needs that tells. No
//! release drops a version that an older one has, so the highest one that it has tells of all.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::gnu::GlibcBuild;
use super::resolve::GUARD;
use super::settings::Surroundings;
use super::symbols::each_undefined;
use super::versions::{number_of, read_all};
use super::{Dynamic, Kept, LinkResult, Linker, Undefined};
use crate::candidate::reader::Reader;
use crate::elf::Encoding;
use crate::elf::consts::DT_VERNEED;
use crate::exec::Missing;
use crate::machine::{Libc, Machine};

/// Libraries that come with each glibc of any processor, beside the loader (since 2.34 some are empty but for their
/// versions).
const OWN: [&[u8]; 8] = [
    b"libc.so.6",
    b"libm.so.6",
    b"libpthread.so.0",
    b"libdl.so.2",
    b"librt.so.1",
    b"libutil.so.1",
    b"libresolv.so.2",
    b"libanl.so.1",
];

/// Whether a library comes with the C library.
pub(crate) fn is_of_glibc(name: &[u8]) -> bool {
    OWN.contains(&name) || is_loader(name)
}

/// Distributions give some to the loader of an older release (RHEL 9's 2.34 has GLIBC_2.35).
fn is_loader(name: &[u8]) -> bool {
    !name.contains(&b'/') && Libc::of_loader(name) == Some(Libc::Glibc)
}

/// Follows a program as far as the release tells: the versions that it lacks; else what is not known.
pub(super) fn follow(
    (machine, kept): (&Machine<'_>, &Kept),
    encoding: Encoding,
    around: Surroundings,
    release: Vec<u8>,
    link: &mut LinkResult,
) {
    link.libc = Some(Libc::Glibc);
    link.release.clone_from(&release);
    let glibc = Some(Rc::new(GlibcBuild::of_release(release)));
    let mut linker = Linker::new((machine, kept), encoding, glibc, around, link);
    linker.link.refuses = linker.refuses();
    let dynamic = linker.object(0).and_then(|program| program.dynamic());
    linker.link.lacks_dynamic = dynamic.is_none_or(Dynamic::is_blank);
    let asked = linker.asked().unwrap_or_default();
    if asked.missing.is_empty() {
        let is_told = asked.is_told && linker.is_sound() && linker.not_relocated().is_none();
        let is_told = is_told && linker.has_all_versions() && !linker.doubts.get();
        linker.link.unread = match () {
            () if asked.needs_others => Some(Missing::Installed),
            () if is_told => None,
            () => Some(Missing::LeftOut),
        };
    }
    linker.link.versions = asked.missing;
}

/// What a program asks for.
#[derive(Default)]
struct Asked {
    /// Versions that this release does not have.
    missing: Vec<Undefined>,
    /// It needs libraries that do not come with the C library, or has folders of its own for them.
    needs_others: bool,
    /// The release tells of each version.
    is_told: bool,
}

impl Linker<'_> {
    /// None where it could not be read.
    fn asked(&self) -> Option<Asked> {
        let program = self.object(0)?;
        let (file, image) = (self.open(program)?, program.image.as_ref()?);
        let dynamic = image.dynamic.as_ref()?;
        let mut strings = Reader::strings(&file.contents, image);
        let facts = self.glibc.as_ref()?;
        let (major, minor) = facts.release()?;
        let (versions, is_whole) = match dynamic.get(DT_VERNEED) {
            Some(_) => read_all(&file.contents, image, DT_VERNEED),
            None => Default::default(),
        };
        let has_folders = dynamic.rpath.is_some() || dynamic.runpath.is_some();
        let mut asked = Asked {
            needs_others: has_folders || !dynamic.needed.iter().all(|name| is_of_glibc(name)),
            // Each object of those that it links with its linker gives a version.
            is_told: is_whole && !dynamic.is_cut,
            ..Asked::default()
        };
        for version in &versions {
            let of = strings.string_at(version.file)?.to_vec();
            if !is_of_glibc(&of) {
                continue;
            }
            let name = strings.string_at(version.name)?;
            let is_needed = is_loader(&of) || dynamic.needed.contains(&of);
            match number_of(name) {
                Some(number) if number < (major, minor.saturating_add(1), 0) => asked.is_told &= is_needed,
                Some(_) if is_needed && !version.is_weak && !is_loader(&of) => {
                    let missing = Undefined::new(name.to_vec(), of, program, false);
                    asked.missing.push(missing);
                }
                _ => asked.is_told &= name == GUARD.1 && facts.knows_relr(),
            }
        }
        Some(asked)
    }

    /// Whether the program asks for each symbol by a version: what has none may be anyone's.
    fn has_all_versions(&self) -> bool {
        let mut has_all = true;
        let is_read = each_undefined(self, 0, 1, false, &mut |asked| {
            has_all &= asked.version.is_some();
            has_all
        });
        is_read.is_some() && has_all && self.goes_on(0)
    }
}
