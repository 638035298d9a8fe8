//! The core needs no operating system; and what routers get is tested as they get it.

use std::process::Command;

use anyhow::Result;

use super::Job;
use crate::{cores, sh, toolchain};

/// Where the core compiles, without a file system; and all of diag, without Unix and with another one.
const TARGETS: [(&str, &str, &str); 3] = [
    ("diag-core", "core,alloc", "wasm32-unknown-unknown"),
    ("diag", "std,panic_abort", "x86_64-pc-windows-gnullvm"),
    ("diag", "std,panic_abort", "aarch64-apple-darwin"),
];

pub(super) fn jobs() -> Vec<Job<'static>> {
    vec![
        Box::new(|| super::holds("tests in a router build's configuration", router_tests)),
        Box::new(|| {
            super::tally("the core elsewhere", |tally| {
                for compiled in cores::each(&TARGETS, compiles) {
                    tally.holds(compiled);
                }
                Ok(())
            })
        }),
    ]
}

/// Compiles a package with these parts of std, built from source: rustup need not have the target. Warnings are errors: no
/// other run sees these.
fn compiles((package, std, target): &(&str, &str, &str)) -> Result<()> {
    toolchain::rust_src()?;
    sh::say(format!("{package}: cargo check for {target}"));
    let mut cargo = Command::new("cargo");
    cargo.current_dir(sh::root()).env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Dwarnings");
    cargo.env("CARGO_TARGET_DIR", sh::target(&format!("core/{target}"))?);
    cargo.args(["check", "--quiet", "--locked", "--package", package, "--lib"]);
    if *package == "diag" {
        cargo.args(["--bin", "diag"]);
    }
    sh::run(cargo.arg(format!("-Zbuild-std={std}")).args(["--target", target]))
}

/// Tests that need no other architecture's kernels; what needs them says so by the feature `every-machine`.
const TESTS: [&str; 9] =
    ["transcripts", "bad_input", "elf", "streams", "asking", "safety", "host", "hang", "open_files"];

fn router_tests() -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(sh::root()).args(["test", "--quiet", "--locked", "--no-fail-fast"]);
    cargo.args(["--no-default-features", "--package", "diag", "--package", "diag-core"]);
    cargo.arg("--lib");
    sh::run(cargo.args(TESTS.iter().flat_map(|test| ["--test", test])))
}
