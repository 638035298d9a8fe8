//! A file that is loaded, and what can keep a loader from it.

use std::cell::OnceCell;
use std::rc::Rc;

use super::versions::Version;
use super::{Linker, List, State, bytes};
use crate::candidate::library::Library;
use crate::candidate::{Candidate, Dynamic, Image, TableError, last_name};
use crate::elf::consts::{
    DF_1_PIE, DT_FLAGS_1, EI_CLASS, EI_DATA, EI_OSABI, EI_VERSION, ELFOSABI_GNU, ELFOSABI_NONE, EM_MIPS,
    ET_DYN, ET_EXEC, PT_DYNAMIC,
};
use crate::elf::{ByteOrder, mips};
use crate::errno::Errno;

/// A file that is loaded, or that should be.
#[derive(Debug)]
pub struct Object {
    /// The first DT_NEEDED that asks for it; of the interpreter PT_INTERP, of the program nothing.
    pub name: Vec<u8>,
    /// The file, as the loader opens it; empty where there is none.
    pub path: Vec<u8>,
    /// Whether the loader takes it.
    pub state: State,
    /// Where it was looked for before, in that order.
    pub tried: List,
    /// Who asked for it first, by place in the list; None of the program.
    pub(super) parent: Option<usize>,
    /// What a DT_NEEDED may call it.
    pub(super) names: List,
    /// Device and inode.
    pub(super) id: (u64, u64),
    /// Its folder.
    pub(super) origin: Vec<u8>,
    pub(super) image: Option<Rc<Image>>,
    /// The versions that it defines, once they were asked for.
    pub(super) defined: OnceCell<Vec<Version>>,
}

impl Object {
    /// One that is not found yet.
    pub(super) fn new(name: &[u8], parent: Option<usize>) -> Object {
        Object {
            name: name.to_vec(),
            path: Vec::new(),
            state: State::Missing(Errno::ENOENT),
            tried: List::default(),
            parent,
            names: List::default(),
            id: (0, 0),
            origin: Vec::new(),
            image: None,
            defined: OnceCell::new(),
        }
    }

    /// The program, or its interpreter: what the kernel loads.
    pub(super) fn loaded(candidate: &Candidate, image: Option<&Rc<Image>>, parent: Option<usize>) -> Object {
        let path = bytes(&candidate.path);
        let mut object = Object::new(if parent.is_some() { path } else { b"" }, parent);
        match candidate.stat {
            Ok(stat) => {
                object.path = path.to_vec();
                object.id = (stat.device, stat.inode);
                object.state = State::Unusable(Unusable::NotElf);
            }
            Err(errno) => object.state = State::Missing(errno),
        }
        if image.is_some() {
            object.state = State::Found;
        }
        object.image = image.cloned();
        object
    }

    /// glibc knows it by its DT_SONAME, too.
    pub(super) fn finish(&mut self, glibc: bool) {
        let soname = self.dynamic().and_then(|dynamic| dynamic.soname.clone());
        if let (Some(soname), true) = (soname, glibc) {
            self.names.push(&soname);
        }
    }

    pub(super) fn dynamic(&self) -> Option<&Dynamic> {
        self.image.as_ref()?.dynamic.as_ref()
    }

    pub(super) fn flags(&self, tag: u32) -> u64 {
        self.dynamic().map_or(0, |dynamic| dynamic.flags(tag))
    }

    /// Whether a DT_NEEDED may call it so.
    pub(super) fn is_called(&self, name: &[u8]) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// What stands before the last slash.
pub(super) fn folder(path: &[u8]) -> &[u8] {
    match last_name(path).0 {
        [] => b".",
        [folder @ .., _] if !folder.is_empty() => folder,
        root => root,
    }
}

/// Why a loader does not take a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Unusable {
    TooShort,
    NotElf,
    NotLittleEndian,
    NotBigEndian,
    Version,
    OsAbi,
    AbiVersion,
    Padding,
    FileVersion,
    Type,
    EntrySize,
    Truncated,
    Folder,
    Level,
    Class32,
    Class64,
    Machine,
    FloatAbi,
    NoSegments,
    PageAlignment,
    SegmentAlignment,
    NotPageAligned,
    NotDynamic,
    Executable,
    Pie,
    Cut,
}

