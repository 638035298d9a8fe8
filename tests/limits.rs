//! Limits of the caller (ulimit): what becomes of a program under them, and what diag says under the same ones. Needs no root.
#![cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
#![allow(unsafe_code)]

use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::libc::rlim_t;
use nix::sys::resource::{Resource, setrlimit};

const MIB: rlim_t = 1 << 20;
const CODE: &str = "memory-limit";

fn under(resource: Resource, bytes: rlim_t, program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    // SAFETY: setrlimit(2) alone, between fork and execve.
    unsafe { command.pre_exec(move || setrlimit(resource, bytes, bytes).map_err(Into::into)) };
    command.output().unwrap()
}

#[test]
fn limits_end_programs_as_diag_says() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("limits");
    std::fs::create_dir_all(&folder).unwrap();
    let shell = "printf 'static char b[300 << 20]; int main(void) { return b[0]; }' > bss.c
        printf 'const char b[200 << 20] = { 1 }; int main(void) { return b[5] != 0; }' > code.c
        cc -o bss bss.c; cc -static -o static bss.c; cc -o code code.c";
    assert!(Command::new("sh").args(["-ec", shell]).current_dir(&folder).status().unwrap().success());
    for (name, resource, mib, starts) in [
        ("bss", Resource::RLIMIT_AS, 200, false),
        ("bss", Resource::RLIMIT_AS, 400, true),
        ("static", Resource::RLIMIT_AS, 200, false),
        ("static", Resource::RLIMIT_AS, 400, true),
        ("bss", Resource::RLIMIT_DATA, 200, false),
        ("static", Resource::RLIMIT_DATA, 200, false),
        ("bss", Resource::RLIMIT_DATA, 400, true),
        // What is only read is no data, and takes addresses.
        ("code", Resource::RLIMIT_DATA, 100, true),
        ("code", Resource::RLIMIT_AS, 100, false),
    ] {
        let case = format!("{name} under {resource:?} of {mib} MiB");
        let program = folder.join(name);
        let program = program.to_str().unwrap();
        // The kernel's SIGSEGV within execve comes before std's own report of it.
        let real = under(resource, mib * MIB, program, &[]).status;
        assert_eq!(real.code() == Some(0), starts, "{case}: {real:?}");
        assert!(starts || real.signal().is_some(), "{case}: {real:?}");
        let told = under(resource, mib * MIB, env!("CARGO_BIN_EXE_diag"), &[program]);
        let words = String::from_utf8_lossy(&told.stdout);
        assert_eq!(told.status.code(), Some(i32::from(!starts)), "{case}: {words}");
        assert_eq!(words.contains(CODE), !starts, "{case}: {words}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
