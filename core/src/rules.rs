//! What there is to say of a candidate: one file for each finding, named after the fault.
//!
//! A rule looks at a [`Case`] and gives a finding or none. The doc comment in its `rule!` block is its manual page: it
//! becomes docs/findings.md and has the headings *What it means*, *How it looks*, *Why*, *Fix*, *Kernel source* and
//! *Example*, which is a transcript that tests/transcripts.rs plays; the messages by which it is known stand beside it.

mod words;

use alloc::vec::Vec;

use crate::candidate::{Candidate, Content, Foreign, Image, Lost, Program};
use crate::exec::{Outcome, Step, Waived};
use crate::finding::{Certainty, Finding, Found, Severity};
use crate::ldso::{LinkResult, LoaderRefusal};
use crate::machine::Machine;
use crate::path::PathBuf;
pub(crate) use words::shown;

/// What a rule looks at.
pub struct Case<'a> {
    /// The machine.
    pub machine: &'a Machine<'a>,
    /// The file.
    pub candidate: &'a Candidate,
    /// Where it is to be installed.
    pub destination: Option<&'a Destination>,
    /// Its libraries, where it is known that it comes to them.
    pub link: Option<&'a LinkResult>,
    /// What is wrong with its interpreter, or with what env(1) starts in its stead, where it is a script that does not start.
    pub interpreter: Option<Culprit<'a>>,
    /// What the system refused on the way, and should be there.
    pub lost: Vec<Lost>,
    /// What the kernel does with it.
    outcome: Outcome,
    /// What bars the file, whatever it contains.
    barriers: Waived,
    /// What the kernel does with the content of the file, once nothing bars it.
    content: Outcome,
    /// The check that it ends at then.
    step: Option<Step>,
    /// The ELF file.
    program: Option<&'a Program>,
    /// The ELF file as it describes itself; else as the kernel sees it.
    image: Option<&'a Image>,
    /// The program is for another processor, so that nothing else it asks of one matters.
    foreign: bool,
    /// What a finding calls the file.
    called: Called,
    /// The rule that looks at it.
    code: Code,
}

/// A program that does not start, and so does the script that is for it.
pub struct Culprit<'a> {
    /// The script's interpreter, or what env(1) starts in its stead.
    pub program: &'a Candidate,
    /// What becomes of it.
    pub outcome: Outcome,
    /// What is wrong with it.
    pub finding: Found,
}

/// What a finding calls a file.
#[derive(Clone, Copy)]
enum Called {
    /// Its path.
    Path,
    /// "it": the finding goes on with what another one has said of the file.
    It,
}

/// A folder that a program is to be installed in.
pub struct Destination {
    /// The folder, absolute.
    pub folder: PathBuf,
    /// Asked for with `--dest`; otherwise it is where packages are installed.
    pub asked: bool,
    /// There is no such folder.
    pub missing: bool,
    /// What its file system makes of 1024 bytes of the file, where it compresses; from a sample.
    pub compressed_per_kib: Option<u32>,
}

/// A rule.
pub struct Rule {
    /// The code of its finding.
    pub code: Code,
    /// Its check.
    pub check: fn(&Case<'_>) -> Option<Found>,
    /// Rules of which an error says it better: beside one, this rule's finding is dropped.
    pub quiet_after: &'static [Code],
}

/// A rule's manual page.
pub struct Page {
    /// The code.
    pub code: Code,
    /// Markdown.
    pub text: &'static str,
    /// What shells, loaders and the kernel print then, word for word; `./x` stands for what differs from case to case.
    pub looks: &'static [&'static str],
}

