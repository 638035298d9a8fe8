//! The facts for want of which nothing can be said.

use crate::arch::is_judged;
use crate::elf::consts::{EM_AARCH64, EM_ARM, EM_PPC64};
use crate::target::Capability;

macro_rules! missing {
    (@words $words:literal) => { $words };
    // A router's build never says them.
    (@words of_computers $words:literal) => { if crate::ROUTER { "" } else { $words } };
    // Nor does one of another architecture: 70 to 90 bytes of its package.
    (@words of_arm $words:literal) => {
        if is_judged(EM_ARM) || is_judged(EM_AARCH64) { $words } else { "" }
    };
    (@words of_powerpc64 $words:literal) => {
        if is_judged(EM_PPC64) { $words } else { "" }
    };
    (@words on_routers $shorter:literal $words:literal) => { if crate::ROUTER { $shorter } else { $words } };
    ($($(#[doc = $doc:literal])+ $name:ident $($of:ident)? $($words:literal)+)*) => {
        /// A fact that decides and is not known. Some are of one architecture.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Missing {
            $($(#[doc = $doc])+ $name,)*
            /// The kernel was asked, and there is no answer.
            Answer(Capability),
        }

        impl Missing {
            /// What is not known, in the report's words.
            pub fn words(self) -> &'static str {
                const WORDS: &[(Missing, &str)] = &[$((Missing::$name, missing!(@words $($of)? $($words)+))),*];
                match self {
                    Missing::Answer(question) => question.description(),
                    _ => WORDS.iter().find(|(missing, _)| *missing == self).map_or("", |(_, words)| words),
                }
            }
        }
    };
}

missing! {
    /// stat(2) of the file failed.
    File "what the file is: it cannot be looked up"
    /// access(2) gave no answer.
    Access "whether the file may be executed"
    /// open(2) or read(2) of the file failed.
    Content "what the file holds: it may not be read"
    /// The file, its interpreter or a library is on proc, sysfs or their like ([`crate::target::is_pseudo`]).
    PseudoFile
        "what a file of the kernel's own (on proc, sysfs and their like) holds: to read it could change something"
    /// A [`crate::target::Root`] does not tell.
    LeftOut on_routers "what a file holds, or whether it is there"
        "what a file holds, or whether it is there: the recording leaves it out"
    /// `Root::take_refusal` of [`crate::target`].
    Refused on_routers "what a file holds, or whether it is there"
        "what a file holds, or whether it is there: diag itself is kept from opening it"
    /// The program that a script's first line names was not opened.
    ScriptInterpreter "what the interpreter of the script is"
    /// An env of another kind, options that only some know.
    EnvCommand "what its env makes of the first line"
    /// PATH of who starts it, or BusyBox' FEATURE_PREFER_APPLETS.
    SearchPath "where env looks for the program: the PATH of who starts it, and what BusyBox has in itself"
    /// The execvp(3) of a static env.
    EnvShell "whether env has the shell read what the kernel does not know"
    /// PT_INTERP's was not opened, or a [`crate::target::Root`] does not tell of it.
    Interpreter "what its loader holds: nothing tells"
    /// open(2) or read(2) of PT_INTERP's failed.
    InterpreterContent "what the interpreter holds: it may not be read"
    /// uClibc's, and any that goes by no known name.
    LoaderRules "where its loader, whose rules diag does not know, looks for libraries"
    /// [`crate::target::Root::glibc`]: libraries beside the C library's own.
    Installed of_computers "which libraries are installed there, beside the C library's own"
    /// musl takes the front of a file for its symbols.
    LostTables "what its loader makes of tables that are missing or lead out of the file"
    /// LD_AUDIT: `la_objsearch` of a library, which glibc calls.
    Auditor of_computers "where an auditing library has its loader look for libraries"
    /// AT_SECURE: ids of the file and of its caller.
    Rights of_computers "whether it gets other rights than who starts it"
    /// uname(2) names none that is known.
    Processor "which processor and word size this kernel is for"
    /// Without both, the headers cannot be read as the kernel reads them.
    Layout "which byte order and word size this kernel has"
    /// e_entry leads to the bytes of the ELF header.
    HeaderAsCode "what the processor makes of an ELF header that it is to execute"
    /// Whether PF_X has a meaning.
    NoExecute "whether this kernel keeps data from being executed"
    /// `Features`, AT_HWCAP.
    CpuFeatures of_arm "which features the processor has"
    /// Several rules take the file; the one registered last is asked first.
    BinfmtRule "which of several rules of binfmt_misc was registered last"
    /// What Go's runtime compares, or executes.
    GoLevel "whether the processor has what this program of Go was built for"
    /// A rule with flag F, whose interpreter was opened when it was registered.
    MiscInterpreter "what the interpreter of binfmt_misc is: the kernel holds it open"
    /// ASLR, or CONFIG_PAGE_OFFSET and its like.
    Place "where this kernel puts what it maps, which is random or set when it was built"
    /// RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK.
    Limits "how much of its resource limits (ulimit) is taken"
    /// CommitLimit less Committed_AS.
    Memory "how much memory others leave, where vm.overcommit_memory is 2"
    /// Whole pages lie beyond the end of the file.
    LostPart "whether the program needs what its file has lost"
    /// MIPS release 6, the old ARM ABI: the mark may promise more than the code uses.
    MarkedCode "whether its code is as its header says: then this machine does not run it"
    /// Which one counts differs by processor.
    TwoFaults "which of two faults comes first: not aligned, and not mapped for execution"
    /// Bits 0 and 1 of an address that is jumped to.
    Unpredictable of_arm "what the processor makes of an address that ARM leaves open (UNPREDICTABLE)"
    /// ELFv1 of PowerPC.
    Descriptor of_powerpc64 "where the function descriptor at e_entry leads"
    /// [`crate::budget`]: steps, and bytes read.
    TooMuchToRead "what else is in its tables: they are too large"
    /// Paths looked up.
    TooManyFiles "where its libraries are: it names too many folders"
    /// Names, entries of PT_DYNAMIC, libraries.
    TooManyNames "what else it needs: it names too much"
    /// A mount of [`crate::machine::Mount::remote`] that neither the program nor its loader lies on.
    RemoteFile "what lies behind a network or FUSE, where its names lead"
    /// pread(2) fails behind the head of a file.
    LostRead "what a part of it holds that cannot be read"
    /// The kernel handles the page fault, which then occurs again.
    Endless "how it ends: this kernel faults again and again on code that may only be written"
}
