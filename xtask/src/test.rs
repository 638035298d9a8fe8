//! `cargo xtask test`: everything that has to hold, in one go. What fails first does not keep the rest from running.

use std::fmt::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::statvfs::statvfs;

use oracle::tally::Tally;

use crate::check::{self, Group};
use crate::lab::Kernel;
use crate::{cores, dist, host, lab, sh};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// All of it: every router's build, and as many changed programs as an issue is finished with
    #[arg(long)]
    full: bool,
    /// Leave out `cargo test`, which has just been run
    #[arg(long)]
    after_cargo_test: bool,
}

struct Step {
    what: &'static str,
    /// About how many on two cores, at each change and with `--full`. Nothing where it is left out.
    minutes: [Option<u32>; 2],
    /// What was checked, with `--full` or without.
    run: fn(&str, bool) -> Result<Vec<Tally>>,
}

/// In the order of running.
const STEPS: [Step; 14] = [
    Step {
        what: CARGO_TEST,
        minutes: [Some(4), Some(4)],
        run: |what, _| Ok(whole(what, || cargo_test(&[]))),
    },
    Step {
        what: "tests of xtask, the oracle and testkit",
        minutes: [Some(1), Some(1)],
        run: |what, _| {
            Ok(whole(what, || {
                cargo_test(&["--package", "xtask", "--package", "oracle", "--package", "testkit"])
            }))
        },
    },
    Step {
        what: "the core elsewhere, and the tests in a router build's configuration",
        minutes: [Some(2), Some(2)],
        run: |_, full| check::run(&check::Args::of(&[Group::Core, Group::Panics], full)),
    },
    Step {
        what: "diag's tiny programs in QEMU",
        minutes: [Some(1), Some(1)],
        run: |what, _| Ok(whole(what, tiny_programs)),
    },
    Step {
        what: "changed programs on this computer's kernel, five times as many",
        minutes: [None, Some(5)],
        run: |_, full| check::run(&check::Args::of(&[Group::Oracle], full).of_arch("host")),
    },
    Step {
        what: "router builds",
        minutes: [Some(3), Some(15)],
        run: |what, full| {
            let builds = if full { &[][..] } else { &BUILDS };
            Ok(whole(what, || dist::release(builds)))
        },
    },
    Step {
        what: "the same bytes from another folder",
        minutes: [None, Some(3)],
        run: |what, _| Ok(whole(what, dist::reproducible_check)),
    },
    Step { what: "the one file", minutes: [Some(1), Some(3)], run: |what, _| Ok(vec![the_one_file(what)]) },
    Step {
        what: "kernels, BusyBox and musl for the lab",
        minutes: [Some(2), Some(2)],
        run: |what, full| Ok(whole(what, || lab_parts(full))),
    },
    Step {
        what: "the lab itself",
        minutes: [Some(5), Some(6)],
        run: |what, full| Ok(whole(what, || lab_tests(full))),
    },
    Step {
        what: "what diag says, and what kernels and loaders do",
        minutes: [Some(8), Some(65)],
        run: |_, full| {
            let args = check::Args::of(&GROUPS, full);
            check::run(&if full {
                args.on(check::oracle::usual()).on(check::lab::names())
            } else {
                args.on(JUDGES)
            })
        },
    },
    Step {
        what: "programs of Debian in root folders of its releases, and for them by name, against their loaders; the largest of them",
        minutes: [Some(3), Some(20)],
        run: |_, full| check::run(&check::Args::of(&[Group::Programs, Group::Releases, Group::Giants], full)),
    },
    Step {
        what: "programs of three releases of Go on many processors of qemu-user",
        minutes: [None, Some(15)],
        run: |_, full| check::run(&check::Args::of(&[Group::Go], full)),
    },
    Step {
        what: "builds for Windows and macOS, and Windows' under Wine",
        minutes: [None, Some(3)],
        run: |_, full| check::run(&check::Args::of(&[Group::Hosts], full)),
    },
];

const CARGO_TEST: &str = "cargo test";
/// Together, so that neither core waits for the other between them. Changed programs on this computer's kernel are
/// `cargo test`'s.
const GROUPS: [Group; 6] =
    [Group::Lab, Group::Host, Group::Libraries, Group::Loaders, Group::Oracle, Group::Real];
/// The kernels that judge each change: of both byte orders and word sizes, with an FPU and without. The other processors
/// differ in what they execute, which `--full` has.
const JUDGES: [&str; 4] = ["mips", "mipsel", "mipsel-fpu-24kf", "mips64el"];
/// What is built the first time, where `DIAG_CACHE` has it not, and for about how many minutes.
const BUILT_HERE: (&str, u32) = ("more, to build Linux and BusyBox for both byte orders", 20);
const BUILT_WITH_FULL: (&str, u32) = ("more, to build Linux 5.10 for both byte orders", 6);

