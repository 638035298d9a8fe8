//! `cargo xtask`: what needs a cross toolchain, QEMU or Debian packages. Each task sets up what it
//! needs and says what it does.

mod check;
mod cores;
mod debian;
mod dist;
mod gates;
mod host;
mod lab;
mod openwrt;
mod pack;
mod package;
mod samples;
mod sh;
mod targets;
mod test;
mod toolchain;

use anyhow::Result;
use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Build the router binaries into target/dist, and say where their bytes are.
    Dist(dist::Args),
    /// Boot a kernel in QEMU, those for MIPS with a root laid out like OpenWrt's, and run commands there.
    Lab(lab::Args),
    /// Wrap the builds in target/dist as packages for OpenWrt, with indices, sums and sizes.
    Package(package::Args),
    /// Let kernels, C libraries and compilers judge what diag says and how it is built.
    Check(check::Args),
    /// Run every test: cargo test, router builds with their checks, the lab. It says first what it will do.
    Test(test::Args),
}

fn main() -> Result<()> {
    match Task::parse() {
        Task::Dist(args) => dist::main(&args),
        Task::Lab(args) => lab::main(&args),
        Task::Package(args) => package::main(&args),
        Task::Check(args) => check::main(&args),
        Task::Test(args) => test::main(&args),
    }
}
