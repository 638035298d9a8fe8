//! Cases for a guest: all of them are written into a folder, and what the guest said of each is counted afterwards.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use crate::answer::Answer;
use crate::case::Case;
use crate::compare::{Verdict, compare};
use crate::counts::Counts;
use crate::folder::Folder;
use crate::generate::Plan;
use crate::model::Model;

/// Cases, and what each is called in the folder.
#[derive(Debug)]
pub struct Batch {
    cases: Vec<Case>,
    names: Vec<String>,
}

impl Batch {
    /// Writes the first `count` cases of a plan. Nobody holds a file open for writing there, whatever the plan says.
    pub fn write(folder: &Path, plan: &Plan, count: usize) -> io::Result<Batch> {
        let plan = Plan { busy: false, programs: Vec::new(), ..plan.clone() };
        Batch::of(folder, &plan, plan.cases(count))
    }

    /// Writes some cases; those that are twice among them once.
    pub fn of(folder: &Path, plan: &Plan, cases: impl IntoIterator<Item = Case>) -> io::Result<Batch> {
        let folder = Folder::create(folder, &plan.abis)?;
        let mut batch = Batch { cases: Vec::new(), names: Vec::new() };
        let mut known = HashSet::new();
        for case in cases {
            if known.insert(case.to_string()) {
                let files = case.files();
                folder.place(&files)?;
                batch.names.push(String::from_utf8(files.path).map_err(io::Error::other)?);
                batch.cases.push(case);
            }
        }
        folder.special()?;
        Ok(batch)
    }

    /// What is to be handed to diag and to the runner, in the folder as the current one; in the order of the cases.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The cases.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Counts what was said of each, in their order. Where the kernel was asked several times, one answer that agrees
    /// is enough: addresses are random.
    pub fn counts<'a>(&self, kernel: &str, seen: impl IntoIterator<Item = (Model, &'a [Answer])>) -> Counts {
        let mut counts = Counts::new(kernel);
        let none = Answer::Lost("no answer".to_owned());
        for (case, (model, answers)) in self.cases.iter().zip(seen) {
            let first = answers.first().unwrap_or(&none);
            let disagrees = |answer: &&Answer| compare(case, &model, answer) == Verdict::Disagrees;
            let answer = answers.iter().find(|answer| !disagrees(answer)).unwrap_or(first);
            counts.count(case, &model, answer, compare(case, &model, answer));
            if disagrees(&first) && !disagrees(&answer) {
                counts.varied(case);
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Outcome;

    #[test]
    fn a_folder_and_its_counts() {
        let folder = std::env::temp_dir().join(format!("diag-oracle-batch-{}", std::process::id()));
        let plan = Plan::of(&["mipsel", "mips"], 3);
        let case = |text| Case::parse(text).expect("a case");
        let two = ["mipsel tiny: e_type=7", "mipsel tiny: path=missing", "mipsel tiny: e_type=7"].map(case);
        let batch = Batch::of(&folder, &plan, two).expect("a folder");
        assert_eq!(batch.names()[1], "missing");
        assert_eq!(batch.names().len(), 2);
        assert!(folder.join(&batch.names()[0]).is_file() && folder.join("mips.tiny").is_file());
        assert!(std::fs::symlink_metadata(folder.join("loop")).is_ok_and(|found| found.is_symlink()));
        let model = || Model { outcome: Outcome::Refused("ENOEXEC".into()), step: String::new() };
        let (right, wrong) = (Answer::parse("refused ENOEXEC"), Answer::parse("refused EACCES"));
        let counts = batch.counts(
            "a kernel",
            [(model(), &[wrong.clone(), right][..]), (model(), &[wrong.clone(), wrong][..])],
        );
        let total = counts.total();
        assert_eq!((total.cases, total.agreed, total.disagreed, total.varied), (2, 1, 1, 1));
        assert_eq!(counts.disagreements[0].examples, ["mipsel tiny: path=missing"]);
        Folder::remove(&folder).expect("a folder to remove");
    }
}
