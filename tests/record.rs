//! `--record`: what is in a recording, what is not, and that judging by it gives what was judged on the machine.

mod fixtures;
mod skipped;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::rc::Rc;

use diag::cli::{self, Args, Programs};
use diag::record;
use diag::recorded::Recorded;
use diag::report::Style;
use diag::target::{ReadAt, Root, Target};
use serde_json::Value;
use testkit::elf::Elf;

use fixtures::Fixture;
use skipped::skipped;

/// A recording of a machine in a folder.
fn recorded(target: Target<'_>, programs: &[&str]) -> Vec<u8> {
    let mut archive = Vec::new();
    let programs: Programs = programs.iter().collect();
    let out = &mut |bytes: &[u8]| {
        archive.extend_from_slice(bytes);
        Ok(())
    };
    record::write(target, &programs, out).unwrap();
    archive
}

/// The files of an archive, as tar(1) sees them; links by what they lead to.
fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        match entry.link_name_bytes() {
            Some(link) => bytes.extend_from_slice(&link),
            None => drop(entry.read_to_end(&mut bytes).unwrap()),
        }
        assert!(files.insert(name.clone(), bytes).is_none(), "{name} twice");
    }
    files
}

fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

/// Everything that could tell who it is has this in it.
const PLANTED: &str = "pl4nted";

#[test]
fn nothing_that_identifies_anybody() {
    let fixture = Fixture::new("lenovo-y1", "record-planted");
    let planted = [
        ("/proc/cpuinfo", "Serial\t\t: pl4nted\nserial number : pl4nted\nprocessor name pl4nted\n"),
        ("/proc/meminfo", "pl4nted:  1 kB\n"),
        ("/etc/openwrt_release", "DISTRIB_DESCRIPTION='of pl4nted'\nDISTRIB_TAINTS='pl4nted'\n"),
        (
            "/proc/mounts",
            "pl4nted:/export /mnt/nas nfs rw,addr=pl4nted,username=pl4nted 0 0\n/dev/mapper/pl4nted--vg-root /srv ext4 rw,uuid=pl4nted 0 0\ntmpfs /home/pl4nted tmpfs rw 0 0\n/dev/sda1 /media/pl4nted vfat rw 0 0\n",
        ),
        (
            "/env",
            "PATH=/home/pl4nted/bin:/usr/bin\nLD_LIBRARY_PATH=/root/pl4nted\nUSER=pl4nted\nSSH_CLIENT=pl4nted\nHOME=/srv/pl4nted\nLD_PRELOAD=/srv/pl4nted/x.so\n",
        ),
        ("/uname", "Linux pl4nted 4.14.151 #0 Tue Nov 5 14:12:18 2019 mips GNU/Linux\n"),
        ("/df", "pl4nted:/export 1 1 1 1% /mnt/nas\n"),
        ("/auxv", "AT_RANDOM pl4nted\nAT_EXECFN /home/pl4nted/diag\n"),
        ("/proc/self/status", "Name:\tpl4nted\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"),
        ("/proc/self/maps", "00400000-00401000 r-xp 00000000 00:00 0 /home/pl4nted/diag\n"),
        ("/proc/cmdline", "root=UUID=pl4nted\n"),
        ("/proc/version", "Linux version 4.14 (pl4nted@pl4nted)\n"),
        ("/proc/sys/kernel/hostname", "pl4nted\n"),
        ("/etc/hostname", "pl4nted\n"),
        ("/etc/hosts", "10.0.0.7 pl4nted\n"),
        ("/etc/passwd", "pl4nted:x:0:0::/home/pl4nted:/bin/sh\n"),
        ("/etc/os-release", "PRETTY_NAME='pl4nted'\nID=openwrt\nMACHINE_ID=pl4nted\n"),
        ("/etc/ld-musl-mipsel-sf.path", "/lib\n/home/pl4nted/lib\n"),
        ("/etc/ld.so.preload", "/home/pl4nted/x.so\n"),
        ("/usr/local/bin/pl4nted.sh", "#!/bin/sh\n"),
        ("/home/pl4nted/lib/x.so", "pl4nted"),
        ("/usr/lib/lua/pl4nted", "pl4nted"),
        ("/usr/bin/script", "#!/bin/sh\n# pl4nted\n"),
        ("/usr/lib/text.so", "#!/bin/sh\n# pl4nted\n"),
        ("/tmp/program", "#!/usr/bin/env pl4nted-not\n"),
    ];
    for (path, text) in planted {
        let mut whole = fixture.system().read(diag::path::Path::new(path)).unwrap().unwrap_or_default();
        whole.extend(text.as_bytes());
        fixture.write(path, &whole);
    }
    fixture.create("/usr/lib/mine.so link /home/pl4nted/lib/x.so");
    let system = fixture.system();
    let archive = recorded(Target::new(&system), &[]);
    for (name, bytes) in files(&archive) {
        assert!(!holds(&bytes, PLANTED), "{name}: {}", String::from_utf8_lossy(&bytes));
    }
    assert!(!holds(&archive, PLANTED));
    // And what judging takes is there.
    let files = files(&archive);
    let text = |name: &str| String::from_utf8_lossy(&files[name]).into_owned();
    assert!(
        text("proc/cpuinfo").contains("MediaTek MT7620A ver:2 eco:6")
            && text("answers").contains("fp-instruction killed")
    );
    assert!(text("df").contains(" /overlay\n") && text("uname").contains("4.14.151 mips"));
    let known = text("known");
    assert!(
        known.contains("unknown /etc/ld-musl-mipsel-sf.path\n")
            && known.contains("unknown /usr/lib/mine.so\n")
    );
    // What was left out is not known, rather than not there.
    assert_eq!(text("env"), "PATH=/home\nLD_LIBRARY_PATH=/home\nLD_PRELOAD=/home\n");
}

