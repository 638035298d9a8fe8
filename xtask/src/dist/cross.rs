//! What `cross` does with `cross.toml`, seen from outside: a stand-in for the container engine writes down
//! the command it is given, and one for rustup says that all is there but the source of std.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::targets::{TARGETS, Target};
use crate::{sh, toolchain};

/// The release that cross.toml is written for.
const CROSS: &str = "0.2.5";

/// What the head of cross.toml says, but for the target.
const COMMAND: [&str; 5] = ["build", "--release", "--no-default-features", "--config", ".cargo/router.toml"];

/// Writes down its words, each with a NUL behind it.
const ENGINE: &str = r#"#!/bin/sh
case $1 in
--help) echo docker ;;
run) printf '%s\0' "$@" >"$DIAG_RECORD/engine-call" ;;
esac
"#;

/// Answers as rustup does for a tier 3 target.
const RUSTUP: &str = r#"#!/bin/sh
echo "$*" >>"$DIAG_RECORD/rustup-calls"
case "$1 $2" in
"toolchain list") echo "$DIAG_TOOLCHAIN (default)" ;;
"target list") echo "$DIAG_HOST (installed)" ;;
"component list") echo rust-src ;;
esac
"#;

/// Fails with a sentence where `cross` would not build what `dist` builds.
pub(crate) fn check() -> Result<()> {
    let cross = install()?;
    for target in TARGETS.iter().filter(|target| target.cross) {
        check_target(&cross, target).with_context(|| format!("cross build for {}", target.triple))?;
        sh::say(format!("cross build for {}: as it should be", target.triple));
    }
    Ok(())
}

fn install() -> Result<PathBuf> {
    let dir = sh::target("tools")?.join(format!("cross-{CROSS}"));
    let dir = if dir.is_dir() {
        dir
    } else {
        sh::say(format!("cross {CROSS}: from crates.io (compiling it takes some minutes)"));
        sh::build_dir(&dir, |new| {
            let mut cargo = Command::new("cargo");
            cargo.args(["install", "--quiet", "cross", "--locked", "--version", CROSS, "--root"]).arg(new);
            sh::run(cargo.env("CARGO_TARGET_DIR", new.join("build")))?;
            fs::remove_dir_all(new.join("build")).context("remove the build of cross")
        })?
    };
    Ok(dir.join("bin/cross"))
}

fn check_target(cross: &Path, target: &Target) -> Result<()> {
    let record = sh::target("tools")?.join(format!("cross-record-{}", std::process::id()));
    fs::create_dir_all(&record)?;
    let checked = run_cross(cross, target, &record).and_then(|()| {
        let engine =
            fs::read_to_string(record.join("engine-call")).context("cross did not call the engine")?;
        let rustup = fs::read_to_string(record.join("rustup-calls")).context("cross did not call rustup")?;
        let words: Vec<&str> = engine.split_terminator('\0').collect();
        check_rustup(&rustup)?;
        check_engine(target, &words)?;
        check_units(target, &words)
    });
    fs::remove_dir_all(&record)?;
    checked
}

/// Runs the command of cross.toml's head, with the stand-ins in place.
fn run_cross(cross: &Path, target: &Target, record: &Path) -> Result<()> {
    script(&record.join("docker"), ENGINE)?;
    script(&record.join("rustup"), RUSTUP)?;
    let path = std::env::var_os("PATH").context("no PATH")?;
    let path = std::env::join_paths([record.to_path_buf()].into_iter().chain(std::env::split_paths(&path)))?;
    let sysroot = toolchain::sysroot()?;
    let mut command = Command::new(cross);
    command
        .args(COMMAND)
        .args(["--target", target.triple])
        .current_dir(sh::root())
        .env("CROSS_CONFIG", "cross.toml")
        .env("CROSS_CONTAINER_ENGINE", record.join("docker"))
        .env("PATH", path)
        .env("DIAG_RECORD", record)
        .env("DIAG_TOOLCHAIN", sysroot.file_name().context("a sysroot without a name")?)
        .env("DIAG_HOST", toolchain::rustc("host")?);
    for variable in ["RUSTC_BOOTSTRAP", "RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        command.env_remove(variable);
    }
    sh::run(&mut command)
}

fn script(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

/// Without std's source nothing can be built, and cross must see to it.
fn check_rustup(calls: &str) -> Result<()> {
    ensure!(
        calls.contains("component add rust-src"),
        "cross does not add rust-src; it asked rustup: {calls}"
    );
    Ok(())
}

/// The image, the environment and the command of the container.
fn check_engine(target: &Target, words: &[&str]) -> Result<()> {
    let image = format!("/{}:{CROSS}", target.triple);
    ensure!(words.iter().any(|word| word.ends_with(&image)), "no image ...{image} in {words:?}");
    let passed = words.windows(2).any(|pair| pair == ["-e", "RUSTC_BOOTSTRAP=1"]);
    ensure!(passed, "RUSTC_BOOTSTRAP=1 does not reach the container: {words:?}");
    let command = inner(words)?;
    let wanted = [&["cargo"], &COMMAND[..], &["--target", target.triple]].concat();
    ensure!(command == wanted, "the container runs {command:?}, wanted {wanted:?}");
    Ok(())
}

/// What that command would compile, as cargo itself says: all of std, with bare traps for panics.
fn check_units(target: &Target, words: &[&str]) -> Result<()> {
    let command = inner(words)?;
    let [program, arguments @ ..] = command.as_slice() else { bail!("the container runs nothing") };
    let mut cargo = Command::new(program);
    cargo.args(arguments).args(["-Zunstable-options", "--unit-graph"]).current_dir(sh::root());
    toolchain::rust_src()?;
    let units = sh::output(cargo.env("RUSTC_BOOTSTRAP", "1"))?;
    for wanted in [r#""std""#, r#""panic_abort""#, r#""optimize_for_size""#, r#""panic":"immediate-abort""#] {
        ensure!(units.contains(wanted), "cargo's plan for {} lacks {wanted}", target.triple);
    }
    Ok(())
}

/// The words of `sh -c 'PATH=$PATH:/rust/bin "cargo" "build" ...'`, which ends the engine's command.
fn inner<'a>(words: &[&'a str]) -> Result<Vec<&'a str>> {
    let Some(["sh", "-c", line]) = words.last_chunk::<3>() else {
        bail!("no `sh -c` at the end of {words:?}")
    };
    Ok(line.split(' ').skip(1).map(|word| word.trim_matches('"')).collect())
}
