//! `cargo xtask test`: everything that has to hold, in one go. What fails first does not keep the rest from running.

use std::fmt::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::lab::Kernel;
use crate::{cores, dist, host, judge, lab, libraries, oracle, sh};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// All of it: every router's build, and as many changed programs as an issue is finished with
    #[arg(long)]
    full: bool,
    /// Leave out `cargo test`, which has just been run
    #[arg(long)]
    after_cargo_test: bool,
}

/// How much of a step is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// At each change.
    Usual,
    /// With `--full`: once before an issue is finished.
    Full,
}

/// What was found, in lines, and of each whether it holds.
type Found = Result<Vec<(bool, String)>>;

struct Step {
    what: &'static str,
    /// About how many on two cores, usually and with `--full`. Nothing where it is left out.
    minutes: [Option<u32>; 2],
    run: fn(Extent) -> Found,
}

/// In the order of running.
const STEPS: [Step; 12] = [
    Step { what: CARGO_TEST, minutes: [Some(4), Some(4)], run: |_| cargo_test(&[]) },
    Step {
        what: "tests of xtask and the oracle",
        minutes: [Some(1), Some(1)],
        run: |_| cargo_test(&["--package", "xtask", "--package", "oracle"]),
    },
    Step { what: "diag's tiny programs in QEMU", minutes: [Some(1), Some(1)], run: |_| tiny_programs() },
    Step {
        what: "changed programs on this computer's kernel, five times as many",
        minutes: [None, Some(5)],
        run: |_| oracle::this_computer(HOST_COUNT).map(|()| Vec::new()),
    },
    Step { what: "router builds", minutes: [Some(5), Some(15)], run: router_builds },
    Step {
        what: "the same bytes from another folder",
        minutes: [None, Some(3)],
        run: |_| dist::reproducible_check().map(|()| Vec::new()),
    },
    Step {
        what: "the one file",
        minutes: [Some(1), Some(3)],
        run: |_| Ok(vec![(true, dist::launcher_check()?)]),
    },
    Step { what: "kernels, BusyBox and musl for the lab", minutes: [Some(2), Some(2)], run: |_| lab_parts() },
    Step { what: "the lab itself", minutes: [Some(5), Some(5)], run: |_| lab_tests() },
    Step {
        what: "libraries on Debian's musl",
        minutes: [Some(1), Some(1)],
        run: |_| Ok(vec![(true, libraries::musl()?)]),
    },
    Step {
        what: "what diag says, and what kernels do",
        minutes: [Some(5), Some(7)],
        run: |extent| Ok(judge::all(kernels(extent))),
    },
    Step {
        what: "changed and real programs on the lab's kernels",
        minutes: [Some(3), Some(12)],
        run: changed_and_real_programs,
    },
];

const CARGO_TEST: &str = "cargo test";
/// What takes longer the first time, where `DIAG_CACHE` has it not.
const BUILT_HERE: (&str, u32) = ("more, to build Linux and BusyBox for both byte orders", 20);

/// The builds that are made and checked at each change: both byte orders of the routers that most have, and this
/// computer's own.
const BUILDS: [&str; 3] = ["diag-mips", "diag-mipsel", "diag-x86_64"];
/// Changed programs for each of the lab's kernels, usually and with `--full`. `cargo test` has those for this computer.
const COUNT: usize = 500;
const HOST_COUNT: usize = 100_000;

pub(crate) fn main(args: &Args) -> Result<()> {
    let extent = if args.full { Extent::Full } else { Extent::Usual };
    let minutes = |step: &Step| step.minutes[usize::from(args.full)];
    let steps: Vec<&Step> = STEPS
        .iter()
        .filter(|step| minutes(step).is_some() && !(args.after_cargo_test && step.what == CARGO_TEST))
        .collect();
    let rows = steps.iter().map(|step| (step.what, minutes(step).unwrap_or_default()));
    println!("{}", plan(rows.chain(lab::builds_kernels()?.then_some(BUILT_HERE))));
    let begin = Instant::now();
    let (mut summary, mut failed) = (String::new(), false);
    for step in steps {
        sh::say(format!("test: {}", step.what));
        let since = Instant::now();
        let found = (step.run)(extent);
        let holds = found.as_ref().is_ok_and(|lines| lines.iter().all(|(holds, _)| *holds));
        failed |= !holds;
        summary += &line(holds, step.what, since.elapsed());
        match found {
            Ok(lines) => lines.iter().for_each(|(holds, said)| summary += &detail(*holds, said)),
            Err(error) => {
                println!("{}: FAILED: {error:#}", step.what);
                summary += &detail(false, &format!("{error:#}"));
            }
        }
    }
    println!("\n{summary}{}", line(!failed, "all", begin.elapsed()));
    if failed {
        bail!("something does not hold");
    }
    Ok(())
}