#[test]
fn a_recording_of_this_computer_does_not_tell_whose_it_is() {
    let output = diag(&["--record"]);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.stdout.len() <= 64 << 20, "{}", output.stdout.len());
    let mut names = Vec::new();
    let mut add = |path: &Path| {
        let text = fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        names.extend(Some(text).filter(|text| text.len() > 3));
    };
    for path in
        ["/etc/machine-id", "/proc/sys/kernel/hostname", "/proc/sys/kernel/random/boot_id", "/proc/cmdline"]
    {
        add(Path::new(path));
    }
    for card in fs::read_dir("/sys/class/net").into_iter().flatten().flatten() {
        add(&card.path().join("address"));
    }
    names.retain(|name| name != "localhost" && name != "00:00:00:00:00:00");
    names.extend(
        ["HOME", "USER", "SSH_CLIENT", "HOSTNAME"].into_iter().filter_map(|name| std::env::var(name).ok()),
    );
    // Nor where diag lies.
    names.push(env!("CARGO_MANIFEST_DIR").to_owned());
    for (file, bytes) in files(&output.stdout) {
        for name in names.iter().filter(|name| name.len() > 4) {
            // What libraries hold is public.
            let is_told = !bytes.starts_with(b"\x7fELF") && holds(&bytes, name);
            assert!(!is_told && !file.contains(name.as_str()), "{name} in {file}");
        }
    }
}

