//! What a security module refuses: Landlock, by which any process may restrict itself, on this computer's kernel.

mod skipped;

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::libc::{self, c_long};
use serde_json::Value;
use skipped::skipped;
use testkit::copy_program;

/// linux/landlock.h
const LANDLOCK_ACCESS_FS_EXECUTE: u64 = 1;
const LANDLOCK_RULE_PATH_BENEATH: c_long = 1;

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    allowed_access: u64,
    parent_fd: i32,
}

fn checked(result: c_long) -> io::Result<c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Has this process, and what it starts, execute only what lies below these folders.
fn restrict_to(folders: &[File]) -> io::Result<()> {
    let none = std::ptr::null::<u8>();
    // SAFETY: system calls with structures that live until they return.
    unsafe {
        let handled = LANDLOCK_ACCESS_FS_EXECUTE;
        let ruleset = checked(libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const handled,
            size_of::<u64>(),
            0,
        ))?;
        for folder in folders {
            let rule = PathBeneath { allowed_access: handled, parent_fd: folder.as_raw_fd() };
            checked(libc::syscall(
                libc::SYS_landlock_add_rule,
                ruleset,
                LANDLOCK_RULE_PATH_BENEATH,
                &raw const rule,
                0,
            ))?;
        }
        checked(c_long::from(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))?;
        checked(libc::syscall(libc::SYS_landlock_restrict_self, ruleset, none, 0)).map(drop)
    }
}

#[test]
fn what_landlock_refuses_is_said() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("policy");
    let _ = fs::remove_dir_all(&root);
    let (closed, open) = (root.join("closed"), root.join("open"));
    for folder in [&closed, &open] {
        fs::create_dir_all(folder).unwrap();
        copy_program("/bin/true", folder.join("program")).unwrap();
        fs::write(folder.join("script"), b"#!/bin/sh\nexit 0\n").unwrap();
        fs::set_permissions(folder.join("script"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let interpreted = open.join("interpreted");
    fs::write(&interpreted, format!("#!{}\n", closed.join("program").display())).unwrap();
    fs::set_permissions(&interpreted, fs::Permissions::from_mode(0o755)).unwrap();

    let diag = Path::new(env!("CARGO_BIN_EXE_diag"));
    let within = |command: &mut Command| {
        // What libraries lie in, and the two that are allowed.
        let folders = [Path::new("/usr"), Path::new("/bin"), diag.parent().unwrap(), &open];
        let folders: Vec<File> = folders.iter().map(|folder| File::open(folder).unwrap()).collect();
        // SAFETY: system calls only.
        unsafe { command.pre_exec(move || restrict_to(&folders)) };
    };
    let programs = [
        (closed.join("program"), true),
        (closed.join("script"), true),
        (open.join("program"), false),
        (open.join("script"), false),
        (interpreted, true),
    ];
    for (program, is_refused) in &programs {
        let mut real = Command::new(program);
        within(&mut real);
        let real = match real.status() {
            Ok(status) => {
                assert!(status.success(), "{}: {status}", program.display());
                None
            }
            Err(error) => error.raw_os_error(),
        };
        if matches!(real, Some(libc::ENOSYS | libc::EOPNOTSUPP)) {
            return skipped("what_landlock_refuses_is_said: this kernel has no Landlock");
        }
        assert_eq!(real == Some(libc::EACCES), *is_refused, "{}: {real:?}", program.display());
    }
    if !knows_the_question() {
        return skipped("what_landlock_refuses_is_said: this kernel has no AT_EXECVE_CHECK (Linux 6.14)");
    }
    let mut judging = Command::new(diag);
    judging.arg("--json").args(programs.iter().map(|(program, _)| program));
    within(&mut judging);
    let output = judging.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for ((program, is_refused), told) in programs.iter().zip(report["programs"].as_array().unwrap()) {
        let expected = if *is_refused { "refused" } else { "starts" };
        assert_eq!(
            told["verdict"],
            if *is_refused { "fails" } else { "starts" },
            "{}: {told}",
            program.display()
        );
        assert_eq!(told["outcome"]["kind"], expected, "{}: {told}", program.display());
    }
}

/// Whether execveat(2) with AT_EXECVE_CHECK comes back, of a program that exits with another status.
fn knows_the_question() -> bool {
    let mut child = Command::new("/bin/false");
    // SAFETY: system calls only.
    unsafe {
        child.pre_exec(|| {
            let (argv, envp) = ([c"false".as_ptr(), std::ptr::null()], [std::ptr::null::<u8>()]);
            let result = libc::syscall(
                libc::SYS_execveat,
                libc::AT_FDCWD,
                c"/bin/false".as_ptr(),
                argv.as_ptr(),
                envp.as_ptr(),
                libc::AT_EXECVE_CHECK,
            );
            libc::_exit(if result == 0 { 42 } else { 43 })
        });
    }
    child.status().is_ok_and(|status| status.code() == Some(42))
}
