//! What there is to say of a candidate.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use crate::rules::Code;

/// One problem, or one thing worth knowing.
#[derive(PartialEq, Eq, Debug)]
pub struct Finding {
    /// That of its rule.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// What it means for a program that starts.
    pub effect: Option<Effect>,
    /// What is true of this file on this machine, with both values; present tense, no full stop.
    pub title: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do.
    pub fix: Option<Fix>,
}

/// A finding as it is handed on: by its address, since it is large.
#[derive(PartialEq, Eq, Debug)]
pub struct Found {
    finding: Box<Finding>,
    /// Its text is left out.
    #[cfg(feature = "every-machine")]
    is_silent: bool,
}

impl Deref for Found {
    type Target = Finding;

    fn deref(&self) -> &Finding {
        &self.finding
    }
}

impl DerefMut for Found {
    fn deref_mut(&mut self) -> &mut Finding {
        &mut self.finding
    }
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

/// What becomes of a program that starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It most likely dies soon after. What certainly dies does not start: that is an outcome.
    Dies,
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
    /// What the kernel answers.
    Kernel,
    /// What the shell or the dynamic loader prints then.
    Shell,
}

/// What to do about it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fix {
    /// An imperative sentence; may be empty where the commands say it all.
    pub text: String,
    /// Commands to run as printed.
    pub commands: Vec<String>,
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

impl Effect {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Effect::Dies => "dies",
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
            Side::Shell => "shell",
        }
    }
}

impl Found {
    /// One that says nothing yet. An error follows from facts, a warning is likely.
    pub fn new(code: Code, severity: Severity) -> Self {
        let certainty = if severity == Severity::Warning { Certainty::Likely } else { Certainty::Certain };
        let finding = Box::new(Finding {
            code,
            severity,
            certainty,
            effect: None,
            title: String::new(),
            evidence: Vec::new(),
            fix: None,
        });
        Found {
            finding,
            #[cfg(feature = "every-machine")]
            is_silent: false,
        }
    }

    /// Whether its text is left out.
    #[cfg(feature = "every-machine")]
    pub(crate) const fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// The same; on routers none is.
    #[cfg(not(feature = "every-machine"))]
    #[allow(clippy::unused_self)]
    pub(crate) const fn is_silent(&self) -> bool {
        false
    }

    /// Leaves out what is told of it from here on.
    #[cfg(feature = "every-machine")]
    pub(crate) fn silence(&mut self) {
        self.is_silent = true;
    }

    /// Says that the program, where it starts, most likely dies of it.
    pub fn dies(&mut self) {
        self.effect = Some(Effect::Dies);
    }
}