/// Declares `RULE` and `PAGE` of a module from its manual page, its code, the messages by which it is known, its check
/// and, where there are any, the rules that say it better.
macro_rules! rule {
    ($(#[doc = $line:literal])+ $code:ident, looks [$($look:literal),* $(,)?], $check:path $(, quiet after [$($better:ident),+])?) => {
        pub(super) const RULE: super::Rule = super::Rule {
            code: super::Code::$code,
            check: $check,
            quiet_after: &[$($(super::Code::$better),+)?],
        };
        pub(super) const PAGE: super::Page = super::Page {
            code: super::Code::$code,
            text: concat!($($line, "\n"),+),
            looks: &[$($look),*],
        };
    };
}

// One by one, and below `rule!`, which they use: neither rustfmt nor an editor follows a `mod` that a macro makes.
mod changed_by_transfer;
mod cosmopolitan_program;
mod damaged_headers;
mod damaged_tables;
mod file_busy;
mod forbidden_by_policy;
mod go_level_above_cpu;
mod hard_float_without_fpu;
mod interpreter_missing;
mod interpreter_unusable;
mod isa_above_cpu;
mod kernel_page_missing;
mod kernel_too_old;
mod libraries_not_followed;
mod library_missing;
mod library_unusable;
mod memory_limit;
mod misc_interpreter_missing;
mod missing_ase;
mod mount_noexec;
mod no_such_file;
mod not_a_program;
mod not_enough_memory;
mod not_enough_space;
mod not_executable;
mod not_position_independent;
mod packed_by_upx;
mod relocation_unknown;
mod script_interpreter_missing;
mod script_line;
mod script_with_crlf;
mod stack_forbidden;
mod started_by_binfmt_misc;
mod symbol_missing;
mod tls_underaligned;
mod truncated_file;
mod unreadable_file;
mod unwritten_content;
mod version_missing;
mod wrong_architecture;
mod wrong_byte_order;
mod wrong_loongarch_abi;
mod wrong_mips_abi;
mod wrong_operating_system;
mod wrong_page_size;
mod wrong_word_size;

/// The rules in the order of their rank.
macro_rules! table {
    ($($module:ident: $code:ident = $name:literal,)*) => {
        /// The code of a finding.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Code {
            $(#[doc = $name] $code,)*
        }

        impl Code {
            /// Its name, which is stable and never reused.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Code::$code => $name,)*
                }
            }
        }

        /// All rules. Where several explain an outcome, the earlier one is the decisive one.
        pub const RULES: &[Rule] = &[$($module::RULE),*];

        /// Their manual pages, in the same order.
        pub const PAGES: &[Page] = &[$($module::PAGE),*];
    };
}

table! {
    no_such_file: NoSuchFile = "no-such-file",
    unreadable_file: UnreadableFile = "unreadable-file",
    mount_noexec: MountNoexec = "mount-noexec",
    not_executable: NotExecutable = "not-executable",
    file_busy: FileBusy = "file-busy",
    forbidden_by_policy: ForbiddenByPolicy = "forbidden-by-policy",
    misc_interpreter_missing: MiscInterpreterMissing = "misc-interpreter-missing",
    script_with_crlf: ScriptWithCrlf = "script-with-crlf",
    script_line: ScriptLine = "script-line",
    script_interpreter_missing: ScriptInterpreterMissing = "script-interpreter-missing",
    cosmopolitan_program: CosmopolitanProgram = "cosmopolitan-program",
    wrong_operating_system: WrongOperatingSystem = "wrong-operating-system",
    not_a_program: NotAProgram = "not-a-program",
    wrong_byte_order: WrongByteOrder = "wrong-byte-order",
    wrong_architecture: WrongArchitecture = "wrong-architecture",
    wrong_word_size: WrongWordSize = "wrong-word-size",
    wrong_mips_abi: WrongMipsAbi = "wrong-mips-abi",
    changed_by_transfer: ChangedByTransfer = "changed-by-transfer",
    unwritten_content: UnwrittenContent = "unwritten-content",
    wrong_loongarch_abi: WrongLoongarchAbi = "wrong-loongarch-abi",
    interpreter_missing: InterpreterMissing = "interpreter-missing",
    interpreter_unusable: InterpreterUnusable = "interpreter-unusable",
    wrong_page_size: WrongPageSize = "wrong-page-size",
    damaged_headers: DamagedHeaders = "damaged-headers",
    truncated_file: TruncatedFile = "truncated-file",
    hard_float_without_fpu: HardFloatWithoutFpu = "hard-float-without-fpu",
    go_level_above_cpu: GoLevelAboveCpu = "go-level-above-cpu",
    isa_above_cpu: IsaAboveCpu = "isa-above-cpu",
    missing_ase: MissingAse = "missing-ase",
    memory_limit: MemoryLimit = "memory-limit",
    not_enough_memory: NotEnoughMemory = "not-enough-memory",
    kernel_too_old: KernelTooOld = "kernel-too-old",
    kernel_page_missing: KernelPageMissing = "kernel-page-missing",
    not_position_independent: NotPositionIndependent = "not-position-independent",
    tls_underaligned: TlsUnderaligned = "tls-underaligned",
    stack_forbidden: StackForbidden = "stack-forbidden",
    damaged_tables: DamagedTables = "damaged-tables",
    library_missing: LibraryMissing = "library-missing",
    library_unusable: LibraryUnusable = "library-unusable",
    version_missing: VersionMissing = "version-missing",
    relocation_unknown: RelocationUnknown = "relocation-unknown",
    symbol_missing: SymbolMissing = "symbol-missing",
    not_enough_space: NotEnoughSpace = "not-enough-space",
    packed_by_upx: PackedByUpx = "packed-by-upx",
    started_by_binfmt_misc: StartedByBinfmtMisc = "started-by-binfmt-misc",
    libraries_not_followed: LibrariesNotFollowed = "libraries-not-followed",
}

