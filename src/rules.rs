//! What there is to say of a candidate: one file for each finding, named after the fault.
//!
//! A rule looks at a [`Case`] and gives a finding or none. The doc comment in its `rule!` block is its manual page: it
//! becomes docs/findings.md and has the headings *What it means*, *How it looks*, *Why*, *Fix* and *Kernel source*.

mod words;

use std::path::PathBuf;

use crate::candidate::{Candidate, Image, Program};
use crate::finding::{Certainty, Finding, Severity};
use crate::linker::{Link, Refusal};
use crate::loader::{Outcome, Step};
use crate::machine::Machine;

/// What a rule looks at.
pub struct Case<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// The file.
    pub candidate: &'a Candidate,
    /// Where it is to be installed.
    pub destination: Option<&'a Destination>,
    /// Its libraries, where it is known that it comes to them.
    pub link: Option<&'a Link>,
    /// What the kernel does with it; then what it would do without what bars the file ([`crate::loader::layers`]).
    outcomes: Vec<Outcome>,
    /// What the kernel does with the content of the file, once nothing bars it.
    content: Outcome,
    /// The ELF file.
    program: Option<&'a Program>,
    /// The ELF file as it describes itself; else as the kernel sees it.
    image: Option<&'a Image>,
    /// The program is for another processor, so that nothing else it asks of one matters.
    foreign: bool,
    /// What a finding calls the file.
    called: Called,
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
    pub packs_to: Option<u32>,
}

