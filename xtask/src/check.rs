//! `cargo xtask check`: kernels, C libraries and compilers judge what diag says and how it is built, in groups.

mod core;
mod giants;
mod go;
mod host;
mod hosts;
pub(crate) mod lab;
mod libraries;
mod loaders;
mod machine;
pub(crate) mod oracle;
mod panics;
mod places;
mod programs;
mod schema;

use std::path::PathBuf;

use ::oracle::tally::Tally;
use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::cores;
pub(crate) use host::build as build_for_this_computer;

/// What is checked together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Group {
    /// Many files on MIPS kernels, with BusyBox ash, musl and glibc: does what diag says happen?
    Lab,
    /// How much diag reads of a file, and its reports of this computer's own programs
    Host,
    /// Programs with whole, missing and damaged libraries on Debian's musl
    Libraries,
    /// Changed programs on this computer's kernel and on those in QEMU
    Oracle,
    /// Real programs on the kernels in QEMU: BusyBox of every architecture, Go's of every kind of MIPS, the lab's own
    Real,
    /// The core compiles where there is no operating system; the tests pass in a router build's configuration
    Core,
    /// What the core can panic of: nothing but what is listed, each with its reason
    Panics,
    /// Debian's programs in root folders of its releases, of ten architectures, against their loaders; without --full or
    /// --arch only of two
    Programs,
    /// Debian's programs judged for its releases by name (--on debian:11/amd64), against what happens there; without --full
    /// or --arch only for amd64
    Releases,
    /// The largest programs of Debian (chromium, LibreOffice, GHC, LLVM): none meets a limit of a judgement
    Giants,
    /// Programs and libraries with changed tables, given to the real loaders of ten architectures
    Loaders,
    /// The builds for Windows and macOS, read back; and whether Windows' says under Wine what this computer's says
    Hosts,
    /// Programs of Go 1.15, 1.19 and 1.24 of every GOARCH and level, on many processors of qemu-user
    Go,
}

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// What to check; everything where nothing is named
    groups: Vec<Group>,
    /// As much as an issue is finished with; the oracle's counts become docs/accuracy.md and accuracy.tsv
    #[arg(long)]
    full: bool,
    /// lab, oracle, real: only this kernel, by name
    #[arg(long = "kernel", value_name = "NAME")]
    kernels: Vec<String>,
    /// go: only this GOARCH; programs, releases, loaders: only this architecture of Debian; programs, releases: musl; loaders: glibc-arm64, musl-1.2.5; oracle, real: only kernels of this architecture (host, mips, mipsel, mips64el, arm64, armhf, riscv64, ppc64el)
    #[arg(long = "arch", value_name = "ARCH")]
    archs: Vec<String>,
    /// oracle: how many programs for each kernel
    #[arg(long)]
    count: Option<usize>,
    /// oracle: another seed gives other programs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// oracle: only this program, in full: 'x86-64 tiny: e_type=3'
    #[arg(long, conflicts_with = "count")]
    case: Option<String>,
    /// oracle: judge nothing; write docs/accuracy.md and accuracy.tsv from what the last run of each kernel has left
    #[arg(long, conflicts_with_all = ["full", "kernels", "archs", "count", "seed", "case"])]
    report: bool,
    /// lab: only these boots
    #[arg(long, value_enum)]
    boots: Option<lab::Boots>,
    /// lab: take this binary instead of building the router's
    #[arg(long)]
    diag: Option<PathBuf>,
    /// lab: keep what the guests said in this folder
    #[arg(long)]
    keep: Option<PathBuf>,
}

impl Args {
    /// As `cargo xtask test` asks, for every kernel of the groups.
    pub(crate) fn of(groups: &[Group], full: bool) -> Args {
        Args { groups: groups.to_vec(), full, seed: 1, ..Args::default() }
    }

