//! Files that were made to keep diag busy, to fill its memory, or to hide behind a limit: what it spends on them stays
//! within [`LIMITS`], and what it did not look at makes the outcome `unknown`, never "starts".
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod skipped;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use diag_core::budget::{Amounts, LIMITS};
use serde_json::Value;
use skipped::skipped;
use testkit::Elf;

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";
/// Where the programs are linked for, and where in them the hostile table lies.
const BASE: u64 = 0x40_0000;
const TABLE: u64 = 1 << 20;

const DT_HASH: u64 = 4;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
const DT_GNU_HASH: u64 = 0x6fff_fef5;
const DT_VERNEED: u64 = 0x6fff_fffe;
const DT_PLTRELSZ: u64 = 2;
const DT_PLTGOT: u64 = 3;
const DT_PLTREL: u64 = 20;
const DT_JMPREL: u64 = 23;
const R_X86_64_COPY: u64 = 5;
const R_X86_64_GLOB_DAT: u64 = 6;
const R_X86_64_JUMP_SLOT: u64 = 7;

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn write(path: &Path, elf: &Elf) {
    fs::write(path, elf.build()).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// Writes a program with a table at [`TABLE`]; the file, and its only segment, have that length.
fn write_with(path: &Path, elf: &Elf, len: u64, table: &[u8]) {
    write(path, &elf.clone().set("p_filesz", len).set("p_memsz", len));
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(len).unwrap();
    file.write_all_at(table, TABLE).unwrap();
}

/// Memory that diag may take, and a mebibyte for what every program has, in KiB (RLIMIT_DATA).
const MEMORY: &str = "9216";

fn run(path: &Path, arguments: &[&str]) -> Output {
    // A hang is a failure, not one of the whole run.
    let limited = "ulimit -d $0 && exec timeout -s KILL 100 \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited, MEMORY, env!("CARGO_BIN_EXE_diag"), "-vv"]).args(arguments).arg(path);
    command.stdin(Stdio::null()).output().unwrap()
}

struct Judged {
    verdict: String,
    missing: String,
    spent: Amounts,
    report: usize,
}

/// What diag says of a file, and what it spent.
fn judged(path: &Path) -> Judged {
    let output = run(path, &["--json"]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0..=2)), "{}: {}\n{log}", path.display(), output.status);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let program = &report["programs"][0];
    let line = log.lines().find(|line| line.contains("spent: ")).expect("what it spent is logged");
    let amount = |name: &str| {
        let behind = line.split(&format!("{name}: ")).nth(1).expect("each amount is told");
        behind.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    let spent = Amounts {
        steps: amount("steps"),
        bytes: amount("bytes"),
        files: amount("files"),
        kept: amount("kept"),
        told: amount("told"),
    };
    println!("{}: {} {} {line}", path.display(), program["verdict"], program["outcome"]["missing"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Judged {
        verdict: text(&program["verdict"]),
        missing: text(&program["outcome"]["missing"]),
        spent,
        report: program.to_string().len(),
    }
}

/// It cannot be told whether it starts, for that reason, and finding that out cost no more than it may.
fn is_given_up(path: &Path, why: &str) {
    let judged = judged(path);
    assert_eq!(
        (judged.verdict.as_str(), judged.missing.contains(why)),
        ("unknown", true),
        "{}",
        judged.missing
    );
    is_within_limits(&judged);
}

fn is_within_limits(judged: &Judged) {
    let of = |amounts: Amounts| [amounts.steps, amounts.bytes, amounts.files, amounts.kept, amounts.told];
    let mut each = of(judged.spent).into_iter().zip(of(LIMITS));
    assert!(each.all(|(spent, limit)| spent <= limit), "{:?}", judged.spent);
    assert!(judged.report <= 64 << 10, "{} bytes of report", judged.report);
}

fn program() -> Elf {
    Elf::of("x86-64").interp(LOADER).needed("libc.so.6")
}

const FILES: &str = "too many folders";

#[test]
fn tables_without_end() {
    let folder = folder("tables");
    let program = program().symbol("nothing_defines_this", false);
    let path = folder.join("rela");
    for len in [1 << 30, 1 << 40] {
        write_with(&path, &program.clone().entry(DT_RELA, BASE + TABLE).entry(DT_RELASZ, len), len, &[]);
        let judged = judged(&path);
        assert_ne!(judged.verdict, "starts");
        is_within_limits(&judged);
    }
    // nbuckets, symoffset, bloom_size, bloom_shift; the filter lets everything through; the chain has no end.
    let words = [1, 0, 1, 0, u32::MAX, u32::MAX, 1 << 20];
    let table: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    let path = folder.join("gnu");
    write_with(&path, &program.clone().entry(DT_GNU_HASH, BASE + TABLE), 20 << 30, &table);
    let judged = judged(&path);
    assert_ne!(judged.verdict, "starts");
    is_within_limits(&judged);
}

/// Each name is looked for in each folder.
#[test]
fn names_times_folders() {
    let folder = folder("folders");
    let path = folder.join("program");
    let mut elf = program();
    for index in 0..500 {
        elf = elf.needed(&format!("lib{index}{}.so", "x".repeat(200)));
    }
    let list = "/:".repeat(1200);
    write(&path, &elf.clone().dynamic(DT_RUNPATH, &list));
    is_within_limits(&judged(&path));
    // The same with folders that differ.
    let list: String = (0..1200).map(|folder| format!("/{folder}:")).collect();
    write(&path, &elf.dynamic(DT_RUNPATH, &list));
    is_given_up(&path, FILES);
    // Libraries that say the same of what they need: every parent's list is searched.
    for library in 0..300 {
        let mut elf = Elf::of("x86-64").base(0).set("e_type", 3).needed(&format!("chain{}.so", library + 1));
        for index in 0..100 {
            elf = elf.needed(&format!("none{library}-{index}.so"));
        }
        write(
            &folder.join(format!("chain{library}.so")),
            &elf.dynamic(DT_RPATH, &format!("{}:/:/", folder.display())),
        );
    }
    write(&path, &program().needed("chain0.so").dynamic(DT_RPATH, &format!("{}:{list}", folder.display())));
    is_given_up(&path, FILES);
    // Libraries that need each other.
    for library in 0..480 {
        let mut elf = Elf::of("x86-64").base(0).set("e_type", 3).dynamic(DT_RUNPATH, "$ORIGIN");
        for other in 0..480 {
            elf = elf.needed(&format!("wide{other}.so"));
        }
        write(&folder.join(format!("wide{library}.so")), &elf);
    }
    write(&path, &program().needed("wide0.so").dynamic(DT_RUNPATH, "$ORIGIN"));
    is_within_limits(&judged(&path));
}

/// $ORIGIN stands for a path of 4,000 bytes, 2,300 times in a list, for each of 500 names.
#[test]
fn origins() {
    let mut folder = folder("origins");
    let depth = 4050_usize.saturating_sub(folder.as_os_str().len());
    for length in (0..depth / 200).map(|_| 199).chain([(depth % 200).max(2) - 1]) {
        folder.push("d".repeat(length));
    }
    // Deeper than a path can be named from the root.
    Command::new("mkdir").arg("-p").arg(&folder).status().unwrap();
    let path = folder.join("p");
    for list in ["$ORIGIN".repeat(2300), "$ORIGIN/x:".repeat(1600)] {
        let elf = (0..500).fold(program(), |elf, index| elf.needed(&format!("lib{index}.so")));
        write(&path, &elf.dynamic(DT_RUNPATH, &list));
        let judged = judged(&path);
        assert_ne!(judged.verdict, "starts");
        is_within_limits(&judged);
    }
    let _ = fs::remove_dir_all(Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile/origins"));
}

/// Everything that it names is to be found out, or said not to be.
#[test]
fn what_hides_behind_many() {
    let folder = folder("many");
    let path = folder.join("program");
    for (names, length) in [(511, 8), (600, 8), (300, 200), (3000, 8)] {
        let mut elf = program();
        for index in 0..names {
            let name = format!("lib{index:0>length$}.so");
            write(&folder.join(&name), &Elf::of("x86-64").base(0).set("e_type", 3).dynamic(14, &name));
            elf = elf.needed(&name);
        }
        write(&path, &elf.needed("libmissing.so").dynamic(DT_RUNPATH, "$ORIGIN"));
        let judged = judged(&path);
        assert_ne!(judged.verdict, "starts", "{names} of {length}");
        is_within_limits(&judged);
    }
}

/// A name that no file can have is not there: ENAMETOOLONG.
#[test]
fn names_longer_than_any() {
    let folder = folder("long");
    let path = folder.join("program");
    for length in [255, 256, 4095, 4096, 5000, 16_000, 17_000, 300_000] {
        write(&path, &program().needed(&"n".repeat(length)));
        let judged = judged(&path);
        assert_eq!(judged.verdict, if length < 16_384 { "fails" } else { "unknown" }, "{length}");
        is_within_limits(&judged);
    }
    // Lists of folders as long as that.
    for length in [4000, 20_000, 300_000] {
        write(&path, &program().needed("libmissing.so").dynamic(DT_RUNPATH, &"/n".repeat(length / 2)));
        let judged = judged(&path);
        assert_ne!(judged.verdict, "starts", "{length}");
        is_within_limits(&judged);
    }
}

/// 2,000 libraries, each of which needs the next one; the last is missing.
#[test]
fn a_long_chain() {
    let folder = folder("chain");
    let path = folder.join("program");
    for library in 0..2000 {
        let elf = Elf::of("x86-64").base(0).set("e_type", 3).needed(&format!("chain{}.so", library + 1));
        write(&folder.join(format!("chain{library}.so")), &elf.dynamic(DT_RUNPATH, "$ORIGIN"));
    }
    write(&path, &program().needed("chain0.so").dynamic(DT_RUNPATH, "$ORIGIN"));
    let judged = judged(&path);
    assert_ne!(judged.verdict, "starts");
    is_within_limits(&judged);
}

/// Names that have one hash: blocks of which each can be one of two.
fn colliding(bits: u32) -> impl Iterator<Item = String> {
    (0..1_u32 << bits)
        .map(move |number| (0..bits).map(|bit| if number >> bit & 1 == 0 { "Ez" } else { "FY" }).collect())
}

#[test]
fn symbols_that_meet() {
    let folder = folder("symbols");
    let path = folder.join("program");
    let mut elf = program();
    for name in colliding(16) {
        elf = elf.symbol(&name, false);
    }
    write(&path, &elf);
    let judged = judged(&path);
    assert_ne!(judged.verdict, "starts");
    is_within_limits(&judged);
    assert!(judged.spent.steps > 1 << 16, "each is looked at: {:?}", judged.spent);
}

/// Names that meet wherever diag's own table puts them: to look for each is to pass all others.
#[test]
fn symbols_that_meet_in_both_hashes() {
    let path = folder("meeting").join("program");
    write(&path, &testkit::meeting(15, 16).iter().fold(program(), |elf, name| elf.symbol(name, false)));
    is_given_up(&path, "its tables");
}

/// Relocations: of symbols by their numbers, each of a kind, all of one place.
fn relocations(place: u64, symbols: impl Iterator<Item = u64>, kind: u64) -> Vec<u8> {
    symbols.flat_map(|symbol| [place, symbol << 32 | kind, 0]).flat_map(u64::to_le_bytes).collect()
}

/// Writes a program with a table behind everything else, which `with` leads to by its address.
fn write_behind(path: &Path, elf: &Elf, base: u64, table: &[u8], with: impl Fn(Elf, u64) -> Elf) {
    let at = (elf.build().len() as u64 + 4096).next_multiple_of(4096);
    let len = at + table.len() as u64;
    write(path, &with(elf.clone(), base + at).set("p_filesz", len).set("p_memsz", len));
    File::options().write(true).open(path).unwrap().write_all_at(table, at).unwrap();
}

/// R_X86_64_COPY for as many symbols.
#[test]
fn copies() {
    let folder = folder("copies");
    let path = folder.join("program");
    let count = 200_000_u64;
    let mut fixed = program();
    for index in 0..count {
        fixed = fixed.symbol(&format!("s{index}"), true);
    }
    let moved = fixed.clone().base(0).set("e_type", 3).without(DT_HASH);
    // A DT_GNU_HASH of nothing.
    let hash = [1, 1, 1, 0, 0, 0, 0, 0_u32].into_iter().flat_map(u32::to_le_bytes);
    for (elf, base) in [(fixed, BASE), (moved, 0)] {
        let mut table = relocations(base + TABLE, 1..=count, R_X86_64_COPY);
        let size = table.len() as u64;
        table.extend(hash.clone());
        write_behind(&path, &elf, base, &table, |elf, at| {
            let elf = elf.entry(DT_RELA, at).entry(DT_RELASZ, size);
            if base == 0 { elf.entry(DT_GNU_HASH, at + size) } else { elf }
        });
        let judged = judged(&path);
        assert_ne!(judged.verdict, "starts");
        assert_eq!(judged.spent.kept, LIMITS.kept, "each is noted, as far as there is room");
        is_within_limits(&judged);
    }
}

/// Behind as many as are told that are bound when they are called, one is missing that is bound at the start.
#[test]
fn missing_symbols() {
    let folder = folder("missing");
    let path = folder.join("program");
    let many = 100;
    let mut elf = program();
    for index in 0..many {
        elf = elf.symbol(&format!("later{index}"), false);
    }
    elf = elf.symbol("at_once", false);
    let calls = relocations(BASE + 64, 1..=many, R_X86_64_JUMP_SLOT);
    let others = relocations(BASE + 64, many + 1..=many + 1, R_X86_64_GLOB_DAT);
    let sizes = (calls.len() as u64, others.len() as u64);
    write_behind(&path, &elf, BASE, &[calls, others].concat(), |elf, at| {
        let elf = elf.entry(DT_JMPREL, at).entry(DT_PLTRELSZ, sizes.0).entry(DT_PLTREL, DT_RELA);
        elf.entry(DT_PLTGOT, BASE + 128).entry(DT_RELA, at + sizes.0).entry(DT_RELASZ, sizes.1)
    });
    let judged = judged(&path);
    assert_eq!(judged.verdict, "fails");
    is_within_limits(&judged);
}

/// Symbols of a version that nobody knows, and as many versions.
#[test]
fn versions() {
    let folder = folder("versions");
    let path = folder.join("program");
    let mut elf = program().needs_version("libc.so.6", &"V".repeat(16_000));
    for index in 0..100_000 {
        elf = elf.symbol(&format!("s{index}@"), false);
    }
    // A DT_VERNEED of one file that has to define 4,000 versions of one long name.
    let mut table = Vec::new();
    let half = |value: u16| value.to_le_bytes().to_vec();
    let word = |value: u32| value.to_le_bytes().to_vec();
    table.extend([half(1), half(4000), word(1), word(16), word(0)].concat());
    for index in 0..4000_u16 {
        let next = if index == 3999 { 0 } else { 16 };
        table.extend(
            [word(0x1234_5678 + u32::from(index)), half(0), half(index + 3), word(1), word(next)].concat(),
        );
    }
    let at = (elf.build().len() as u64 + 4096).next_multiple_of(4096);
    let len = at + table.len() as u64;
    let elf = elf.entry(DT_VERNEED, BASE + at);
    write(&path, &elf.set("p_filesz", len).set("p_memsz", len));
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&table, at).unwrap();
    let judged = judged(&path);
    assert_ne!(judged.verdict, "starts");
    assert!(judged.spent.steps > 4000, "the versions are looked at: {:?}", judged.spent);
    is_within_limits(&judged);
}

/// A loader that claims to be glibc's, whose strings say what they like.
fn loader(strings: &[&str]) -> Elf {
    let data: Vec<u8> = strings.iter().flat_map(|string| [string.as_bytes(), b"\0"].concat()).collect();
    let elf = Elf::of("x86-64").base(0).set("e_type", 3).dynamic(14, "ld-linux-x86-64.so.2");
    elf.data(&[b"\0", &data[..]].concat())
}

#[test]
fn loaders_of_their_own() {
    let folder = folder("loaders");
    let path = folder.join("ld-linux-x86-64.so.2");
    let many = |elf: Elf| (0..100).fold(elf, |elf, index| elf.needed(&format!("lib{index}.so")));
    // A program that is its own loader.
    let strings: Vec<String> = (0..40_000).map(|folder| format!("/lib/{folder}/")).collect();
    let strings: Vec<&str> =
        ["/etc/ld.so.cache"].into_iter().chain(strings.iter().map(String::as_str)).collect();
    write(&path, &many(loader(&strings).interp(path.to_str().unwrap())));
    let itself = judged(&path);
    assert_eq!(itself.verdict, "unknown", "{}", itself.missing);
    is_within_limits(&itself);
    // Another one, with as many folders.
    let program = folder.join("program");
    write(&path, &loader(&strings));
    write(&program, &many(Elf::of("x86-64").interp(path.to_str().unwrap())));
    let judged_program = judged(&program);
    assert_eq!(judged_program.verdict, "unknown", "{}", judged_program.missing);
    is_within_limits(&judged_program);
    // And one that names its own cache, of entries without an end: in a hole, and each with a long name.
    let cache = folder.join("ld.so.cache");
    write(&path, &loader(&["/lib/", cache.to_str().unwrap()]));
    write(&program, &many(Elf::of("x86-64").interp(path.to_str().unwrap())));
    let mut header = b"glibc-ld.so.cache1.1".to_vec();
    header.extend(u32::MAX.to_le_bytes());
    header.resize(48, 0);
    fs::write(&cache, &header).unwrap();
    File::options().write(true).open(&cache).unwrap().set_len(100 << 30).unwrap();
    is_within_limits(&judged(&program));
    header[20..24].copy_from_slice(&500_000_u32.to_le_bytes());
    let name = 48 + 24 * 500_000_u32;
    for _ in 0..500_000 {
        for field in [3, name, name, 0, 0, 0] {
            header.extend(field.to_le_bytes());
        }
    }
    header.extend(vec![b'x'; 4000]);
    header.push(0);
    fs::write(&cache, &header).unwrap();
    is_within_limits(&judged(&program));
}

/// What the medium does not deliver is no end of the file.
#[test]
fn reads_that_fail() {
    let folder = folder("reads");
    let path = folder.join("program");
    fs::copy("/bin/ls", &path).unwrap();
    let with = |errno: &str, when: &str| {
        let mut strace = Command::new("strace");
        strace.args(["-o", "/dev/null", "-P"]).arg(&path).arg("-e");
        strace.arg(format!("inject=pread64:error={errno}:when={when}"));
        strace.args([env!("CARGO_BIN_EXE_diag"), "-q"]).arg(&path).stdin(Stdio::null()).output()
    };
    match with("EIO", "1") {
        Ok(output) if matches!(output.status.code(), Some(0..=2)) => {}
        other => {
            skipped(&format!("strace ({other:?}): reads that fail are not tried"));
            return;
        }
    }
    for (errno, when, status, words) in [
        ("EIO", "1", 1, "cannot be read"),
        ("EPERM", "1", 2, "may not be read"),
        ("EIO", "2+", 2, "cannot be read"),
        ("ENOMEM", "2+", 2, "cannot be read"),
    ] {
        let output = with(errno, when).unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            (output.status.code(), said.contains(words)),
            (Some(status), true),
            "{errno} {when}: {said}"
        );
    }
}

/// What the system says to diag alone is not what a program's loader meets; what it says of the file is.
#[test]
fn libraries_that_cannot_be_opened() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps.split_whitespace().find(|word| word.ends_with("/libc.so.6"));
    let Some(libc) = libc.filter(|_| Path::new("/bin/true").is_file()) else {
        skipped("another C library than glibc: files that cannot be opened are not tried");
        return;
    };
    let with = |inject: &str, command: &[&str]| {
        let mut strace = Command::new("strace");
        // The loader may know it by another name: /lib is a link to /usr/lib.
        strace.args(["-o", "/dev/null", "-P", libc, "-P", libc.trim_start_matches("/usr")]);
        strace.arg("-e").arg(format!("inject=openat:error={inject}"));
        strace.args(command).stdin(Stdio::null()).output()
    };
    let starts = |errno: &str| with(errno, &["/bin/true"]).is_ok_and(|output| output.status.success());
    if !with("EIO", &["/bin/true"]).is_ok_and(|output| output.status.code() == Some(127)) {
        skipped("strace: files that cannot be opened are not tried");
        return;
    }
    // The first time it is opened for diag itself.
    let judged = |errno: &str| {
        let diag = env!("CARGO_BIN_EXE_diag");
        let output = with(&format!("{errno}:when=2+"), &[diag, "/bin/true"]).unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    for errno in ["EIO", "EACCES", "EBADMSG", "EUCLEAN", "ENOKEY", "ENOTCONN", "ETIMEDOUT", "ESTALE"] {
        let (status, said) = judged(errno);
        assert!(!starts(errno), "{errno}");
        assert_eq!((status, said.contains(errno)), (Some(1), true), "{errno}: {said}");
    }
    for errno in ["EMFILE", "ENFILE", "ENOMEM", "EINTR", "EAGAIN"] {
        let (status, said) = judged(errno);
        assert_eq!((status, said.contains(errno)), (Some(2), true), "{errno}: {said}");
    }
}

/// Of a path that is too long nothing is made that is longer.
#[test]
fn paths_without_end() {
    for count in [1000, 16_000, 60_000] {
        let path = "/a".repeat(count);
        for path in [path.clone(), format!("/etc/passwd{path}")] {
            let output = run(Path::new(&path), &[]);
            assert_eq!(output.status.code(), Some(2), "{count}");
            assert!(output.stdout.len() < 64 << 10, "{count}: {} bytes", output.stdout.len());
        }
    }
}
