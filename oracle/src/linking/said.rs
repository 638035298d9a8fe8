//! What diag says of a program.

use serde_json::Value;

use super::{End, Ran};
use crate::model::Model;

/// An entry of `libraries`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// `name`.
    pub name: String,
    /// `path`.
    pub path: Option<String>,
    /// `needed_by`.
    pub needed_by: String,
    /// `found`, `missing`, `unusable`.
    pub state: String,
    /// `tried`.
    pub tried: Vec<String>,
}

/// A finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Its code.
    pub code: String,
    /// `error`, `warning`, `note`.
    pub severity: String,
    /// The values of its evidence.
    pub evidence: Vec<String>,
}

/// An entry of `programs`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// `verdict`.
    pub verdict: String,
    /// `outcome`.
    pub model: Model,
    /// `findings`.
    pub findings: Vec<Finding>,
    /// `libraries`.
    pub libraries: Vec<Entry>,
}

impl Said {
    /// The report of one program.
    pub fn of(ran: &Ran) -> Result<Said, String> {
        let odd = |what: String| format!("diag: {what}: {}: {:?} {:?}", ran.end, ran.output, ran.words);
        if !matches!(ran.end, End::Exited(0..=2)) || !ran.decisive().is_empty() {
            return Err(odd("odd end".to_owned()));
        }
        let report: Value =
            serde_json::from_str(&ran.output.join("\n")).map_err(|error| odd(error.to_string()))?;
        let said = Said::of_json(&report["programs"][0]).map_err(odd)?;
        let status = match said.verdict.as_str() {
            "starts" => 0,
            "fails" => 1,
            _ => 2,
        };
        if ran.end == End::Exited(status) {
            Ok(said)
        } else {
            Err(odd("its status is not its verdict's".to_owned()))
        }
    }

    /// An entry of `programs`.
    pub fn of_json(program: &Value) -> Result<Said, String> {
        let path = program["path"].as_str().unwrap_or("no path");
        let lacks = |what: &str| format!("{path}: no {what} in the report");
        let text =
            |value: &Value, key: &str| value[key].as_str().map(str::to_owned).ok_or_else(|| lacks(key));
        let list = |value: &Value, key: &str| value[key].as_array().cloned().ok_or_else(|| lacks(key));
        let mut said = Said {
            verdict: text(program, "verdict")?,
            model: Model::of_json(&program["outcome"]).ok_or_else(|| lacks("outcome"))?,
            findings: Vec::new(),
            libraries: Vec::new(),
        };
        for finding in list(program, "findings")? {
            let mut evidence = Vec::new();
            for one in list(&finding, "evidence")? {
                evidence.push(text(&one, "value")?);
            }
            let (code, severity) = (text(&finding, "code")?, text(&finding, "severity")?);
            said.findings.push(Finding { code, severity, evidence });
        }
        for one in list(program, "libraries")? {
            let path = match &one["path"] {
                Value::Null => None,
                _ => Some(text(&one, "path")?),
            };
            let tried = list(&one, "tried")?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let (name, needed_by, state) =
                (text(&one, "name")?, text(&one, "needed_by")?, text(&one, "state")?);
            said.libraries.push(Entry { name, path, needed_by, state, tried });
        }
        Ok(said)
    }

    /// Codes of findings of a severity.
    pub fn codes(&self, severity: &str) -> Vec<&str> {
        self.findings.iter().filter(|one| one.severity == severity).map(|one| one.code.as_str()).collect()
    }

    /// Whether some evidence of a finding of that severity holds these words.
    pub fn quotes(&self, severity: &str, words: &str) -> bool {
        let mut findings = self.findings.iter().filter(|one| one.severity == severity);
        findings.any(|one| one.evidence.iter().any(|value| value.contains(words)))
    }
}

/// A signal's name, of those that a program without handlers dies of.
pub fn signal(number: i32) -> String {
    match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("signal {number}"),
    }
}
