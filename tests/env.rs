//! Scripts for env: this computer's env, and BusyBox' where it is installed, must end as `diag` says.
#![cfg(target_os = "linux")]

mod skipped;

use std::ffi::{CStr, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use diag::exec::{Outcome, Step};
use diag::judge;
use diag::live::{Live, target_path};
use diag::target::{Answer, Auxv, Capability, Kernel, Known, Limits, Target, Uname};

use skipped::skipped;

/// The status of a program that was started: no env has it.
const STARTED: i32 = 42;
const NAME: &str = "tool-of-a-test";

/// This computer's kernel, and another PATH.
struct WithPath<'a>(&'a Live, Option<Vec<u8>>);

impl Kernel for WithPath<'_> {
    fn uname(&self) -> Known<Uname> {
        self.0.uname()
    }
    fn auxv(&self) -> Auxv {
        self.0.auxv()
    }
    fn limits(&self) -> Limits {
        self.0.limits()
    }
    fn variable(&self, name: &CStr) -> Option<Vec<u8>> {
        match name.to_bytes() {
            b"PATH" => self.1.clone(),
            b"TOOL" => Some(NAME.into()),
            _ => self.0.variable(name),
        }
    }
    fn ask(&self, question: Capability) -> Known<Answer> {
        self.0.ask(question)
    }
}

/// What lies under the name in a folder.
const KINDS: [&str; 12] = [
    "started",
    "absent",
    "no-x",
    "folder",
    "no-interpreter",
    "text",
    "foreign",
    "dangling",
    "loop",
    "by-env",
    "zeros",
    "chain",
];

fn write(path: &Path, bytes: &[u8], mode: u32) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder of each kind.
fn make(root: &Path) {
    for kind in KINDS {
        let folder = root.join(kind);
        fs::create_dir_all(&folder).unwrap();
        let tool = folder.join(NAME);
        let started = format!("#!/bin/sh\nexit {STARTED}\n");
        match kind {
            "started" => write(&tool, started.as_bytes(), 0o755),
            "no-x" => write(&tool, started.as_bytes(), 0o644),
            "folder" => fs::create_dir(&tool).unwrap(),
            "no-interpreter" => write(&tool, b"#!/nowhere/at/all\n", 0o755),
            "text" => write(&tool, format!("exit {STARTED}\n").as_bytes(), 0o755),
            "foreign" => {
                // The ELF file of another processor.
                let mut bytes = fs::read("/proc/self/exe").unwrap();
                bytes.truncate(4096);
                bytes[18] ^= 0x55;
                write(&tool, &bytes, 0o755);
            }
            "dangling" => symlink("nowhere", &tool).unwrap(),
            "loop" => symlink(NAME, &tool).unwrap(),
            "by-env" => write(&tool, b"#!/usr/bin/env sh\nexit 42\n", 0o755),
            "zeros" => write(&tool, &[0; 64], 0o755),
            "chain" => {
                let next = folder.join("next");
                write(&next, b"#!/bin/sh\nexit 42\n", 0o755);
                write(&tool, format!("#!{}\n", next.display()).as_bytes(), 0o755);
            }
            _ => {}
        }
    }
    write(&root.join("file"), b"", 0o644);
    fs::DirBuilder::new().mode(0o600).create(root.join("closed")).unwrap();
}

/// Lines behind `#!ENV `. `{}` is the folder of everything.
const LINES: [&str; 36] = [
    "tool-of-a-test",
    "tool-of-a-test\r",
    "tool-of-a-test -u",
    "-S tool-of-a-test -u",
    "-Stool-of-a-test",
    "-S tool-of-a-test -u\r",
    "-S A=1 tool-of-a-test",
    "-S PATH={}/started tool-of-a-test",
    "-S PATH= tool-of-a-test",
    "-S -u PATH tool-of-a-test",
    "-S -i tool-of-a-test",
    "-S -i PATH={}/no-x:{}/absent tool-of-a-test",
    "-S -i PATH=relative:started tool-of-a-test",
    "-S -C {}/started ./tool-of-a-test",
    "-S -C {} started/tool-of-a-test",
    "-S --chdir={}/nowhere tool-of-a-test",
    "-S -C {}/file tool-of-a-test",
    // Root may enter it.
    "-S -C {}/closed tool-of-a-test",
    "-S -C {}/started PATH=:/nowhere tool-of-a-test",
    "-S -- tool-of-a-test",
    "-S - tool-of-a-test",
    "-S 'tool-of-a-test' \"x y\"",
    "-S tool\\_of",
    "-S \"tool-of-a-test",
    "-S tool-of-a-test # a comment",
    "-S ${TOOL}",
    "--split-string=tool-of-a-test -x",
    "-vS tool-of-a-test",
    "-i tool-of-a-test",
    "-z",
    "--bogus",
    "--null",
    "{}/started/tool-of-a-test",
    "{}/file/tool-of-a-test",
    "-u",
    "A=1 tool-of-a-test",
];

