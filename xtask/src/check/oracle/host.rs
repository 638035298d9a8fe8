//! This computer's kernel: the test that `cargo test` runs as well, with other counts.

use std::process::Command;

use anyhow::Result;

use super::counts_file;
use crate::sh;

/// That many changed programs.
pub(super) fn run(count: usize, seed: u64) -> Result<()> {
    let mut test = test();
    test.args(["--seed", &seed.to_string(), "--count", &count.to_string()]);
    sh::run(test.arg("--counts").arg(counts_file("host")?))
}

/// One of them, in full.
pub(super) fn one(case: &str) -> Result<()> {
    sh::run(test().args(["--case", case]))
}

fn test() -> Command {
    sh::say("programs for this computer: cargo test --test oracle");
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet", "--locked", "--package", "diag", "--test", "oracle", "--"]);
    cargo.current_dir(sh::root());
    cargo
}
