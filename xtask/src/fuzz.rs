//! `cargo xtask fuzz`: libFuzzer looks for inputs of fuzz/'s targets that break what must hold. The stable compiler does
//! it: LLVM's pass that counts coverage is asked for by name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use diag::budget::Guard;

use crate::sh;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// For how long in all, after it is built
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// One of candidate, libraries, tables, texts, scripts, recording; all of them in turn without
    target: Option<String>,
    /// Take each guard of a judgement out in turn, and look whether the input of fuzz/guards or the attack that it is there
    /// for is found out then; where neither is, whether libFuzzer finds an input, from nothing, within five minutes. Only
    /// these where some are named
    #[arg(long, num_args = 0.., value_name = "GUARD")]
    guards: Option<Vec<String>>,
    /// Look for no inputs: replay those that are kept, and run the unit tests (a router's heap and the live machine are
    /// among them), with each access to memory checked by AddressSanitizer
    #[arg(long)]
    sanitizer: bool,
    /// Replace fuzz/corpus by the smallest set of inputs that reaches the same
    #[arg(long)]
    keep: bool,
}

const TARGETS: [&str; 6] = ["candidate", "libraries", "tables", "texts", "scripts", "recording"];
/// For libFuzzer: bytes of an input, seconds and MiB of one.
const LIMITS: [&str; 5] =
    ["-max_len=1024", "-len_control=10", "-timeout=60", "-rss_limit_mb=1024", "-print_final_stats=1"];
/// To find out that a guard is missing.
const SECONDS_FOR_A_GUARD: u64 = 300;
/// Of a target's corpus in the repository, in bytes: 1 MiB for all.
const CORPUS: u64 = 200 << 10;
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// What rustc does for `-Zsanitizer-coverage`-like counters, in terms that stable knows; overflow checks stay on.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-sanitizer-coverage-trace-pc \
    -Ccodegen-units=4 -Copt-level=2 --cfg=diag_fuzz \
    -Clink-arg=-Wl,--allow-multiple-definition";

pub(crate) fn main(args: &Args) -> Result<()> {
    if args.sanitizer {
        return sanitized();
    }
    let targets: Vec<&str> = match &args.target {
        Some(name) => vec![*TARGETS.iter().find(|known| *known == name).context("there is no such target")?],
        None => TARGETS.to_vec(),
    };
    // Zero is no limit to libFuzzer.
    let seconds = (args.minutes * 60 / targets.len() as u64).max(1);
    println!("fuzz: builds with coverage into target/fuzz; then {seconds} s each of {}", targets.join(", "));
    println!("fuzz: what breaks something goes to fuzz/findings/TARGET, which `cargo test` replays");
    // With --target, build scripts and macros are not counted.
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--package", "fuzz", "--features", "libfuzzer", "--locked", "--target", TRIPLE]);
    cargo.args(["--target-dir", "target/fuzz"]).env("RUSTFLAGS", FLAGS).current_dir(sh::root());
    sh::run(&mut cargo)?;
    if let Some(only) = &args.guards {
        return guards(only);
    }
    let mut failed = Vec::new();
    for target in targets {
        let line = run(target, seconds)?;
        println!("{line}");
        if line.contains("FOUND") {
            failed.push(target);
        }
        if args.keep {
            keep(target)?;
        }
    }
    ensure!(failed.is_empty(), "something does not hold: {}", failed.join(", "));
    Ok(())
}

/// The pinned compiler has AddressSanitizer's library, and takes the option where it is told that it may.
fn sanitized() -> Result<()> {
    for tests in [&["--package", "diag", "--package", "diag-core", "--lib"][..], &["--package", "fuzz"]] {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--locked", "--target", TRIPLE, "--target-dir", "target/asan"]).args(tests);
        cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address").current_dir(sh::root());
        sh::run(&mut cargo)?;
    }
    Ok(())
}

