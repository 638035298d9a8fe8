//! Changed programs on kernels in QEMU: some thousands a boot.

use std::os::unix::fs::PermissionsExt as _;
use std::{fs, iter};

use anyhow::{Context, Result, ensure};
use oracle::answer::Answer;
use oracle::batch::Batch;
use oracle::case::Case;
use oracle::compare::{Verdict, compare};
use oracle::counts::Counts;
use oracle::generate::Plan;
use oracle::model::Model;
use oracle::shrink::forms;

use super::guest::{self, Extent, Tools};
use super::judges::Judge;
use super::text;
use crate::scratch::Scratch;

/// Programs of one boot.
const BOOT: usize = 6_000;
/// How often a kernel is asked again where it does not do what diag says: addresses are random.
const AGAIN: usize = 12;
/// Examples of each kind of disagreement that are made smaller.
const EXAMPLES: usize = 3;
/// Rounds of making disagreements smaller, one boot each.
const ROUNDS: usize = 8;
/// Milliseconds for a program.
const CLOCK: u32 = 2_000;

/// One case on a kernel, in full.
pub(super) fn one(judge: &Judge, text: &str) -> Result<()> {
    let case = Case::parse(text).map_err(anyhow::Error::msg)?;
    let (said, _) = ask(judge, &guest::tools(judge)?, vec![case], 3)?;
    for Said { case, model, answers } in said {
        println!("{}: case:    {case}\n{}: diag:    {model}", judge.name, judge.name);
        for answer in answers {
            println!("{}: kernel:  {answer}", judge.name);
        }
    }
    Ok(())
}

/// A kernel's word on all cases of a plan, and on the smallest forms of what diag says otherwise.
pub(super) fn run(judge: &Judge, count: usize, seed: u64) -> Result<Counts> {
    let tools = &guest::tools(judge)?;
    let plan = Plan { page: judge.page(), ..Plan::of(judge.abis, seed) };
    let mut counts = Counts::default();
    let mut lost = 0;
    for start in (0..count).step_by(BOOT) {
        let mut cases: Vec<Case> = (start..count.min(start + BOOT)).map(|index| plan.case(index)).collect();
        let before = cases.len();
        cases.retain(|case| !judge.crashes_of(case));
        lost += (before - cases.len()) as u64;
        let (mut said, release) = ask(judge, tools, cases, 1)?;
        again(judge, tools, &mut said)?;
        let mut counted = Counts::new(format!("{} ({release})", judge.cpu));
        for said in &said {
            said.count(&mut counted);
        }
        counts.kernel.clone_from(&counted.kernel);
        counts.merge(counted);
    }
    if lost > 0 {
        counts.lost.insert("QEMU itself crashes: an odd e_entry on a CPU without MIPS16".to_owned(), lost);
    }
    smallest(judge, tools, &mut counts)?;
    Ok(counts)
}

/// What was said of a case.
struct Said {
    case: Case,
    model: Model,
    answers: Vec<Answer>,
}

impl Said {
    /// The answer that agrees, where there is one: addresses are random.
    fn answer(&self) -> Option<(&Answer, Verdict)> {
        let verdict = |answer| (answer, compare(&self.case, &self.model, answer));
        let mut all = self.answers.iter().map(verdict);
        let first = all.next()?;
        if first.1 != Verdict::Disagrees {
            return Some(first);
        }
        all.find(|(_, verdict)| *verdict != Verdict::Disagrees).or(Some(first))
    }

    fn disagrees(&self) -> bool {
        self.answer().is_none_or(|(_, verdict)| verdict == Verdict::Disagrees)
    }

    fn count(&self, counts: &mut Counts) {
        let none = Answer::Lost("no answer".to_owned());
        let (answer, verdict) = self.answer().unwrap_or((&none, Verdict::Disagrees));
        counts.count(&self.case, &self.model, answer, verdict);
        if self.answers.first().is_some_and(|first| first != answer) {
            counts.varied(&self.case);
        }
    }
}

