//! The report as docs/report.schema.json describes it.

use std::fs;

use anyhow::{Context, Result, anyhow};
use jsonschema::Validator;
use oracle::tally::Tally;
use serde_json::Value;

use crate::sh;

pub(super) fn load() -> Result<Validator> {
    let file = sh::root().join("docs/report.schema.json");
    let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let schema: Value = serde_json::from_str(&text).context("docs/report.schema.json is no JSON")?;
    jsonschema::validator_for(&schema).map_err(|error| anyhow!("docs/report.schema.json: {error}"))
}

/// A report that is JSON and fits the schema; what does not is a failure.
pub(super) fn report(schema: &Validator, whose: &str, bytes: &[u8], tally: &mut Tally) -> Option<Value> {
    let parsed = serde_json::from_slice(bytes).with_context(|| {
        format!("{whose}: --json printed no JSON: {}", String::from_utf8_lossy(bytes).escape_debug())
    });
    let report: Value = tally.attempt(parsed)?;
    let errors: Vec<String> =
        schema.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    tally.check(errors.is_empty(), || {
        format!("{whose}: --json does not fit the schema: {}", errors.join("; "))
    });
    Some(report)
}