impl Unusable {
    /// glibc's words for it.
    pub fn words(self) -> &'static str {
        const WORDS: [&str; 26] = [
            "file too short",
            "invalid ELF header",
            "ELF file data encoding not little-endian",
            "ELF file data encoding not big-endian",
            "ELF file version ident does not match current one",
            "ELF file OS ABI invalid",
            "ELF file ABI version invalid",
            "nonzero padding in e_ident",
            "ELF file version does not match current one",
            "only ET_DYN and ET_EXEC can be loaded",
            "ELF file's phentsize not the expected size",
            "cannot read file data",
            "cannot read file data: Error 21",
            "CPU ISA level is lower than required",
            "wrong ELF class: ELFCLASS32",
            "wrong ELF class: ELFCLASS64",
            "cannot open shared object file: No such file or directory",
            "cannot open shared object file: No such file or directory",
            "object file has no loadable segments",
            "ELF load command alignment not page-aligned",
            "ELF load command address/offset not properly aligned",
            "ELF load command address/offset not page-aligned",
            "object file has no dynamic section",
            "cannot dynamically load executable",
            "cannot dynamically load position-independent executable",
            "cut short: what its loader reads is missing",
        ];
        WORDS.get(self as usize).copied().unwrap_or_default()
    }

    /// glibc names the file in its words; of what it finds out later, and of what it passes over, the DT_NEEDED.
    pub const fn is_of_the_file(self) -> bool {
        self as u8 <= Unusable::Level as u8
    }

    /// glibc goes on with the next folder (elf/dl-load.c `open_verify`).
    pub(super) const fn is_passed_over(self) -> bool {
        matches!(self, Unusable::Class32 | Unusable::Class64 | Unusable::Machine | Unusable::FloatAbi)
    }
}

