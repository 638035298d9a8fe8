//! Kernels judge changed and real programs, and diag must say what they do: this computer's kernel, and those of
//! [`judges`] in QEMU.

mod guest;
mod host;
mod judges;
mod lab;
mod real;
mod report;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use oracle::counts::{Counts, Limits};
use oracle::tally::Tally;
use serde_json::Value;

use super::{Args, Job};
use crate::sh;
use judges::{Judge, KERNELS};
pub(super) use report::write as report;

/// Programs for this computer's kernel. `cargo test` has 20,000 as well.
const HOST_COUNTS: [usize; 2] = [20_000, 100_000];

impl Args {
    pub(super) fn count(&self, counts: [usize; 2]) -> usize {
        self.count.unwrap_or(counts[usize::from(self.full)])
    }
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KERNELS.iter().map(|judge| judge.name)
}

pub(super) fn knows(name: &str) -> bool {
    names().any(|known| known == name)
}

/// The lab's kernels that judge where none is named.
pub(crate) fn usual() -> impl Iterator<Item = &'static str> {
    KERNELS.iter().filter(|judge| !judge.on_request).map(|judge| judge.name)
}

/// One case on the kernels that are asked for, in full.
pub(super) fn one(args: &Args, case: &str) -> Result<()> {
    let (host, judges) = select(args)?;
    judges.iter().try_for_each(|judge| lab::one(judge, case))?;
    if host { host::one(case) } else { Ok(()) }
}

/// Changed programs.
pub(super) fn jobs(args: &Args) -> Result<Vec<Job<'_>>> {
    let (host, judges) = select(args)?;
    let mut jobs: Vec<Job<'_>> = Vec::new();
    if host {
        let count = args.count(HOST_COUNTS);
        jobs.push(Box::new(move || super::holds("oracle host", || host::run(count, args.seed))));
    }
    for judge in judges {
        let count = args.count(judge.counts);
        jobs.push(Box::new(move || {
            super::tally(format!("oracle {}", judge.name), |tally| {
                check(judge, count, &lab::run(judge, count, args.seed)?, tally)
            })
        }));
    }
    Ok(jobs)
}

/// Real programs.
pub(super) fn real_jobs(args: &Args) -> Result<Vec<Job<'_>>> {
    let job = |judge: &'static Judge| -> Job<'_> {
        Box::new(|| super::tally(format!("real programs {}", judge.name), |tally| real::check(judge, tally)))
    };
    Ok(select(args)?.1.into_iter().map(job).collect())
}

/// Prints the counts, keeps them for the report, and checks them.
fn check(judge: &Judge, count: usize, counts: &Counts, tally: &mut Tally) -> Result<()> {
    print!("{counts}");
    save(judge.name, counts)?;
    // Those that are the same are asked once.
    let cases = count as u64 * 9 / 10;
    // Of the others less is known: where a kernel of theirs maps, or what a CPU does where ARM leaves it open.
    let unknown = if judge.on_request { 10 } else { 5 };
    counts.check(Limits { cases, started: 25, unknown }, tally);
    Ok(())
}

/// Where the counts of a kernel are kept.
fn counts_file(name: &str) -> Result<PathBuf> {
    Ok(sh::target("oracle")?.join(format!("{name}.json")))
}

fn save(name: &str, counts: &Counts) -> Result<()> {
    let file = counts_file(name)?;
    fs::write(&file, serde_json::to_string_pretty(counts)?)
        .with_context(|| format!("write {}", file.display()))
}

/// This computer's kernel or not, and which of the lab's.
fn select(args: &Args) -> Result<(bool, Vec<&'static Judge>)> {
    let every = args.archs.is_empty() && args.kernels.is_empty();
    let mut host = every;
    let mut judges: Vec<&Judge> = KERNELS.iter().filter(|judge| every && !judge.on_request).collect();
    for arch in &args.archs {
        let before = judges.len();
        judges.extend(KERNELS.iter().filter(|judge| judge.arch() == arch));
        host |= arch == "host";
        ensure!(judges.len() > before || arch == "host", "no kernel is of {arch}");
    }
    judges.extend(KERNELS.iter().filter(|judge| args.kernels.iter().any(|name| name == judge.name)));
    Ok((host, judges))
}

/// A field of a report as text; empty where there is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
