//! The machine as it recorded itself, for which this computer's diag judges the samples: it says what the machine's own said.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use diag::cli::{self, Args};
use diag::live::{Live, target_path};
use diag::recorded::Recorded;
use diag::report::Style;
use diag::target::Target;
use oracle::tally::Tally;
use serde_json::Value;

use super::Observed;
use super::guest::Results;

pub(super) const SCRIPT: &str = include_str!("record.sh");

/// `samples`: the folder that they were copied from.
pub(super) fn check(boot: &Results, seen: &[Observed], samples: &Path, tally: &mut Tally) -> Result<()> {
    let errors = boot.text("recording.errors")?;
    tally.check(errors.is_empty(), || format!("diag --record wrote to stderr: {errors}"));
    let folder = tempfile::tempdir().context("create a folder for the recording")?;
    let path = folder.path().join("machine.tar");
    let bytes = boot.bytes("machine.tar")?;
    fs::write(&path, bytes).context("write the recording")?;
    let machine = Recorded::open(&path).map_err(anyhow::Error::msg).context("the machine's recording")?;
    let (mut same, mut unknown) = (0_usize, Vec::new());
    for Observed { name, .. } in seen {
        let sample = samples.join(name);
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
        // A copy has other mode bits.
        if there["outcome"]["errno"] == "EACCES" {
            continue;
        }
        // What lies beside it is not in the recording.
        if here["verdict"] == "unknown" {
            unknown.push(name.as_str());
            continue;
        }
        let told = |program: &Value| {
            format!("{} {} {}", program["verdict"], program["outcome"], program["findings"][0]["code"])
        };
        same += 1;
        tally.check(told(&there) == told(&here), || {
            format!("{name}: on the machine {}, by its recording {}", told(&there), told(&here))
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

fn program(json: &[u8]) -> Result<Value> {
    let report: Value = serde_json::from_slice(json).context("a report")?;
    Ok(report["programs"][0].clone())
}
