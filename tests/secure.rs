//! Secure execution (AT_SECURE): programs with other rights than who starts them, started by root and by nobody. diag says
//! what this computer's kernel and its glibc do.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(unsafe_code)]

mod skipped;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::libc;
use skipped::skipped;
use testkit::copy_program;

const NOBODY: u32 = 65534;

/// Any capability, with the flag `e` or without: linux/capability.h `struct vfs_cap_data` of revision 2.
fn set_capabilities(file: &Path, effective: bool) -> bool {
    let mut value = [0_u8; 20];
    (value[0], value[3]) = (u8::from(effective), 2);
    // cap_net_raw.
    value[5] = 1 << 5;
    let path = std::ffi::CString::new(file.to_str().unwrap()).unwrap();
    // SAFETY: two texts that end in NUL, and bytes of that length.
    let set = unsafe {
        libc::setxattr(path.as_ptr(), c"security.capability".as_ptr(), value.as_ptr().cast(), value.len(), 0)
    };
    set == 0
}

#[test]
fn what_has_other_rights_finds_its_libraries_as_diag_says() {
    if !nix::unistd::geteuid().is_root() {
        skipped("only root gives a program other rights: nothing was tried");
        return;
    }
    let folder = std::env::temp_dir().join(format!("diag-secure-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("lib")).unwrap();
    let shell = |command: &str| {
        let status = Command::new("sh").args(["-ec", command]).current_dir(&folder).status().unwrap();
        assert!(status.success(), "{command}");
    };
    shell(
        "chmod 755 . lib; echo 'int own(void) { return 0; }' > own.c
         echo 'int own(void); int main(void) { return own(); }' > x.c
         cc -shared -fPIC -o lib/libown.so own.c -Wl,-soname,libown.so
         cc -o origin x.c -Llib -lown -Wl,-rpath,'$ORIGIN/lib'; cc -o variable x.c -Llib -lown
         cc -o absolute x.c -Llib -lown -Wl,-rpath,\"$PWD/lib\"",
    );
    let diag = folder.join("diag");
    copy_program(env!("CARGO_BIN_EXE_diag"), &diag).unwrap();
    let mut failed = 0;
    let mut compare = |program: &Path, user: Option<u32>| {
        let run = |mut command: Command| {
            command.env("LD_LIBRARY_PATH", folder.join("lib")).stdin(Stdio::null()).stderr(Stdio::null());
            if let Some(user) = user {
                command.uid(user).gid(user);
            }
            command.stdout(Stdio::null()).status().unwrap().code()
        };
        let mut judge = Command::new(&diag);
        judge.arg(program);
        let (real, told) = (run(Command::new(program)), run(judge));
        assert!(matches!(real, Some(0 | 127)), "{}: {real:?}", program.display());
        assert_eq!(told, real.map(|status| status.min(1)), "{} by {user:?}", program.display());
        failed += u32::from(real == Some(127));
    };
    let mut has_capabilities = true;
    for name in ["origin", "variable", "absolute"] {
        let copy = |as_what: &str, mode: u32, owner: u32| {
            let path = folder.join(format!("{name}-{as_what}"));
            copy_program(folder.join(name), &path).unwrap();
            chown(&path, Some(owner), Some(owner)).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        let mut programs = vec![
            copy("plain", 0o755, 0),
            copy("set-user-id", 0o4755, 0),
            copy("set-group-id", 0o2755, 0),
            copy("group-without-x", 0o2745, 0),
            copy("of-nobody", 0o6755, NOBODY),
        ];
        for (as_what, effective) in [("effective", true), ("permitted", false)] {
            let path = copy(as_what, 0o755, 0);
            has_capabilities &= set_capabilities(&path, effective);
            programs.push(path);
        }
        for program in &programs {
            compare(program, None);
            compare(program, Some(NOBODY));
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    if !has_capabilities {
        skipped("no capabilities on this file system: not tried with them");
    }
    if failed == 0 {
        skipped("set-user-ID has no effect in the folder for temporary files: not tried");
    }
}
