//! What must hold of every judgement.

use diag_core::budget::{Amounts, LIMITS};
use diag_core::exec::Outcome;
use diag_core::finding::Severity;
use diag_core::judge;
use diag_core::ldso::Kept;
use diag_core::path::PathBuf;
use diag_core::report::{Judged, Parts, Style, Verdict, json, text};
use diag_core::target::{Nothing, Target};
use nix::time::{ClockId, clock_gettime};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use crate::HEAP;
use crate::memory::Machine;

/// The most that a judgement allocates, its report included: what it may keep, and the parts of files that it holds.
const MEMORY: usize = 16 << 20;
/// Of a program's report, as a text and as JSON.
const REPORT: usize = 64 << 10;
/// Seconds of the processor for all that [`LIMITS`] allows, without optimization and with coverage counted.
const SECONDS: i64 = 20;
/// What the machine itself takes: files looked up and bytes read, of its shells and C libraries.
const OF_THE_MACHINE: u64 = 4096;

const VERBOSE: Style = Style { colour: false, quiet: false, verbose: true };

/// Judges programs, and looks at what is said of them.
///
/// # Panics
///
/// If it does not hold.
pub fn judge(machine: &Machine, programs: &[&str]) {
    let target = Target::new(machine);
    let mut facts = diag_core::machine::Machine::new(target);
    let kept = Kept::default();
    // What is known of the machine is [`describe`]'s.
    let unknown = diag_core::machine::Machine::new(Target::new(&Nothing));
    for program in programs {
        let begin = Spent::now(machine);
        HEAP.reset_peak_usage();
        let heap = HEAP.current_usage();
        let judged = judge::judge(&mut facts, &kept, &PathBuf::from(*program), None);
        let spent = kept.files.budget().spent();
        let mut parts = Parts::new(true, VERBOSE);
        let document = parts.program(&judged);
        let shown = Parts::new(false, VERBOSE).program(&judged);
        let memory = HEAP.peak_usage().saturating_sub(heap);
        assert!(memory <= MEMORY * threads(), "{memory} bytes of memory: {spent:?}");
        begin.is_within_limits(machine, spent);
        assert!(document.len().max(shown.len()) <= REPORT, "{} and {} bytes", document.len(), shown.len());
        agrees(&judged);
        is_harmless(&shown);
        is_json(&(document + &parts.end(&unknown)));
    }
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

/// What was spent, by the target's count.
struct Spent {
    seconds: i64,
    bytes: u64,
    files: u64,
}

impl Spent {
    fn now(machine: &Machine) -> Spent {
        let seconds = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(0, |time| time.tv_sec());
        Spent { seconds, bytes: machine.asked().bytes.get(), files: machine.asked().files.get() }
    }

    fn is_within_limits(&self, machine: &Machine, told: Amounts) {
        let of = |amounts: Amounts| [amounts.steps, amounts.bytes, amounts.files, amounts.kept, amounts.told];
        assert!(of(told).into_iter().zip(of(LIMITS)).all(|(spent, limit)| spent <= limit), "{told:?}");
        let now = Spent::now(machine);
        let (bytes, files) = (now.bytes - self.bytes, now.files - self.files);
        assert!(bytes <= (LIMITS.bytes as u64) + (OF_THE_MACHINE << 10), "{bytes} bytes read, told {told:?}");
        assert!(files <= (LIMITS.files as u64) + OF_THE_MACHINE, "{files} files, told {told:?}");
        assert!(now.seconds - self.seconds <= SECONDS, "{} seconds: {told:?}", now.seconds - self.seconds);
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