/// Errors of the folder asked for by `--dest`, whatever the kernel does where the file lies.
const PLACE: [Code; 2] = [Code::MountNoexec, Code::NotEnoughSpace];

/// All that there is to say: errors first, the decisive one of them first.
pub fn run(mut case: Case<'_>) -> Vec<Found> {
    let mut told: Vec<(&Rule, Found)> = Vec::new();
    let mut errors: Vec<Code> = Vec::new();
    for rule in RULES {
        case.code = rule.code;
        let Some(finding) = (rule.check)(&case) else { continue };
        if finding.severity == Severity::Error {
            errors.push(rule.code);
        }
        told.push((rule, finding));
    }
    // The less, the worse.
    let rank = |finding: &Finding| (finding.severity, finding.effect.is_none());
    // What is not known may let it start all the same.
    let is_unknown = matches!(case.outcome, Outcome::Unknown { .. });
    let mut found = Vec::new();
    while let Some((rule, mut finding)) = told.pop() {
        if !case.is_text() && rule.quiet_after.iter().any(|better| errors.contains(better)) {
            continue;
        }
        if case.outcome != Outcome::Starts {
            finding.effect = None;
        }
        words::blame(&case, &mut finding);
        if is_unknown && finding.severity == Severity::Error && !PLACE.contains(&rule.code) {
            finding.severity = Severity::Warning;
            finding.certainty = Certainty::Likely;
        }
        // The last comes first: what is equally bad keeps the table's order.
        let not_worse = found.iter().position(|other: &Found| rank(other) >= rank(&finding));
        found.insert(not_worse.unwrap_or(found.len()), finding);
    }
    if found.first().is_none_or(|finding| finding.severity != Severity::Error) {
        case.code = Code::DamagedHeaders;
        if let Some(finding) = damaged_headers::unexplained(&case) {
            found.insert(0, finding);
        }
    }
    found
}

/// The decisive error of a script's interpreter; `of_its_own` where that is a script as well.
pub fn of_interpreter(
    machine: &Machine<'_>,
    interpreter: &Candidate,
    outcome: Outcome,
    link: Option<&LinkResult>,
    of_its_own: Option<Culprit<'_>>,
    lost: Vec<Lost>,
) -> Option<Found> {
    let case = Case::new(machine, interpreter, outcome, None, link, of_its_own);
    let case = Case { lost, called: Called::It, ..case };
    run(case).into_iter().next().filter(|finding| finding.severity == Severity::Error)
}

/// Whether the file fails here: the kernel's outcome, or the folder that it is to go to.
pub fn fails(outcome: &Outcome, findings: &[Found]) -> bool {
    match outcome {
        Outcome::Refused { .. }
        | Outcome::Killed { .. }
        | Outcome::Exits { .. }
        | Outcome::Endless { .. }
        | Outcome::Fails { .. } => true,
        Outcome::Starts | Outcome::Unknown { .. } => findings
            .iter()
            .any(|finding| PLACE.contains(&finding.code) && finding.severity == Severity::Error),
    }
}

