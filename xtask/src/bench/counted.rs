//! User instructions of one call, counted by valgrind: they hardly vary from run to run.

use std::fmt::Write;
use std::process::Stdio;

use anyhow::{Context, Result};

use super::Programs;
use crate::gates::thousands;

/// Command lines, and the most that one of diag's may cost.
const CALLS: [(&[&str], Option<u64>); 11] = [
    (&["diag", "v2ray"], Some(350_000)),
    (&["diag", "/bin/ls"], Some(1_500_000)),
    (&["diag", "/bin/bash"], Some(2_500_000)),
    (&["diag"], Some(1_000_000)),
    (&["diag", "--version"], None),
    (&["readelf", "-h", "v2ray"], None),
    (&["readelf", "-h", "/bin/ls"], None),
    (&["file", "v2ray"], None),
    (&["file", "/bin/ls"], None),
    (&["file", "/bin/bash"], None),
    (&["empty"], None),
];

/// The table, and what is over its bound.
pub(super) fn table(programs: &Programs) -> Result<(String, Vec<String>)> {
    let mut text =
        "\n## User instructions\n\nOf one call on x86-64, by `valgrind --tool=callgrind`; *empty* is a \
                    `main` that returns.\n\n| call | instructions | at most |\n| --- | ---: | ---: |\n"
            .to_owned();
    let mut over = Vec::new();
    for (line, most) in CALLS {
        let count = count(programs, line)?;
        let call = line.join(" ");
        let bound = most.map(thousands).unwrap_or_default();
        writeln!(text, "| `{call}` | {} | {bound} |", thousands(count))?;
        if let Some(most) = most.filter(|most| count > *most) {
            over.push(format!("{call}: {} instructions, at most {}", thousands(count), thousands(most)));
        }
    }
    Ok((text, over))
}

fn count(programs: &Programs, line: &[&str]) -> Result<u64> {
    let out = format!("--callgrind-out-file={}", programs.work.join("callgrind").display());
    let mut command = programs.command(&[&["valgrind", "--tool=callgrind", &out], line].concat());
    let output = command.stderr(Stdio::piped()).output().context("start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    // The last is the program's own: children that diag asks the kernel by come to their ends before.
    let collected =
        said.lines().rev().find_map(|line| line.split_once("Collected : ").map(|(_, count)| count));
    let count = collected.and_then(|count| count.trim().parse().ok());
    count.with_context(|| format!("{line:?}: valgrind counted nothing: {said}"))
}
