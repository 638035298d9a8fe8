//! The programs of this computer start on it, says its kernel: so must `diag`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use diag::cli::{self, Args};
use diag::exec::Outcome;
use diag::finding::Severity;
use diag::judge;
use diag::ldso::Kept;
use diag::live::{Live, target_path};
use diag::machine::Machine;
use diag::report::Style;
use diag::target::Target;
use oracle::answer::{Answer, End};
use oracle::runner::{self, Runner};

/// Executable regular files of a folder, links followed.
fn programs(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let executable = |path: &Path| {
        fs::metadata(path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    entries.map(|entry| entry.unwrap().path()).filter(|path| executable(path)).collect()
}

/// Folders of that name below another, at any depth; links are not followed.
fn named(name: &str, below: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(below) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let path = entry.path();
            if entry.file_name() == name {
                found.push(path.clone());
            }
            named(name, &path, found);
        }
    }
}

/// /usr/bin, /usr/sbin, git's own folder, and every bin below /usr/lib.
fn all_programs() -> Vec<PathBuf> {
    let mut folders = ["/usr/bin", "/usr/sbin", "/usr/lib/git-core"].map(PathBuf::from).to_vec();
    named("bin", Path::new("/usr/lib"), &mut folders);
    let mut found: Vec<PathBuf> = folders.iter().flat_map(|folder| programs(folder)).collect();
    found.sort();
    found
}

/// Whether the file begins so.
fn begins(path: &Path, with: &[u8]) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(with))
}

/// How many of the programs start, and what is wrong with what diag says of them. Each is started, up to its first
/// instruction: nobody wants `reboot` to run.
fn judge(programs: &[PathBuf], runner: &Path) -> (usize, Vec<String>) {
    let mut runner = Runner::stopping(runner).unwrap();
    let live = Live::default();
    let (mut machine, kept) = (Machine::new(Target::new(&live)), Kept::default());
    let mut started = 0;
    let mut wrong = Vec::new();
    for path in programs {
        // One after the other, as on the command line: what is known of a program goes with its report.
        let one = judge::judge(&mut machine, &kept, &target_path(path), None);
        let answer = runner.ask(one.given.as_bytes()).unwrap();
        let errors = one.findings.iter().any(|finding| finding.severity == Severity::Error);
        let agrees = match (&answer, one.outcome) {
            (Answer::Started(how), Outcome::Starts) => how.end == End::Stopped && !errors,
            // A script whose interpreter somebody has removed.
            (Answer::Refused(errno), Outcome::Refused { errno: said, .. }) => errno == said.name(),
            _ => false,
        };
        started += usize::from(matches!(answer, Answer::Started(_)));
        if !agrees {
            wrong.push(format!("{}: {answer}: {:?} {:?}", one.given.display(), one.outcome, one.findings));
        }
    }
    (started, wrong)
}

#[test]
fn diag_and_the_kernel_agree_on_the_programs_of_this_computer() {
    let runner = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runner");
    runner::install(&runner).unwrap();
    let mut found = all_programs();
    // What is no ELF file and no script, only a shell runs.
    found.retain(|path| begins(path, b"\x7fELF") || begins(path, b"#!"));
    let judged = found.len();
    let share = judged.div_ceil(thread::available_parallelism().map_or(1, usize::from)).max(1);
    let (mut started, mut wrong) = (0, Vec::new());
    thread::scope(|scope| {
        let threads: Vec<_> =
            found.chunks(share).map(|programs| scope.spawn(|| judge(programs, &runner))).collect();
        for thread in threads {
            let (starting, faults) = thread.join().unwrap();
            started += starting;
            wrong.extend(faults);
        }
    });
    assert!(started > 300, "only {started} of {judged} programs start");
    assert!(wrong.is_empty(), "{} of {judged}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn this_machine_is_described_in_a_screenful() {
    let live = Live::default();
    let output = cli::report(Target::new(&live), &Args::default(), Style::default());
    assert_eq!(output.status, 0);
    let unmounted = output.text.lines().filter(|line| !line.contains("iB")).count();
    assert!(unmounted <= 24, "{}", output.text);
}
