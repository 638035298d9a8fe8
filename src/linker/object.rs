//! A file that is loaded, and what can keep a loader from it.

use std::rc::Rc;

use super::{Linker, Rules, bytes};
use crate::candidate::library::Library;
use crate::candidate::{Candidate, Image};
use crate::elf::consts::{DF_1_PIE, DT_FLAGS_1, EI_CLASS, EI_DATA, EM_MIPS, ET_DYN, ET_EXEC, PT_LOAD};
use crate::elf::{ByteOrder, mips};

/// A file that is loaded.
pub(super) struct Object {
    /// As the loader opens it.
    pub(super) path: Vec<u8>,
    /// What a DT_NEEDED may call it.
    pub(super) names: Vec<Vec<u8>>,
    /// Who asked for it first.
    pub(super) parent: Option<usize>,
    /// Device and inode.
    pub(super) id: (u64, u64),
    /// Its folder.
    pub(super) origin: Vec<u8>,
    pub(super) image: Rc<Image>,
}

impl Object {
    pub(super) fn program(candidate: &Candidate, image: &Rc<Image>) -> Object {
        let (path, resolved) = (bytes(&candidate.path), bytes(&candidate.resolved));
        let object = Object::library(path, Vec::new(), 0, id(candidate), Rc::clone(image));
        Object { parent: None, origin: folder(&resolved), ..object }
    }

    pub(super) fn interpreter(candidate: &Candidate, image: &Rc<Image>) -> Object {
        let path = bytes(&candidate.path);
        Object::library(path.clone(), vec![path], 0, id(candidate), Rc::clone(image))
    }

    pub(super) fn library(
        path: Vec<u8>,
        names: Vec<Vec<u8>>,
        parent: usize,
        id: (u64, u64),
        image: Rc<Image>,
    ) -> Object {
        Object { origin: folder(&path), path, names, parent: Some(parent), id, image }
    }

    pub(super) fn needed(&self) -> Vec<Vec<u8>> {
        self.image.dynamic.as_ref().map_or_else(Vec::new, |dynamic| dynamic.needed.clone())
    }

    pub(super) fn soname(&self) -> Option<&[u8]> {
        self.image.dynamic.as_ref()?.soname.as_deref()
    }

    pub(super) fn flags(&self, tag: u64) -> u64 {
        self.image.dynamic.as_ref().map_or(0, |dynamic| dynamic.flags(tag))
    }
}

fn id(candidate: &Candidate) -> (u64, u64) {
    candidate.stat.map_or((0, 0), |stat| (stat.device, stat.inode))
}

/// What stands before the last slash.
fn folder(path: &[u8]) -> Vec<u8> {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(0) => b"/".to_vec(),
        Some(end) => path.get(..end).unwrap_or_default().to_vec(),
        None => b".".to_vec(),
    }
}

/// Why a loader does not take a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Unusable {
    TooShort,
    NotElf,
    Class32,
    Class64,
    NotLittleEndian,
    NotBigEndian,
    Machine,
    FloatAbi,
    Type,
    NotDynamic,
    NoSegments,
    SegmentAlignment,
    PageAlignment,
    Executable,
    Pie,
}

impl Unusable {
    /// glibc's words for it.
    pub const fn words(self) -> &'static str {
        const WORDS: [&str; 15] = [
            "file too short",
            "invalid ELF header",
            "wrong ELF class: ELFCLASS32",
            "wrong ELF class: ELFCLASS64",
            "ELF file data encoding not little-endian",
            "ELF file data encoding not big-endian",
            "cannot open shared object file: No such file or directory",
            "cannot open shared object file: No such file or directory",
            "only ET_DYN and ET_EXEC can be loaded",
            "object file has no dynamic section",
            "object file has no loadable segments",
            "ELF load command address/offset not properly aligned",
            "ELF load command alignment not page-aligned",
            "cannot dynamically load executable",
            "cannot dynamically load position-independent executable",
        ];
        #[allow(clippy::indexing_slicing)] // One for each.
        WORDS[self as usize]
    }

    /// glibc names the file in its words; of what it finds out later, and of what it passes over, the DT_NEEDED.
    pub const fn is_of_the_file(self) -> bool {
        matches!(
            self,
            Unusable::TooShort
                | Unusable::NotElf
                | Unusable::NotLittleEndian
                | Unusable::NotBigEndian
                | Unusable::Type
        )
    }

    /// glibc goes on with the next folder (elf/dl-load.c `open_verify`).
    pub(super) const fn is_passed_over(self) -> bool {
        matches!(self, Unusable::Class32 | Unusable::Class64 | Unusable::Machine | Unusable::FloatAbi)
    }
}

impl Linker<'_> {
    /// What keeps the loader from a file that it has opened. musl looks at e_type and PT_DYNAMIC only; a library of
    /// another processor fails at its first relocation.
    pub(super) fn why_unusable(&self, library: &Library) -> Option<Unusable> {
        let image = &*library.image;
        let header = &image.header;
        let ident = |at: usize| library.ident.get(at).copied().unwrap_or_default();
        if !library.ident.starts_with(b"\x7fELF") {
            return Some(if library.ident.len() < 16 { Unusable::TooShort } else { Unusable::NotElf });
        }
        if u32::from(ident(EI_CLASS)).wrapping_mul(32) != self.view.class.bits() {
            return Some(if ident(EI_CLASS) == 1 { Unusable::Class32 } else { Unusable::Class64 });
        }
        let little = self.view.order == ByteOrder::Little;
        if (ident(EI_DATA) == 1) != little {
            return Some(if little { Unusable::NotLittleEndian } else { Unusable::NotBigEndian });
        }
        let program = &self.objects.first()?.image;
        if header.e_machine != program.header.e_machine {
            return Some(Unusable::Machine);
        }
        if !matches!(header.e_type, ET_DYN | ET_EXEC) {
            return Some(Unusable::Type);
        }
        let musl = matches!(self.rules, Rules::Musl);
        if !musl && header.e_machine == EM_MIPS && float_abis_differ(program, image) {
            return Some(Unusable::FloatAbi);
        }
        let page = self.machine.kernel.page();
        let within = page.get().wrapping_sub(1);
        for load in image.loads() {
            if !musl && load.p_align & within != 0 {
                return Some(Unusable::PageAlignment);
            }
            if load.p_vaddr.wrapping_sub(load.p_offset) & within != 0 {
                return Some(Unusable::SegmentAlignment);
            }
        }
        if image.dynamic.is_none() {
            return Some(Unusable::NotDynamic);
        }
        if !image.table().iter().any(|segment| segment.p_type == PT_LOAD) {
            return Some(Unusable::NoSegments);
        }
        if !musl && header.e_type == ET_EXEC {
            return Some(Unusable::Executable);
        }
        let flags = image.dynamic.as_ref().map_or(0, |dynamic| dynamic.flags(DT_FLAGS_1));
        if !musl && flags & DF_1_PIE != 0 {
            return Some(Unusable::Pie);
        }
        None
    }
}

/// sysdeps/mips/dl-machine-reject-phdr.h: soft float and hard float do not go together.
fn float_abis_differ(one: &Image, other: &Image) -> bool {
    let [one, other] = [one, other].map(|image| image.abiflags.map(|flags| flags.fp_abi));
    one.zip(other).is_some_and(|(one, other)| {
        let known = one != 0 && other != 0;
        known && mips::fp::is_hard(one) != mips::fp::is_hard(other)
    })
}
