//! The command that diag prints for a Go program of the wrong byte order: run as printed, its result starts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use oracle::tally::Tally;
use serde_json::Value;

use super::Observed;
use crate::samples::{Order, begins, go, hello_source};
use crate::scratch::Scratch;
use crate::sh;

/// The sample whose finding has the command.
const SAMPLE: &str = "go-swapped";

/// Runs the command in a folder with hello's source, by a shell, as a reader would.
pub(super) fn as_printed(order: Order, seen: &[Observed]) -> Result<PathBuf> {
    let observed = seen.iter().find(|observed| observed.name == SAMPLE).context("no sample to rebuild")?;
    let report: Value = serde_json::from_slice(&observed.json).context("no JSON")?;
    let command = report["programs"][0]["findings"][0]["fix"]["commands"][0].as_str();
    let command = command.context("the finding about the byte order has no command")?;
    let project = Scratch::open("go")?;
    fs::write(project.path().join("main.go"), hello_source())?;
    fs::write(project.path().join("go.mod"), "module hello\n")?;
    sh::say(format!("as diag printed it: {command}"));
    // Go's cache is all that this shell has of ours.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", command]).current_dir(project.path());
    for (name, value) in go()?.get_envs() {
        match value {
            Some(value) if name == "GOCACHE" => shell.env(name, value),
            _ => shell.env_remove(name),
        };
    }
    sh::run(&mut shell)?;
    let mut made = Vec::new();
    for entry in fs::read_dir(project.path())? {
        let path = entry?.path();
        if fs::metadata(&path)?.permissions().mode() & 0o111 != 0 && begins(&path, b"\x7fELF") {
            made.push(path);
        }
    }
    let [program] = made.as_slice() else { bail!("`{command}` left {} programs", made.len()) };
    let kept = sh::target("samples")?.join(format!("rebuilt-{}", order.arch()));
    fs::copy(program, &kept).context("keep what was rebuilt")?;
    Ok(kept)
}

/// What the guest says of it.
pub(super) fn check(seen: &Observed, tally: &mut Tally) {
    let runs = seen.kernel == "exited 0" && seen.said.contains("hello from go");
    tally.check(runs, || format!("what diag's command built: {}, {:?}", seen.kernel, seen.said));
    tally.check(seen.status == 0, || {
        format!("diag of what its command built: {}\n{}", seen.status, seen.text)
    });
}