/// How a script ends; 124 where that takes too long.
fn run(script: &Path, path: Option<&[u8]>, folder: &Path, endless: bool) -> i32 {
    let mut timeouts = ["/usr/bin/timeout", "/bin/timeout"].into_iter();
    let program = timeouts.find(|path| Path::new(path).exists()).expect("timeout");
    let mut command = Command::new(program);
    command.arg(if endless { "1" } else { "60" }).arg(script).current_dir(folder).env("TOOL", NAME);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match path {
        Some(path) => command.env("PATH", OsStr::from_bytes(path)),
        None => command.env_remove("PATH"),
    };
    let status = command.status().unwrap();
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap()
}

/// Whether an outcome is what happened.
fn agrees(outcome: Outcome, env: &Path, line: &str, real: i32) -> bool {
    match outcome {
        Outcome::Starts if line == "-u" => real == 0,
        // A shell reads zeros as nothing.
        Outcome::Starts => matches!(real, STARTED | 0),
        // Which of these it is depends on the bytes that a shell reads; whether it does, on the C library of a static BusyBox.
        Outcome::Exits { status: 2, step: Step::EnvExec } => matches!(real, 2 | 126 | 127),
        Outcome::Exits { step: Step::EnvExec, .. } if !env.starts_with("/usr") => {
            matches!(real, 2 | 126 | 127)
        }
        Outcome::Exits { status, .. } => real == i32::from(status),
        Outcome::Endless { .. } => real == 124,
        Outcome::Unknown { .. }
        | Outcome::Refused { .. }
        | Outcome::Killed { .. }
        | Outcome::Fails { .. } => false,
    }
}

#[test]
fn env_ends_as_it_is_said_to() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("env");
    let _ = fs::remove_dir_all(&root);
    make(&root);
    std::env::set_current_dir(&root).unwrap();
    let mut envs = vec![PathBuf::from("/usr/bin/env")];
    if Path::new("/bin/busybox").exists() {
        let env = root.join("env");
        symlink("/bin/busybox", &env).unwrap();
        envs.push(env);
    } else {
        skipped("env_ends_as_it_is_said_to: there is no /bin/busybox, whose env is another");
    }
    let live = Live::default();
    let (mut wrong, mut unknown, mut tried) = (Vec::new(), 0, 0);
    let mut seed = 1_u32;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    let mut judge = |env: &Path, line: &str, path: Option<String>| {
        let script = root.join("script");
        let written = line.replace("{}", root.to_str().unwrap());
        write(&script, format!("#!{} {written}\n", env.display()).as_bytes(), 0o755);
        let bytes = path.clone().map(String::into_bytes);
        let kernel = WithPath(&live, bytes.clone());
        let report = judge::judge_all(Target { root: &live, kernel: &kernel }, &[target_path(&script)], None);
        let outcome = report.programs[0].outcome;
        tried += 1;
        if matches!(outcome, Outcome::Unknown { .. }) {
            unknown += 1;
            return false;
        }
        let endless = matches!(outcome, Outcome::Endless { .. });
        let real = run(&script, bytes.as_deref(), &root, endless);
        if !agrees(outcome, env, line, real) {
            wrong.push(format!(
                "{} {line:?} PATH={path:?}: {outcome:?}, and ended with {real}",
                env.display()
            ));
        }
        true
    };
    let folder = |kind: &str| root.join(kind).to_str().unwrap().to_owned();
    for env in &envs {
        // Each line, with a PATH that has the program and one that does not.
        for line in LINES {
            for path in
                [Some(format!("{}:/usr/bin:/bin", folder("started"))), Some("/usr/bin:/bin".to_owned()), None]
            {
                judge(env, line, path);
            }
        }
        // No applet, though its name is in BusyBox.
        assert!(judge(env, "bash", Some(folder("absent"))), "{}: bash is not known", env.display());
        // The plain line, with what may lie in PATH.
        for kind in KINDS {
            judge(env, NAME, Some(folder(kind)));
            judge(env, NAME, Some(format!("{}:{}", folder(kind), folder("started"))));
        }
        for _ in 0..120 {
            let mut folders = Vec::new();
            for _ in 0..=next(5) {
                folders.push(match next(KINDS.len() + 4) {
                    0 => root.join("file").to_str().unwrap().to_owned(),
                    1 => String::new(),
                    2 => "/nowhere".to_owned(),
                    3 => "started".to_owned(),
                    kind => folder(KINDS[kind - 4]),
                });
            }
            judge(env, NAME, Some(folders.join(":")));
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(unknown * 8 < tried, "{unknown} of {tried} are not known");
}
