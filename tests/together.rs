//! Programs of one call: each is judged as if it were the only one, whatever is kept from one to the next.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn compile(folder: &Path, name: &str, source: &str, options: &[&str]) -> PathBuf {
    let (text, file) = (folder.join(name).with_extension("c"), folder.join(name));
    fs::write(&text, source).unwrap();
    let mut cc = Command::new("cc");
    cc.arg("-o").arg(&file).arg(text).arg("-L").arg(folder).args(options);
    assert!(cc.status().unwrap().success(), "{name}");
    file
}

/// What diag says of programs.
fn diag(folder: &Path, programs: &[&PathBuf]) -> String {
    let mut diag = Command::new(env!("CARGO_BIN_EXE_diag"));
    let output = diag.args(programs).env("LD_LIBRARY_PATH", folder).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A library asks for what only one of two programs loads, and for what only one of two programs defines.
#[test]
fn what_one_program_has_another_lacks() {
    let folder = &Path::new(env!("CARGO_TARGET_TMPDIR")).join("together");
    fs::create_dir_all(folder).unwrap();
    let shared = ["-shared", "-fPIC", "-nostdlib"];
    compile(folder, "libb.so", "int b(void) { return 1; }", &shared);
    compile(folder, "liba.so", "int b(void); int a(void) { return b(); }", &shared);
    let loads = ["-Wl,--no-as-needed", "-la", "-lb"];
    let lacks = ["-la", "-Wl,--unresolved-symbols=ignore-all"];
    let defines = ["-la", "-rdynamic"];
    let main = "int a(void); int main(void) { return a(); }";
    let own = "int a(void); int b(void) { return 2; } int main(void) { return a(); }";
    let loads = compile(folder, "loads", main, &loads);
    let lacks = compile(folder, "lacks", main, &lacks);
    let defines = compile(folder, "defines", own, &defines);
    let said = |program| diag(folder, &[program]);
    assert!(said(&loads).contains("starts") && said(&defines).contains("starts"));
    assert!(said(&lacks).contains("symbol-missing"), "{}", said(&lacks));
    for programs in [
        [&loads, &lacks, &loads],
        [&defines, &lacks, &loads],
        [&loads, &defines, &lacks],
        [&lacks, &loads, &defines],
    ] {
        let together = diag(folder, &programs);
        for program in programs {
            assert!(together.contains(said(program).trim()), "{together}");
        }
    }
}
