//! `cargo xtask`: what needs a cross toolchain, QEMU or Debian packages. Each task sets up what it
//! needs and says what it does.

mod bench;
mod catalogue;
mod check;
mod cores;
mod debian;
mod dist;
mod fuzz;
mod gates;
mod host;
mod lab;
mod openwrt;
mod pack;
mod package;
mod samples;
mod scratch;
mod sh;
mod targets;
mod test;
mod toolchain;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Build the router binaries into target/dist, and say where their bytes are.
    Dist(dist::Args),
    /// Boot a kernel in QEMU, those for MIPS with a root laid out like OpenWrt's, and run commands there.
    Lab(lab::Args),
    /// Measure what diag costs, beside other programs, and write docs/benchmarks.md.
    Bench(bench::Args),
    /// Wrap the builds in target/dist as packages for OpenWrt, with indices, sums and sizes.
    Package(package::Args),
    /// Let kernels, C libraries and compilers judge what diag says and how it is built.
    Check(check::Args),
    /// Make the tables of machines by name anew.
    Catalogue(catalogue::Args),
    /// Let libFuzzer look for inputs that break what must hold of every judgement.
    Fuzz(fuzz::Args),
    /// Run every test: cargo test, router builds with their checks, the lab. It says first what it will do.
    Test(test::Args),
}

fn main() -> ExitCode {
    match run(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Without the stack of calls, which would stand after what did not hold, and hide it.
        Err(error) => {
            sh::say(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Dist(args) => dist::main(&args),
        Task::Lab(args) => lab::main(&args),
        Task::Package(args) => package::main(&args),
        Task::Bench(args) => bench::main(&args),
        Task::Check(args) => check::main(&args),
        Task::Catalogue(args) => catalogue::main(&args),
        Task::Fuzz(args) => fuzz::main(&args),
        Task::Test(args) => test::main(&args),
    }
}
