//! Files that are no programs for this kernel alone: what it makes of them is what diag says.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const ENOEXEC: i32 = 8;
const SIGSEGV: i32 = 11;

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kinds");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn compile(name: &str, source: &str, options: &[&str]) -> PathBuf {
    let (text, file) = (folder().join(name).with_extension("c"), folder().join(name));
    fs::write(&text, source).unwrap();
    let mut cc = Command::new("cc");
    assert!(cc.arg("-o").arg(&file).arg(text).args(options).status().unwrap().success(), "{name}");
    file
}

/// What diag says of a program, in one line, and its exit status.
fn diag(program: &Path) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_diag")).arg(program).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (text.split_whitespace().collect::<Vec<_>>().join(" "), output.status.code())
}

#[test]
fn what_needs_a_loader_and_names_none_dies() {
    let source =
        "int puts(const char *); int run(void) { return puts(\"run\"); } int main(void) { run(); return 0; }";
    let library = ["-shared", "-fPIC", "-Wl,-e,run"];
    let lost = ["-pie", "-fPIE", "-Wl,--no-dynamic-linker"];
    for (name, options, said) in [
        ("addon.node", &library[..], "is a shared library"),
        ("addon-without-entry.node", &library[..2], "is a shared library"),
        ("lost", &lost[..], "names no loader"),
    ] {
        let file = compile(name, source, options);
        let ended = Command::new(&file).status().unwrap();
        assert_eq!(ended.signal(), Some(SIGSEGV), "{name}");
        let (text, status) = diag(&file);
        assert!(text.contains(said) && text.contains("SIGSEGV"), "{text}");
        assert_eq!(status, Some(1));
    }
    let file = compile("whole", source, &["-static-pie"]);
    assert!(Command::new(&file).status().unwrap().success());
    assert_eq!(diag(&file).1, Some(0));
}

/// It begins as Cosmopolitan's do; what is in it is a script only.
#[test]
fn a_cosmopolitan_program_is_started_by_a_shell_alone() {
    let (content, file) = (folder().join("ape.content"), folder().join("ape"));
    fs::write(&content, b"MZqFpD='\n\n\0\x10\0'\necho started\nexit 0\n").unwrap();
    // Another process writes it: what the other test's compiler inherits of this one would keep it busy.
    assert!(Command::new("cp").args([&content, &file]).status().unwrap().success());
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    // posix_spawn(3), which runs no shell in its place, as execvp(3) does.
    assert_eq!(Command::new(&file).status().unwrap_err().raw_os_error(), Some(ENOEXEC));
    let by_shell = Command::new("sh").arg(&file).output().unwrap();
    assert_eq!(by_shell.stdout, b"started\n");
    let (text, status) = diag(&file);
    assert!(text.contains("cosmopolitan-program") && text.contains("sh "), "{text}");
    assert_eq!(status, Some(1));
}
