//! `cargo xtask oracle`: kernels judge changed programs, and diag must say what they do. This computer's kernel, and
//! those of [`judges`] in QEMU.

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
use oracle::tally::Tally;
use serde_json::Value;

use crate::{cores, sh};
use judges::{Judge, KERNELS};

/// Programs for each kernel: some are the same, and 5,000 different ones are wanted.
pub(crate) const COUNT: usize = 5_600;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many programs for each kernel
    #[arg(long, default_value_t = COUNT)]
    count: usize,
    /// Another seed gives other programs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only kernels of this architecture: host, mips, mipsel, mips64el, arm64, armhf, riscv64, ppc64el
    #[arg(long = "arch", value_name = "ARCH")]
    archs: Vec<String>,
    /// Only this kernel, by name
    #[arg(long = "kernel", value_name = "NAME")]
    kernels: Vec<String>,
    /// Only this one, in full: 'x86-64 tiny: e_type=3'
    #[arg(long, conflicts_with_all = ["count", "seed"])]
    case: Option<String>,
    /// Real programs instead: BusyBox of every architecture, Go's of every kind of MIPS, and the lab's own
    #[arg(long, conflicts_with_all = ["count", "seed", "case"])]
    real: bool,
    /// Judge nothing; write docs/accuracy.md and .tsv from what the last run of each kernel has left
    #[arg(long, conflicts_with_all = ["archs", "kernels", "count", "seed", "case", "real"])]
    report: bool,
}

impl Args {
    fn all(count: usize) -> Self {
        let (archs, kernels) = (Vec::new(), Vec::new());
        Args { count, seed: 1, archs, kernels, case: None, real: false, report: false }
    }
}

pub(crate) fn main(args: &Args) -> Result<()> {
    if args.report {
        return report::write();
    }
    let (host, judges) = select(args)?;
    if let Some(case) = &args.case {
        return judges
            .iter()
            .try_for_each(|judge| lab::one(judge, case))
            .and_then(|()| if host { host::run(args) } else { Ok(()) });
    }
    let mut failed = Vec::new();
    let mut note = |name: &str, outcome: Result<()>| {
        if let Err(error) = outcome {
            println!("{name}: FAILED: {error:#}");
            failed.push(name.to_owned());
        }
    };
    if args.real {
        for judge in &judges {
            note(judge.name, real::check(judge));
        }
    } else {
        if host {
            note("host", host::run(args));
        }
        for (judge, outcome) in lab::run(&judges, args.count, args.seed) {
            note(judge.name, outcome.and_then(|tally| told(judge, args.count, &tally)));
        }
    }
    ensure!(failed.is_empty(), "diag does not say what these kernels do: {}", failed.join(", "));
    Ok(())
}

/// For `cargo xtask test`: that many programs for this computer's kernel.
pub(crate) fn this_computer(count: usize) -> Result<()> {
    host::run(&Args::all(count))
}

/// For `cargo xtask test`: what each kernel of the lab says of that many programs, in a line; and whether diag agrees.
pub(crate) fn lab_kernels(count: usize) -> Result<Vec<(bool, String)>> {
    let (_, judges) = select(&Args::all(count))?;
    let outcomes = lab::run(&judges, count, 1);
    let line = |(judge, outcome): (&Judge, Result<Tally>)| match outcome {
        Ok(tally) => {
            let holds = told(judge, count, &tally);
            let total = tally.total();
            let counts = format!("{} programs, {} disagree", total.cases, total.disagreed);
            (holds.is_ok(), format!("oracle {}: {counts}", judge.name))
        }
        Err(error) => (false, format!("oracle {}: {error:#}", judge.name)),
    };
    Ok(outcomes.into_iter().map(line).collect())
}

/// For `cargo xtask test`: real programs on every kernel of the lab.
pub(crate) fn real_programs() -> Result<Vec<(bool, String)>> {
    let (_, judges) = select(&Args::all(0))?;
    let line = |judge: &&Judge| match real::check(judge) {
        Ok(()) => (true, format!("real programs {}: all agree", judge.name)),
        Err(error) => (false, format!("real programs {}: {error:#}", judge.name)),
    };
    Ok(cores::each(&judges, line))
}

/// Prints the counts, keeps them for the report, and says what does not hold.
fn told(judge: &Judge, count: usize, tally: &Tally) -> Result<()> {
    print!("{tally}");
    save(judge.name, tally)?;
    let total = tally.total();
    // Those that are the same are asked once.
    ensure!(total.cases * 10 >= count as u64 * 9, "only {} of {count} were put to the kernel", total.cases);
    ensure!(total.disagreed == 0, "{} of {} disagree", total.disagreed, total.cases);
    ensure!(total.started * 4 >= total.cases, "only {} of {} start", total.started, total.cases);
    // Of the others less is known: where a kernel of theirs maps, or what a CPU does where ARM leaves it open.
    let most = total.cases / if judge.on_request { 10 } else { 20 };
    let untold = tally.untold();
    ensure!(untold <= most, "diag cannot tell of {untold} of {}", total.cases);
    Ok(())
}

/// Where the counts of a kernel are kept.
fn tally_file(name: &str) -> Result<PathBuf> {
    Ok(sh::target("oracle")?.join(format!("{name}.json")))
}

fn save(name: &str, tally: &Tally) -> Result<()> {
    let file = tally_file(name)?;
    fs::write(&file, serde_json::to_string_pretty(tally)?)
        .with_context(|| format!("write {}", file.display()))
}

/// This computer's kernel or not, and which of the lab's.
fn select(args: &Args) -> Result<(bool, Vec<&'static Judge>)> {
    let mut host = args.archs.is_empty() && args.kernels.is_empty();
    let mut judges: Vec<&Judge> =
        if host { KERNELS.iter().filter(|judge| !judge.on_request).collect() } else { Vec::new() };
    for arch in &args.archs {
        let before = judges.len();
        judges.extend(KERNELS.iter().filter(|judge| judge.arch() == arch));
        host |= arch == "host";
        ensure!(judges.len() > before || arch == "host", "no kernel is of {arch}");
    }
    for name in &args.kernels {
        let all = || KERNELS.iter().map(|judge| judge.name).collect::<Vec<_>>().join(", ");
        let found = KERNELS.iter().find(|judge| judge.name == *name);
        judges.push(found.with_context(|| format!("no kernel {name}; there are {}", all()))?);
    }
    Ok((host, judges))
}

/// A field of a report as text; empty where there is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
