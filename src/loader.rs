//! What the kernel does with a file: the steps of execve(2) in the kernel's order, over the facts of a machine.
//!
//! A stage returns early where the kernel would, or where only the kernel itself can tell; the caller then puts the
//! question and starts again.

mod arch;
mod areas;
mod elf;
mod load;
mod map;
mod misc;
mod mmap;
mod path;
mod script;
mod start;

pub(crate) use arch::executes_fp_at_start;
pub(crate) use load::Pages;

use crate::candidate::{Candidate, Content};
use crate::errno::Errno;
use crate::machine::Machine;
use crate::system::{Answer, Question};

/// What becomes of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// execve(2) succeeds and the first instructions run.
    Starts,
    /// execve(2) fails.
    Refused {
        /// With this errno.
        errno: Errno,
        /// At this check.
        step: Step,
    },
    /// A signal ends it.
    Killed {
        /// Which.
        signal: Signal,
        /// When.
        when: When,
        /// For this reason.
        step: Step,
    },
    /// A fact that decides is not known.
    Unknown {
        /// Which.
        missing: &'static str,
    },
}

/// When a program is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Within execve(2), after its point of no return.
    Exec,
    /// At its first instruction.
    Start,
    /// When it first needs what is not there.
    Later,
}

/// Signals that end a program at its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Signal {
    SIGILL,
    SIGBUS,
    SIGSEGV,
}

impl When {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            When::Exec => "exec",
            When::Start => "start",
            When::Later => "later",
        }
    }
}

impl Signal {
    /// As in signal(7).
    pub const fn name(self) -> &'static str {
        match self {
            Signal::SIGILL => "SIGILL",
            Signal::SIGBUS => "SIGBUS",
            Signal::SIGSEGV => "SIGSEGV",
        }
    }

    /// What the shell prints.
    pub const fn words(self) -> &'static str {
        match self {
            Signal::SIGILL => "Illegal instruction",
            Signal::SIGBUS => "Bus error",
            Signal::SIGSEGV => "Segmentation fault",
        }
    }
}

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
            pub fn name(self) -> &'static str {
                // A table, for a `match` makes code of each name.
                const NAMES: &[&str] = &[$($text),*];
                NAMES.get(self as usize).copied().unwrap_or_default()
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
    /// beyond the end of the file.
    MapZeros "elf_load: padzero"
    /// security/commoncap.c `cap_mmap_addr`: an address below vm.mmap_min_addr, without CAP_SYS_RAWIO.
    MapLow "security_mmap_addr"
    /// mm/mmap.c `do_mmap`, MAP_FIXED_NOREPLACE: the first segment meets what is mapped there.
    MapCollision "do_mmap: MAP_FIXED_NOREPLACE"
    /// mm/util.c `__vm_enough_memory`: one mapping exceeds RAM plus swap; mm/mmap.c `may_expand_vm`: RLIMIT_AS,
    /// RLIMIT_DATA.
    MapMemory "__vm_enough_memory"
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
    /// e_entry is the ELF header itself, as in a shared library without an entry point.
    EntryIsHeader "entry is the ELF header"
    /// A segment has pages beyond the end of the file: touching one is SIGBUS.
    SegmentBeyondFile "segment beyond the end of the file"
    /// A floating-point instruction where the kernel neither has an FPU nor emulates one (arch/mips/kernel/traps.c
    /// `do_cpu`).
    FpInstruction "floating-point instruction"
}

impl Step {
    /// Whether it is one of the checks made when a file is opened.
    const fn opens_a_file(self) -> bool {
        matches!(self, Step::Lookup | Step::FileType | Step::NoExecMount | Step::Permission | Step::Busy)
    }
}

/// Why a stage went no further. An [`Outcome`] and a question in four bytes: each stage hands it on, and so does it
/// in a register, where 0 is left for going on.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Stop {
    Refused(Errno, Step) = 1,
    Killed(Signal, When, Step) = 2,
    Unknown(Missing) = 3,
    Ask(Question) = 4,
}

type Stage<T = ()> = Result<T, Stop>;

const fn refuse<T>(errno: Errno, step: Step) -> Stage<T> {
    Err(Stop::Refused(errno, step))
}

const fn kill<T>(signal: Signal, when: When, step: Step) -> Stage<T> {
    Err(Stop::Killed(signal, when, step))
}

const fn unknown<T>(missing: Missing) -> Stage<T> {
    Err(Stop::Unknown(missing))
}

/// A fact that decides and is not known. Some are of one architecture.
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))]
#[derive(Clone, Copy)]
enum Missing {
    Access,
    Content,
    ScriptInterpreter,
    Interpreter,
    InterpreterContent,
    Processor,
    Layout,
    HeaderAsCode,
    NoExecute,
    CpuFeatures,
    MiscRule,
    MiscInterpreter,
    Place,
    Limits,
    Memory,
    LostPart,
    MarkedCode,
    TwoFaults,
    Unpredictable,
    Descriptor,
    Endless,
    /// The kernel was asked, and there is no answer.
    Answer(Question),
}

