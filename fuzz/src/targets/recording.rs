//! A recording: what commands printed on a machine.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use arbitrary::{Result, Unstructured};
use diag::recorded::Recorded;
use diag_core::judge;
use diag_core::path::PathBuf;
use diag_core::report::{Style, json, text};
use diag_core::target::Target;
use testkit::Elf;

use crate::hold;

/// Beside the machine's files, and lines as they have them.
const NOTES: [(&str, &[&str]); 11] = [
    (
        "df",
        &[
            "Filesystem 1K-blocks Used Available Use% Mounted on",
            "overlayfs:/overlay 10.6M 512.0K 10.1M 5% /",
            "/dev/a-name-of-its-own",
            "tmpfs 18446744073709551615 0 99999999999G 0% /tmp",
            "Filesystem Size",
        ],
    ),
    (
        "uname",
        &[
            "Linux OpenWrt 4.14.151 #0 Tue Nov 5 14:12:18 2019 mips GNU/Linux",
            "Linux r 6.6.1 #1 x86_64",
            "Linux",
        ],
    ),
    (
        "auxv",
        &[
            "AT_HWCAP 0x88",
            "AT_PLATFORM: \u{1b}mips",
            "AT_PAGESZ 4096",
            "AT_PAGESZ 0",
            "AT_PAGESZ 3",
            "AT_HWCAP2 99999999999999999999",
        ],
    ),
    ("owners", &["0 0 /file", "1000 1000 /bin/sh", "99999999999 0 /file"]),
    ("capabilities", &["/file cap_net_raw=ep", "/file = cap_net_raw+ep", "/file "]),
    ("env", &["PATH=/bin:/:", "LD_LIBRARY_PATH=/lib:/", "LD_PRELOAD=/lib/liba.so"]),
    (
        "answers",
        &[
            "fp-instruction killed",
            "mips-fp64 refused ENOEXEC",
            "page-4k works",
            "x32 refused E",
            "low-address",
        ],
    ),
    (
        "proc/self/limits",
        &[
            "Max address space         409600            unlimited            bytes",
            "Max stack size unlimited",
            "Max data size 0",
        ],
    ),
    ("proc/self/status", &["Uid:\t1000\t0\t1000\t1000", "Gid:\t1", "Gid:\t0\t0", "NoNewPrivs:\t1"]),
    ("proc/mounts", &["tmpfs / tmpfs rw,noexec 0 0", "proc /proc proc rw 0 0", "proc /file proc"]),
    ("proc/cpuinfo", &["cpu model : MIPS 24Kc", "isa : mips32r2", "flags : fpu lm", "Features : vfp"]),
];
const LINKS: [&str; 6] = ["/lib/x", "..", "../../..", "x", "/file", "/"];

pub(super) fn run(from: &mut Unstructured<'_>) -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder of its own");
    let root = folder.path();
    let make = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    };
    for _ in 0..from.int_in_range(1..=6)? {
        let (name, lines) = from.choose(&NOTES)?;
        let mut bytes = Vec::new();
        for _ in 0..from.int_in_range(0..=5)? {
            let line = from.choose(lines)?.as_bytes();
            let (at, length) = (from.choose_index(line.len() + 1)?, from.int_in_range(0..=5)?);
            bytes.extend([&line[..at], from.bytes(length)?, &line[at..], b"\n"].concat());
        }
        make(name, &bytes);
    }
    let abi = *from.choose(&["mips", "mipsel", "x86-64", "armhf", "n64"])?;
    make("file", &Elf::of(abi).interp("/lib/x").needed("liba.so").build());
    make("script", b"#!/lib/x y\n");
    fs::create_dir_all(root.join("lib")).expect("a folder");
    for name in ["lib/x", "x", "lib/liba.so"] {
        let target = std::ffi::OsStr::from_bytes(from.choose(&LINKS)?.as_bytes());
        let _ = std::os::unix::fs::symlink(target, root.join(name));
    }
    let machine = Recorded::new(root.to_path_buf());
    let target = Target::new(&machine);
    let programs = ["/file", "/script", "/x"].map(PathBuf::from);
    let alone = judge::judge_all(target, &programs, None);
    alone.programs.iter().for_each(hold::agrees);
    // What a folder lacks for them is an error of its own.
    for report in
        [alone, judge::judge_all(target, &programs, Some("/tmp/".as_ref())), judge::describe(target)]
    {
        hold::is_json(&json::write(&report.machine, &report.programs));
        let style = Style { verbose: true, ..Style::default() };
        hold::is_harmless(&text::programs(&report.machine, &report.programs, style));
        hold::is_harmless(&text::machine(&report.machine, style));
    }
    Ok(())
}
