//! What must hold of every judgement.

use diag_core::budget::{Amounts, LIMITS};
use diag_core::exec::Outcome;
use diag_core::finding::Severity;
use diag_core::judge;
use diag_core::ldso::Kept;
use diag_core::machine::Libc;
use diag_core::path::PathBuf;
use diag_core::report::{Judged, Parts, Style, Verdict, json, text};
use diag_core::target::{Nothing, Target};
use nix::time::{ClockId, clock_gettime};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use crate::memory::Machine;
use crate::{HEAP, work};

/// The most that a judgement allocates, its report included: what it may keep, and the parts of files that it holds.
const MEMORY: usize = if cfg!(diag_fuzz) { 3 << 19 } else { 16 << 20 };
/// Of a program's report, as a text and as JSON.
const REPORT: usize = 64 << 10;
/// Symbols, or versions, that are told to be missing: of those that are bound when they are called, and of the others.
const MISSING: usize = 2 * 64;
/// Milliseconds of the processor for all that [`LIMITS`] allows, without optimization and with coverage counted.
const MILLISECONDS: i64 = if cfg!(diag_fuzz) { 1000 } else { 20_000 };
/// Blocks of code that a judgement takes beside what it tells, and those of what it tells.
const BLOCKS: u64 = 1 << 20;
const BLOCKS_OF_A_STEP: u64 = 256;
const BLOCKS_OF_A_FILE: u64 = 4096;
const BLOCKS_OF_A_BYTE: u64 = 32;
/// What the machine itself takes, of its shells and C libraries: files looked up, and bytes read.
const FILES_OF_THE_MACHINE: u64 = 512;
const BYTES_OF_THE_MACHINE: u64 = 1 << 20;

const VERBOSE: Style = Style { colour: false, quiet: false, verbose: true };

/// Whose loader a program has, and what a judgement of it took.
pub struct Took {
    /// None where it is nobody's that is known.
    pub libc: Option<Libc>,
    /// By its own count.
    pub spent: Amounts,
    /// Blocks of code, by the compiler's; 0 where nobody counts them.
    pub blocks: u64,
}

/// Judges programs, and looks at what is said of them.
///
/// # Panics
///
/// If it does not hold.
pub fn judge<const N: usize>(machine: &Machine, programs: [&str; N]) -> [Took; N] {
    let target = Target::new(machine);
    let mut facts = diag_core::machine::Machine::new(target);
    let kept = Kept::default();
    // What is known of the machine is [`describe`]'s.
    let unknown = diag_core::machine::Machine::new(Target::new(&Nothing));
    programs.map(|program| {
        let begin = Spent::now(machine);
        HEAP.reset_peak_usage();
        let heap = HEAP.current_usage();
        let judged = judge::judge(&mut facts, &kept, &PathBuf::from(program), None);
        let spent = kept.files.budget().spent();
        let mut parts = Parts::new(true, VERBOSE);
        let document = parts.program(&judged);
        let shown = Parts::new(false, VERBOSE).program(&judged);
        let memory = HEAP.peak_usage().saturating_sub(heap);
        let report = document.len().max(shown.len());
        let blocks = begin.is_within_limits(machine, spent, report, memory);
        assert!(memory <= MEMORY * threads(), "{memory} bytes of memory: {spent:?}");
        assert!(report <= REPORT, "{report} bytes");
        let amounts = [spent.steps, spent.bytes, spent.files, spent.kept, spent.told, memory, report];
        work::tell(&[&amounts.map(|amount| amount as u64)[..], &[blocks]].concat());
        is_counted(&judged);
        agrees(&judged);
        is_harmless(&shown);
        is_json(&(document + &parts.end(&unknown)));
        Took { libc: judged.link.and_then(|link| link.libc), spent, blocks }
    })
}

/// Describes the machine.
pub fn describe(machine: &Machine) {
    let described = judge::describe(Target::new(machine)).machine;
    is_json(&json::write(&described, &[]));
    is_harmless(&text::machine(&described, VERBOSE));
}

/// How many judge at the same time: their memory is counted together.
pub fn threads() -> usize {
    if cfg!(feature = "libfuzzer") { 1 } else { 4 }
}

/// What was spent, by the target's count and the compiler's.
struct Spent {
    milliseconds: i64,
    bytes: u64,
    files: u64,
    blocks: u64,
}

impl Spent {
    fn now(machine: &Machine) -> Spent {
        let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
        let milliseconds = time.map_or(0, |time| time.tv_sec() * 1000 + time.tv_nsec() / 1_000_000);
        let asked = machine.asked();
        Spent { milliseconds, bytes: asked.bytes.get(), files: asked.files.get(), blocks: work::blocks() }
    }

