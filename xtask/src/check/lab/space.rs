//! The space rule: what diag says of an installation, and what cp to the same place then does.

use anyhow::{Context, Result};
use jsonschema::Validator;
use oracle::tally::Tally;

use super::guest::Results;
use super::schema;

pub(super) const SCRIPT: &str = include_str!("space.sh");

/// What is copied; to the overlay, to a tmpfs of the overlay's size, and to /tmp.
pub(super) const FILES: &str = "v2ray-swapped-23 v2ray-swapped-16 v2ray-swapped-5 v2ray-16 v2ray-5";
const CASES: usize = 5 * 3;

const CODE: &str = "not-enough-space";

pub(super) fn check(boot: &Results, schema: &Validator, tally: &mut Tally) {
    for case in 0..CASES {
        let checked = one(boot, case, schema, tally);
        tally.attempt(checked);
    }
}

fn one(boot: &Results, case: usize, schema: &Validator, tally: &mut Tally) -> Result<()> {
    let text = |end: &str| boot.text(&format!("space-{case}.{end}"));
    let what = text("case")?;
    let json = boot.bytes(&format!("space-{case}.json"))?;
    let Some(report) = schema::report(schema, &what, json, tally) else { return Ok(()) };
    let findings = report["programs"][0]["findings"].as_array().cloned().unwrap_or_default();
    let error = findings.iter().find(|finding| finding["code"] == CODE && finding["severity"] == "error");
    let (status, cp) = (text("cp-status")?, text("cp")?);
    let (before, after) = (available(&text("before")?)?, available(&text("after")?)?);
    tally.note(format!(
        "{what}: {before} KiB free, diag: {}, cp: status {status}, {} KiB taken",
        error.map_or("fits".to_owned(), |error| error["title"].to_string()),
        before.saturating_sub(after),
    ));
    let full = status != "0";
    tally.check(full == error.is_some(), || {
        format!(
            "{what}: cp ended with {status} ({cp}); {before} KiB free before, {after} after\n{}",
            text("text").unwrap_or_default()
        )
    });
    tally.check(!full || cp.contains("No space left on device"), || format!("{what}: cp failed by {cp:?}"));
    let verdict = &report["programs"][0]["verdict"];
    let right = error.is_none() || (verdict == "fails" && text("status")? == "1");
    tally.check(right, || format!("{what}: no room, and the verdict is {verdict}"));
    Ok(())
}

/// The fourth column of df.
fn available(line: &str) -> Result<u64> {
    let column = line.split_whitespace().nth(3).with_context(|| format!("df said {line:?}"))?;
    column.parse().with_context(|| format!("df said {line:?}"))
}