impl Linker<'_> {
    /// What keeps the loader from a file that it has opened.
    pub(super) fn why_unusable(&self, library: &Library) -> Option<Unusable> {
        let Some(facts) = &self.glibc else { return self.why_unusable_to_musl(library) };
        let image = &*library.image;
        let header = &image.header;
        if let Some(why) = self.why_not_verified(library) {
            return Some(why);
        }
        let pages = self.machine.kernel.page().get().wrapping_sub(1);
        if image.loads().next().is_none() {
            return Some(Unusable::NoSegments);
        }
        for load in image.loads() {
            if facts.checks_alignment() && load.p_align & pages != 0 {
                return Some(Unusable::PageAlignment);
            }
            let within = if facts.checks_alignment() { load.p_align.wrapping_sub(1) } else { pages };
            if load.p_vaddr.wrapping_sub(load.p_offset) & within != 0 {
                let older = facts.checks_alignment();
                return Some(if older { Unusable::SegmentAlignment } else { Unusable::NotPageAligned });
            }
        }
        let Some(dynamic) = &image.dynamic else { return Some(Unusable::NotDynamic) };
        if header.e_type == ET_EXEC {
            return Some(Unusable::Executable);
        }
        if dynamic.flags(DT_FLAGS_1) & DF_1_PIE != 0 {
            return Some(Unusable::Pie);
        }
        if self.lacks_level(image) {
            return Some(Unusable::Level);
        }
        self.is_cut(library).then_some(Unusable::Cut)
    }

    /// elf/dl-load.c `open_verify`.
    fn why_not_verified(&self, library: &Library) -> Option<Unusable> {
        let header = &library.image.header;
        let ident = &library.ident;
        if library.stat.size < self.view.header_size() as u64 {
            return Some(Unusable::TooShort);
        }
        if !ident.starts_with(b"\x7fELF") {
            return Some(Unusable::NotElf);
        }
        if u32::from(ident[EI_CLASS]).wrapping_mul(32) != self.view.class.bits() {
            return Some(if ident[EI_CLASS] == 1 { Unusable::Class32 } else { Unusable::Class64 });
        }
        let program = self.object(0)?.image.as_ref()?;
        if header.e_machine != program.header.e_machine {
            return Some(Unusable::Machine);
        }
        let little = self.view.order == ByteOrder::Little;
        if (ident[EI_DATA] == 1) != little {
            return Some(if little { Unusable::NotLittleEndian } else { Unusable::NotBigEndian });
        }
        if ident[EI_VERSION] != 1 {
            return Some(Unusable::Version);
        }
        let osabi = ident[EI_OSABI];
        if !matches!(osabi, ELFOSABI_NONE | ELFOSABI_GNU) {
            return Some(Unusable::OsAbi);
        }
        if ident[8] > if osabi == ELFOSABI_GNU { 5 } else { 0 } && header.e_machine != EM_MIPS {
            return Some(Unusable::AbiVersion);
        }
        if ident[9..].iter().any(|byte| *byte != 0) {
            return Some(Unusable::Padding);
        }
        if header.e_version != 1 {
            return Some(Unusable::FileVersion);
        }
        if !matches!(header.e_type, ET_DYN | ET_EXEC) {
            return Some(Unusable::Type);
        }
        if usize::from(header.e_phentsize) != self.view.program_header_size() {
            return Some(Unusable::EntrySize);
        }
        if library.image.program_headers == Err(TableError::Truncated) {
            return Some(Unusable::Truncated);
        }
        let float = header.e_machine == EM_MIPS && float_abis_differ(program, &library.image);
        float.then_some(Unusable::FloatAbi)
    }

    /// ldso/dynlink.c `map_library`: it looks at e_type and PT_DYNAMIC only. Those of another byte order or class are
    /// none by that; a library of another processor fails at its first relocation.
    fn why_unusable_to_musl(&self, library: &Library) -> Option<Unusable> {
        let image = &*library.image;
        if library.stat.size < self.view.header_size() as u64 {
            return Some(Unusable::TooShort);
        }
        if !matches!(image.header.e_type, ET_DYN | ET_EXEC) {
            let little = self.view.order == ByteOrder::Little;
            let swapped = matches!(image.header.e_type.swap_bytes(), ET_DYN | ET_EXEC);
            let elf = library.ident.starts_with(b"\x7fELF");
            return Some(match (elf, swapped, little) {
                (false, ..) => Unusable::NotElf,
                (_, true, true) => Unusable::NotLittleEndian,
                (_, true, false) => Unusable::NotBigEndian,
                _ => Unusable::Type,
            });
        }
        if image.dynamic.is_none() {
            let class = library.ident[EI_CLASS];
            let other = u32::from(class).wrapping_mul(32) != self.view.class.bits();
            return Some(match (other, class) {
                (true, 1) => Unusable::Class32,
                (true, 2) => Unusable::Class64,
                _ => Unusable::NotDynamic,
            });
        }
        if self.object(0)?.image.as_ref()?.header.e_machine != image.header.e_machine {
            return Some(Unusable::Machine);
        }
        self.is_cut(library).then_some(Unusable::Cut)
    }

    /// Whether PT_DYNAMIC, which a loader reads first, lies in a page beyond the end of the file.
    fn is_cut(&self, library: &Library) -> bool {
        let pages = self.machine.kernel.page().get().wrapping_sub(1);
        let end = library.stat.size.saturating_add(pages) & !pages;
        let mut table = library.image.table().iter();
        let dynamic = table.find(|segment| segment.p_type == PT_DYNAMIC);
        dynamic.is_some_and(|dynamic| dynamic.p_offset >= end)
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
