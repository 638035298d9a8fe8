//! The checks that can end the start of a program.

macro_rules! steps {
    ($($(#[doc = $doc:literal])+ $name:ident $text:literal)*) => {
        /// A check that ends the start of a program; the documentation names the kernel's function (Linux 6.12 where
        /// nothing else is said).
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Step {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Step {
            /// All of them.
            pub const ALL: &'static [Step] = &[$(Step::$name),*];

            /// Its name in the report.
            pub const fn name(self) -> &'static str {
                match self { $(Step::$name => $text,)* }
            }
        }
    };
}

steps! {
    /// fs/namei.c `path_openat`: a component is missing, no directory, too long, or not to be searched.
    Lookup "path lookup"
    /// fs/namei.c `may_open`: a directory, device, FIFO or socket (EACCES since 5.8).
    FileType "may_open"
    /// fs/exec.c `do_open_execat` with `path_noexec`.
    NoExecMount "path_noexec"
    /// fs/namei.c `inode_permission` with MAY_EXEC: no x bit applies; root needs any one of the three.
    Permission "inode_permission"
    /// fs/exec.c `deny_write_access`: open for writing somewhere.
    Busy "deny_write_access"
    /// fs/exec.c `bprm_execve`, fs/open.c `do_open`: a security module (SELinux, AppArmor, Landlock, IMA) or a fanotify(7)
    /// listener (fapolicyd) says no.
    Policy "security_bprm_creds_for_exec"
    /// fs/exec.c `prepare_binprm`: the medium does not deliver the first bytes.
    Read "kernel_read"
    /// fs/exec.c `search_binary_handler`: no handler knows the first bytes.
    NoHandler "search_binary_handler"
    /// fs/binfmt_misc.c `load_misc_binary`, `open_exec` of the rule's interpreter.
    MiscInterpreter "load_misc_binary: open_exec"
    /// fs/binfmt_script.c `load_script`: the `#!` line names no interpreter, or is longer than the buffer.
    ScriptLine "load_script"
    /// fs/binfmt_script.c `load_script`, `open_exec` of the interpreter.
    ScriptInterpreter "load_script: open_exec"
    /// fs/exec.c `exec_binprm`: more than 5 interpreters in a row.
    TooManyInterpreters "exec_binprm"
    /// fs/binfmt_elf.c `load_elf_binary`: e_type, as the machine reads it, is neither ET_EXEC nor ET_DYN.
    ElfType "load_elf_binary: e_type"
    /// `elf_check_arch` of the architecture, and of its compatibility handler.
    CheckArch "elf_check_arch"
    /// `elf_check_fdpic`: an FDPIC program, and no handler for those (CONFIG_BINFMT_ELF_FDPIC).
    Fdpic "elf_check_fdpic"
    /// fs/binfmt_elf.c `load_elf_phdrs`: the program header table.
    ProgramHeaders "load_elf_phdrs"
    /// fs/binfmt_elf.c `load_elf_binary`: PT_INTERP itself.
    Interp "load_elf_binary: PT_INTERP"
    /// fs/binfmt_elf.c `load_elf_binary`, `open_exec` of PT_INTERP's file.
    InterpreterOpen "load_elf_binary: open_exec"
    /// fs/binfmt_elf.c `load_elf_binary`: the interpreter is shorter than an ELF header.
    InterpreterShort "load_elf_binary: elf_read"
    /// fs/binfmt_elf.c `load_elf_binary`: the interpreter is no ELF file for this machine.
    InterpreterArch "load_elf_binary: interpreter"
    /// fs/binfmt_elf.c `parse_elf_properties` (arm64, since 5.8): PT_GNU_PROPERTY is cut short, or not in order.
    GnuProperty "parse_elf_properties"
    /// arch/mips/kernel/elf.c `arch_elf_pt_proc`: PT_MIPS_ABIFLAGS is cut short.
    MipsAbiFlags "arch_elf_pt_proc"
    /// arch/mips/kernel/elf.c `arch_check_elf`: the NaN encoding.
    MipsNan "arch_check_elf: NaN"
    /// arch/mips/kernel/elf.c `arch_check_elf`: the FP ABI.
    MipsFpAbi "arch_check_elf: FP ABI"
    /// fs/binfmt_elf.c `elf_map`: p_offset and p_vaddr differ within a page.
    MapAlignment "elf_map: alignment"
    /// fs/binfmt_elf.c `load_elf_binary`: p_filesz exceeds p_memsz, or a segment leaves the address space.
    MapRange "load_elf_binary: segment range"
    /// fs/binfmt_elf.c `elf_load`, `padzero`: the page in which a segment's file part ends and its zeros begin lies
    /// beyond the end of the file; before 6.7 also, of the last one, where it may not be written, or is none.
    MapZeros "elf_load: padzero"
    /// security/commoncap.c `cap_mmap_addr`: an address below vm.mmap_min_addr, without CAP_SYS_RAWIO.
    MapLow "security_mmap_addr"
    /// mm/mmap.c `do_mmap`, MAP_FIXED_NOREPLACE: the first segment meets what is mapped there.
    MapCollision "do_mmap: MAP_FIXED_NOREPLACE"
    /// mm/util.c `__vm_enough_memory`: one mapping exceeds RAM plus swap.
    MapMemory "__vm_enough_memory"
    /// The same where vm.overcommit_memory is 2: all that may be written exceeds CommitLimit.
    CommitLimit "__vm_enough_memory: CommitLimit"
    /// mm/mmap.c `may_expand_vm`: all that is mapped exceeds RLIMIT_AS.
    AddressLimit "may_expand_vm: RLIMIT_AS"
    /// The same: what may be written exceeds RLIMIT_DATA (since 4.7).
    DataLimit "may_expand_vm: RLIMIT_DATA"
    /// fs/binfmt_elf.c `load_elf_interp`: the interpreter cannot be mapped.
    InterpreterMap "load_elf_interp"
    /// fs/binfmt_elf.c `load_elf_binary`: e_entry lies beyond the address space.
    EntryRange "load_elf_binary: e_entry"
    /// e_entry lies in no segment.
    EntryUnmapped "entry not mapped"
    /// e_entry lies in a segment without PF_X.
    EntryNotExecutable "entry not executable"
    /// e_entry lies in a page beyond the end of the file.
    EntryBeyondFile "entry beyond the end of the file"
    /// e_entry asks for an instruction set (MIPS16, microMIPS) that the processor lacks.
    EntryMode "entry in an instruction set that is absent"
    /// e_entry lies between two instructions, which have to be aligned: an address error.
    EntryAlignment "entry not aligned"
    /// e_entry lies where a segment has only zeros, which are no instructions.
    EntryZeros "entry in zeros"
    /// Nothing was written where e_entry leads: a run of one value, which is no code.
    EntryBlank "entry in what was never written"
    /// A transfer in text mode added or removed bytes: what is loaded stands elsewhere than the headers say.
    Transfer "content changed by a transfer"
    /// e_entry is the ELF header itself, as in a shared library without an entry point.
    EntryIsHeader "entry is the ELF header"
    /// It needs libraries (DT_NEEDED) and has no PT_INTERP: nobody loads them, or relocates it.
    NoLoader "DT_NEEDED without PT_INTERP"
    /// It calls another system's kernel: what its first call asks for is something else here.
    OtherSystem "system call of another system"
    /// A segment has pages beyond the end of the file: touching one is SIGBUS.
    SegmentBeyondFile "segment beyond the end of the file"
    /// env(1), a script's interpreter, does not know an option on the line.
    EnvUsage "env: usage"
    /// env(1) is to go to a folder (`-C`) that does not exist.
    EnvFolder "env: chdir"
    /// env(1) is given no program: the script's own path is the first word that is none of its options or variables.
    EnvItself "env: the script itself"
    /// env(1) finds no program of the name on the line: execvp(3) fails with ENOENT.
    EnvNotFound "env: not found"
    /// The kernel refuses the program that env(1) finds.
    EnvExec "env: cannot execute"
    /// The loader ends the program before it loads anything. glibc: kernel too old, CPU ISA level; bionic: ET_EXEC
    /// (linker/linker_main.cpp `linker_main`), the alignment of PT_TLS (libc/bionic/bionic_elf_tls.cpp).
    LoaderRefuses "ld.so: refuses to start it"
    /// The program has PT_INTERP and no PT_DYNAMIC: the loader reads where nothing is.
    NoDynamic "ld.so: no PT_DYNAMIC"
    /// A DT_NEEDED that is in none of the folders.
    LibraryMissing "ld.so: library not found"
    /// A DT_NEEDED that is there, and that the loader cannot map.
    LibraryUnusable "ld.so: library unusable"
    /// glibc elf/dl-version.c `_dl_check_map_versions`: a library does not define a version, or what is said of versions
    /// and what is loaded do not go together (elf/dl-lookup.c `check_match`, too).
    VersionMissing "ld.so: version not found"
    /// The loader does not stand a table of a file: glibc elf/get-dynamic-info.h, elf/dl-setup_hash.c; musl
    /// ldso/dynlink.c `decode_dyn`.
    LoaderTables "ld.so: tables of a file"
    /// A relocation of a kind that the loader does not know: glibc elf/dl-reloc.c `_dl_reloc_bad_type`, musl
    /// ldso/dynlink.c `do_relocs`; or a table of them (DT_RELR).
    Relocation "ld.so: relocation"
    /// A library cannot be mapped: with it, all that is mapped exceeds RLIMIT_AS.
    LibraryLimit "ld.so: mmap: RLIMIT_AS"
    /// A relocation asks for a symbol that nothing defines.
    SymbolMissing "ld.so: symbol not found"
    /// glibc csu/libc-start.c, `DL_SYSDEP_OSCHECK` of a static program: the kernel's release (up to 2.36).
    OsCheck "glibc: check of the kernel"
    /// runtime/os_linux_arm.go `checkgoarm`, runtime/asm_amd64.s and asm_386.s `rt0_go`: Go's runtime finds that the
    /// processor lacks what the program was built for.
    GoCheck "Go's runtime: check of the processor"
    /// Go's runtime executes an instruction of the level that the program was built for, and the processor has none.
    GoInstruction "Go's runtime: instruction of its level"
    /// runtime/mpagealloc_64bit.go `sysInit` and what follows it: the addresses that Go's runtime reserves exceed RLIMIT_AS.
    GoAddresses "Go's runtime: addresses"
    /// runtime/malloc.go `sysAlloc`: the map of its arenas, all of which may be written, exceeds RLIMIT_DATA.
    GoData "Go's runtime: data"
    /// A floating-point instruction where the kernel neither has an FPU nor emulates one (arch/mips/kernel/traps.c
    /// `do_cpu`).
    FpInstruction "floating-point instruction"
}

impl Step {
    /// Whether it is env(1) that ends.
    pub(crate) const fn is_of_env(self) -> bool {
        matches!(self, Step::EnvUsage | Step::EnvFolder | Step::EnvItself | Step::EnvNotFound | Step::EnvExec)
    }

    /// Whether it is the dynamic loader that a signal ends.
    pub(crate) const fn is_of_loader(self) -> bool {
        matches!(
            self,
            Step::LibraryUnusable
                | Step::LoaderRefuses
                | Step::LoaderTables
                | Step::VersionMissing
                | Step::Relocation
        )
    }

    /// Whether what is missing of a file's headers fails it.
    pub(crate) const fn is_of_headers(self) -> bool {
        matches!(
            self,
            Step::ProgramHeaders
                | Step::Interp
                | Step::InterpreterArch
                | Step::GnuProperty
                | Step::MipsAbiFlags
        )
    }

    /// Whether it is one of the checks made when a file is opened.
    pub(super) const fn opens_a_file(self) -> bool {
        matches!(self, Step::Lookup | Step::FileType | Step::NoExecMount | Step::Permission | Step::Busy)
    }
}