impl<'a> Case<'a> {
    /// A candidate, what the kernel does with it, and where it is to go.
    pub fn new(
        machine: &'a Machine<'a>,
        candidate: &'a Candidate,
        outcome: Outcome,
        destination: Option<&'a Destination>,
        link: Option<&'a LinkResult>,
        interpreter: Option<Culprit<'a>>,
    ) -> Self {
        let (content, barriers) = crate::exec::behind_barriers(machine, candidate, outcome);
        let program = candidate.program();
        let image = program.and_then(Program::image);
        let foreign = image
            .zip(machine.e_machine())
            .is_some_and(|(image, own)| words::family(image.header.e_machine) != words::family(own));
        Case {
            machine,
            candidate,
            destination,
            link,
            interpreter,
            lost: Vec::new(),
            outcome,
            barriers,
            content,
            step: words::step(content),
            program,
            image,
            foreign,
            called: Called::Path,
            code: Code::DamagedHeaders,
        }
    }

    /// The ELF file as it describes itself, where it does.
    fn declared(&self) -> Option<&'a Image> {
        self.program?.declared.as_deref()
    }

    /// It is in another system's format, or ends within its magic number: neither its mode nor its mount matters.
    fn is_foreign_format(&self) -> bool {
        let content = &self.candidate.content;
        let is_foreign = matches!(
            content,
            Content::Foreign(
                Foreign::Stub | Foreign::MachO(_) | Foreign::Pe(_) | Foreign::System { .. } | Foreign::Ape(_)
            )
        );
        is_foreign && !self.starts()
    }

    /// Text may be a shell script that lacks its first line: then what bars it matters as well.
    fn is_text(&self) -> bool {
        matches!(self.candidate.content, Content::Foreign(Foreign::Text))
    }

    /// The ELF file ends within its header.
    fn ends_in_header(&self) -> bool {
        let header = |program: &Program| if program.ident.get(4) == Some(&2) { 64 } else { 52 };
        self.program.zip(self.candidate.size()).is_some_and(|(program, size)| size < header(program))
    }

    /// The interpreter that the kernel looks for; empty where there is none.
    fn interpreter_path(&self) -> &'a [u8] {
        self.candidate.interpreter.as_ref().map_or(&[], |interpreter| words::bytes(&interpreter.path))
    }

    /// Whether the kernel stops at this check, or would once nothing bars the file.
    fn meets(&self, step: Step) -> bool {
        self.ends_at(step) || self.barriers.has(step)
    }

    /// Whether the kernel stops at this check once nothing bars the file.
    fn ends_at(&self, step: Step) -> bool {
        self.step == Some(step)
    }

    /// Once nothing bars the file, the kernel starts its dynamic loader.
    fn reaches_loader(&self) -> bool {
        match self.content {
            Outcome::Starts | Outcome::Fails { .. } => true,
            Outcome::Exits { step, .. } => !step.is_of_env(),
            Outcome::Killed { step, .. } | Outcome::Endless { step } => step.is_of_loader(),
            Outcome::Refused { .. } | Outcome::Unknown { .. } => false,
        }
    }

    /// The program is for another byte order.
    fn is_swapped(&self) -> bool {
        self.image.zip(self.machine.byte_order()).is_some_and(|(image, order)| image.encoding.order != order)
    }

    /// What the dynamic loader refuses before it loads anything.
    fn refused_by_loader(&self) -> Option<LoaderRefusal> {
        self.link?.refuses
    }

    /// Once nothing bars the file, execve succeeds, and nothing is known that kills it afterwards.
    fn starts(&self) -> bool {
        self.content == Outcome::Starts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_quiet_stands_beside_who_speaks() {
        for rule in RULES {
            for better in rule.quiet_after {
                assert_ne!(*better, rule.code, "a rule does not silence itself");
                let of_better = RULES.iter().find(|other| other.code == *better).unwrap();
                assert!(!of_better.quiet_after.contains(&rule.code), "{:?} and {better:?}", rule.code);
            }
        }
    }
}
