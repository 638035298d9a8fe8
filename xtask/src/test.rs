//! `cargo xtask test`: everything that has to hold, in one go. What fails first does not keep the rest from running.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Parser;

use crate::{dist, host, judge, libraries, sh};

#[derive(clap::Args)]
pub(crate) struct Args {}

/// Lines of the summary, and whether all went well.
struct Summary {
    lines: Vec<String>,
    failed: bool,
}

impl Summary {
    fn line(&mut self, passed: bool, what: &str, since: Instant) {
        let word = if passed { "ok" } else { "FAILED" };
        self.failed |= !passed;
        self.lines.push(format!("{word:6} {what} ({} s)", since.elapsed().as_secs()));
    }

    fn step(&mut self, what: &str, step: impl FnOnce() -> Result<()>) {
        let since = Instant::now();
        sh::say(format!("test: {what}"));
        let outcome = step();
        if let Err(error) = &outcome {
            println!("{what}: FAILED: {error:#}");
        }
        self.line(outcome.is_ok(), what, since);
    }
}

impl Summary {
    /// A step that says what it has found.
    fn counted(&mut self, what: &str, step: impl FnOnce() -> Result<String>) {
        let since = Instant::now();
        sh::say(format!("test: {what}"));
        let (holds, said) = match step() {
            Ok(counts) => (true, counts),
            Err(error) => (false, format!("{error:#}")),
        };
        self.line(holds, &format!("{what}: {said}"), since);
    }

    /// Changed programs and real ones, on the kernels in QEMU.
    fn oracle(&mut self) {
        let since = Instant::now();
        sh::say("test: changed programs on the lab's kernels");
        match crate::oracle::lab_kernels() {
            Ok(lines) => lines.iter().for_each(|(line, holds)| self.line(*holds, line, since)),
            Err(error) => self.line(false, &format!("oracle: {error:#}"), since),
        }
        self.step("real programs on the lab's kernels", crate::oracle::real_programs);
    }
}

pub(crate) fn main(_: &Args) -> Result<()> {
    let mut summary = Summary { lines: Vec::new(), failed: false };
    summary.step("cargo test", cargo_test);
    summary.step("diag's tiny programs in QEMU", tiny_programs);
    summary.step("router builds", router_builds);
    summary.step("the same bytes from another folder", dist::reproducible_check);
    summary.counted("the one file", dist::launcher_check);
    summary.step("the lab itself", lab_tests);
    summary.counted("libraries on Debian's musl", libraries::musl);
    for group in judge::groups() {
        let since = Instant::now();
        let tally = group();
        summary.line(tally.passed(), &tally.summary(), since);
    }
    summary.oracle();
    println!("\n{}", summary.lines.join("\n"));
    if summary.failed {
        bail!("something does not hold");
    }
    Ok(())
}

fn cargo_test() -> Result<()> {
    sh::run(
        Command::new("cargo")
            .args(["test", "--quiet", "--workspace", "--locked", "--no-fail-fast"])
            .current_dir(sh::root()),
    )
}

/// The programs by which diag asks the kernel, of every architecture.
fn tiny_programs() -> Result<()> {
    host::ensure(&[("qemu-mips", "qemu-user")])?;
    sh::run(
        Command::new("cargo")
            .args(["test", "--quiet", "--package", "diag", "--lib", "--locked", "--", "--ignored"])
            .current_dir(sh::root()),
    )
}

/// The tests that boot QEMU, which plain `cargo test` leaves out.
fn lab_tests() -> Result<()> {
    sh::run(
        Command::new("cargo")
            // One after the other: each would build what they share.
            .args([
                "test",
                "--quiet",
                "--package",
                "xtask",
                "--locked",
                "--",
                "--ignored",
                "--test-threads=1",
            ])
            .current_dir(sh::root()),
    )
}

/// All of them, with their checks: as `cargo xtask dist`.
fn router_builds() -> Result<()> {
    #[derive(Parser)]
    struct Dist {
        #[command(flatten)]
        args: dist::Args,
    }
    dist::main(&Dist::parse_from(["dist"]).args)
}