/// diag in surroundings of which nothing is left out.
fn diag(arguments: &[&str]) -> Output {
    let mut diag = Command::new(env!("CARGO_BIN_EXE_diag"));
    diag.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/nonexistent");
    diag.args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn programs(arguments: &[&str]) -> Vec<Value> {
    let output = diag(arguments);
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    document["programs"].as_array().unwrap().clone()
}

/// Without what is said of the file's owner and mode, and of what it lies on.
fn comparable(program: &Value) -> Value {
    let mut program = program.clone();
    for finding in program["findings"].as_array_mut().into_iter().flatten() {
        // What others leave changes by the second.
        if finding["code"] == "not-enough-memory" {
            finding["title"] = Value::Null;
        }
        let is_kept = |evidence: &Value| {
            !["mode", "owner", "mount", "MemAvailable"].iter().any(|field| evidence["field"] == *field)
        };
        if let Some(evidence) = finding["evidence"].as_array_mut() {
            evidence.retain(is_kept);
        }
    }
    program
}

/// Judged here, and by a recording of here: what is the same.
fn compare(files: &[&str]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("here.tar");
    let output = diag(&[&["--record"], files].concat());
    assert!(output.status.success());
    fs::write(&recording, &output.stdout).unwrap();
    let on = recording.to_str().unwrap();
    let live = programs(&[&["--json", "--dest", "/tmp"], files].concat());
    let judged = programs(&[&["--json", "--dest", "/tmp", "--on", on], files].concat());
    assert_eq!((live.len(), judged.len()), (files.len(), files.len()));
    for (live, judged) in live.iter().zip(&judged) {
        assert_eq!(comparable(live), comparable(judged), "{}", live["path"]);
    }
    live.len()
}

#[test]
fn programs_of_this_computer_are_judged_as_here() {
    let names = "ls cat env sh bash dash perl grep sed tar gzip gunzip zgrep awk mawk find sort head ldd which uname \
                 dpkg apt ssh su mount ping login getconf locale iconv openssl cc as ld objdump strace busybox";
    let all =
        names.split_whitespace().flat_map(|name| [format!("/usr/bin/{name}"), format!("/usr/sbin/{name}")]);
    let there: Vec<String> = all.filter(|path| Path::new(path).exists()).collect();
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    assert!(compare(&there) >= 10, "{there:?}");
}

#[test]
fn changed_files_are_judged_as_here() {
    let folder = tempfile::tempdir().unwrap();
    let own = if cfg!(target_arch = "x86_64") { "x86-64" } else { "aarch64" };
    let good = Elf::of(own).build();
    let mut paths = Vec::new();
    let mut put = |name: String, bytes: &[u8]| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        paths.push(path.to_str().unwrap().to_owned());
    };
    for abi in testkit::abi::ABIS {
        put(abi.name.to_owned(), &Elf::new(abi).build());
    }
    for length in [0, 1, 20, 52, 64, 100, 120, 150, good.len() - 1] {
        put(format!("cut-{length}"), &good[..length.min(good.len())]);
    }
    for (at, byte) in good.iter().enumerate().take(120) {
        let mut changed = good.clone();
        changed[at] = byte ^ 0x41;
        put(format!("changed-{at}"), &changed);
    }
    for (number, interp) in
        ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1", "/bin/sh", "/lib", "", "/tmp"]
            .iter()
            .enumerate()
    {
        put(format!("interp-{number}"), &Elf::of(own).interp(interp).build());
    }
    for (number, line) in [
        "/bin/sh",
        "/bin/nothing",
        "/usr/bin/env sh",
        "/usr/bin/env nothing",
        "/bin/sh\r",
        " ",
        "/bin",
        "/bin/bash -e",
    ]
    .iter()
    .enumerate()
    {
        put(format!("script-{number}"), format!("#!{line}\necho\n").as_bytes());
    }
    put("text".to_owned(), b"echo\n");
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    compare(&paths);
}

#[test]
fn a_terminal_is_refused() {
    // The end of a terminal that emulators hold is one, too.
    let Ok(terminal) = OpenOptions::new().read(true).write(true).open("/dev/ptmx") else {
        panic!("/dev/ptmx")
    };
    let mut diag = Command::new(env!("CARGO_BIN_EXE_diag"));
    let output = diag.arg("--record").stdout(Stdio::from(terminal)).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
}

#[test]
fn a_full_disk_is_said() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_diag")).arg("--record").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("No space left"));
}

struct InMemory(Vec<u8>);

impl ReadAt for InMemory {
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, diag::errno::Errno> {
        let rest = self.0.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        Ok(rest[..len.min(rest.len())].to_vec())
    }
}

