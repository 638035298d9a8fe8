//! What ends a loader while it works with the tables of a file: a table of conditions, each with what comes of it.

use alloc::vec::Vec;

use super::Library;
use crate::exec::{Missing, Outcome, Signal, Step, When};

/// What is wrong with a file's tables.
#[derive(Debug)]
pub struct Fault {
    /// The condition.
    pub kind: FaultKind,
    /// The file whose tables they are.
    pub of: Vec<u8>,
    /// What they name: another file, a symbol; or which of them it is.
    pub name: Vec<u8>,
    /// The number that they hold.
    pub number: u64,
    /// That file is the program.
    pub is_of_program: bool,
    /// The object, by place in the list, where the loader finds it when it has mapped that; else once all is loaded.
    pub(super) at: Option<usize>,
    /// It shows when a function is first called, not at the start.
    pub lazy: bool,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, of: &Library) -> Fault {
        Fault {
            kind,
            of: of.path.clone(),
            name: Vec::new(),
            number: 0,
            is_of_program: of.parent.is_none(),
            at: None,
            lazy: false,
        }
    }

    /// A signal ends the loader.
    pub(super) fn is_deadly(&self) -> bool {
        !self.lazy
            && matches!(
                self.kind.row().0,
                Ends::Dies | Ends::Divides | Ends::Misses | Ends::Stops | Ends::Never
            )
    }

    /// How the loader ends the program; None where it goes on until a function is called.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let (ends, step) = self.kind.row();
        if self.lazy {
            return None;
        }
        Some(match ends {
            Ends::Asserts(_) | Ends::Says(_) | Ends::Fails(_) | Ends::Relocating(_) => {
                Outcome::Exits { status: 127, step }
            }
            Ends::Goes => Outcome::Exits { status: 1, step },
            Ends::Open => Outcome::Unknown { missing: Missing::LostTables },
            Ends::Dies => Outcome::Killed { signal: Signal::SIGSEGV, when: When::Start, step },
            Ends::Misses => Outcome::Killed { signal: Signal::SIGBUS, when: When::Start, step },
            Ends::Stops => Outcome::Killed { signal: Signal::SIGILL, when: When::Start, step },
            Ends::Divides => Outcome::Killed { signal: Signal::SIGFPE, when: When::Start, step },
            Ends::Never => Outcome::Endless { step },
            Ends::Somehow => Outcome::Fails { step },
        })
    }
}

