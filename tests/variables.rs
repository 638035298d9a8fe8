//! Variables of the environment by which a program does not come to its end: diag names the variable where this computer's
//! loader heeds it, and its cure is one.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use testkit::Image;
use testkit::elf_h::DT_STRTAB;

/// Has it built what the others are about: a program with a library of two versions, and the firmware's in other folders.
const BUILD: &str = r#"
    echo 'int foo(void) { return 0; }' > foo.c
    echo 'int bar(void) { return 0; }' > bar.c
    echo 'int foo(void); int main(void) { return foo(); }' > calls.c
    echo 'int foo(void); int main(int c, char **v) { (void)v; return c > 1 ? foo() : 0; }' > may-call.c
    echo 'FOO_1 { global: foo; local: *; };' > 1
    echo 'FOO_2 { global: foo; local: *; };' > 2
    mkdir lib older plain other damaged
    library() { cc -shared -fPIC -Wl,-soname,libfoo.so.1 -o "$@"; }
    library lib/libfoo.so.1 foo.c -Wl,--version-script=2
    library older/libfoo.so.1 foo.c -Wl,--version-script=1
    library plain/libfoo.so.1 foo.c
    program() { cc "$@" lib/libfoo.so.1 -Wl,--enable-new-dtags,-rpath,"$PWD/lib"; }
    program -o lazy calls.c -Wl,-z,lazy
    program -o now calls.c -Wl,-z,now
    library other/libfoo.so.1 bar.c
    library lib/libbaz.so.1 foo.c -Wl,-soname,libbaz.so.1
    library other/libbaz.so.1 bar.c -Wl,-soname,libbaz.so.1
    cc -o baz calls.c lib/libbaz.so.1 -Wl,--enable-new-dtags,-rpath,"$PWD/lib",-z,now
    cc -o lacks may-call.c lib/libbaz.so.1 -Wl,--enable-new-dtags,-rpath,"$PWD/other",-z,lazy
"#;

/// A program, what is set, and what the loader says then.
const CASES: [(&str, &str, &str, &str); 8] = [
    ("lazy", "LD_LIBRARY_PATH", "older", "version `FOO_2' not found"),
    ("now", "LD_LIBRARY_PATH", "older", "version `FOO_2' not found"),
    ("lazy", "LD_LIBRARY_PATH", "plain", "check_match"),
    ("now", "LD_LIBRARY_PATH", "plain", "check_match"),
    ("baz", "LD_LIBRARY_PATH", "other", "undefined symbol: foo"),
    ("lazy", "LD_PRELOAD", "older/libfoo.so.1", "version `FOO_2' not found"),
    // Whatever it says: its strings are another's memory.
    ("now", "LD_LIBRARY_PATH", "damaged", ""),
    ("lacks", "LD_BIND_NOW", "1", "undefined symbol: foo"),
];

fn run(program: &Path, folder: &Path, variable: Option<(&str, &str)>, args: &[&Path]) -> Output {
    let mut command = Command::new(program);
    command.current_dir(folder).args(args);
    for name in ["LD_BIND_NOW", "LD_LIBRARY_PATH", "LD_PRELOAD"] {
        command.env_remove(name);
    }
    command.envs(variable).output().unwrap()
}

#[test]
fn what_is_set_is_named_and_unset() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let built = Command::new("sh").args(["-ec", BUILD]).current_dir(folder).output().unwrap();
    assert!(built.status.success(), "{built:?}");
    let mut damaged = Image::parse(fs::read(folder.join("lib/libfoo.so.1")).unwrap()).unwrap();
    let strings = damaged.dynamic(DT_STRTAB).unwrap().1;
    damaged.put(strings, damaged.number(strings).unwrap() + 0x10_0000).unwrap();
    fs::write(folder.join("damaged/libfoo.so.1"), damaged.bytes).unwrap();
    let diag = Path::new(env!("CARGO_BIN_EXE_diag"));
    for (name, variable, value, words) in CASES {
        let program = folder.join(name);
        let value = if variable == "LD_BIND_NOW" { value.into() } else { folder.join(value) };
        let set = Some((variable, value.to_str().unwrap()));
        let ran = run(&program, folder, set, &[]);
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(!ran.status.success() && said.contains(words), "{name} by {variable}: {ran:?}");
        assert!(run(&program, folder, None, &[]).status.success(), "{name} without {variable}");

        let told = run(diag, folder, set, &[&program]);
        let text = String::from_utf8_lossy(&told.stdout);
        // Its lines are as long as a terminal's.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for wanted in [words, &format!("unset {variable}"), &format!("because of {variable}")] {
            assert!(text.contains(wanted), "{name} by {variable}: no `{wanted}`:\n{text}");
        }
        let without = run(diag, folder, None, &[&program]);
        assert_eq!(without.status.code(), Some(0), "{}", String::from_utf8_lossy(&without.stdout));
    }
}