/// Each of machines/, recorded by diag once more, is the same machine.
#[test]
fn a_recording_of_a_recording_is_the_machine() {
    for name in ["lenovo-y1", "ath79-be", "armv7-novfp", "aarch64", "raspbian-32", "x86-64"] {
        let fixture = Fixture::new(name, &format!("record-{name}"));
        for (file, words) in
            [("a", "mipsel"), ("b", "mips"), ("c", "armhf"), ("d", "aarch64"), ("e", "x86-64")]
        {
            fixture.write(
                &format!("/tmp/{file}"),
                &Elf::of(words).interp("/lib/ld-musl-mipsel-sf.so.1").build(),
            );
        }
        fixture.create("/tmp/script text #!/bin/sh\n");
        let system = fixture.system();
        let archive = recorded(Target::new(&system), &[]);
        let length = archive.len() as u64;
        let file: Rc<dyn ReadAt> = Rc::new(InMemory(archive));
        let again = Recorded::read(&file, length).unwrap();
        let args = Args {
            programs: ["/tmp/a", "/tmp/b", "/tmp/c", "/tmp/d", "/tmp/e", "/tmp/script"].into_iter().collect(),
            dest: Some("/tmp".into()),
            ..Args::default()
        };
        let there = cli::report(Target::new(&system), &args, Style::default());
        let mut text = String::new();
        let status = cli::run_on(Target::new(&again), &system, &args, Style::default(), &mut text).unwrap();
        assert_eq!((text, status), (there.text, there.status), "{name}");
    }
}

/// The folder that an archive unpacks to is the same machine: so machines/ takes it.
#[test]
fn unpacked_it_is_a_machine() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, root) = (folder.path().join("here.tar"), folder.path().join("here"));
    fs::write(&archive, diag(&["--record", "/bin/sh"]).stdout).unwrap();
    fs::create_dir(&root).unwrap();
    let status = Command::new("tar").arg("xf").arg(&archive).arg("-C").arg(&root).status().unwrap();
    assert!(status.success());
    let by = |on: &Path| diag(&["--json", "--on", on.to_str().unwrap(), "/bin/sh", "/usr/bin/env"]).stdout;
    assert_eq!(String::from_utf8(by(&archive)).unwrap(), String::from_utf8(by(&root)).unwrap());
}

/// The code of a library is zeros, and what a loader reads of it is in place.
#[test]
fn code_is_left_out() {
    use object::read::elf::{ElfFile64, ProgramHeader as _};
    use object::{Object as _, ObjectSymbol as _};
    let archive = diag(&["--record", "/bin/sh"]).stdout;
    let files = files(&archive);
    let is_libc = |name: &&String| name.ends_with("/libc.so.6") || name.ends_with("/libc-2.31.so");
    let Some(name) = files.keys().find(is_libc) else {
        return skipped("code_is_left_out: no glibc here");
    };
    let (copy, own) = (&files[name], fs::read(Path::new("/").join(name)).unwrap());
    assert_eq!(copy.len(), own.len());
    let decoded = |bytes: &[u8]| {
        let file = ElfFile64::<object::LittleEndian>::parse(bytes).unwrap();
        let names = file.dynamic_symbols().map(|symbol| symbol.name_bytes().unwrap().to_vec());
        let code =
            file.elf_program_headers().iter().find(|header| header.p_flags(object::LittleEndian).0 & 1 == 1);
        let (at, len) = code.unwrap().file_range(object::LittleEndian);
        (names.collect::<Vec<_>>(), usize::try_from(at).unwrap()..usize::try_from(at + len).unwrap())
    };
    let ((names, code), (own_names, own_code)) = (decoded(copy), decoded(&own));
    assert!(names == own_names && names.len() > 1000 && code == own_code);
    let pieces: Vec<bool> =
        copy[code].chunks(4096).map(|piece| piece.iter().all(|byte| *byte == 0)).collect();
    let zeros = pieces.iter().filter(|is_zeros| **is_zeros).count();
    assert!(zeros * 10 > pieces.len() * 9, "{zeros} of {}", pieces.len());
}