/// The lab's kernels at each change.
const KERNELS: [Kernel; 3] = [Kernel::Mips, Kernel::Mipsel, Kernel::MipselFpu];
/// What target/ has in the end, without `--full`.
const GIGABYTES: u64 = 7;
/// In the names of the tests that boot [`lab::OLD`].
const ON_OLD_KERNELS: &str = "on_linux_5_10";

/// How much of what does not hold is said again at the end, of each subject.
const FAILURES_REPEATED: usize = 5;

/// The builds that are made and checked at each change, one a core: both byte orders of the routers that most have.
const BUILDS: [&str; 2] = ["diag-mips", "diag-mipsel"];

pub(crate) fn main(args: &Args) -> Result<()> {
    let minutes = |step: &Step| step.minutes[usize::from(args.full)];
    let steps: Vec<&Step> = STEPS
        .iter()
        .filter(|step| minutes(step).is_some() && !(args.after_cargo_test && step.what == CARGO_TEST))
        .collect();
    let rows = steps.iter().map(|step| (step.what, minutes(step).unwrap_or_default()));
    let built = lab::builds(&KERNELS)?.then_some(BUILT_HERE);
    let built_with_full = (args.full && lab::builds(&lab::OLD)?).then_some(BUILT_WITH_FULL);
    println!("{}", plan(rows.chain(built).chain(built_with_full)));
    println!("{}", room()?);
    let begin = Instant::now();
    let (mut summary, mut failed) = (String::new(), false);
    for step in steps {
        sh::say(format!("test: {}", step.what));
        let since = Instant::now();
        let found = (step.run)(step.what, args.full);
        let holds = found.as_ref().is_ok_and(|tallies| tallies.iter().all(Tally::passed));
        failed |= !holds;
        summary += &line(holds, step.what, since.elapsed());
        match found {
            Ok(tallies) => tallies.iter().for_each(|tally| summary += &details(step.what, tally)),
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

/// What it takes of the disk, and what there is: where that is less, it shows late, and in many ways.
fn room() -> Result<String> {
    let disk = statvfs(&sh::target("")?).context("ask for the room on the disk")?;
    let free = disk.blocks_available() * disk.fragment_size();
    Ok(format!(
        "{GIGABYTES} GB in target/ when all is built, more with --full; {} GB are free there",
        free >> 30
    ))
}

fn line(holds: bool, what: &str, took: Duration) -> String {
    let seconds = took.as_secs();
    format!("{:6} {:>3}:{:02}  {what}\n", if holds { "ok" } else { "FAILED" }, seconds / 60, seconds % 60)
}

fn detail(holds: bool, said: &str) -> String {
    format!("{:6}         {said}\n", if holds { "" } else { "FAILED" })
}

/// The counts of what a step is made of, what does not hold, and what it is worth keeping of it.
fn details(step: &str, tally: &Tally) -> String {
    let counts = (tally.name() != step || !tally.passed()).then(|| tally.summary());
    let lines = counts.iter().chain(tally.failures().iter().take(FAILURES_REPEATED)).chain(tally.notes());
    lines.map(|said| detail(tally.passed(), said)).collect()
}

/// A step that holds as a whole or does not.
fn whole(what: &str, step: impl FnOnce() -> Result<()>) -> Vec<Tally> {
    vec![check::holds(what, step)]
}

fn cargo_test(arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet", "--locked", "--no-fail-fast"]).args(arguments).current_dir(sh::root());
    sh::run(&mut cargo)
}

/// The programs by which diag asks the kernel, of every architecture.
fn tiny_programs() -> Result<()> {
    host::ensure(&[("qemu-mips", "qemu-user")])?;
    cargo_test(&["--package", "diag", "--lib", "--", "--ignored"])
}

fn the_one_file(what: &str) -> Tally {
    check::tally(what, |tally| {
        if let Some(counts) = tally.attempt(dist::launcher_check()) {
            tally.check(true, String::new);
            tally.note(counts);
        }
        Ok(())
    })
}

/// What all boots have in common, so that several may begin at once.
fn lab_parts(full: bool) -> Result<()> {
    let old = if full { &lab::OLD[..] } else { &[] };
    cores::each(&[&KERNELS[..], old].concat(), |kernel| lab::prepare(*kernel)).into_iter().collect()
}

/// The tests that boot QEMU, which plain `cargo test` leaves out. A boot keeps one core busy.
fn lab_tests(full: bool) -> Result<()> {
    let tests = ["--package", "xtask", "--", "--ignored", "--test-threads=2"];
    let less = if full { &[][..] } else { &["--skip", ON_OLD_KERNELS] };
    cargo_test(&[&tests, less].concat())
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