    /// Gives the blocks of code that it took.
    fn is_within_limits(&self, machine: &Machine, told: Amounts, report: usize, memory: usize) -> u64 {
        let now = Spent::now(machine);
        let (bytes, files) = (now.bytes - self.bytes, now.files - self.files);
        assert!(bytes <= LIMITS.bytes as u64 + BYTES_OF_THE_MACHINE, "{bytes} bytes read, told {told:?}");
        assert!(files <= LIMITS.files as u64 + FILES_OF_THE_MACHINE, "{files} files, told {told:?}");
        let blocks = now.blocks - self.blocks;
        // What is done is told: nothing goes on for long without a step.
        let told_blocks = BLOCKS
            + BLOCKS_OF_A_STEP * told.steps as u64
            + BLOCKS_OF_A_FILE * files
            + BLOCKS_OF_A_BYTE * (bytes + (report + told.kept + told.told) as u64);
        if std::env::var_os("DIAG_FUZZ_MEASURE").is_some() {
            measure(blocks, told_blocks, memory, report, told);
        }
        assert!(
            blocks <= told_blocks,
            "{blocks} blocks of code, {bytes} bytes, {files} files, told {told:?}"
        );
        let milliseconds = now.milliseconds - self.milliseconds;
        assert!(milliseconds <= MILLISECONDS, "{milliseconds} milliseconds: {told:?}");
        blocks
    }
}

fn measure(blocks: u64, most: u64, memory: usize, report: usize, told: Amounts) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static WORST: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];
    let shares = [blocks * 1000 / most.max(1), memory as u64 >> 14, report as u64 >> 10];
    let mut each = WORST.iter().zip(shares);
    if each.any(|(worst, share)| worst.fetch_max(share, Ordering::Relaxed) < share) {
        eprintln!(
            "MEASURE {blocks} of {most} blocks, {memory} bytes of memory, {report} of report, {told:?}"
        );
    }
}

/// What is kept, and kept to be told, is no more than the budget allows, whoever counts it.
fn is_counted(judged: &Judged) {
    let Some(link) = &judged.link else { return };
    let told: usize = link.objects.iter().flat_map(|object| &object.tried).map(Vec::len).sum();
    assert!(told <= LIMITS.told, "{told} bytes of places that were looked at are told");
    // Those of the program itself have a limit of their own.
    let program = judged.candidate.path.as_bytes();
    let of_libraries = link.objects.iter().filter(|object| link.needed_by(object) != program);
    let names: usize = of_libraries.map(|object| object.name.len()).sum();
    assert!(names <= LIMITS.kept, "{names} bytes of names of libraries are kept");
    for missing in [&link.versions, &link.symbols] {
        assert!(missing.len() <= MISSING, "{} that are missing are told", missing.len());
    }
}

/// The outcome, the verdict and the findings say the same, where nothing is asked of a folder to install to.
///
/// # Panics
///
/// If it does not hold.
pub fn agrees(judged: &Judged) {
    let errors = judged.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let say = || format!("{:?}\n{:#?}", judged.outcome, judged.findings);
    match judged.outcome {
        Outcome::Starts => assert_eq!(errors, 0, "an error on what starts: {}", say()),
        Outcome::Unknown { .. } => {
            assert_eq!((judged.verdict(), errors), (Verdict::Unknown, 0), "{}", say());
        }
        _ => {
            assert!(errors > 0, "no error explains it: {}", say());
            assert_eq!(judged.verdict(), Verdict::Fails, "{}", say());
        }
    }
}

/// Nothing in it steers a terminal or hides what is shown.
///
/// # Panics
///
/// If it does not hold.
pub fn is_harmless(text: &str) {
    let steers = |shown: &char| {
        matches!(
            shown.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
        )
    };
    // Most is ASCII, and looked up at once.
    let mut unusual = text.chars().filter(|shown| !(shown.is_ascii_graphic() || matches!(shown, ' ' | '\n')));
    if let Some(found) = unusual.find(steers) {
        panic!("{found:?} in {text}");
    }
}

/// It is a document, and harmless.
///
/// # Panics
///
/// If it does not hold.
pub fn is_json(text: &str) {
    is_harmless(text);
    let parsed = serde_json::from_str::<serde::de::IgnoredAny>(text);
    assert!(parsed.is_ok(), "{parsed:?}: {text}");
}
