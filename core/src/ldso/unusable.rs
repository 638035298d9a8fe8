//! Why a dynamic loader does not take a file.

use super::Linker;
use crate::arch;
use crate::candidate::{File, Image, TableError};
use crate::elf::consts::{
    DT_PLTGOT, EI_CLASS, EI_DATA, EI_OSABI, EI_VERSION, ELFOSABI_GNU, ELFOSABI_NONE, EM_386, EM_486, EM_MIPS,
    EM_X86_64, ET_DYN, ET_EXEC, PF_W, PF_X, PT_DYNAMIC, PT_GNU_STACK,
};
use crate::elf::{ByteOrder, ProgramHeader, mips};
use crate::exec::Missing;
use crate::target::{Answer, Capability, FileKind};

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
    ExecutableStack,
    StackForbidden,
    Cut,
}

impl Unusable {
    /// The same, where those are glibc's for no file at all.
    pub const fn reason(self) -> &'static str {
        match self {
            Unusable::Machine => "for another processor",
            Unusable::FloatAbi => "for another float ABI",
            _ => self.words(),
        }
    }

    /// glibc's words for it.
    pub const fn words(self) -> &'static str {
        match self {
            Unusable::TooShort => "file too short",
            Unusable::NotElf => "invalid ELF header",
            Unusable::NotLittleEndian => "ELF file data encoding not little-endian",
            Unusable::NotBigEndian => "ELF file data encoding not big-endian",
            Unusable::Version => "ELF file version ident does not match current one",
            Unusable::OsAbi => "ELF file OS ABI invalid",
            Unusable::AbiVersion => "ELF file ABI version invalid",
            Unusable::Padding => "nonzero padding in e_ident",
            Unusable::FileVersion => "ELF file version does not match current one",
            Unusable::Type => "only ET_DYN and ET_EXEC can be loaded",
            Unusable::EntrySize => "ELF file's phentsize not the expected size",
            Unusable::Truncated => "cannot read file data",
            Unusable::Folder => "cannot read file data: Error 21",
            Unusable::Level => "CPU ISA level is lower than required",
            Unusable::Class32 => "wrong ELF class: ELFCLASS32",
            Unusable::Class64 => "wrong ELF class: ELFCLASS64",
            Unusable::Machine | Unusable::FloatAbi => {
                "cannot open shared object file: No such file or directory"
            }
            Unusable::NoSegments => "object file has no loadable segments",
            Unusable::PageAlignment => "ELF load command alignment not page-aligned",
            Unusable::SegmentAlignment => "ELF load command address/offset not properly aligned",
            Unusable::NotPageAligned => "ELF load command address/offset not page-aligned",
            Unusable::NotDynamic => "object file has no dynamic section",
            Unusable::Executable => "cannot dynamically load executable",
            Unusable::Pie => "cannot dynamically load position-independent executable",
            Unusable::ExecutableStack => {
                "cannot enable executable stack as shared object requires: Permission denied"
            }
            Unusable::StackForbidden if crate::ROUTER => "",
            Unusable::StackForbidden => {
                "cannot enable executable stack as shared object requires: Invalid argument"
            }
            Unusable::Cut => "cut short: what its loader needs is missing",
        }
    }

    /// glibc names the file in its words; of what it finds out later, and of what it passes over, the DT_NEEDED.
    pub const fn is_of_the_file(self) -> bool {
        use Unusable::{
            AbiVersion, EntrySize, FileVersion, Folder, Level, NotBigEndian, NotElf, NotLittleEndian, OsAbi,
            Padding, TooShort, Truncated, Type, Version,
        };
        matches!(
            self,
            TooShort
                | NotElf
                | NotLittleEndian
                | NotBigEndian
                | Version
                | OsAbi
                | AbiVersion
                | Padding
                | FileVersion
                | Type
                | EntrySize
                | Truncated
                | Folder
                | Level
        )
    }

    /// glibc goes on with the next folder (elf/dl-load.c `open_verify`).
    pub(super) const fn is_passed_over(self) -> bool {
        matches!(self, Unusable::Class32 | Unusable::Class64 | Unusable::Machine | Unusable::FloatAbi)
    }
}