fn folder(parts: &[&str]) -> Result<PathBuf> {
    let folder = sh::root().join(parts.iter().collect::<PathBuf>());
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn fuzzer(target: &str) -> Command {
    let mut command = Command::new(sh::root().join("target/fuzz").join(TRIPLE).join("debug/fuzz"));
    command.env("DIAG_FUZZ_TARGET", target).stdin(Stdio::null());
    command
}

/// Runs one; its executions and edges.
fn run(target: &str, seconds: u64) -> Result<String> {
    let kept = folder(&["fuzz", "corpus", target])?;
    let found = folder(&["target", "fuzz", "corpus", target])?;
    let findings = folder(&["fuzz", "findings", target])?;
    let output = fuzzer(target)
        .args([found, kept])
        .args(LIMITS)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    let behind = |text: &str, name: &str| -> Option<String> {
        Some(text.split(name).last()?.split_whitespace().next()?.to_owned())
    };
    let edges = log.lines().rfind(|line| line.contains(" cov: ")).and_then(|line| behind(line, " cov: "));
    let all = log
        .lines()
        .find(|line| line.contains("inline 8-bit counters"))
        .and_then(|line| behind(line, "modules   ("));
    let executions = behind(&log, "stat::number_of_executed_units:");
    let number = |number: Option<String>| number.unwrap_or_else(|| "?".to_owned());
    let mut line =
        format!("{target}: {} executions, {} of {} edges", number(executions), number(edges), number(all));
    for measured in log.lines().filter(|line| line.starts_with("MEASURE")) {
        println!("{measured}");
    }
    if !output.status.success() {
        line += &format!(", FOUND: {}", said(&log, 6).join("\n"));
    }
    // Only where there is something in it.
    let _ = fs::remove_dir(findings);
    Ok(line)
}

/// Takes one guard after the other out of the same build: what is kept in fuzz/guards, or was made for it
/// (fuzz/src/targets/attacks.rs), finds that at once; where nothing does, libFuzzer looks for it from nothing, and what it
/// finds is kept.
fn guards(only: &[String]) -> Result<()> {
    let mut left = Vec::new();
    let kept = folder(&["fuzz", "guards"])?;
    let wanted = |guard: &str| only.is_empty() || only.iter().any(|only| only == guard);
    for (_, guard) in Guard::ALL.iter().filter(|(_, guard)| wanted(guard)) {
        let folder = folder(&["target", "fuzz", "guards", guard])?;
        fs::remove_dir_all(&folder)?;
        fs::create_dir_all(&folder)?;
        let (input, name) = (kept.join(guard), folder.join("name"));
        fs::write(&name, guard)?;
        let (target, known) = if input.exists() { ("tables", &input) } else { ("attacks", &name) };
        let replay = |without: &[(&str, &str)]| -> Result<(bool, String)> {
            let output = fuzzer(target).envs(without.to_vec()).arg(known).output()?;
            let log = String::from_utf8_lossy(&output.stderr).into_owned();
            Ok((output.status.success(), said(&log, 2).join(" ")))
        };
        let (holds, said_with) = replay(&[])?;
        ensure!(holds, "with {guard} {} of {target} breaks something: {said_with}", known.display());
        let (holds, said_without) = replay(&[("DIAG_FUZZ_WITHOUT", guard)])?;
        if !holds {
            println!("without {guard}: found by its input of {target}: {said_without}");
            continue;
        }
        fs::remove_file(&name)?;
        let (corpus, begin) = (folder.join("corpus"), Instant::now());
        fs::create_dir_all(&corpus)?;
        let output = fuzzer("tables")
            .env("DIAG_FUZZ_WITHOUT", guard)
            .arg(corpus)
            .args(LIMITS)
            .arg(format!("-max_total_time={SECONDS_FOR_A_GUARD}"))
            .arg(format!("-artifact_prefix={}/", folder.display()))
            .output()?;
        let log = String::from_utf8_lossy(&output.stderr);
        let seconds = begin.elapsed().as_secs();
        if output.status.success() {
            println!("without {guard}: nothing is found in {seconds} s");
            left.push(*guard);
        } else {
            println!("without {guard}: found after {seconds} s: {}", said(&log, 2).join(" "));
            for (_, path) in files(&folder)?.iter().filter(|(_, path)| path.is_file()) {
                fs::copy(path, &input)?;
            }
        }
    }
    ensure!(left.is_empty(), "nothing is found without: {}", left.join(", "));
    Ok(())
}

/// What a run that found something says first.
fn said(log: &str, lines: usize) -> Vec<&str> {
    let panicked = log.lines().skip_while(|line| !line.contains("panicked at") && !line.contains("ERROR: "));
    panicked.take(lines).collect()
}

/// Takes the fewest inputs that reach all into the repository; the smallest first, as far as there is room.
fn keep(target: &str) -> Result<()> {
    let merged = folder(&["target", "fuzz", "merged", target])?;
    fs::remove_dir_all(&merged)?;
    fs::create_dir_all(&merged)?;
    let [kept, found] =
        [folder(&["fuzz", "corpus", target])?, folder(&["target", "fuzz", "corpus", target])?];
    let output = fuzzer(target).arg("-set_cover_merge=1").args([&merged, &kept, &found]).output()?;
    if !output.status.success() {
        bail!("libFuzzer does not merge the corpus of {target}");
    }
    let mut inputs = files(&merged)?;
    inputs.sort();
    fs::remove_dir_all(&kept)?;
    fs::create_dir_all(&kept)?;
    let mut room = CORPUS;
    for (size, path) in inputs {
        let Some(rest) = room.checked_sub(size) else { break };
        room = rest;
        fs::copy(&path, kept.join(path.file_name().context("a file")?))?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.metadata()?.len(), entry.path()))
        })
        .collect()
}