/// One boot: each case is asked `times` times. With it the kernel's release.
fn ask(judge: &Judge, tools: &Tools, cases: Vec<Case>, times: usize) -> Result<(Vec<Said>, String)> {
    let folder = Scratch::open("cases")?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let batch = Batch::of(folder.path(), &Plan::of(judge.abis, 0), cases).context("write the cases")?;
    // An archive for a guest holds no sockets.
    fs::remove_file(folder.path().join("socket")).context("remove the socket")?;
    let names: Vec<String> =
        batch.names().iter().flat_map(|name| iter::repeat_n(name.clone(), times)).collect();
    let seen = guest::run(judge, tools, folder.path(), &names, Extent::Run(CLOCK))?;
    ensure!(seen.complaints.is_empty(), "{}: on stderr: {}", judge.name, seen.complaints.trim_end());
    let mut said = Vec::new();
    for (case, seen) in batch.cases().iter().zip(seen.cases.chunks(times)) {
        let first = seen.first().context("no answer")?;
        let model = Model::of_json(&first.diag["outcome"]).context("diag's report has no outcome")?;
        let answers = seen.iter().map(|seen| Answer::parse(&seen.kernel)).collect();
        said.push(Said { case: case.clone(), model, answers });
    }
    Ok((said, text(&seen.machine["kernel"]["release"]["value"]).to_owned()))
}

/// Asks again, where the kernel does not do what diag says.
fn again(judge: &Judge, tools: &Tools, said: &mut [Said]) -> Result<()> {
    let apart: Vec<Case> =
        said.iter().filter(|said| said.disagrees()).map(|said| said.case.clone()).collect();
    if apart.is_empty() {
        return Ok(());
    }
    let (more, _) = ask(judge, tools, apart, AGAIN)?;
    for more in more {
        if let Some(said) = said.iter_mut().find(|said| said.case.to_string() == more.case.to_string()) {
            said.answers.extend(more.answers);
        }
    }
    Ok(())
}

/// Brings the examples of each disagreement to their smallest forms, all of them in each boot.
fn smallest(judge: &Judge, tools: &Tools, counts: &mut Counts) -> Result<()> {
    let mut open: Vec<(usize, usize)> = Vec::new();
    for (kind, found) in counts.disagreements.iter().enumerate() {
        open.extend((0..found.examples.len().min(EXAMPLES)).map(|example| (kind, example)));
    }
    for _ in 0..ROUNDS {
        let mut simpler = Vec::new();
        for (kind, example) in &open {
            let case =
                Case::parse(&counts.disagreements[*kind].examples[*example]).map_err(anyhow::Error::msg)?;
            let simple = forms(&case).into_iter().filter(|form| !judge.crashes_of(form));
            simpler.extend(simple.map(|form| (*kind, *example, form)));
        }
        if simpler.is_empty() {
            break;
        }
        let (said, _) = ask(judge, tools, simpler.iter().map(|(.., form)| form.clone()).collect(), 1)?;
        let shows = |kind: usize, form: &Case| {
            let found = &counts.disagreements[kind];
            said.iter().any(|said| {
                said.case.to_string() == form.to_string()
                    && said.disagrees()
                    && said.model.to_string() == found.model
                    && said.answers.iter().all(|answer| answer.words() == found.kernel)
            })
        };
        let mut better = Vec::new();
        for (kind, example) in &open {
            let mine = simpler.iter().filter(|(of, nth, _)| of == kind && nth == example);
            let first = mine.map(|(.., form)| form).find(|form| shows(*kind, form));
            better.extend(first.map(|form| (*kind, *example, form.to_string())));
        }
        open = better.iter().map(|(kind, example, _)| (*kind, *example)).collect();
        for (kind, example, form) in better {
            counts.disagreements[kind].examples[example] = form;
        }
    }
    for found in &mut counts.disagreements {
        found.examples.sort_by_key(|case| (case.len(), case.clone()));
        found.examples.dedup();
    }
    Ok(())
}