impl Linker<'_> {
    /// Whether the loader may read a file that is left alone here, or that nobody knows of: then what it does is not
    /// known.
    pub(super) fn leaves_alone(&self, file: &[u8]) -> bool {
        // What is there was asked before: nothing is asked again for each library.
        let why = match &self.files.at(self.root, super::path(file)).stat {
            Some(Ok(stat)) if stat.kind == FileKind::Pseudo => Missing::PseudoFile,
            Some(_) => return false,
            None => Missing::LeftOut,
        };
        self.unread.set(Some(why));
        true
    }

    /// What keeps the loader from a file that it has opened.
    pub(super) fn why_unusable(&self, library: &File, image: &Image) -> Option<Unusable> {
        let Some(facts) = &self.glibc else { return self.why_unusable_to_musl(library, image) };
        let header = &image.header;
        if let Some(why) = self.why_not_verified(library, image) {
            return Some(why);
        }
        let pages = self.machine.kernel().page().get().wrapping_sub(1);
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
        if dynamic.is_pie() {
            return Some(Unusable::Pie);
        }
        if self.lacks_level(image) {
            return Some(Unusable::Level);
        }
        self.is_cut(library, image).then_some(Unusable::Cut)
    }

    /// elf/dl-load.c `open_verify`.
    fn why_not_verified(&self, library: &File, image: &Image) -> Option<Unusable> {
        let header = &image.header;
        let ident = library.contents.ident();
        if library.stat.size < self.encoding.header_size() as u64 {
            return Some(Unusable::TooShort);
        }
        if !ident.starts_with(b"\x7fELF") {
            return Some(Unusable::NotElf);
        }
        if u32::from(ident[EI_CLASS]).wrapping_mul(32) != self.encoding.class.bits() {
            return Some(if ident[EI_CLASS] == 1 { Unusable::Class32 } else { Unusable::Class64 });
        }
        let program = self.object(0)?.image.as_ref()?;
        if header.e_machine != program.header.e_machine {
            return Some(Unusable::Machine);
        }
        let little = self.encoding.order == ByteOrder::Little;
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
        if usize::from(header.e_phentsize) != self.encoding.program_header_size() {
            return Some(Unusable::EntrySize);
        }
        if matches!(image.program_headers, Err(TableError::Truncated)) {
            return Some(Unusable::Truncated);
        }
        let float = header.e_machine == EM_MIPS && float_abis_differ(program, image);
        float.then_some(Unusable::FloatAbi)
    }

    /// ldso/dynlink.c `map_library`: it looks at e_type and PT_DYNAMIC only. Those of another byte order or class are
    /// none by that; a library of another processor fails at its first relocation.
    fn why_unusable_to_musl(&self, library: &File, image: &Image) -> Option<Unusable> {
        if library.stat.size < self.encoding.header_size() as u64 {
            return Some(Unusable::TooShort);
        }
        if !matches!(image.header.e_type, ET_DYN | ET_EXEC) {
            let little = self.encoding.order == ByteOrder::Little;
            let swapped = matches!(image.header.e_type.swap_bytes(), ET_DYN | ET_EXEC);
            let elf = library.contents.head().starts_with(b"\x7fELF");
            return Some(match (elf, swapped, little) {
                (false, ..) => Unusable::NotElf,
                (_, true, true) => Unusable::NotLittleEndian,
                (_, true, false) => Unusable::NotBigEndian,
                _ => Unusable::Type,
            });
        }
        if image.dynamic.is_none() {
            let class = library.contents.ident()[EI_CLASS];
            let other = u32::from(class).wrapping_mul(32) != self.encoding.class.bits();
            return Some(match (other, class) {
                (true, 1) => Unusable::Class32,
                (true, 2) => Unusable::Class64,
                _ => Unusable::NotDynamic,
            });
        }
        if self.object(0)?.image.as_ref()?.header.e_machine != image.header.e_machine {
            return Some(Unusable::Machine);
        }
        if arch::PAGES_DIFFER && self.is_misplaced(image) {
            return Some(Unusable::NotPageAligned);
        }
        self.is_cut(library, image).then_some(Unusable::Cut)
    }

    /// musl rounds p_vaddr and p_offset down to whole pages and does not compare what is left: PT_DYNAMIC, which it reads
    /// at once, may then lie elsewhere than at its address. So it is with a library for pages of 4 KiB on a kernel with
    /// larger ones.
    fn is_misplaced(&self, image: &Image) -> bool {
        let page = self.machine.kernel().page().get().wrapping_neg();
        let Some(dynamic) = image.table().iter().find(|segment| segment.p_type == PT_DYNAMIC) else {
            return false;
        };
        let holds = |load: &&ProgramHeader| dynamic.p_vaddr.wrapping_sub(load.p_vaddr) < load.p_memsz;
        image.loads().find(holds).is_some_and(|load| {
            let mapped =
                (load.p_offset & page).wrapping_add(dynamic.p_vaddr.wrapping_sub(load.p_vaddr & page));
            mapped != dynamic.p_offset
        })
    }

    /// Why glibc does not make the stack executable for a library that wants it, where the program has it not.
    pub(super) fn is_refused_a_stack(&mut self, library: &Image) -> Option<Unusable> {
        let program = self.object(0).and_then(|program| program.image.as_ref());
        if !self.is_glibc() || !wants_stack(library) || program.is_none_or(|program| wants_stack(program)) {
            return None;
        }
        if self.tunables.forbid_stacks() {
            return Some(Unusable::StackForbidden);
        }
        let works = !is_x86(library) || self.gets_a_stack().unwrap_or(true);
        (!works).then_some(Unusable::ExecutableStack)
    }

    /// Whether the kernel lets a stack be made executable; None where it is still to be asked.
    pub(super) fn gets_a_stack(&mut self) -> Option<bool> {
        let question = Capability::ExecutableStack;
        let answer = self.machine.answer(question).and_then(|fact| fact.value);
        if answer.is_none() {
            self.link.asks = Some(question);
        }
        answer.map(|answer| answer == Answer::Works)
    }

    /// Whether PT_DYNAMIC, which a loader reads first, lies in a page beyond the end of the file, or the end of a segment whose
    /// last page it clears as it maps it (elf/dl-map-segments.h, ldso/dynlink.c `map_library`); on MIPS, where PT_DYNAMIC
    /// stands with the headers, the GOT, which a loader writes.
    fn is_cut(&self, library: &File, image: &Image) -> bool {
        let pages = self.machine.kernel().page().get().wrapping_sub(1);
        let end = library.stat.size.saturating_add(pages) & !pages;
        let dynamic = image.table().iter().find(|segment| segment.p_type == PT_DYNAMIC);
        let is_cleared = |segment: &ProgramHeader| {
            let file_end = segment.file_end();
            segment.p_memsz > segment.p_filesz
                && segment.p_flags & PF_W != 0
                && file_end & pages != 0
                && file_end & !pages >= end
        };
        if dynamic.is_some_and(|dynamic| dynamic.p_offset >= end) || image.loads().any(is_cleared) {
            return true;
        }
        image.header.e_machine == EM_MIPS
            && image.dynamic_offset(DT_PLTGOT).is_some_and(|got| got as u64 >= end)
    }
}

/// Whether a file wants an executable stack: on x86 without PT_GNU_STACK, too (sysdeps/x86/stackinfo.h).
pub(super) fn wants_stack(image: &Image) -> bool {
    let stack = image.table().iter().rfind(|segment| segment.p_type == PT_GNU_STACK);
    stack.map_or(is_x86(image), |stack| stack.p_flags & PF_X != 0)
}

fn is_x86(image: &Image) -> bool {
    matches!(image.header.e_machine, EM_X86_64 | EM_386 | EM_486)
}

/// sysdeps/mips/dl-machine-reject-phdr.h: soft float and hard float do not go together.
fn float_abis_differ(one: &Image, other: &Image) -> bool {
    let (Some(one), Some(other)) = (&one.abiflags, &other.abiflags) else { return false };
    let known = one.fp_abi != 0 && other.fp_abi != 0;
    known && mips::fp::is_hard(one.fp_abi) != mips::fp::is_hard(other.fp_abi)
}
