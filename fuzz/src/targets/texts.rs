//! The machine's texts.

use std::fmt::Write as _;

use arbitrary::{Result, Unstructured};
use testkit::Elf;

use super::{KINDS, PROGRAM};
use crate::hold;
use crate::memory::File;

/// Where they are, and lines as they have them.
const TEXTS: [(&str, &[&str]); 14] = [
    (
        "/proc/cpuinfo",
        &[
            "cpu model\t\t: MIPS 24KEc V5.0",
            "isa\t\t\t: mips1 mips32r2",
            "ASEs implemented\t: mips16 dsp",
            "flags\t\t: fpu sse2 lm avx2",
            "Features\t: half thumb vfpv3 neon",
            "CPU architecture: 7",
            "FPU\t: no",
            "system type\t: MediaTek MT7620",
        ],
    ),
    (
        "/proc/mounts",
        &[
            "/dev/root /rom squashfs ro 0 0",
            "overlayfs:/overlay / overlay rw,noexec 0 0",
            "tmpfs /tmp tmpfs rw,nosuid,noexec,size=1k 0 0",
            "proc /tmp proc rw 0 0",
            "a /t\\040mp\\134 b c",
        ],
    ),
    (
        "/proc/meminfo",
        &[
            "MemTotal:  60000 kB",
            "MemAvailable: 18446744073709551615 kB",
            "MemFree: 1 kB",
            "SwapFree: 0 kB",
            "CommitLimit: 99 kB",
            "Committed_AS: 1 kB",
        ],
    ),
    (
        "/etc/os-release",
        &[
            "ID=openwrt",
            "NAME=\"Open\\\"Wrt\"",
            "VERSION_ID='23.05",
            "OPENWRT_ARCH=\"mipsel_24kc\"",
            "ID_LIKE=\"debian \u{202e}\"",
        ],
    ),
    (
        "/etc/openwrt_release",
        &[
            "DISTRIB_RELEASE='23.05.5'",
            "DISTRIB_TARGET='ramips/mt7620'",
            "DISTRIB_ARCH='mipsel_24kc'",
            "DISTRIB_ID=",
        ],
    ),
    ("/proc/sys/fs/binfmt_misc/status", &["enabled", "disabled"]),
    (
        "/proc/sys/fs/binfmt_misc/qemu",
        &[
            "enabled",
            "interpreter /bin/busybox",
            "interpreter /tmp/program",
            "flags: OCF",
            "offset 0",
            "offset 18446744073709551615",
            "magic 7f454c46",
            "mask ffffff",
            "extension .sh",
        ],
    ),
    ("/tmp/sysinfo/board_name", &["lenovo,y1", "\u{1b}[2J"]),
    ("/proc/sys/vm/mmap_min_addr", &["0", "65536", "18446744073709551616"]),
    ("/proc/sys/vm/overcommit_memory", &["0", "2", "-1"]),
    ("/etc/apk/arch", &["mipsel_24kc"]),
    ("/etc/passwd", &["root:x:0:0:root:/root:/bin/ash", "nobody:*:65534:65534:nobody:/var:/bin/false"]),
    ("/etc/ld.so.preload", &["/lib/liba.so libb.so", "#:"]),
    ("/proc/self/status", &["Uid:\t1000\t0\t0\t0", "NoNewPrivs:\t1"]),
];

/// Any lines, mostly of the kind that such a file has.
pub(super) fn any(from: &mut Unstructured<'_>) -> Result<File> {
    let lines = from.choose(&TEXTS)?.1;
    made_of(from, lines)
}

fn made_of(from: &mut Unstructured<'_>, lines: &[&str]) -> Result<File> {
    let mut bytes = Vec::new();
    for _ in 0..from.int_in_range(0..=9)? {
        let mut line = from.choose(lines)?.as_bytes().to_vec();
        for _ in 0..from.int_in_range(0..=2)? {
            let (at, length) = (from.choose_index(line.len() + 1)?, from.int_in_range(0..=6)?);
            let end = line.len().min(at + from.int_in_range(0..=4)?);
            line.splice(at..end, from.bytes(length)?.iter().copied());
        }
        let times = if from.ratio(1, 16)? { from.int_in_range(0..=512)? } else { 1 };
        bytes.extend(line.repeat(times));
        bytes.push(*from.choose(b"\n\n\n\n\r\0")?);
    }
    Ok(bytes.into())
}

/// A machine of which some texts are others.
pub(super) fn run(from: &mut Unstructured<'_>) -> Result<()> {
    let kind = from.choose(&KINDS)?;
    let mut machine = kind.machine();
    for _ in 0..from.int_in_range(1..=4)? {
        let (path, lines) = from.choose(&TEXTS)?;
        machine.put(path, made_of(from, lines)?);
    }
    let programs = ["static", "dynamic", "shell.sh"].map(|name| {
        let mut path = String::from("/tmp/");
        let _ = write!(path, "{name}");
        path
    });
    machine.put(kind.loader, kind.loader().build().into());
    machine.put(&programs[0], Elf::of(kind.abi).go().build().into());
    machine.put(&programs[1], Elf::of(kind.abi).interp(kind.loader).needed("libc.so").build().into());
    machine.put(&programs[2], b"#!/bin/sh\n".to_vec().into());
    machine.put(PROGRAM, Elf::of(KINDS[from.choose_index(KINDS.len())?].abi).build().into());
    hold::describe(&machine);
    hold::judge(&machine, [&programs[0], &programs[1], &programs[2], PROGRAM]);
    Ok(())
}
