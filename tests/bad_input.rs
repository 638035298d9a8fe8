//! Whatever it is given, `diag` answers with a sentence and the right exit status, and does not hang.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use testkit::copy_program;

/// Runs `diag`; one that hangs is ended by SIGALRM, which no test takes for an answer.
fn diag(arguments: &[&OsStr]) -> Output {
    run(Command::new("timeout").args(["--signal=ALRM", "30", env!("CARGO_BIN_EXE_diag")]).args(arguments))
}

fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(matches!(output.status.code(), Some(0..=2)), "{command:?}: {output:?}");
    for stream in [&output.stdout, &output.stderr] {
        assert!(stream.iter().all(|byte| *byte >= 0x20 || *byte == b'\n'), "{command:?}: {output:?}");
    }
    output
}

/// Judges one file: the exit status, the report, and that stderr says nothing.
fn judge(path: &Path) -> (i32, String) {
    let output = diag(&[path.as_os_str()]);
    assert!(output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bad-input").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn executable(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

fn expect(path: &Path, status: i32, words: &str) {
    let (found, text) = judge(path);
    assert_eq!(found, status, "{}: {text}", path.display());
    assert!(text.contains(words), "{}: {text}", path.display());
}

#[test]
fn what_is_not_there() {
    let folder = folder("missing");
    expect(&folder.join("none"), 2, "warning[no-such-file]");
    File::create(folder.join("file")).unwrap();
    expect(&folder.join("file/below"), 2, "warning[no-such-file]");
    symlink("loop", folder.join("loop")).unwrap();
    expect(&folder.join("loop"), 2, "warning[no-such-file]");
    symlink("nowhere", folder.join("dangling")).unwrap();
    expect(&folder.join("dangling"), 2, "warning[no-such-file]");
    expect(&folder.join("n".repeat(300)), 2, "warning[no-such-file]");
    expect(Path::new(""), 2, "warning[no-such-file]");
}

#[test]
fn what_is_no_regular_file() {
    let folder = folder("irregular");
    expect(&folder, 1, "error[not-a-program]");
    let fifo = folder.join("fifo");
    assert!(Command::new("mkfifo").arg("-m").arg("755").arg(&fifo).status().unwrap().success());
    expect(&fifo, 1, "error[not-a-program]");
    expect(Path::new("/dev/zero"), 1, "error[not-a-program]");
    expect(Path::new("/dev/null"), 1, "error[not-a-program]");
}

#[test]
fn what_is_short() {
    let folder = folder("short");
    let path = folder.join("file");
    executable(&path, b"");
    expect(&path, 1, "error[not-a-program]");
    executable(&path, b"x");
    expect(&path, 1, "error[not-a-program]");
    let whole = fs::read(env!("CARGO_BIN_EXE_diag")).unwrap();
    for length in (1..=64).chain([65, 100, 119, 120, 121, 200, 512, 1000]) {
        executable(&path, &whole[..length]);
        let (status, line) = judge(&path);
        assert_eq!(status, 1, "{length} bytes: {line}");
        assert!(line.starts_with("error["), "{length} bytes: {line}");
    }
}

#[test]
fn what_is_long() {
    let folder = folder("long");
    let path = folder.join("sparse");
    executable(&path, b"\x7fELF\x02\x01\x01");
    OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    let (status, line) = judge(&path);
    assert_eq!(status, 1, "{line}");
    executable(&path, b"");
    OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    expect(&path, 1, "error[not-a-program]");
}

#[test]
fn what_may_not_be_read() {
    // Not below the project, which may lie where only its owner may look.
    let folder = std::env::temp_dir().join(format!("diag-unreadable-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("file");
    executable(&path, b"#!/bin/sh\n");
    fs::set_permissions(&path, Permissions::from_mode(0o111)).unwrap();
    let binary = folder.join("diag");
    copy_program(env!("CARGO_BIN_EXE_diag"), &binary).unwrap();
    let mut command = Command::new(&binary);
    command.arg(&path);
    // Root may read everything; nobody may not.
    let is_root =
        String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap().trim() == "0";
    let reachable = !is_root
        || folder
            .ancestors()
            .all(|f| f.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0));
    assert!(reachable, "{}: nobody may not reach it, so that this cannot be tested here", folder.display());
    if is_root {
        command.uid(65534).gid(65534);
    }
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("warning[unreadable-file]"), "{output:?}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn names_do_not_reach_the_terminal_as_they_are() {
    let folder = folder("names");
    for name in [&b"new\nline"[..], b"\x1b[31mred", b"\xff\xfe", b"tab\t", "über".as_bytes(), b"-dash"] {
        let path = folder.join(OsStr::from_bytes(name));
        executable(&path, b"#!/no/\x1b[31m\x07such\n");
        let (status, line) = judge(&path);
        assert_eq!(status, 1, "{line}");
        for arguments in [&["--json"][..], &["-v"], &["-q"]] {
            let mut all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            all.push(path.clone().into_os_string());
            let all: Vec<&OsStr> = all.iter().map(OsString::as_os_str).collect();
            assert_eq!(diag(&all).status.code(), Some(1));
        }
    }
}

#[test]
fn a_report_that_cannot_be_written() {
    let shell = |redirect: &str, arguments: &str| {
        let script = format!("exec \"$0\" {arguments} {redirect}");
        run(Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_diag")]))
    };
    for arguments in ["", "--json", "--help", "--version", "/bin/sh"] {
        for redirect in [">/dev/full", ">&-"] {
            let output = shell(redirect, arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments} {redirect}");
            assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1, "{output:?}");
        }
    }
    assert_eq!(shell("2>&-", "/bin/sh").status.code(), Some(0));
}

#[test]
fn bad_usage() {
    for arguments in
        [&["--nope"][..], &["-x"], &["--dest"], &["--dest", "/"], &["--on", "x"], &["--run", "x"]]
    {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let output = diag(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1, "{output:?}");
    }
}

#[test]
fn several_programs_and_their_status() {
    let status = |arguments: &[&str]| {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        diag(&arguments).status.code().unwrap()
    };
    assert_eq!(status(&["/bin/sh"]), 0);
    assert_eq!(status(&["/bin/sh", "/nowhere"]), 2);
    assert_eq!(status(&["/nowhere", "/bin/sh", "/etc/passwd"]), 1);
    assert_eq!(status(&["--", "sh"]), 0, "a name without a slash is looked up in PATH");
}
