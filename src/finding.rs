//! What there is to say of a candidate.

use std::ops::{Deref, DerefMut};

/// One problem, or one thing worth knowing. A handle of one word: it is passed from hand to hand while it is built,
/// and on a router each copy of what it holds would be code.
#[derive(PartialEq, Eq, Debug)]
pub struct Finding(Box<Facts>);

/// What a finding holds.
#[derive(PartialEq, Eq, Debug)]
pub struct Facts {
    /// Its stable code, which is that of its rule; never reused.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// What is true of this file on this machine, with both values; present tense, no full stop.
    pub title: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do.
    pub fix: Option<Fix>,
}

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// It will not start.
    Error,
    /// It may not work.
    Warning,
    /// Worth knowing.
    Note,
}

/// How sure a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Certainty {
    /// It follows from facts.
    Certain,
    /// It rests on a fact that is not known, or on an estimate.
    Likely,
}

/// One fact that a finding rests on.
#[derive(PartialEq, Eq, Debug)]
pub struct Evidence {
    /// Whose fact.
    pub side: Side,
    /// Its name: "EI_DATA", "byte order".
    pub field: String,
    /// Its value.
    pub value: String,
}

/// Whose fact it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The file's.
    Program,
    /// The machine's.
    Machine,
    /// What the kernel answers and what the shell or the loader prints then.
    Kernel,
}

/// What to do about it.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Fix {
    /// An imperative sentence; may be empty where the command says it all.
    pub text: String,
    /// A command to run as printed.
    pub command: Option<String>,
}

impl Severity {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

impl Certainty {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Certainty::Certain => "certain",
            Certainty::Likely => "likely",
        }
    }
}

impl Side {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Side::Program => "program",
            Side::Machine => "machine",
            Side::Kernel => "kernel",
        }
    }
}

impl Deref for Finding {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl DerefMut for Finding {
    fn deref_mut(&mut self) -> &mut Facts {
        &mut self.0
    }
}

impl Finding {
    /// One without words. An error follows from facts, a warning is likely.
    pub fn new(severity: Severity) -> Self {
        let certainty = if severity == Severity::Warning { Certainty::Likely } else { Certainty::Certain };
        let facts =
            Facts { code: "", severity, certainty, title: String::new(), evidence: Vec::new(), fix: None };
        Finding(Box::new(facts))
    }
}
