//! Programs of three releases of Go, for every GOARCH and level, on QEMU's processors: diag has to say of each whether it
//! runs there, and how it ends where not. What diag is told of a processor is what QEMU tells a program there.

mod build;
mod cpu;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use diag::cli;
use diag::recorded::Recorded;
use diag::report::Style;
use diag::target::Target;
use oracle::model::{Model, Outcome};
use oracle::tally::Tally;
use serde_json::Value;

use super::{Args, Job};
use build::Program;
use cpu::{Cpu, Ran};
use table::{ARCHES, Arch, RELEASES};

/// The longest first.
pub(super) fn jobs(args: &Args) -> Vec<Job<'_>> {
    let named =
        |arch: &&'static Arch| args.archs.is_empty() || args.archs.iter().any(|name| name == arch.goarch);
    let job = |arch: &'static Arch| -> Job<'_> {
        Box::new(move || super::tally(format!("Go {}", arch.goarch), |tally| check(arch, tally)))
    };
    ARCHES.iter().filter(named).map(job).collect()
}

/// Counts of an architecture.
#[derive(Default)]
struct Counts {
    ran: usize,
    died: usize,
    unknown: usize,
    not_judged: BTreeMap<&'static str, usize>,
}

fn check(arch: &'static Arch, tally: &mut Tally) -> Result<()> {
    let mut programs = Vec::new();
    for release in &RELEASES {
        programs.extend(tally.attempt(build::programs(release, arch)).unwrap_or_default());
    }
    let mut counts = Counts::default();
    for cpu in Cpu::all(arch)? {
        let checked = on(&cpu, &programs, &mut counts, tally);
        tally.attempt(checked);
    }
    let Counts { ran, died, unknown, not_judged } = counts;
    tally.note(format!(
        "{} programs on {} processors: {ran} run, {died} die, of {unknown} diag does not know",
        programs.len(),
        arch.cpus.len()
    ));
    for (why, count) in not_judged {
        tally.note(format!("{count} not judged: {why}"));
    }
    Ok(())
}

/// The programs on a processor.
fn on(cpu: &Cpu, programs: &[Program], counts: &mut Counts, tally: &mut Tally) -> Result<()> {
    let machine = cpu.record(programs)?;
    for program in programs {
        let Said { model, dies, report } = judged(&machine, program)?;
        let ran = cpu.run(&program.path)?;
        if let Some(why) = table::not_judged(cpu.arch, program, cpu.name, &ran) {
            *counts.not_judged.entry(why).or_default() += 1;
            continue;
        }
        *(if ran == Ran::Hello { &mut counts.ran } else { &mut counts.died }) += 1;
        let words = || {
            let dies = if dies { ", will most likely die" } else { "" };
            format!("{} on -cpu {}: diag: {model}{dies}; QEMU: {ran:?}", program.name(), cpu.name)
        };
        if matches!(model.outcome, Outcome::Unknown(_)) {
            counts.unknown += 1;
            tally.note(words());
            continue;
        }
        tally.check(agree(&model.outcome, dies, &ran, &report), words);
    }
    Ok(())
}

/// What diag says of a program.
struct Said {
    model: Model,
    /// Of a warning: it starts, and will most likely die.
    dies: bool,
    /// In words.
    report: String,
}

fn judged(machine: &Path, program: &Program) -> Result<Said> {
    let recorded = Recorded::new(machine.to_path_buf());
    let report = |json| {
        let programs = [format!("/tmp/{}", program.name())].into_iter().collect();
        let args = cli::Args { programs, json, ..cli::Args::default() };
        cli::report(Target::new(&recorded), &args, Style::default()).text
    };
    let json: Value = serde_json::from_str(&report(true)).context("diag's report")?;
    let said = &json["programs"][0];
    let findings = said["findings"].as_array().context("no findings")?;
    Ok(Said {
        model: Model::of_json(&said["outcome"]).context("no outcome")?,
        dies: findings.iter().any(|finding| finding["effect"] == "dies"),
        report: report(false),
    })
}

/// Whether that happened; and what the runtime of Go printed, diag has in its report.
fn agree(outcome: &Outcome, dies: bool, ran: &Ran, report: &str) -> bool {
    match (outcome, ran) {
        (Outcome::Starts, Ran::Hello) => !dies,
        (Outcome::Starts, Ran::Signal(SIGILL)) => dies,
        (Outcome::Killed(signal, _), Ran::Signal(SIGILL)) => signal == "SIGILL",
        (Outcome::Exits(status), Ran::Exits(seen, line)) => {
            status == seen && plain(report).contains(&plain(line))
        }
        _ => false,
    }
}

const SIGILL: i32 = 4;

/// Lines are broken where the report is.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
