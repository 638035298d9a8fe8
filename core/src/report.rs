//! A report of a machine and of programs: one text for people, one JSON document for programs.

mod file;
pub mod json;
pub mod matrix;
pub mod text;

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use crate::candidate::Candidate;
use crate::exec::Outcome;
use crate::finding::{Effect, Finding, Found};
use crate::ldso::LinkResult;
use crate::machine::Machine;
use crate::path::PathBuf;

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

/// A report on programs in parts, each as soon as its program is judged: none is kept.
pub struct Parts {
    /// The document, where it is JSON.
    json: Option<json::Document>,
    style: Style,
    is_first: bool,
}

impl Parts {
    /// As JSON, or as a text.
    pub fn new(json: bool, style: Style) -> Parts {
        Parts { json: json.then(json::Document::new), style, is_first: true }
    }

    /// What there is to write of the next program.
    // Inlined into the loop over the programs, both are larger (500 bytes of the package).
    #[inline(never)]
    pub fn program(&mut self, judged: &Judged) -> String {
        if let Some(document) = &mut self.json {
            document.program(judged);
            return document.take();
        }
        let is_first = mem::take(&mut self.is_first);
        let between = if is_first || self.style.quiet { "" } else { "\n" };
        text::program(between, judged, self.style)
    }

    /// What there is to write behind the last one.
    pub fn end(&mut self, machine: &Machine) -> String {
        if let Some(document) = &mut self.json {
            document.end(machine);
            return document.take();
        }
        if !self.style.verbose || self.style.quiet {
            return String::new();
        }
        text::behind_programs(machine, self.style)
    }
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
    /// The highest version of glibc that it asks for ("GLIBC_2.34"); empty where it asks for none.
    pub glibc: Vec<u8>,
    /// What there is to say, the decisive finding first.
    pub findings: Vec<Found>,
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
    /// What it most likely dies of, where it starts.
    pub fn dies_of(&self) -> Option<&Finding> {
        self.findings.iter().map(|found| &**found).find(|finding| finding.effect == Some(Effect::Dies))
    }

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
