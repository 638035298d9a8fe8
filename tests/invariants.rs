//! What must hold of every file on every machine: single-field mutations of good files, on all recorded machines.

mod fixtures;

use std::path::PathBuf;
use std::thread;

use diag::cli::{self, Args};
use diag::exec::Outcome;
use diag::finding::Severity;
use diag::judge::{self, Report};
use diag::recorded::Recorded;
use diag::report::{Judged, Style, Verdict, json, text};
use diag::target::Target;

use fixtures::Fixture;
use testkit::Elf;
use testkit::abi::ABIS;

const MACHINES: [&str; 5] = ["lenovo-y1", "ath79-be", "armv7-novfp", "aarch64", "x86-64"];

/// A field and a value that differs from the good one.
const MUTATIONS: [(&str, u64); 36] = [
    ("e_type", 0),
    ("e_type", 1),
    ("e_type", 3),
    ("e_type", 4),
    ("e_machine", 0),
    ("e_machine", 8),
    ("e_machine", 40),
    ("e_machine", 62),
    ("e_machine", 0xffff),
    ("EI_CLASS", 0),
    ("EI_CLASS", 1),
    ("EI_CLASS", 2),
    ("EI_DATA", 0),
    ("EI_DATA", 1),
    ("EI_DATA", 2),
    ("EI_OSABI", 9),
    ("e_entry", 0),
    ("e_entry", 0x40_0001),
    ("e_entry", 0xffff_fff0),
    ("e_phoff", 0),
    ("e_phoff", 0xffff_ffff),
    ("e_flags", 0),
    ("e_flags", 0x5000_1020),
    ("e_flags", 0x5000_1200),
    ("e_flags", 0x5000_1400),
    ("e_flags", 0x9000_1000),
    ("e_phentsize", 1),
    ("e_phnum", 0),
    ("e_phnum", 0xffff),
    ("p_type", 0),
    ("p_offset", 1),
    ("p_offset", 0x10_0000),
    ("p_vaddr", 0xffff_0000),
    ("p_filesz", 0x10_0000),
    ("p_memsz", 1),
    ("p_flags", 0),
];

/// The files: every ABI as it is and with one field changed, with and without what else a file may have.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for abi in ABIS {
        let good = Elf::of(abi.name);
        let kinds = [
            ("static", good.clone()),
            ("go-hard", good.clone().go().abiflags(32, 1, 1, 0)),
            ("dynamic", good.clone().interp("/lib/ld.so.1").needed("libc.so.6")),
            ("musl", good.clone().interp("/lib/ld-musl-mipsel-sf.so.1")),
            ("r6", good.abiflags(32, 6, 6, 0xfff)),
        ];
        for (kind, elf) in kinds {
            files.push((format!("{}-{kind}", abi.name), elf.build()));
            for (field, value) in MUTATIONS {
                files.push((
                    format!("{}-{kind}-{field}-{value:x}", abi.name),
                    elf.clone().set(field, value).build(),
                ));
            }
        }
    }
    let whole = Elf::of("mipsel").interp("/lib/ld-musl-mipsel-sf.so.1").build();
    files.extend((0..whole.len()).map(|length| (format!("cut-{length}"), whole[..length].to_vec())));
    files
}

