//! What becomes of a report, and of a complaint, that nobody takes.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::unistd::pipe;

fn diag(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diag"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// A pipe that nobody reads.
fn broken() -> OwnedFd {
    pipe().unwrap().1
}

/// Of a report, as far as it is the same each time.
fn first_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().next().unwrap_or_default().split("\"memory\"").next().unwrap_or_default().to_owned()
}

/// What is asked for in each test: a report on stdout or a complaint on stderr, with every status.
const CALLS: [(&[&str], i32); 6] = [
    (&["/bin/true"], 0),
    (&["-vv", "/bin/true"], 0),
    (&["/etc/passwd"], 1),
    (&["/nowhere"], 2),
    (&["--bogus"], 2),
    (&["-vv", "--json", "/bin/true"], 0),
];

#[test]
fn a_complaint_that_cannot_be_written_changes_nothing() {
    for (arguments, status) in CALLS {
        let plain = diag(arguments).output().unwrap();
        assert_eq!(plain.status.code(), Some(status), "{arguments:?}: {plain:?}");
        for (way, stderr) in [("/dev/full", Stdio::from(full())), ("a broken pipe", broken().into())] {
            let output = diag(arguments).stderr(stderr).output().unwrap();
            assert_eq!(output.status.code(), Some(status), "{arguments:?}, {way}: {output:?}");
            // How much memory and room is free changes meanwhile.
            let [said, wanted] = [&output, &plain].map(|output| first_line(&output.stdout));
            assert_eq!(said, wanted, "{arguments:?}, {way}");
        }
        let limited = limited(arguments, 0, false);
        assert_eq!(limited.code(), Some(status), "{arguments:?}, stderr over RLIMIT_FSIZE");
    }
}

/// The first line is taken, then nobody reads any more.
#[test]
fn stderr_that_fails_later() {
    for _ in 0..20 {
        let mut child =
            diag(&["-vv", "/bin/true"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_exact(&mut [0]).unwrap();
        drop(stderr);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn a_full_disk_is_said() {
    for arguments in [&["/bin/true"][..], &["--json"], &["--help"], &["--version"], &[]] {
        let output = diag(arguments).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, "diag: the report could not be written: No space left on device\n");
        let neither = diag(arguments).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(neither.code(), Some(2), "{arguments:?}");
    }
}

/// RLIMIT_FSIZE for the stream that goes into a file; the other one goes nowhere.
fn limited(arguments: &[&str], bytes: u64, is_stdout: bool) -> ExitStatus {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("limited-{:?}", thread::current().id()));
    let file = File::create(&path).unwrap();
    let mut command = diag(arguments);
    if is_stdout {
        command.stdout(file).stderr(Stdio::null());
    } else {
        command.stdout(Stdio::null()).stderr(file);
    }
    // SAFETY: two system calls.
    unsafe {
        command.pre_exec(move || {
            setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
            setrlimit(Resource::RLIMIT_FSIZE, bytes, bytes).map_err(Into::into)
        });
    }
    let status = command.status().unwrap();
    fs::remove_file(path).unwrap();
    status
}

#[test]
fn a_limit_of_file_size_is_no_signal() {
    for bytes in [0, 1, 100] {
        for arguments in [&["--json"][..], &["--help"], &["-v", "/bin/true"]] {
            assert_eq!(limited(arguments, bytes, true).code(), Some(2), "{arguments:?}, {bytes} bytes");
        }
    }
}

/// As `ls | true` does, whatever the caller makes of the signal.
#[test]
fn a_pipe_that_nobody_reads_ends_it_quietly() {
    let callers: [(&str, fn()); 3] = [
        ("a shell", || ()),
        // SAFETY: no handler is set.
        ("one that ignores SIGPIPE", || {
            assert!(unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) }.is_ok());
        }),
        ("one that blocks SIGPIPE", || assert!(SigSet::from(Signal::SIGPIPE).thread_block().is_ok())),
    ];
    for (caller, prepare) in callers {
        for arguments in [&["/bin/true"][..], &["/nowhere"], &["--json"], &["--help"], &["-vv"]] {
            let mut command = diag(arguments);
            // SAFETY: at most one system call.
            unsafe {
                command.pre_exec(move || {
                    signal(Signal::SIGPIPE, SigHandler::SigDfl)?;
                    prepare();
                    Ok(())
                })
            };
            let output = command.stdout(broken()).output().unwrap();
            assert_eq!(output.status.signal(), Some(libc::SIGPIPE), "{caller}, {arguments:?}: {output:?}");
            if arguments != ["-vv"] {
                assert!(output.stderr.is_empty(), "{caller}, {arguments:?}: {output:?}");
            }
        }
    }
}

/// The most memory that a process has had so far, in KiB.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The peak of `diag` when all programs but the last fifty are read from its stdout. What it has to say of fifty is
/// more than the pipe takes: it is still there.
fn peak_of(count: usize, is_json: bool) -> u64 {
    let (reader, writer) = pipe().unwrap();
    fcntl(&reader, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    let mut command = diag(if is_json { &["--json"] } else { &[] });
    let mut child = command.args(vec!["/etc/passwd"; count]).stdout(writer).spawn().unwrap();
    drop(command);
    let mark = if is_json { "\"code\":\"not-a-program\"" } else { "error[not-a-program]" };
    let (mut reader, mut seen, mut text) = (File::from(reader), 0, String::new());
    let mut part = [0; 1024];
    while seen < count - 50 {
        let length = reader.read(&mut part).unwrap();
        assert!(length > 0, "{seen} of {count} programs are in the report");
        text += std::str::from_utf8(&part[..length]).unwrap();
        seen += text.matches(mark).count();
        // A mark may lie across two parts.
        text = text.rsplit_once(mark).map_or(text.clone(), |(_, rest)| rest.to_owned());
    }
    let peak = peak(child.id());
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    peak
}

/// Each program is written as soon as it is judged, and nothing of it is kept: ten thousand take 50 to 90 bytes each,
/// which is the arguments themselves (on the stack and in std's list). What is said of one is 300 bytes and more. The
/// pages of files that are mapped count too, and are not the same in each run: some hundred KiB.
#[test]
fn memory_does_not_grow_with_the_programs() {
    for is_json in [false, true] {
        let [few, many] = [100, 10_000].map(|count| peak_of(count, is_json));
        assert!(many <= few + 1024, "JSON {is_json}: {few} KiB for 100 programs, {many} KiB for 10,000");
    }
}

/// The pipe of an event loop: full, and made non-blocking by its owner.
#[test]
fn a_full_pipe_is_waited_for() {
    let arguments = ["/bin/true", "/bin/sh", "/nowhere"];
    let plain = diag(&arguments).output().unwrap();
    let (reader, writer) = pipe().unwrap();
    let (mut reader, mut writer) = (File::from(reader), File::from(writer));
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    let mut filled = 0;
    while let Ok(written) = writer.write(&[b'x'; 4096]) {
        filled += written;
    }
    let mut child = diag(&arguments).stdout(writer).spawn().unwrap();
    // By then it has met the full pipe.
    thread::sleep(Duration::from_millis(300));
    let mut text = Vec::new();
    reader.read_to_end(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&text[filled..]), String::from_utf8_lossy(&plain.stdout));
}
