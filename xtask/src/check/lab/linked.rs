//! The libraries of a program, as diag lists them: against the list of its own loader, on the same kernel.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use oracle::tally::Tally;
use serde_json::Value;

use super::Observed;
use super::guest::Results;
use crate::lab::Kernel;
use crate::samples::Libc;

pub(super) const SCRIPT: &str = include_str!("linked.sh");

pub(super) fn check(kernel: Kernel, boot: &Results, seen: &[Observed], tally: &mut Tally) {
    let mut most = 0;
    for observed in seen {
        let counted = libraries(kernel, boot, observed, tally);
        most = tally.attempt(counted).unwrap_or_default().max(most);
    }
    tally.note(format!("{most} libraries at most"));
}

/// Where a program starts, both name the same files; their number.
fn libraries(kernel: Kernel, boot: &Results, observed: &Observed, tally: &mut Tally) -> Result<usize> {
    let name = &observed.name;
    let row = observed.row.context("no row")?;
    let report: Value = serde_json::from_slice(&observed.json).with_context(|| format!("{name}: no JSON"))?;
    let program = &report["programs"][0];
    let all = program["libraries"].as_array().with_context(|| format!("{name}: no libraries"))?;
    let text = |library: &Value, key: &str| library[key].as_str().unwrap_or_default().to_owned();
    let said: BTreeSet<String> = all.iter().map(|library| text(library, "path")).collect();
    let whole = all.iter().all(|library| library["state"] == "found");
    // Without an FPU its glibc dies before it can list anything.
    if row.libc() == Libc::Glibc && kernel != Kernel::MipselFpu {
        tally.check(!row.is_whole() || whole, || {
            format!("{name}: not all of its libraries are found: {all:?}")
        });
        return Ok(said.len());
    }
    if program["outcome"]["kind"] != "starts" {
        return Ok(0);
    }
    let end = if row.libc() == Libc::Musl { "musl" } else { "glibc" };
    let list = boot.text(&format!("{name}.{end}"))?;
    let truth: BTreeSet<String> = list.lines().filter_map(path).map(str::to_owned).collect();
    tally.check(whole && said == truth, || format!("{name}: diag lists {said:#?}, its loader\n{list}"));
    Ok(said.len())
}

/// `NAME => PATH (ADDRESS)`, or without the name. What the kernel brings has no path.
fn path(line: &str) -> Option<&str> {
    let (found, _) = line.rsplit_once(" (0x")?;
    let path = found.rsplit_once(" => ").map_or(found, |(_, path)| path).trim();
    path.starts_with('/').then_some(path)
}
