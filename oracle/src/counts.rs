//! What was counted of changed programs, and what has to hold of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::case::Case;
use crate::class::Class;
use crate::compare::Verdict;
use crate::model::{Model, Outcome};
use crate::tally::Tally;

/// Cases that are kept of each kind of disagreement.
const EXAMPLES: usize = 16;

/// The cases of one class.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Count {
    /// How many.
    pub cases: u64,
    /// The kernel started the program.
    pub started: u64,
    /// diag says what the kernel did.
    pub agreed: u64,
    /// The runner's clock was over before what diag says could come true.
    pub unfinished: u64,
    /// It does not say what the kernel did.
    pub disagreed: u64,
    /// diag could not tell.
    pub unknown: u64,
    /// Among those that agreed: the kernel answers now this, now that (addresses are random), and at first another way.
    pub varied: u64,
}

/// A disagreement: what diag says, what the kernel did, and a case of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Disagreement {
    /// diag's words, with the step.
    pub model: String,
    /// The kernel's, without addresses.
    pub kernel: String,
    /// How many cases there are of the kind.
    pub cases: u64,
    /// Some of them, the shortest of each [`Case::shape`]; in their smallest forms once they are shrunk.
    pub examples: Vec<String>,
}

/// The counts of a run.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Counts {
    /// Which kernel.
    pub kernel: String,
    /// By class.
    pub classes: BTreeMap<Class, Count>,
    /// By the model's step; "starts" where there is none.
    pub steps: BTreeMap<String, u64>,
    /// What was missing where diag could not tell.
    pub missing: BTreeMap<String, u64>,
    /// Cases that could not be put to the kernel, by why.
    #[serde(default)]
    pub lost: BTreeMap<String, u64>,
    /// What kernels did.
    pub answers: BTreeMap<String, u64>,
    /// By kind.
    pub disagreements: Vec<Disagreement>,
}

impl Count {
    fn add(&mut self, other: Count) {
        self.cases += other.cases;
        self.started += other.started;
        self.agreed += other.agreed;
        self.unfinished += other.unfinished;
        self.disagreed += other.disagreed;
        self.unknown += other.unknown;
        self.varied += other.varied;
    }
}

/// What has to hold of a run besides agreement: one that shows none of it proves little.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Cases that the kernel is asked of, at least.
    pub cases: u64,
    /// Of a hundred cases, those that start, at least.
    pub started: u64,
    /// Of a hundred cases, those that diag cannot tell of, at most.
    pub unknown: u64,
}

/// In the words of unknowns that count for nothing: what cannot be found or read, diag cannot judge.
const UNSEEN: [&str; 2] = ["cannot be looked up", "may not be read"];

impl Counts {
    /// How many diag could not tell though it saw the file.
    pub fn untold(&self) -> u64 {
        let unseen =
            self.missing.iter().filter(|(missing, _)| UNSEEN.iter().any(|words| missing.contains(words)));
        self.total().unknown - unseen.map(|(_, count)| count).sum::<u64>()
    }

    /// For a kernel.
    pub fn new(kernel: impl Into<String>) -> Counts {
        Counts { kernel: kernel.into(), ..Counts::default() }
    }

    /// Counts a case.
    pub fn count(&mut self, case: &Case, model: &Model, answer: &Answer, verdict: Verdict) {
        let count = self.classes.entry(Class::of(case)).or_default();
        count.cases += 1;
        count.started += u64::from(matches!(answer, Answer::Started(_)));
        match verdict {
            Verdict::Agrees => count.agreed += 1,
            Verdict::Unfinished => count.unfinished += 1,
            Verdict::Unknown => count.unknown += 1,
            Verdict::Disagrees => count.disagreed += 1,
        }
        if let Outcome::Unknown(missing) = &model.outcome {
            *self.missing.entry(missing.clone()).or_default() += 1;
        } else {
            let step = if model.step.is_empty() { model.words() } else { model.step.clone() };
            *self.steps.entry(step).or_default() += 1;
        }
        *self.answers.entry(answer.words()).or_default() += 1;
        if verdict == Verdict::Disagrees {
            let (model, kernel) = (model.to_string(), answer.words());
            self.disagree(Disagreement { model, kernel, cases: 1, examples: vec![case.to_string()] });
        }
    }

