//! The core needs no operating system; and what routers get is tested as they get it.

use std::process::Command;

use anyhow::Result;

use super::Job;
use crate::{sh, toolchain};

/// Targets without a file system, without Unix, and with another one.
const TARGETS: [&str; 3] = ["wasm32-unknown-unknown", "x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

pub(super) fn jobs() -> Vec<Job<'static>> {
    vec![
        Box::new(|| super::holds("tests in a router build's configuration", router_tests)),
        Box::new(|| {
            super::tally("the core elsewhere", |tally| {
                TARGETS.iter().for_each(|target| tally.holds(compiles(target)));
                Ok(())
            })
        }),
    ]
}

/// Compiles the core with nothing of std but `core` and `alloc`, built from source: rustup need not have the target.
fn compiles(target: &str) -> Result<()> {
    toolchain::rust_src()?;
    sh::say(format!("diag-core: cargo check for {target}"));
    let mut cargo = Command::new("cargo");
    cargo.current_dir(sh::root()).env("RUSTC_BOOTSTRAP", "1");
    cargo.env("CARGO_TARGET_DIR", sh::target("core")?);
    cargo.args(["check", "--quiet", "--locked", "--package", "diag-core"]);
    sh::run(cargo.args(["-Zbuild-std=core,alloc", "--target", target]))
}

/// Tests that need no other architecture's kernels; what needs them says so by the feature `every-machine`.
const TESTS: [&str; 7] = ["transcripts", "bad_input", "elf", "streams", "asking", "safety", "host"];

fn router_tests() -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(sh::root()).args(["test", "--quiet", "--locked", "--no-fail-fast"]);
    cargo.args(["--no-default-features", "--package", "diag", "--package", "diag-core"]);
    cargo.arg("--lib");
    sh::run(cargo.args(TESTS.iter().flat_map(|test| ["--test", test])))
}