fn check(machine: &str, judged: &Judged) {
    let errors = judged.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let say = format!("{machine}: {}: {:?}\n{:#?}", judged.given.display(), judged.outcome, judged.findings);
    match judged.outcome {
        Outcome::Refused { .. }
        | Outcome::Killed { .. }
        | Outcome::Exits { .. }
        | Outcome::Endless { .. }
        | Outcome::Fails { .. } => {
            assert!(errors > 0, "no error explains it: {say}");
            assert_eq!(judged.verdict(), Verdict::Fails, "{say}");
        }
        Outcome::Starts => assert_eq!(errors, 0, "an error on what starts: {say}"),
        Outcome::Unknown { missing } => {
            assert!(!missing.words().is_empty(), "{say}");
            assert_eq!(judged.verdict(), Verdict::Unknown, "{say}");
            assert_eq!(errors, 0, "an error, and exit status 2: {say}");
        }
    }
    let order: Vec<Severity> = judged.findings.iter().map(|finding| finding.severity).collect();
    assert!(order.is_sorted(), "{say}");
    let deaths = judged.findings.iter().filter(|finding| finding.effect.is_some());
    assert!(deaths.clone().all(|finding| finding.severity == Severity::Warning), "{say}");
    assert!(deaths.count() == 0 || judged.outcome == Outcome::Starts, "{say}");
    let first_dies = judged.findings.first().is_some_and(|finding| finding.effect.is_some());
    assert_eq!(judged.dies_of().is_some(), first_dies, "what it dies of is told first: {say}");
    for finding in &judged.findings {
        assert!(!finding.title.is_empty() && !finding.title.ends_with('.'), "{say}");
        let mut codes = judged.findings.iter().filter(|other| other.code == finding.code);
        assert!(codes.next().is_some() && codes.next().is_none(), "a code twice: {say}");
    }
}

#[test]
fn outcomes_and_findings_agree() {
    let files = files();
    thread::scope(|scope| {
        for machine in MACHINES {
            scope.spawn(|| agree(machine, &files));
        }
    });
}

fn agree(machine: &str, files: &[(String, Vec<u8>)]) {
    let fixture = Fixture::new(machine, &format!("invariants-{machine}"));
    let system = fixture.system();
    let mut programs = Vec::new();
    for (name, bytes) in files {
        let path = format!("/tmp/{name}");
        fixture.write(&path, bytes);
        programs.push(path.into());
    }
    let Report { machine: facts, programs } = judge::judge_all(Target::new(&system), &programs, None);
    assert_eq!(programs.len(), files.len());
    for judged in &programs {
        check(machine, judged);
    }
    let starts = programs.iter().filter(|judged| judged.verdict() == Verdict::Starts).count();
    assert!(starts > 10, "{machine}: only {starts} start: the mutations show nothing");
    let document: serde_json::Value = serde_json::from_str(&json::write(&facts, &programs)).unwrap();
    assert_eq!(document["programs"].as_array().unwrap().len(), files.len());
    let deaths = programs.iter().filter(|judged| judged.dies_of().is_some()).count();
    let told = document["programs"].as_array().unwrap().iter();
    let told = told.filter(|program| program["findings"][0]["effect"] == "dies").count();
    let quiet = text::programs(&facts, &programs, Style { quiet: true, ..Style::default() });
    assert_eq!(
        [told, quiet.matches(" starts on this machine, and will most likely die: ").count()],
        [deaths; 2]
    );
    let shown = text::programs(&facts, &programs, Style { verbose: true, ..Style::default() });
    assert!(shown.bytes().all(|byte| byte >= 0x20 || byte == b'\n'));
}

#[test]
fn a_judgement_is_the_same_each_time() {
    let fixture = Fixture::new("lenovo-y1", "twice");
    fixture.create("/tmp/a elf mips go");
    let args = Args { programs: ["/tmp/a"].into_iter().collect(), json: true, ..Args::default() };
    let run = || cli::report(Target::new(&fixture.system()), &args, Style::default()).text;
    assert_eq!(run(), run());
}

#[test]
fn a_machine_without_proc_is_unknown_and_no_error() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("machines/nothing");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("file"), Elf::of("mips").build()).unwrap();
    let system = Recorded::new(folder);
    let described = cli::report(Target::new(&system), &Args::default(), Style::default());
    assert_eq!(described.status, 0);
    assert!(described.text.contains("not known"), "{}", described.text);
    let report = judge::judge_all(Target::new(&system), &["/file".into()], None);
    assert_ne!(report.programs[0].verdict(), Verdict::Starts, "{:?}", report.programs[0].outcome);
}