    fn disagree(&mut self, other: Disagreement) {
        let same = |known: &&mut Disagreement| known.model == other.model && known.kernel == other.kernel;
        let Some(known) = self.disagreements.iter_mut().find(same) else {
            self.disagreements.push(other);
            return;
        };
        known.cases += other.cases;
        for example in other.examples {
            let alike = |known: &&mut String| shape(known) == shape(&example);
            match known.examples.iter_mut().find(alike) {
                // The same order whatever worker came first.
                Some(known) if (example.len(), &example) < (known.len(), known) => *known = example,
                Some(_) => {}
                None => known.examples.push(example),
            }
        }
        // A short one is nearer to its cause.
        known.examples.sort_by_key(|case| (case.len(), case.clone()));
        known.examples.truncate(EXAMPLES);
    }

    /// Counts that the kernel answered a case that agrees another way, too.
    pub fn varied(&mut self, case: &Case) {
        self.classes.entry(Class::of(case)).or_default().varied += 1;
    }

    /// Checks that diag says what the kernel did.
    pub fn check(&self, limits: Limits, tally: &mut Tally) {
        let (Count { cases, started, disagreed, .. }, unknown) = (self.total(), self.untold());
        tally.check(cases >= limits.cases, || format!("only {cases} cases were put to the kernel"));
        tally.check(disagreed == 0, || format!("{disagreed} of {cases} cases disagree"));
        tally.check(started * 100 >= cases * limits.started, || format!("only {started} of {cases} start"));
        tally.check(unknown * 100 <= cases * limits.unknown, || {
            format!("diag cannot tell of {unknown} of {cases} cases")
        });
        tally.note(format!("{cases} programs, {started} start, {disagreed} disagree, {unknown} not told"));
    }

    /// Adds the counts of another run.
    pub fn merge(&mut self, other: Counts) {
        for (class, count) in other.classes {
            self.classes.entry(class).or_default().add(count);
        }
        for (mine, theirs) in [
            (&mut self.steps, other.steps),
            (&mut self.missing, other.missing),
            (&mut self.lost, other.lost),
            (&mut self.answers, other.answers),
        ] {
            for (key, count) in theirs {
                *mine.entry(key).or_default() += count;
            }
        }
        other.disagreements.into_iter().for_each(|found| self.disagree(found));
    }

    /// Of all classes.
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        self.classes.values().for_each(|count| total.add(*count));
        total
    }
}

fn shape(case: &str) -> Option<String> {
    Case::parse(case).ok().map(|case| case.shape())
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, name: &str, c: &Count| {
            let Count { cases, started, agreed, unfinished, disagreed, unknown, varied } = c;
            writeln!(
                f,
                "{name:24} {cases:7} {started:7} {agreed:7} {unfinished:10} {disagreed:9} {unknown:7} {varied:6}"
            )
        };
        writeln!(f, "kernel: {}", self.kernel)?;
        writeln!(f, "class                      cases started  agreed unfinished disagreed unknown varied")?;
        for (class, count) in &self.classes {
            line(f, class.name(), count)?;
        }
        line(f, "all", &self.total())?;
        for (title, counts) in [
            ("diag said, by step", &self.steps),
            ("could not tell, for want of", &self.missing),
            ("not put to the kernel", &self.lost),
            ("kernel", &self.answers),
        ] {
            writeln!(f, "{title}:")?;
            for (words, count) in counts {
                writeln!(f, "{count:8}  {words}")?;
            }
        }
        for Disagreement { model, kernel, cases, examples } in &self.disagreements {
            writeln!(f, "DISAGREE ({cases} cases)\n    diag:   {model}\n    kernel: {kernel}")?;
            examples.iter().try_for_each(|case| writeln!(f, "    case:   {case}"))?;
        }
        Ok(())
    }
}
