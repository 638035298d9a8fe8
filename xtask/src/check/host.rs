//! What needs no router: how much of a file is read, and reports of this computer's own programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use diag::args::{SHELLS, script};
use oracle::tally::Tally;
use serde_json::Value;

use super::{Job, schema};
use crate::samples::{self, Order, Size};
use crate::{host as needs, sh};

/// Bytes that may be read of a candidate, whatever its size.
const READ_GATE: u64 = 64 * 1024;
const FOLDERS: [&str; 3] = ["/usr/bin", "/usr/sbin", "/etc"];

pub(super) fn jobs() -> Vec<Job<'static>> {
    vec![Box::new(|| super::tally("host", check))]
}

fn check(tally: &mut Tally) -> Result<()> {
    let diag = build()?;
    for (order, size) in
        [(Order::Big, Size::Stripped), (Order::Little, Size::Packed), (Order::Big, Size::Unstripped)]
    {
        let checked = reads_little(&diag, order, size, tally);
        tally.attempt(checked);
    }
    from_a_laptop(&diag, tally)?;
    completions(tally)?;
    reports(&diag, tally)
}

/// The seed's story, told by the computer where the program is built: for its router by name, both byte orders of v2ray in
/// three sizes. The router's flash has room for all but the largest.
fn from_a_laptop(diag: &Path, tally: &mut Tally) -> Result<()> {
    for name in ["lenovo_newifi-y1", "y1"] {
        for (order, byte_order) in [(Order::Big, &["wrong-byte-order"][..]), (Order::Little, &[])] {
            for size in [Size::Unstripped, Size::Stripped, Size::Packed] {
                let space = (size == Size::Unstripped).then_some("not-enough-space");
                let wanted: Vec<&str> = byte_order.iter().copied().chain(space).collect();
                let file = samples::v2ray(order, size)?;
                let output = Command::new(diag).args(["--json", "--on", name]).arg(&file).output();
                let output = output.context("start diag")?;
                let report: Value = serde_json::from_slice(&output.stdout).context("a report")?;
                let findings = report["programs"][0]["findings"].as_array().context("findings")?;
                let errors = findings.iter().filter(|finding| finding["severity"] == "error");
                let said: Vec<&str> = errors.filter_map(|finding| finding["code"].as_str()).collect();
                let status = output.status.code();
                tally.check(said == wanted && status == Some(i32::from(!wanted.is_empty())), || {
                    format!("--on {name} {order:?} {size:?}: {said:?}, status {status:?}; wanted {wanted:?}")
                });
            }
        }
    }
    // The name of before 21.02, and the one of since.
    let output = Command::new(diag).args(["-q", "--on", "lenovo_newifi-y1@19.07"]).arg(diag).output();
    let output = output.context("start diag")?;
    let told = String::from_utf8_lossy(&output.stderr);
    tally
        .check(output.status.code() == Some(2) && told.contains("21.02, 22.03, 23.05, 24.10, 25.12"), || {
            format!("--on lenovo_newifi-y1@19.07: {told}")
        });
    Ok(())
}

/// Every shell reads what completes the options for it.
fn completions(tally: &mut Tally) -> Result<()> {
    needs::ensure(&[("bash", "bash"), ("zsh", "zsh"), ("fish", "fish")])?;
    let dir = tempfile::tempdir().context("create a folder for completions")?;
    for shell in SHELLS {
        let path = dir.path().join(shell);
        fs::write(&path, script(shell)).with_context(|| format!("write {}", path.display()))?;
        let output = Command::new(shell).arg("-n").arg(&path).output().context("start a shell")?;
        tally.check(output.status.success() && output.stderr.is_empty(), || {
            format!("{shell} -n of the completions: {}", String::from_utf8_lossy(&output.stderr))
        });
    }
    // One line of each, as it is completed where somebody types it.
    let script = |shell: &str| dir.path().join(shell).display().to_string();
    let told = [
        ("fish", format!("source {}; complete -C 'diag --js'", script("fish"))),
        (
            "zsh",
            format!("autoload -U compinit; compinit -u -D; source {}; echo $_comps[diag]", script("zsh")),
        ),
    ];
    for ((shell, commands), wanted) in
        told.into_iter().zip(["--json\tthe report as one JSON document\n", "_diag\n"])
    {
        let output = Command::new(shell).args(["-c", &commands]).env("HOME", dir.path()).output();
        let output = output.context("start a shell")?;
        tally.check(output.stdout == wanted.as_bytes(), || format!("{shell}: {commands}: {output:?}"));
    }
    Ok(())
}

/// diag for this computer.
pub(crate) fn build() -> Result<PathBuf> {
    sh::say("diag for this computer: cargo build --release");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(sh::root()).args(["build", "--quiet", "--release", "--locked", "--package", "diag"]);
    sh::run(&mut cargo)?;
    Ok(sh::target("release")?.join("diag"))
}

/// Counts by strace what is read or mapped of a large file.
fn reads_little(diag: &Path, order: Order, size: Size, tally: &mut Tally) -> Result<()> {
    needs::ensure(&[("strace", "strace")])?;
    let file = samples::v2ray(order, size)?.canonicalize()?;
    let dir = tempfile::tempdir().context("create a folder for strace")?;
    let log = dir.path().join("log");
    let mut strace = Command::new("strace");
    let calls = "trace=read,pread64,readv,preadv,preadv2,mmap,sendfile,copy_file_range,splice";
    strace.args(["-f", "-y", "-e", calls, "-o"]).arg(&log).arg(diag).arg("--json").arg(&file);
    let output = strace.output().context("start strace")?;
    ensure!(output.status.code() == Some(1), "diag of {}: {}", file.display(), output.status);
    let log = fs::read_to_string(&log)?;
    let of_file = format!("<{}>", file.display());
    let read: u64 = log.lines().filter(|line| line.contains(&of_file)).filter_map(bytes_of).sum();
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    tally.note(format!("diag reads {read} bytes of {name}"));
    tally.check(0 < read && read <= READ_GATE, || {
        format!("diag reads {read} bytes of {name}; the budget is {READ_GATE}\n{log}")
    });
    Ok(())
}

/// What a call read: its result; of a mapping, its length.
fn bytes_of(line: &str) -> Option<u64> {
    if line.contains("mmap(") {
        return line.split(',').nth(1)?.trim().parse().ok();
    }
    line.rsplit_once("= ")?.1.trim().parse().ok()
}

/// Reports of whatever lies about here fit the schema, and have one entry for each file.
fn reports(diag: &Path, tally: &mut Tally) -> Result<()> {
    let schema = schema::load()?;
    for folder in FOLDERS {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| format!("read {folder}"))? {
            files.push(entry?.path());
        }
        files.sort();
        for some in files.chunks(100) {
            let output = Command::new(diag).arg("--json").args(some).output().context("start diag")?;
            let Some(report) = schema::report(&schema, folder, &output.stdout, tally) else { continue };
            let count = report["programs"].as_array().map_or(0, Vec::len);
            tally
                .check(count == some.len(), || format!("{folder}: {count} entries for {} files", some.len()));
        }
    }
    Ok(())
}
