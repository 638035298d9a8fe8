//! A report of a machine and of programs: one text for people, one JSON document for programs.

pub mod json;
pub mod text;

use alloc::vec::Vec;

use crate::path::PathBuf;

use crate::candidate::Candidate;
use crate::exec::Outcome;
use crate::finding::Finding;
use crate::ldso::LinkResult;

/// How a text is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// With terminal colours.
    pub colour: bool,
    /// Only the first line of each program.
    pub quiet: bool,
    /// Every fact.
    pub verbose: bool,
}

/// What was found out of one program.
pub struct Judged {
    /// The path as it was given.
    pub given: PathBuf,
    /// The file.
    pub candidate: Candidate,
    /// What the kernel does with it.
    pub outcome: Outcome,
    /// Its libraries, where it has a dynamic loader.
    pub link: Option<LinkResult>,
    /// What there is to say, the decisive finding first.
    pub findings: Vec<Finding>,
}

/// What a program comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It would start.
    Starts,
    /// It would not, or it does not fit.
    Fails,
    /// A decisive fact is missing.
    Unknown,
}

impl Verdict {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Starts => "starts",
            Verdict::Fails => "fails",
            Verdict::Unknown => "unknown",
        }
    }

    /// Its exit status.
    pub const fn status(self) -> u8 {
        match self {
            Verdict::Starts => 0,
            Verdict::Fails => 1,
            Verdict::Unknown => 2,
        }
    }
}

impl Judged {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        if crate::rules::fails(&self.outcome, &self.findings) {
            return Verdict::Fails;
        }
        match self.outcome {
            Outcome::Unknown { .. } => Verdict::Unknown,
            _ => Verdict::Starts,
        }
    }
}
