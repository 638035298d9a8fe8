//! The programs of this computer start on it: what `diag` says of them must not be that they do not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use diag::cli::{self, Args};
use diag::finding::Severity;
use diag::machine::probe::Live;
use diag::report::{Style, Verdict};

/// Executable regular files of a folder, links followed.
fn programs(folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let executable = |path: &Path| {
        fs::metadata(path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| executable(path)).collect();
    found.sort();
    found
}

/// Whether the kernel has a handler for the first bytes at all; what it has not, only a shell runs.
fn is_program(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF") || bytes.starts_with(b"#!"))
}

#[test]
fn no_program_of_this_computer_is_said_to_fail() {
    let mut judged = 0;
    let mut wrong = Vec::new();
    for folder in ["/usr/bin", "/usr/sbin", "/usr/lib/git-core"] {
        let found: Vec<PathBuf> = programs(folder).into_iter().filter(|path| is_program(path)).collect();
        let report = cli::judge_all(&Live, &Args { programs: found, ..Args::default() });
        for one in &report.programs {
            judged += 1;
            let errors = one.findings.iter().any(|finding| finding.severity == Severity::Error);
            if errors || one.verdict() != Verdict::Starts {
                wrong.push(format!("{}: {:?} {:?}", one.given.display(), one.outcome, one.findings));
            }
        }
    }
    assert!(judged > 300, "only {judged} programs were found");
    assert!(wrong.is_empty(), "{} of {judged}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn this_machine_is_described_in_a_screenful() {
    let output = cli::run(&Live, &Args::default(), Style::default());
    assert_eq!(output.status, 0);
    let unmounted = output.text.lines().filter(|line| !line.contains("iB")).count();
    assert!(unmounted <= 24, "{}", output.text);
}
