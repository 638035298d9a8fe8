//! What diag says of a program.

use std::fmt;

use serde_json::Value;

/// `outcome` of diag's report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Model {
    /// What it says.
    pub outcome: Outcome,
    /// `step`: at which check of the kernel; empty where there is none.
    pub step: String,
}

/// The kinds of outcomes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It starts.
    Starts,
    /// With this errno.
    Refused(String),
    /// By this signal, `exec`, `start` or `later`.
    Killed(String, String),
    /// With this status.
    Exits(i32),
    /// It is started again and again, or its loader goes round in a circle.
    Endless,
    /// It does not come to its main().
    Fails,
    /// For want of this.
    Unknown(String),
}

impl Model {
    /// Reads `outcome` of an entry of `programs` in a report of `diag --json`.
    pub fn of_json(outcome: &Value) -> Option<Model> {
        let text = |key: &str| outcome[key].as_str().map(str::to_owned);
        let kind = match outcome["kind"].as_str()? {
            "starts" => Outcome::Starts,
            "refused" => Outcome::Refused(text("errno")?),
            "killed" => Outcome::Killed(text("signal")?, text("when")?),
            "exits" => Outcome::Exits(i32::try_from(outcome["status"].as_i64()?).ok()?),
            "endless" => Outcome::Endless,
            "fails" => Outcome::Fails,
            "unknown" => Outcome::Unknown(text("missing")?),
            _ => return None,
        };
        Some(Model { outcome: kind, step: text("step").unwrap_or_default() })
    }

    /// Without the step.
    pub fn words(&self) -> String {
        match &self.outcome {
            Outcome::Starts => "starts".to_owned(),
            Outcome::Refused(errno) => format!("refused {errno}"),
            Outcome::Killed(signal, when) => format!("killed {signal} {when}"),
            Outcome::Exits(status) => format!("exits {status}"),
            Outcome::Endless => "comes to no end".to_owned(),
            Outcome::Fails => "does not come to main()".to_owned(),
            Outcome::Unknown(missing) => format!("unknown: {missing}"),
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())?;
        if self.step.is_empty() { Ok(()) } else { write!(f, " at {}", self.step) }
    }
}
