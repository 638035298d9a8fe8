//! This computer's kernel: the test that `cargo test` runs as well, with other counts.

use std::process::Command;

use anyhow::Result;

use super::Args;
use crate::sh;

pub(super) fn run(args: &Args) -> Result<()> {
    sh::say("programs for this computer: cargo test --test oracle");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(sh::root()).args([
        "test",
        "--quiet",
        "--locked",
        "--package",
        "diag",
        "--test",
        "oracle",
    ]);
    cargo.args(["--", "--seed", &args.seed.to_string(), "--count", &args.count.to_string()]);
    match &args.case {
        Some(case) => cargo.args(["--case", case]),
        None => cargo.arg("--tally").arg(super::tally_file("host")?),
    };
    sh::run(&mut cargo)
}