impl Missing {
    fn words(self) -> &'static str {
        if let Missing::Answer(question) = self {
            return question.what();
        }
        match self {
            Missing::Access => "whether the file may be executed",
            Missing::Content => "the content of the file, which may not be read",
            Missing::ScriptInterpreter => "the interpreter of the script",
            Missing::Interpreter => "the interpreter of the program",
            Missing::InterpreterContent => "the content of the interpreter, which may not be read",
            Missing::Processor => "the processor and word size of this kernel",
            Missing::Layout => "byte order and word size of this kernel",
            Missing::HeaderAsCode => "what the processor makes of an ELF header that it is to execute",
            Missing::NoExecute => "whether this kernel keeps data from being executed",
            Missing::CpuFeatures => "the features of the processor",
            Missing::MiscRule => "which of several rules of binfmt_misc was registered last",
            Missing::MiscInterpreter => "the interpreter of binfmt_misc, which the kernel holds open",
            Missing::Place => "where this kernel puts what it maps, which is random or set when it was built",
            Missing::Limits => "how much of its resource limits (ulimit) is taken",
            Missing::Memory => "how much memory others leave, where vm.overcommit_memory is 2",
            Missing::LostPart => "whether the program needs what its file has lost",
            Missing::MarkedCode => {
                "whether its code is as its header says: then this machine does not run it"
            }
            Missing::TwoFaults => {
                "which of two faults comes first: not aligned, and not mapped for execution"
            }
            Missing::Unpredictable => {
                "what the processor makes of an address that ARM leaves open (UNPREDICTABLE)"
            }
            Missing::Descriptor => "where the function descriptor at e_entry leads",
            Missing::Endless => "an end: this kernel faults again and again on code that may only be written",
            Missing::Answer(_) => "",
        }
    }
}

/// What became of the kernel's answer to a question.
enum Told {
    Yes,
    No,
    /// It was asked, and could not answer.
    Untold,
}

/// Puts a question: answered, or asked before anything else goes on.
fn told(machine: &Machine, question: Question) -> Stage<Told> {
    match machine.answer(question) {
        None => Err(Stop::Ask(question)),
        Some(fact) => Ok(match fact.value {
            Some(Answer::Works) => Told::Yes,
            Some(Answer::Refused(_) | Answer::Killed) => Told::No,
            None => Told::Untold,
        }),
    }
}

/// The same where nothing else can tell.
fn asked(machine: &Machine, question: Question) -> Stage<bool> {
    match told(machine, question)? {
        Told::Yes => Ok(true),
        Told::No => Ok(false),
        Told::Untold => unknown(Missing::Answer(question)),
    }
}

/// What the kernel does with the candidate, or the question that decides it.
pub fn exec(machine: &Machine, candidate: &Candidate) -> Result<Outcome, Question> {
    if candidate.stat.is_err() {
        return Ok(Outcome::Unknown { missing: "the file: it cannot be looked up" });
    }
    ended(binprm(machine, candidate, 0, Past::default()))
}

fn ended(stage: Stage) -> Result<Outcome, Question> {
    Ok(match stage {
        Ok(()) => Outcome::Starts,
        Err(Stop::Refused(errno, step)) => Outcome::Refused { errno, step },
        Err(Stop::Killed(signal, when, step)) => Outcome::Killed { signal, when, step },
        Err(Stop::Unknown(missing)) => Outcome::Unknown { missing: missing.words() },
        Err(Stop::Ask(question)) => return Err(question),
    })
}

/// What bars a file whatever is in it, and is left out to see what lies behind.
#[derive(Clone, Copy, Default)]
struct Past {
    noexec: bool,
    mode: bool,
    writer: bool,
}

/// What the kernel does, and what it would do next each time that what bars the file is taken away: a noexec mount, a
/// missing x bit, a writer. So a fault is seen behind those that hide it.
pub fn layers(machine: &Machine, candidate: &Candidate, outcome: Outcome) -> Vec<Outcome> {
    let mut outcomes = vec![outcome];
    let mut past = Past::default();
    while let Some(&Outcome::Refused { step, .. }) = outcomes.last() {
        match step {
            Step::NoExecMount if !past.noexec => past.noexec = true,
            Step::Permission if !past.mode => past.mode = true,
            Step::Busy if !past.writer => past.writer = true,
            _ => break,
        }
        let Ok(outcome) = ended(binprm(machine, candidate, 0, past)) else { break };
        outcomes.push(outcome);
    }
    outcomes
}

/// A question that no outcome has needed yet, but that tells whether the program has a further problem: who mends
/// the byte order should not come back for the FPU.
pub fn further_question(machine: &Machine, candidate: &Candidate) -> Option<Question> {
    let image = candidate.program()?.image()?;
    let hard = image.is_mips_hard_float();
    let open = machine.fpu.value.is_none() && machine.answer(Question::FpInstruction).is_none();
    let is_mips = machine.e_machine() == Some(crate::elf::consts::EM_MIPS);
    (hard && open && is_mips).then_some(Question::FpInstruction)
}

/// Interpreters that are let through; the next one is not.
const MAX_DEPTH: usize = 5;

/// fs/exec.c `exec_binprm`: opens the file and hands it to the handler that knows its first bytes.
fn binprm(machine: &Machine, candidate: &Candidate, depth: usize, past: Past) -> Stage {
    path::open(machine, candidate, past)?;
    if depth > MAX_DEPTH {
        return refuse(Errno::ELOOP, Step::TooManyInterpreters);
    }
    if let Some(misc) = &candidate.misc {
        return misc::load(machine, candidate, misc, depth);
    }
    match &candidate.content {
        Content::Unread(_) => unknown(Missing::Content),
        Content::Data(_) => refuse(Errno::ENOEXEC, Step::NoHandler),
        Content::Script(script) => script::load(machine, candidate, script, depth),
        Content::Elf(program) => elf::load(machine, candidate, program),
    }
}

/// Goes on with the interpreter of a script or of binfmt_misc; `step`: what it fails at where it cannot be opened.
fn interpreted(machine: &Machine, interpreter: &Candidate, depth: usize, step: Step) -> Stage {
    match binprm(machine, interpreter, depth.saturating_add(1), Past::default()) {
        Err(Stop::Refused(errno, failed)) if failed.opens_a_file() => refuse(errno, step),
        other => other,
    }
}
