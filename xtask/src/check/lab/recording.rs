//! The machine as it recorded itself, for which this computer's diag judges the samples: it says what the machine's own said.

use std::fs;

use anyhow::{Context, Result};
use diag::cli::{self, Args};
use diag::live::{Live, target_path};
use diag::recorded::Recorded;
use diag::report::Style;
use diag::target::Target;
use oracle::tally::Tally;
use serde_json::{Value, json};

use super::Observed;
use super::guest::Results;

pub(super) const SCRIPT: &str = include_str!("record.sh");

/// `whole`: a computer's build judged there, and all that it said is compared. A router's tells less of what it finds: its
/// verdict, the outcome and what is decisive are.
pub(super) fn check(boot: &Results, seen: &[Observed], whole: bool, tally: &mut Tally) -> Result<()> {
    let errors = boot.text("recording.errors")?;
    tally.check(errors.is_empty(), || format!("diag --record wrote to stderr: {errors}"));
    let folder = tempfile::tempdir().context("create a folder for the recording")?;
    let path = folder.path().join("machine.tar");
    let bytes = boot.bytes("machine.tar")?;
    fs::write(&path, bytes).context("write the recording")?;
    let machine = Recorded::open(&path).map_err(anyhow::Error::msg).context("the machine's recording")?;
    let (mut same, mut unknown) = (0_usize, Vec::new());
    for Observed { name, .. } in seen {
        let sample = boot.samples().join(name);
        let Ok(there) = boot.bytes(&format!("{name}.there")) else { continue };
        if !sample.is_file() {
            continue;
        }
        let args = Args {
            programs: [target_path(&sample)].into_iter().collect(),
            json: true,
            dest: Some("/tmp".into()),
            ..Args::default()
        };
        let mut here = String::new();
        cli::run_on(Target::new(&machine), &Live::default(), &args, Style::default(), &mut here)?;
        let (there, here) = (program(there)?, program(here.as_bytes())?);
        // A copy has other mode bits, and another name than its own first line has.
        if there["outcome"]["errno"] == "EACCES" || name == "script-of-itself" {
            continue;
        }
        // What lies beside it is not in the recording.
        if here["verdict"] == "unknown" {
            unknown.push(name.as_str());
            continue;
        }
        same += 1;
        let compared = if whole { comparable } else { decisive };
        let (there, here) = (compared(&there), compared(&here));
        tally.check(there == here, || {
            let (there, here) = different(&there, &here);
            format!("{name}: on the machine {there}, by its recording {here}")
        });
    }
    // A recording that tells nothing would not disagree either.
    tally.check(same >= 10 && unknown.len() * 10 <= same, || {
        format!("of {} samples {same} are known by the recording, not {}", seen.len(), unknown.join(", "))
    });
    tally.note(format!("{same} samples judged by a recording of {} bytes", bytes.len()));
    if !unknown.is_empty() {
        tally.note(format!("not known by it: {}", unknown.join(", ")));
    }
    Ok(())
}

fn decisive(program: &Value) -> Value {
    let code = &program["findings"][0]["code"];
    json!({ "verdict": program["verdict"], "outcome": program["outcome"], "code": code })
}

/// What is said of a program wherever its file lies and whenever: without its path, evidence of its owner, mode and mount, how
/// much memory was left, and a warning that there was too little: memsz-200-mib wants about what 5.10 leaves.
fn comparable(program: &Value) -> Value {
    let mut program = program.clone();
    let path = program["path"].as_str().unwrap_or_default().to_owned();
    if let Some(findings) = program["findings"].as_array_mut() {
        findings.retain(|one| !(one["code"] == "not-enough-memory" && one["severity"] == "warning"));
    }
    for finding in program["findings"].as_array_mut().into_iter().flatten() {
        let of_memory = finding["code"] == "not-enough-memory";
        if of_memory {
            finding["title"].take();
        }
        if let Some(evidence) = finding["evidence"].as_array_mut() {
            evidence.retain(|item| {
                item["field"].as_str().is_none_or(|field| {
                    !(OF_THE_FILE.contains(&field) || of_memory && item["side"] == "machine")
                })
            });
        }
    }
    without(program, &path)
}

/// Evidence of a file where it lies.
const OF_THE_FILE: [&str; 3] = ["owner", "mode", "mount"];

fn without(value: Value, path: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(path, "FILE")),
        Value::Array(values) => values.into_iter().map(|value| without(value, path)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, without(value, path))).collect()
        }
        other => other,
    }
}

/// The first parts that differ.
fn different(one: &Value, other: &Value) -> (String, String) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            let mut pairs = one.values().zip(other.values());
            pairs.find(|(one, other)| one != other).map(|(one, other)| different(one, other))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other);
            pairs.find(|(one, other)| one != other).map(|(one, other)| different(one, other))
        }
        _ => None,
    }
    .unwrap_or_else(|| (one.to_string(), other.to_string()))
}

fn program(json: &[u8]) -> Result<Value> {
    let report: Value = serde_json::from_slice(json).context("a report")?;
    Ok(report["programs"][0].clone())
}
