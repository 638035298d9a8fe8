//! Programs that are damaged and really started: what diag says of them happens.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Enough CR LF that a transfer in text mode moves what is behind them.
const SOURCE: &str = r#"
#include <stdio.h>
#define FOUR(x) x x x x
const char text[] = FOUR(FOUR(FOUR("GET\r\n")));
int main(void) { return puts(text) < 0; }
"#;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("damage");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn compile(name: &str, options: &[&str]) -> Vec<u8> {
    let (source, file) = (folder().join("source.c"), folder().join(name));
    if !source.exists() {
        fs::write(&source, SOURCE).unwrap();
    }
    let cc = Command::new("cc").arg("-o").arg(&file).arg(source).args(options).status().unwrap();
    assert!(cc.success(), "{name}");
    fs::read(file).unwrap()
}

/// Whether it ends by a signal, with another status than 0, or not at all: `execve` refuses it.
fn dies(file: &Path) -> bool {
    let started = Command::new(file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = started else { return true };
    let start = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return !status.success(),
            None if start.elapsed() > Duration::from_secs(20) => {
                child.kill().unwrap();
                child.wait().unwrap();
                return true;
            }
            None => sleep(Duration::from_millis(2)),
        }
    }
}

fn diag(file: &Path, option: &str) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_diag")).arg(option).arg(file).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Starts a file, and asks diag about it.
fn judge(name: &str, bytes: &[u8], finding: &str, is_certain: bool) {
    let file = folder().join(name);
    fs::write(&file, bytes).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    let (status, said) = diag(&file, "--strict");
    assert_eq!(dies(&file), status == 1, "{name} really dies, or does not: {said}");
    assert!(said.contains(finding), "{name}: {said}");
    assert_eq!(diag(&file, "-q").0 == 1, is_certain, "{name}: {said}");
}

fn number(bytes: &[u8], at: usize, len: usize) -> usize {
    bytes[at..at + len].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// Offset and length in the file of the first program header of a kind that holds an address, where one is asked for.
fn segment(bytes: &[u8], kind: u32, address: Option<usize>) -> Option<(usize, usize)> {
    (0..number(bytes, 56, 2)).map(|index| number(bytes, 32, 8) + 56 * index).find_map(|at| {
        let [offset, start, len] = [8, 16, 32].map(|field| number(bytes, at + field, 8));
        let is_it = number(bytes, at, 4) == kind as usize
            && address.is_none_or(|address| (start..start + len).contains(&address));
        is_it.then(|| {
            address.map_or((offset, len), |address| (address - start + offset, len - (address - start)))
        })
    })
}

fn filled(bytes: &[u8], (offset, len): (usize, usize), byte: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[offset..offset + len].fill(byte);
    bytes
}

fn crlf(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect()
}

fn lf(bytes: &[u8]) -> Vec<u8> {
    let pair = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
    (0..bytes.len()).filter(|at| !pair(*at)).map(|at| bytes[at]).collect()
}

#[test]
fn what_is_damaged_dies_and_what_is_whole_runs() {
    for (kind, options) in [("dynamic", &[][..]), ("static", &["-static"]), ("static-pie", &["-static-pie"])]
    {
        let whole = compile(kind, options);
        let name = |what: &str| format!("{kind}-{what}");
        judge(&name("whole"), &whole, "starts on this machine", false);
        // A header that names a wrong place for the section table: nothing is gone.
        let mut header = whole.clone();
        header[40..48].copy_from_slice(&(number(&whole, 40, 8) as u64 + 16).to_le_bytes());
        judge(&name("e_shoff"), &header, "starts on this machine\n", false);
        let (transfer, unwritten) = ("changed-by-transfer", "unwritten-content");
        judge(&name("crlf"), &crlf(&whole), transfer, true);
        judge(&name("lf"), &lf(&whole), transfer, true);
        judge(&name("utf-8"), String::from_utf8_lossy(&whole).as_bytes(), transfer, true);
        let entry = segment(&whole, PT_LOAD, Some(number(&whole, 24, 8))).unwrap();
        judge(&name("entry"), &filled(&whole, (entry.0, 64), 0), unwritten, true);
        judge(&name("flash"), &filled(&whole, (entry.0, 64), 0xff), unwritten, true);
        let (page, end) = (filled(&whole, (4096, whole.len() - 4096), 0), "zeros from byte ");
        judge(&name("behind-a-page"), &page, unwritten, true);
        let written = page.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let said = diag(&folder().join(name("behind-a-page")), "-v").1;
        assert!(said.contains(&format!("{end}{written} ")), "{written}: {said}");
        judge(&name("table"), &filled(&whole, (64, 56 * number(&whole, 56, 2)), 0), unwritten, true);
        // Where there is a loader, it is the one to die.
        let is_dynamic = kind == "dynamic";
        if let Some(dynamic) = segment(&whole, PT_DYNAMIC, None) {
            judge(&name("pt-dynamic"), &filled(&whole, dynamic, 0), unwritten, is_dynamic);
        }
        if let Some(interp) = segment(&whole, PT_INTERP, None) {
            judge(&name("pt-interp"), &filled(&whole, interp, 0), unwritten, true);
        }
        // The table of sections: nothing loads it.
        judge(&name("sections"), &whole[..whole.len() - 200], "truncated-file", false);
    }
}
