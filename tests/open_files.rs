//! Where diag may not have open what it needs (EMFILE), it says so, with status 2: on a router as on a computer.
#![cfg(target_os = "linux")]

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};

use nix::sys::resource::{Resource, setrlimit};

fn limited(files: u64, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diag"));
    command.args(arguments).stdin(Stdio::null());
    let set = move || setrlimit(Resource::RLIMIT_NOFILE, files, files).map_err(io::Error::from);
    // SAFETY: one system call, before execve(2).
    unsafe { command.pre_exec(set) };
    command.output().unwrap()
}

/// A loader has one file open at a time, diag all: where it may have no more, that is no fault of the program.
#[test]
fn files_that_diag_may_not_have_open() {
    let mut too_few = 0;
    let each: &[&[&str]] = if cfg!(feature = "every-machine") {
        &[&["/bin/sh"], &["--on", "/", "/bin/sh"]]
    } else {
        &[&["/bin/sh"]]
    };
    for arguments in each {
        for limit in 4..64 {
            let output = limited(limit, arguments);
            let said = String::from_utf8_lossy(&output.stdout);
            let names_it = said.contains("EMFILE");
            assert_eq!(output.status.code(), Some(if names_it { 2 } else { 0 }), "{limit}: {said}");
            too_few += usize::from(names_it);
        }
    }
    assert!(too_few > 0, "every limit was enough");
}

/// What a recording lacks for that is no more than unknown, and said.
#[test]
fn files_that_a_recording_lacks() {
    let unknown = |output: &Output| {
        let lines = output.stdout.split(|byte| *byte == b'\n');
        lines.filter(|line| line.starts_with(b"unknown ")).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let mut too_few = 0;
    let whole = limited(256, &["--record", "/bin/sh"]);
    assert_eq!(whole.status.code(), Some(0));
    for limit in 4..64 {
        let output = limited(limit, &["--record", "/bin/sh"]);
        let said = String::from_utf8_lossy(&output.stderr);
        let names_it = said.contains("the recording lacks /")
            && said.contains("(EMFILE), and perhaps more: ulimit -n 256, then");
        assert!(
            names_it || unknown(&output) == unknown(&whole),
            "{limit}: it lacks more, and does not say so"
        );
        assert_eq!(output.status.code(), Some(if names_it { 2 } else { 0 }), "{limit}: {said}");
        too_few += usize::from(names_it);
    }
    assert!(too_few > 0, "every limit was enough");
}