/// What will be done, and for about how long.
fn plan<'a>(steps: impl Iterator<Item = (&'a str, u32)>) -> String {
    let (mut text, mut total) = (String::new(), 0);
    for (what, minutes) in steps {
        let _ = writeln!(text, "{minutes:>4}  {what}");
        total += minutes;
    }
    format!("minutes, on two cores\n{text}{total:>4}  in all")
}

fn line(holds: bool, what: &str, took: Duration) -> String {
    let seconds = took.as_secs();
    format!("{:6} {:>3}:{:02}  {what}\n", if holds { "ok" } else { "FAILED" }, seconds / 60, seconds % 60)
}

fn detail(holds: bool, said: &str) -> String {
    format!("{:6}         {said}\n", if holds { "" } else { "FAILED" })
}

fn cargo_test(arguments: &[&str]) -> Found {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet", "--locked", "--no-fail-fast"]).args(arguments).current_dir(sh::root());
    sh::run(&mut cargo).map(|()| Vec::new())
}

/// The programs by which diag asks the kernel, of every architecture.
fn tiny_programs() -> Found {
    host::ensure(&[("qemu-mips", "qemu-user")])?;
    cargo_test(&["--package", "diag", "--lib", "--", "--ignored"])
}

/// With their checks, the one file and the packages: as `cargo xtask dist`.
fn router_builds(extent: Extent) -> Found {
    match extent {
        Extent::Usual => dist::release(&BUILDS)?,
        Extent::Full => dist::release(&[])?,
    }
    Ok(Vec::new())
}

/// What all boots have in common, so that several may begin at once.
fn lab_parts() -> Found {
    cores::each(&judge::KERNELS, |kernel| lab::prepare(*kernel)).into_iter().collect::<Result<Vec<()>>>()?;
    Ok(Vec::new())
}

/// The tests that boot QEMU, which plain `cargo test` leaves out. A boot keeps one core busy.
fn lab_tests() -> Found {
    cargo_test(&["--package", "xtask", "--", "--ignored", "--test-threads=2"])
}

const fn kernels(extent: Extent) -> &'static [Kernel] {
    match extent {
        Extent::Usual => &judge::WITHOUT_FPU,
        Extent::Full => &judge::KERNELS,
    }
}

fn changed_and_real_programs(extent: Extent) -> Found {
    let count = if extent == Extent::Full { oracle::COUNT } else { COUNT };
    let mut lines = oracle::lab_kernels(count)?;
    lines.extend(oracle::real_programs()?);
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_has_a_row_for_each_step_and_the_sum() {
        let steps = [("one thing", 4), ("another", 17)].into_iter();
        let wanted = "minutes, on two cores\n   4  one thing\n  17  another\n  21  in all";
        assert_eq!(plan(steps), wanted);
    }

    #[test]
    fn the_bounds_of_a_change_and_of_an_issue() {
        let total = |extent: usize| STEPS.iter().filter_map(|step| step.minutes[extent]).sum::<u32>();
        assert!(total(0) <= 30, "{} minutes", total(0));
        assert!(STEPS.iter().all(|step| step.minutes[1] >= step.minutes[0]), "--full leaves nothing out");
    }

    #[test]
    fn a_line_has_its_minutes() {
        assert_eq!(line(true, "all", Duration::from_secs(125)), "ok       2:05  all\n");
        assert_eq!(detail(false, "lab mips: 1 failed"), "FAILED         lab mips: 1 failed\n");
    }
}