/// What a loader does of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ends {
    /// glibc: an assertion of its own fails, which has this place and these words. Status 127.
    Asserts([&'static str; 2]),
    /// glibc: these words, and status 127. `{}` stands for the number, `{x}` for the same in hexadecimal digits,
    /// `{name}` for the name.
    Says(&'static str),
    /// These words alone, and status 127.
    Fails(&'static str),
    /// musl: the same of a relocation.
    Relocating(&'static str),
    /// glibc's words of a version that is not there, and status 1.
    Goes,
    /// It reads where nothing is, or jumps there.
    Dies,
    /// It divides by zero, of which a processor makes a signal, SIGFPE.
    Divides,
    /// It touches a page that the file does not have, SIGBUS.
    Misses,
    /// It runs what is no instruction, SIGILL.
    Stops,
    /// It goes round in a circle.
    Never,
    /// The program does not come to its main(), whatever it is that ends it.
    Somehow,
    /// It takes something else for what is not there.
    Open,
}

/// Where glibc looks at PT_DYNAMIC.
const DYNAMIC: &str = "get-dynamic-info.h: elf_get_dynamic_info";

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident $ends:expr, $step:ident;)*) => {
        /// What is wrong.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum FaultKind {
            $($(#[doc = $doc])+ $name,)*
        }

        impl FaultKind {
            /// What comes of it, and the step that ends it.
            pub const fn row(self) -> (Ends, Step) {
                match self { $(FaultKind::$name => ($ends, Step::$step),)* }
            }
        }
    };
}

faults! {
    /// elf/dl-version.c `_dl_check_map_versions`: the first record of DT_VERNEED is of a version that it does not know.
    VerneedRecord Ends::Says("unsupported version {} of Verneed record"), VersionMissing;
    /// The same: DT_VERNEED names a file that no object which is loaded answers to.
    VersionsOfNoFile Ends::Asserts(["dl-version.c: _dl_check_map_versions", "needed != NULL"]), VersionMissing;
    /// The same, `match_symbol`: a record of DT_VERDEF is of a version that it does not know.
    VerdefRecord Ends::Goes, VersionMissing;
    /// The same: DT_VERDEF is 0.
    NoVerdef Ends::Asserts(["dl-version.c: match_symbol", "def_offset != 0"]), VersionMissing;
    /// The same: there are versions, and no DT_VERSYM that tells which symbol has which.
    NoVersym Ends::Dies, VersionMissing;
    /// elf/dl-lookup.c `check_match`: a symbol is in the very library that its version names, and that library has no
    /// versions.
    NoVersions Ends::Asserts([
        "dl-lookup.c: check_match",
        "version->filename == NULL || ! _dl_name_match_p (version->filename, map)",
    ]), VersionMissing;
    /// elf/get-dynamic-info.h `elf_get_dynamic_info`: DT_PLTREL of an architecture that has DT_RELA alone.
    PltRela Ends::Asserts([DYNAMIC, "info[DT_PLTREL]->d_un.d_val == DT_RELA"]), LoaderTables;
    /// The same of one that has both.
    PltRel Ends::Asserts([
        DYNAMIC,
        "info[DT_PLTREL]->d_un.d_val == DT_REL || info[DT_PLTREL]->d_un.d_val == DT_RELA",
    ]), LoaderTables;
    /// The same: DT_RELAENT.
    RelaEntry Ends::Asserts([DYNAMIC, "info[DT_RELAENT]->d_un.d_val == sizeof (ElfW(Rela))"]), LoaderTables;
    /// The same: DT_RELENT.
    RelEntry Ends::Asserts([DYNAMIC, "info[DT_RELENT]->d_un.d_val == sizeof (ElfW(Rel))"]), LoaderTables;
    /// The same (since 2.36): DT_RELRENT.
    RelrEntry Ends::Asserts([DYNAMIC, "info[DT_RELRENT]->d_un.d_val == sizeof (ElfW(Relr))"]), LoaderTables;
    /// A library whose PT_DYNAMIC has no entry (observed on 2.36).
    EmptyDynamic Ends::Dies, LoaderTables;
    /// elf/get-dynamic-info.h, elf/dynamic-link.h: a table of relocations without what tells its size, or that of an entry.
    NoEntrySize Ends::Dies, LoaderTables;
    /// elf/dl-setup_hash.c `_dl_setup_hash`: words of the filter of DT_GNU_HASH.
    Filter Ends::Asserts([
        "dl-setup_hash.c: _dl_setup_hash",
        "(bitmask_nwords & (bitmask_nwords - 1)) == 0",
    ]), LoaderTables;
    /// glibc: what it looks up symbols in has no DT_SYMTAB, or no DT_STRTAB.
    NoSymbolTable Ends::Dies, LoaderTables;
    /// musl ldso/dynlink.c `sysv_lookup`: an object without DT_GNU_HASH is taken for one with DT_HASH.
    NoHash Ends::Dies, LoaderTables;
    /// musl ldso/dynlink.c `decode_dyn`: without DT_SYMTAB or DT_STRTAB it takes what stands at the front of the file, and
    /// without its size a table of relocations for an empty one.
    TablesNowhere Ends::Open, LoaderTables;
    /// elf/dl-version.c `_dl_check_map_versions` (since 2.36).
    RelrGuard Ends::Says("DT_RELR without GLIBC_ABI_DT_RELR dependency"), Relocation;
    /// glibc before 2.36, musl before 1.2.4: DT_RELR is not looked at, and what it should have changed leads nowhere.
    Relr Ends::Dies, Relocation;
    /// elf/dl-reloc.c `_dl_reloc_bad_type`.
    RelocationType Ends::Says("unexpected reloc type 0x{x}"), Relocation;
    /// sysdeps/powerpc/powerpc64/dl-machine.c `_dl_reloc_overflow`: a value has no room in its bits.
    OutOfRange Ends::Says("{name} out of range"), Relocation;
    /// [`FaultKind::RelocationType`] of functions that are bound when they are first called.
    PltRelocationType Ends::Says("unexpected PLT reloc type 0x{x}"), Relocation;
    /// elf/dl-runtime.c `_dl_fixup`: what a function is bound by when it is called is no slot for one.
    BoundKind Ends::Asserts([
        "dl-runtime.c: _dl_fixup",
        "ELFW(R_TYPE)(reloc->r_info) == ELF_MACHINE_JMP_SLOT",
    ]), LoaderTables;
    /// sysdeps/x86_64/dl-machine.h `elf_machine_rela_relative`: one of those that DT_RELACOUNT says are relative.
    RelativeKind Ends::Asserts([
        "dl-machine.h: elf_machine_rela_relative",
        "ELFW(R_TYPE) (reloc->r_info) == R_X86_64_RELATIVE",
    ]), LoaderTables;
    /// The same of sysdeps/i386/dl-machine.h `elf_machine_rel_relative`, and DT_RELCOUNT.
    RelativeKind386 Ends::Asserts([
        "dl-machine.h: elf_machine_rel_relative",
        "ELF32_R_TYPE (reloc->r_info) == R_386_RELATIVE",
    ]), LoaderTables;
    /// elf/dl-call-libc-early-init.c `_dl_call_libc_early_init` (since 2.32): the first object whose DT_SONAME is libc.so.6 is
    /// the C library to the loader, and has not what starts that.
    NoEarlyInit Ends::Asserts(["dl-call-libc-early-init.c: _dl_call_libc_early_init", "sym != NULL"]), LoaderTables;
    /// What a table leads to lies where nothing of the object is.
    Unmapped Ends::Dies, LoaderTables;
    /// What a table leads to, or what a relocation changes, lies in a page behind the end of the file.
    BehindFile Ends::Misses, LoaderTables;
    /// A function of AArch64 at what is no multiple of four (Linux arch/arm64/kernel/entry-common.c `el0_pc`).
    Misaligned Ends::Misses, LoaderTables;
    /// A relocation changes what is not there, or not to be written.
    WritesNowhere Ends::Dies, LoaderTables;
    /// A constructor, or a function that is asked for an address, lies where no code is.
    JumpsNowhere Ends::Dies, LoaderTables;
    /// The same, lies where no instruction is: zeros, or of s390x an odd address.
    NoInstruction Ends::Stops, LoaderTables;
    /// What a table leads to may be another object's.
    AnothersMemory Ends::Open, LoaderTables;
    /// The same, and it ends whatever stands there, or nothing.
    AnothersTable Ends::Somehow, LoaderTables;
    /// What is called is another function than the one that starts a program, or is an ELF file's header, of which a processor
    /// runs no more than one instruction.
    WrongFunction Ends::Somehow, LoaderTables;
    /// elf/dl-tls.c `_dl_allocate_tls_init`: of PT_TLS more is in the file than in memory.
    TlsImage Ends::Asserts([
        "dl-tls.c: _dl_allocate_tls_init",
        "map->l_tls_blocksize >= map->l_tls_initimage_size",
    ]), LoaderTables;
    /// The same, `_dl_determine_tlsoffset`: an alignment of 0.
    TlsAlignment Ends::Divides, LoaderTables;
    /// elf/dl-reloc.c `_dl_try_allocate_static_tls` of x86: a thread-local variable of an object without PT_TLS, whose alignment
    /// is 0.
    NoTls Ends::Divides, LoaderTables;
    /// PT_TLS lies where nothing of the object is; to musl an alignment of 0 leads there.
    TlsPlace Ends::Dies, LoaderTables;
    /// PT_TLS of a size, or at a place, of which nobody knows what comes.
    TlsAbsurd Ends::Open, LoaderTables;
    /// elf/rtld.c `init_tls`: no memory for all PT_TLS together.
    TlsMemory Ends::Fails("cannot allocate TLS data structures for initial thread"), LoaderTables;
    /// musl ldso/dynlink.c `__dls3`: the same.
    MuslTlsMemory Ends::Fails("Error getting thread-local storage: Out of memory"), LoaderTables;
    /// A hash table without buckets.
    DividesByZero Ends::Divides, LoaderTables;
    /// The chain of symbols of a bucket leads back to where it was: elf/dl-lookup.c `do_lookup_x`, ldso/dynlink.c
    /// `sysv_lookup`.
    Circle Ends::Never, LoaderTables;
    /// musl ldso/dynlink.c `do_relocs`.
    MuslRelocationType Ends::Relocating("unsupported relocation type {}"), Relocation;
}
