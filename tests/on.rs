//! `--on`: a program of this computer, judged for a machine in a folder, an archive or a text; and what nobody should make a
//! recording of.

mod skipped;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use testkit::elf::Elf;

use skipped::skipped;

fn machines(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("machines").join(name)
}

fn diag(on: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_diag")).arg("--on").arg(on).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A program of a machine in a folder here, as a download has it: without the x bit.
fn program(folder: &TempDir, elf: &Elf) -> String {
    let path = folder.path().join("v2ray");
    fs::write(&path, elf.build()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn archive(of: &Path) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    builder.follow_symlinks(false);
    builder.append_dir_all(".", of).unwrap();
    builder.into_inner().unwrap()
}

fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// What is told of programs.
fn programs(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["programs"].clone()
}

#[test]
fn a_folder_and_an_archive_of_it_are_one_machine() {
    let folder = tempfile::tempdir().unwrap();
    for name in fs::read_dir(machines("")).unwrap() {
        let machine = name.unwrap().path();
        let packed = file(&folder, "machine.tar", &archive(&machine));
        let whole = |on: &Path| diag(on, &["--json"]);
        assert_eq!(text(&whole(&machine).stdout), text(&whole(&packed).stdout), "{}", machine.display());
        let path = program(&folder, &Elf::of("mipsel").interp("/lib/ld-musl-mipsel-sf.so.1"));
        let judged = |on: &Path| diag(on, &["--json", &path, "/bin/sh", "/nowhere"]);
        assert_eq!(text(&judged(&machine).stdout), text(&judged(&packed).stdout), "{}", machine.display());
    }
}

#[test]
fn a_download_is_judged_as_it_will_lie_there() {
    let folder = tempfile::tempdir().unwrap();
    let y1 = machines("lenovo-y1");
    // Nobody can execute it here, and that is of no matter there.
    let path = program(&folder, &Elf::of("mipsel"));
    let output = diag(&y1, &[&path]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{output:?}");
    let path = program(&folder, &Elf::of("mips"));
    let output = diag(&y1, &["-q", &path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("error[wrong-byte-order]: "), "{output:?}");
    // It is installed, so that it has to fit.
    let path = program(&folder, &Elf::of("x86-64"));
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(60 << 20).unwrap();
    let pc = machines("x86-64");
    let codes = |arguments: &[&str]| {
        let output = diag(&pc, arguments);
        let of = |finding: &Value| format!("{} {}", finding["severity"], finding["code"]).replace('"', "");
        let found: Vec<String> =
            programs(&output)[0]["findings"].as_array().unwrap().iter().map(of).collect();
        (output.status.code().unwrap(), found)
    };
    let fits = |found: &[String]| !found.contains(&String::from("error not-enough-space"));
    let (status, found) = codes(&["--json", &path]);
    assert!(status == 1 && !fits(&found), "{found:?}");
    let (status, found) = codes(&["--json", "--dest", "/tmp", &path]);
    assert!(status == 0 && fits(&found), "{found:?}");
    // The same name there is another file.
    let other = file(&folder, "other", &Elf::of("mips").build());
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all(".", &pc).unwrap();
    builder.append_path_with_name(&other, path.trim_start_matches('/')).unwrap();
    let with_other = file(&folder, "with-other.tar", &builder.into_inner().unwrap());
    let output = diag(&with_other, &["--dest", "/tmp", &path]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// A machine whose files are links; `outside` is in none of them.
#[test]
fn nothing_is_read_outside() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("cpuinfo"), "system type\t\t: LEAKED chip\nmachine\t: LEAKED\n").unwrap();
    fs::write(outside.join("uname"), "Linux h 4.14.151 LEAKED mips GNU/Linux\n").unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("proc")).unwrap();
    fs::create_dir_all(root.join("etc")).unwrap();
    symlink(outside.join("cpuinfo"), root.join("proc/cpuinfo")).unwrap();
    symlink("../../outside/cpuinfo", root.join("proc/meminfo")).unwrap();
    symlink("../outside/uname", root.join("uname")).unwrap();
    symlink(&outside, root.join("lib")).unwrap();
    symlink("/etc/passwd", root.join("etc/os-release")).unwrap();
    symlink("loop", root.join("df")).unwrap();
    symlink("df", root.join("loop")).unwrap();
    assert!(Command::new("mkfifo").arg(root.join("auxv")).status().unwrap().success());
    for on in [root.clone(), file(&folder, "links.tar", &archive_of_links(&root))] {
        let output = diag(&on, &["-v"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(
            !text(&output.stdout).contains("LEAKED") && !text(&output.stdout).contains("root:"),
            "{output:?}"
        );
        let output = diag(&on, &["/bin/sh"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

/// tar(1) leaves FIFOs to be what they are; the crate does not.
fn archive_of_links(of: &Path) -> Vec<u8> {
    fs::remove_file(of.join("auxv")).unwrap();
    archive(of)
}

/// An archive of what is described: a name, a kind, what it leads to, what its header says of its size, and its bytes.
fn made(entries: &[(&str, tar::EntryType, &str, u64, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, link, size, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_size(*size);
        header.set_cksum();
        bytes.extend(header.as_bytes());
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// What diag says of an archive: its status, and stderr.
fn said(folder: &TempDir, archive: &[u8]) -> (i32, String) {
    let on = file(folder, "made.tar", archive);
    let output = diag(&on, &["--json", "/bin/sh"]);
    let said = text(&output.stderr);
    assert!(said.lines().count() <= 1, "{said}");
    (output.status.code().expect("no signal"), said.replace(on.to_str().unwrap(), "FILE"))
}

const UNAME: &[u8] = b"Linux h 4.14.151 #0 mips GNU/Linux\n";

#[test]
fn hostile_archives_are_one_sentence_or_unknown() {
    use tar::EntryType as Kind;
    let folder = tempfile::tempdir().unwrap();
    let uname = ("uname", Kind::Regular, "", UNAME.len() as u64, UNAME);
    let none: &[u8] = b"";
    let refused = [
        (vec![uname, ("../../etc/cron.d/x", Kind::Regular, "", 0, none)], "leads out of it"),
        (vec![uname, ("a/../../x", Kind::Symlink, "/", 0, none)], "leads out of it"),
        (vec![uname, ("big", Kind::Regular, "", 1 << 40, none)], "it is cut short"),
        (vec![uname, ("big", Kind::Regular, "", u64::MAX, none)], "it is cut short"),
        (vec![uname, ("name", Kind::GNULongName, "", 1 << 40, none)], "it is cut short"),
        (
            vec![uname, ("lib", Kind::Symlink, "/usr/lib", 0, none), ("lib/x", Kind::Regular, "", 0, none)],
            "no folder",
        ),
        (vec![("README", Kind::Regular, "", 0, none)], "nothing of a machine"),
        (vec![("x", Kind::XHeader, "", 9, &b"9 size=-1"[..]), uname], "it is damaged"),
    ];
    for (entries, sentence) in refused {
        let (status, said) = said(&folder, &made(&entries));
        assert!(
            status == 2 && said.starts_with("diag: FILE is no machine: ") && said.contains(sentence),
            "{said}"
        );
    }
    let unknown = [
        vec![uname, ("bin/sh", Kind::Char, "", 0, none), ("etc", Kind::Fifo, "", 0, none)],
        vec![uname, ("proc/cpuinfo", Kind::Link, "bin/none", 0, none), ("df", Kind::Link, "df", 0, none)],
        vec![uname, uname, ("/etc/os-release", Kind::Symlink, "/etc/os-release", 0, none)],
        vec![uname, ("proc/cpuinfo", Kind::GNUSparse, "", 0, none), ("x", Kind::new(b'?'), "", 0, none)],
        vec![uname, ("proc/mounts", Kind::Symlink, "../../../../../../proc/self/mounts", 0, none)],
    ];
    for entries in unknown {
        let (status, said) = said(&folder, &made(&entries));
        assert!(status != 0 && said.is_empty(), "{status} {said}");
    }
    // The last one of a name counts, and a hard link is what it leads to.
    let linked = [
        ("df", Kind::Regular, "", 3, &b"old"[..]),
        ("a/uname", Kind::Regular, "", UNAME.len() as u64, UNAME),
        ("df", Kind::Regular, "", 0, none),
        ("uname", Kind::Link, "a/uname", 0, none),
    ];
    let on = file(&folder, "linked.tar", &made(&linked));
    assert!(text(&diag(&on, &[]).stdout).contains("4.14.151"));
}

#[test]
fn damaged_archives_end_quickly() {
    let folder = tempfile::tempdir().unwrap();
    let whole = archive(&machines("lenovo-y1"));
    for part in 0..40 {
        let (status, said) = said(&folder, &whole[..whole.len() * part / 40]);
        assert!(status == 2 && said.starts_with("diag: FILE is no machine: it is "), "{part}: {said}");
    }
    let mut packed = b"\x1f\x8b\x08".to_vec();
    packed.resize(600, 1);
    assert!(said(&folder, &packed).1.ends_with("it is compressed: gunzip unpacks it\n"));
    // A file of a terabyte, of which nothing is on the disk.
    let path = file(&folder, "huge.tar", &whole[..whole.len() - 1024]);
    let mut sparse = fs::OpenOptions::new().append(true).open(&path).unwrap();
    sparse.write_all(&[0xff; 512]).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let output = diag(&path, &["/bin/sh"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn many_entries() {
    let folder = tempfile::tempdir().unwrap();
    let mut header = tar::Header::new_ustar();
    let mut write = |count: usize| {
        let mut bytes = made(&[("uname", tar::EntryType::Regular, "", UNAME.len() as u64, UNAME)]);
        bytes.truncate(bytes.len() - 1024);
        for number in 0..count {
            let name = format!("usr/lib/a{number}");
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(0);
            header.set_mode(0o644);
            header.set_cksum();
            bytes.extend(header.as_bytes());
        }
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    };
    assert_eq!(said(&folder, &write(100_000)).1, "");
    let (status, sentence) = said(&folder, &write(210_000));
    assert!(status == 2 && sentence.contains("more than 200000 names"), "{sentence}");
}

/// The lines of docs/recording.md, run by the shells that are here.
#[test]
fn a_text_by_plain_ash_is_a_machine() {
    let page = include_str!("../docs/recording.md");
    let lines = page.split_once("```sh\n").unwrap().1.split_once("```").unwrap().0;
    assert!(lines.lines().count() <= 12, "{lines}");
    let folder = tempfile::tempdir().unwrap();
    let script = file(&folder, "lines", lines.as_bytes());
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let static_program = program(&folder, &Elf::of("x86-64"));
    let foreign = file(&folder, "foreign", &Elf::of("mips").build());
    let mut tried = 0;
    for shell in [&["dash"][..], &["busybox", "ash"], &["bash"]] {
        let Ok(printed) = Command::new(shell[0]).args(&shell[1..]).arg(&script).output() else {
            skipped(&format!("a_text_by_plain_ash_is_a_machine: no {} here", shell[0]));
            continue;
        };
        tried += 1;
        let on = file(&folder, "machine.txt", &printed.stdout);
        assert!(!text(&printed.stdout).contains(host.trim()) || host.len() < 5, "{}", text(&printed.stdout));
        let described = diag(&on, &[]);
        assert_eq!(described.status.code(), Some(0), "{described:?}");
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert!(text(&described.stdout).contains(release.trim()), "{described:?}");
        if cfg!(target_arch = "x86_64") {
            let output = diag(&on, &["-q", &static_program, foreign.to_str().unwrap()]);
            let said = text(&output.stdout);
            assert!(output.status.code() == Some(1) && said.contains("v2ray starts"), "{said}{described:?}");
            // Nobody looked for loaders but those that are there.
            let dynamic = program(&folder, &Elf::of("x86-64").interp("/lib/ld-elsewhere.so.1"));
            assert_eq!(diag(&on, &[&dynamic]).status.code(), Some(2));
        }
    }
    assert!(tried > 0);
}
