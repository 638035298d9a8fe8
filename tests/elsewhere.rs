//! A library that its loader does not find, and that lies elsewhere: the commands that diag tells have to start the program,
//! which does not start without them.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::ffi::CStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use diag::cli::{self, Args};
use diag::elf::ByteOrder;
use diag::live::{Live, target_path};
use diag::report::Style;
use diag::target::{Auxv, Kernel, Known, Target, Uname};
use serde_json::Value;

/// A folder with a program that needs libfoo.so.1, which is nowhere yet, and that library's source.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("elsewhere").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("bin")).unwrap();
    fs::create_dir_all(folder.join("lib")).unwrap();
    fs::write(folder.join("foo.c"), "int foo(void) { return 0; }").unwrap();
    fs::write(folder.join("main.c"), "int foo(void); int main(void) { return foo(); }").unwrap();
    cc(&folder, &["-shared", "-fPIC", "-o", "libfoo.so", "foo.c", "-Wl,-soname,libfoo.so.1"]);
    cc(&folder, &["-o", "bin/program", "main.c", "./libfoo.so"]);
    folder
}

fn cc(folder: &Path, arguments: &[&str]) {
    let mut cc = Command::new("cc");
    assert!(cc.current_dir(folder).args(arguments).status().unwrap().success(), "{cc:?}");
}

/// This machine, with an LD_PRELOAD of its own: diag's own loader heeds the real one.
struct Preloads(String);

impl Kernel for Preloads {
    fn uname(&self) -> Known<Uname> {
        Live::default().uname()
    }
    fn auxv(&self) -> Auxv {
        Live::default().auxv()
    }
    fn variable(&self, name: &CStr) -> Option<Vec<u8>> {
        (name == c"LD_PRELOAD" && !self.0.is_empty()).then(|| self.0.clone().into_bytes())
    }
    fn own_byte_order(&self) -> Option<ByteOrder> {
        Live::default().own_byte_order()
    }
}

/// The first finding, and the status with which the program itself ends.
fn judged(program: &Path, preload: &str) -> (Value, Option<i32>) {
    let (here, kernel) = (Live::default(), Preloads(preload.to_owned()));
    let args = Args { programs: [target_path(program)].into_iter().collect(), json: true, ..Args::default() };
    let output = cli::report(Target { root: &here, kernel: &kernel }, &args, Style::default());
    let report: Value = serde_json::from_str(&output.text).unwrap();
    let mut start = Command::new(program);
    start.env_remove("LD_LIBRARY_PATH").env("LD_PRELOAD", preload);
    (report["programs"][0]["findings"][0].clone(), start.status().unwrap().code())
}

fn status_of(command: &str) -> Option<i32> {
    Command::new("sh").args(["-c", command]).env_remove("LD_LIBRARY_PATH").status().unwrap().code()
}

fn command(finding: &Value, index: usize) -> &str {
    finding["fix"]["commands"][index].as_str().unwrap_or_else(|| panic!("{finding:#}"))
}

#[test]
fn a_library_beside_the_program() {
    for place in ["bin", "lib"] {
        let folder = folder(place);
        fs::rename(folder.join("libfoo.so"), folder.join(place).join("libfoo.so.1")).unwrap();
        let (finding, status) = judged(&folder.join("bin/program"), "");
        assert_eq!((finding["code"].as_str(), status), (Some("library-missing"), Some(127)), "{finding:#}");
        assert!(finding["title"].as_str().unwrap().contains("where its loader does not look"), "{finding:#}");
        assert_eq!(status_of(command(&finding, 0)), Some(0), "{finding:#}");
    }
}

#[test]
fn what_is_nowhere_is_not_found() {
    let folder = folder("nowhere");
    fs::remove_file(folder.join("libfoo.so")).unwrap();
    let (finding, status) = judged(&folder.join("bin/program"), "");
    assert_eq!((finding["code"].as_str(), status), (Some("library-missing"), Some(127)), "{finding:#}");
    assert!(finding["title"].as_str().unwrap().ends_with("is not on this machine"), "{finding:#}");
}

#[test]
fn a_preloaded_library_lacks_another() {
    let folder = folder("preload");
    fs::write(folder.join("plain.c"), "int main(void) { return 0; }").unwrap();
    cc(&folder, &["-o", "bin/plain", "plain.c"]);
    fs::write(folder.join("pre.c"), "int foo(void); int pre(void) { return foo(); }").unwrap();
    cc(&folder, &["-shared", "-fPIC", "-o", "lib/libpre.so", "pre.c", "./libfoo.so"]);
    fs::remove_file(folder.join("libfoo.so")).unwrap();
    let preload = folder.join("lib/libpre.so");
    let (finding, status) = judged(&folder.join("bin/plain"), preload.to_str().unwrap());
    assert_eq!((finding["code"].as_str(), status), (Some("library-missing"), Some(127)), "{finding:#}");
    assert!(finding["title"].as_str().unwrap().contains("by LD_PRELOAD"), "{finding:#}");
    assert_eq!(status_of(&format!("{}; {}", command(&finding, 0), command(&finding, 1))), Some(0));
}
