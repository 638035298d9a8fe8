//! Where memory ends diag says so in one line, with status 2: no limit ends it by a signal.
#![cfg(all(target_os = "linux", feature = "every-machine"))]

mod skipped;

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::sys::resource::{Resource, setrlimit};
use skipped::skipped;
use testkit::Elf;

const LINE: &str = "diag: there is not enough memory\n";
const MIB: u64 = 1 << 20;
/// What a loader of glibc says where there is no room for a library, or for what is each thread's.
const LOADERS: [&str; 2] =
    ["error while loading shared libraries", "cannot allocate TLS data structures for initial thread"];

fn limited(resource: Resource, limit: u64, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diag"));
    command.args(arguments).stdin(Stdio::null());
    let set = move || setrlimit(resource, limit, limit).map_err(io::Error::from);
    // SAFETY: one system call, before execve(2).
    unsafe { command.pre_exec(set) };
    command.output().unwrap()
}

/// A report, or the line; true where it is the line.
fn ends_well(output: &Output, say: &str) -> bool {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if err == LINE {
        assert_eq!(output.status.code(), Some(2), "{say}");
        return true;
    }
    assert!(matches!(output.status.code(), Some(0..=2)), "{say}: {}: {err}", output.status);
    assert!(err.is_empty() && !out.is_empty(), "{say}: {err}");
    false
}

#[test]
fn every_limit_is_stood() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("limits");
    std::fs::create_dir_all(&folder).unwrap();
    // As much as a file can have diag keep: 4,000 names, looked for in many folders.
    let greedy = folder.join("greedy");
    let names = (0..4000).fold(Elf::of("x86-64").interp("/lib64/ld-linux-x86-64.so.2"), |elf, index| {
        elf.needed(&format!("lib{index:0>200}.so"))
    });
    let list: String = (0..1000).map(|folder| format!("/{folder}:")).collect();
    std::fs::write(&greedy, names.dynamic(29, &list).build()).unwrap();
    let greedy = greedy.to_str().unwrap();
    let own = env!("CARGO_BIN_EXE_diag");
    let each: [&[&str]; 4] = [&[], &["--json", own], &[greedy], &["--json", greedy]];
    let mut lines = 0;
    for arguments in each {
        for limit in (16 * MIB..32 * MIB).step_by(1 << 20) {
            let output = limited(Resource::RLIMIT_AS, limit, arguments);
            lines += usize::from(ends_well(&output, &format!("RLIMIT_AS {limit} {arguments:?}")));
        }
        // What the loader and the C library take for themselves comes before.
        for limit in (512 << 10..10 * MIB).step_by(256 << 10) {
            let output = limited(Resource::RLIMIT_DATA, limit, arguments);
            lines += usize::from(ends_well(&output, &format!("RLIMIT_DATA {limit} {arguments:?}")));
        }
    }
    assert!(lines > 0, "no limit was too low");
    println!("{lines} of them too low");
}

/// Below what a dynamic program needs, its loader says so; from where it starts on, diag does.
#[test]
fn where_diag_starts_it_speaks() {
    let mut starts = false;
    for limit in (MIB..16 * MIB).step_by(128 << 10) {
        let output = limited(Resource::RLIMIT_AS, limit, &["/bin/sh"]);
        let said = String::from_utf8_lossy(&output.stderr);
        let by_loader = output.status.code() == Some(127) && LOADERS.iter().any(|words| said.contains(words));
        if by_loader || output.status.code().is_none() && !starts {
            continue;
        }
        starts = true;
        ends_well(&output, &format!("RLIMIT_AS {limit}"));
    }
    if !starts {
        skipped("16 MiB are too little for any program here: limits are not tried");
    }
}