    /// The same for these kernels, and no other than those that are named.
    pub(crate) fn on<'a>(mut self, kernels: impl IntoIterator<Item = &'a str>) -> Args {
        self.kernels.extend(kernels.into_iter().map(str::to_owned));
        self
    }

    /// The same for an architecture's kernels.
    pub(crate) fn of_arch(mut self, arch: &str) -> Args {
        self.archs = vec![arch.to_owned()];
        self
    }

    fn has(&self, group: Group) -> bool {
        self.groups.is_empty() || self.groups.contains(&group)
    }
}

/// What is checked without waiting for another.
type Job<'a> = Box<dyn Fn() -> Tally + Sync + 'a>;

pub(crate) fn main(args: &Args) -> Result<()> {
    if args.report {
        return oracle::report();
    }
    if let Some(case) = &args.case {
        return if args.groups == [Group::Loaders] {
            loaders::one(args, case)
        } else {
            oracle::one(args, case)
        };
    }
    let tallies = run(args)?;
    println!();
    for tally in &tallies {
        println!("{}", tally.summary());
    }
    if args.full && args.has(Group::Oracle) {
        oracle::report()?;
    }
    ensure!(tallies.iter().all(Tally::passed), "something does not hold");
    Ok(())
}

/// Runs the groups, two jobs at a time.
pub(crate) fn run(args: &Args) -> Result<Vec<Tally>> {
    for name in &args.kernels {
        ensure!(lab::knows(name) || oracle::knows(name), "no kernel {name}; there are {}", kernels());
    }
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for group in Group::value_variants().iter().filter(|group| args.has(**group)) {
        jobs.extend(match group {
            Group::Lab => lab::jobs(args),
            Group::Host => host::jobs(),
            Group::Libraries => libraries::jobs(args.full),
            Group::Oracle => oracle::jobs(args)?,
            Group::Real => oracle::real_jobs(args)?,
            Group::Core => core::jobs(),
            Group::Panics => panics::jobs(),
            Group::Programs => programs::jobs(args),
            Group::Releases => programs::of_releases(args),
            // A gigabyte to download.
            Group::Giants if args.full || args.groups == [Group::Giants] => giants::jobs(),
            Group::Giants => Vec::new(),
            Group::Loaders => loaders::jobs(args),
            Group::Go => go::jobs(args),
            Group::Hosts => hosts::jobs(),
        });
    }
    ensure!(!jobs.is_empty(), "the groups have nothing for these kernels");
    Ok(cores::each(&jobs, |job| job()))
}

fn kernels() -> String {
    let mut names: Vec<&str> = lab::names().chain(oracle::names()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// The tally of a subject: what `work` checks, and the error that it ends with.
pub(crate) fn tally(name: impl Into<String>, work: impl FnOnce(&mut Tally) -> Result<()>) -> Tally {
    let mut tally = Tally::new(name);
    let done = work(&mut tally);
    tally.attempt(done);
    println!("{}", tally.summary());
    tally
}

/// The same where the work itself is the check.
pub(crate) fn holds(name: impl Into<String>, work: impl FnOnce() -> Result<()>) -> Tally {
    tally(name, |tally| {
        tally.holds(work());
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_checks_nothing_has_not_passed() {
        assert!(!tally("a kernel", |_| Ok(())).passed());
        assert!(holds("a kernel", || Ok(())).passed());
        assert!(!holds("a kernel", || anyhow::bail!("no answer")).passed());
    }

    #[test]
    fn a_kernel_is_known_by_the_groups_that_have_it() {
        let on = |group, kernel| run(&Args::of(&[group], false).on([kernel]));
        let error = |group, kernel| on(group, kernel).unwrap_err().to_string();
        assert!(error(Group::Lab, "z80").contains("mipsel-fpu-24kf"));
        // 24Kf is a kernel of the oracle alone.
        assert_eq!(error(Group::Lab, "mipsel-fpu-24kf"), "the groups have nothing for these kernels");
    }
}