/// A rule.
pub struct Rule {
    /// The code of its finding; never reused.
    pub code: &'static str,
    /// Its check.
    pub check: fn(&Case<'_>) -> Option<Finding>,
}

/// A rule's manual page.
pub struct Page {
    /// The code.
    pub code: &'static str,
    /// Markdown.
    pub text: &'static str,
}

/// Declares `RULE` and `PAGE` of a module from its manual page, its code and its check.
macro_rules! rule {
    ($(#[doc = $line:literal])+ $code:literal, $check:path) => {
        pub(super) const RULE: super::Rule = super::Rule { code: $code, check: $check };
        pub(super) const PAGE: super::Page = super::Page { code: $code, text: concat!($($line, "\n"),+) };
    };
}

// One by one, and below `rule!`, which they use: neither rustfmt nor an editor follows a `mod` that a macro makes.
mod damaged_headers;
mod file_busy;
mod hard_float_without_fpu;
mod interpreter_missing;
mod interpreter_unusable;
mod isa_above_cpu;
mod kernel_too_old;
mod libraries_not_followed;
mod library_missing;
mod library_unusable;
mod misc_interpreter_missing;
mod missing_ase;
mod mount_noexec;
mod no_such_file;
mod not_a_program;
mod not_enough_memory;
mod not_enough_space;
mod not_executable;
#[cfg(any(feature = "every-machine", not(any(target_arch = "mips", target_arch = "mips64"))))]
mod not_position_independent;
mod packed_by_upx;
mod script_interpreter_missing;
mod script_line;
mod script_with_crlf;
mod started_by_binfmt_misc;
mod symbol_missing;
#[cfg(any(feature = "every-machine", not(any(target_arch = "mips", target_arch = "mips64"))))]
mod tls_underaligned;
mod truncated_file;
mod unreadable_file;
mod version_missing;
mod wrong_architecture;
mod wrong_byte_order;
mod wrong_mips_abi;
mod wrong_operating_system;
mod wrong_word_size;

/// The rules in the order of their rank.
macro_rules! table {
    ($($(#[$cfg:meta])? $module:ident)*) => {
        /// All rules. Where several explain an outcome, the earlier one is the decisive one.
        pub const RULES: &[Rule] = &[$($(#[$cfg])? $module::RULE),*];

        /// Their manual pages, in the same order.
        pub const PAGES: &[Page] = &[$($(#[$cfg])? $module::PAGE),*];
    };
}

table! {
    no_such_file
    unreadable_file
    mount_noexec
    not_executable
    file_busy
    misc_interpreter_missing
    script_with_crlf
    script_line
    script_interpreter_missing
    wrong_operating_system
    not_a_program
    wrong_byte_order
    wrong_architecture
    wrong_word_size
    wrong_mips_abi
    interpreter_missing
    interpreter_unusable
    damaged_headers
    truncated_file
    hard_float_without_fpu
    isa_above_cpu
    missing_ase
    not_enough_memory
    kernel_too_old
    #[cfg(any(feature = "every-machine", not(any(target_arch = "mips", target_arch = "mips64"))))]
    not_position_independent
    #[cfg(any(feature = "every-machine", not(any(target_arch = "mips", target_arch = "mips64"))))]
    tls_underaligned
    library_missing
    library_unusable
    version_missing
    symbol_missing
    not_enough_space
    packed_by_upx
    started_by_binfmt_misc
    libraries_not_followed
}

/// Errors of the folder asked for by `--dest`, whatever the kernel does where the file lies.
const PLACE: [&str; 2] = ["mount-noexec", "not-enough-space"];

/// All that there is to say: errors first, the decisive one of them first.
pub fn run(case: &Case<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let is_open = matches!(case.outcomes.first(), Some(Outcome::Unknown { .. }));
    for rule in RULES {
        if let Some(mut finding) = (rule.check)(case) {
            finding.code = rule.code;
            // What is not known may let it start all the same.
            if is_open && finding.severity == Severity::Error && !PLACE.contains(&rule.code) {
                finding.severity = Severity::Warning;
                finding.certainty = Certainty::Likely;
            }
            let before = found.iter().filter(|other| other.severity <= finding.severity);
            found.insert(before.count(), finding);
        }
    }
    if found.first().is_none_or(|finding| finding.severity != Severity::Error) {
        if let Some(finding) = damaged_headers::unexplained(case) {
            found.insert(0, finding);
        }
    }
    found
}

/// Whether the file fails here: the kernel's outcome, or the folder that it is to go to.
pub fn fails(outcome: &Outcome, findings: &[Finding]) -> bool {
    match outcome {
        Outcome::Refused { .. } | Outcome::Killed { .. } | Outcome::Exits { .. } => true,
        Outcome::Starts | Outcome::Unknown { .. } => findings
            .iter()
            .any(|finding| PLACE.contains(&finding.code) && finding.severity == Severity::Error),
    }
}

impl<'a> Case<'a> {
    /// A candidate, what the kernel does with it, and where it is to go.
    pub fn new(
        machine: &'a Machine,
        candidate: &'a Candidate,
        outcome: Outcome,
        destination: Option<&'a Destination>,
        link: Option<&'a Link>,
    ) -> Self {
        let outcomes = crate::loader::layers(machine, candidate, outcome);
        let content = outcomes.last().copied().unwrap_or(outcome);
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
            outcomes,
            content,
            program,
            image,
            foreign,
            called: Called::Path,
        }
    }

    /// The ELF file as it describes itself, where it does.
    fn own(&self) -> Option<&'a Image> {
        self.program?.own.as_deref()
    }

    /// Whether the kernel stops at this check, or would once nothing bars the file.
    fn meets(&self, step: Step) -> bool {
        self.outcomes.iter().any(|outcome| words::step(*outcome) == Some(step))
    }

    /// Whether the kernel stops at this check once nothing bars the file.
    fn ends_at(&self, step: Step) -> bool {
        words::step(self.content) == Some(step)
    }

    /// What the kernel does, where it stops at one of these checks: of another one a finding has nothing to say.
    fn kernel_at(&self, steps: &[Step]) -> &'static str {
        if steps.iter().any(|step| self.ends_at(*step)) { words::KERNEL } else { "" }
    }

    /// A kernel's line, where no handler of the kernel takes the file.
    fn unhandled(&self, line: &'static str) -> &'static str {
        if self.ends_at(Step::NoHandler) { line } else { "" }
    }

    /// Once nothing bars the file, the kernel starts its dynamic loader.
    fn reaches_loader(&self) -> bool {
        match self.content {
            Outcome::Starts | Outcome::Exits { .. } => true,
            Outcome::Killed { step, .. } => matches!(step, Step::LibraryUnusable | Step::LoaderRefuses),
            Outcome::Refused { .. } | Outcome::Unknown { .. } => false,
        }
    }

    /// The program is for another byte order.
    fn is_swapped(&self) -> bool {
        self.image.zip(self.machine.byte_order()).is_some_and(|(image, order)| image.view.order != order)
    }

    /// What the dynamic loader refuses before it loads anything.
    fn refused_by_loader(&self) -> Option<Refusal> {
        self.link?.refuses
    }

    /// Once nothing bars the file, execve succeeds, and nothing is known that kills it afterwards.
    fn starts(&self) -> bool {
        self.content == Outcome::Starts
    }
}
