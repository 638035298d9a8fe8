//! What is known of a machine of the catalogue, as the files of a recording.
//!
//! Sources: OpenWrt's include/kernel-version.mk of each release (kernels), its target configurations (FPU, 32-bit programs, page
//! size), include/target.mk (CPU_TYPE), the kernel's arch/*/kernel/{proc,setup,cpu-probe}.c for how it prints that.

use std::fmt::Write as _;

use super::elf;
use super::musl::Libcs;
use super::rows::{Architecture, Device};
use crate::elf::consts::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64,
};
use crate::recorded::{Body, Told};

/// A release of OpenWrt, the first kernel that it had, and its musl (toolchain/musl/common.mk); of master that changes, and
/// 15.05 had uClibc.
pub(super) const RELEASES: [(&str, &str, &str); 10] = [
    ("15.05", "3.18", ""),
    ("17.01", "4.4.50", "1.1.16"),
    ("18.06", "4.9.111", "1.1.19"),
    ("19.07", "4.14.162", "1.1.24"),
    ("21.02", "5.4.143", "1.1.24"),
    ("22.03", "5.10.138", "1.2.3"),
    ("23.05", "5.15.134", "1.2.4"),
    ("24.10", "6.6.73", "1.2.5"),
    ("25.12", "6.12.71", "1.2.5"),
    ("master", "6.12", ""),
];

/// What an image that OpenWrt builds takes at least of its partition, in bytes. Until 19.07 those for boards with 4 MiB fit:
/// they took 3 MiB at least. Since 21.02 none is built for boards with `IMAGE_SIZE := 3904k` (`DEFAULT := n` in
/// target/linux/*/image/*.mk): the kernel, the rest and the settings do not fit into that.
fn smallest_image(release: &str) -> u64 {
    if is_since(release, "21.02") { 3904 << 10 } else { 3 << 20 }
}

/// Bytes that are free at most after the first start. jffs2 keeps a fiftieth to itself at least (fs/jffs2/build.c
/// `jffs2_calc_trigger_levels`).
fn free_flash(firmware: u64, release: &str) -> u64 {
    let overlay = firmware.saturating_sub(smallest_image(release));
    overlay.saturating_sub(overlay / 50)
}

/// A machine, as far as the tables tell.
pub(super) fn files(
    arch: &Architecture,
    target: &str,
    release: &str,
    device: Option<&Device>,
    libcs: &Libcs,
) -> Vec<Told> {
    let mut files = Vec::new();
    let mut file = |name: &str, content: &str| files.push(told(name, content));
    let (_, kernel, musl) = RELEASES.iter().find(|(name, ..)| *name == release).copied().unwrap_or_default();
    file("uname", &format!("Linux OpenWrt {kernel} #0 SMP {} GNU/Linux", arch.uname));
    file("/proc/cpuinfo", &cpuinfo(arch, device));
    let page = if arch.name.starts_with("loongarch64") { 16384 } else { 4096 };
    // PPC_FEATURE_32 and PPC_FEATURE_HAS_FPU (asm/cputable.h).
    let hwcap = match (arch.uname, arch.is_hard) {
        ("ppc", true) => "AT_HWCAP 0x88000000\n",
        ("ppc", false) => "AT_HWCAP 0x80000000\n",
        _ => "",
    };
    file("auxv", &format!("{hwcap}AT_PAGESZ {page}"));
    file("answers", &answers(arch, target, release));
    file(
        "/etc/openwrt_release",
        &format!(
            "DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='{release}'\nDISTRIB_TARGET='{target}'\nDISTRIB_ARCH='{}'",
            arch.name
        ),
    );
    file("/proc/sys/vm/mmap_min_addr", "4096");
    if let Some(device) = device {
        file("/tmp/sysinfo/model", device.title);
        if let Some(firmware) = device.firmware {
            let free = free_flash(firmware, release) / 1024;
            file(
                "df",
                &format!(
                    "Filesystem 1K-blocks Used Available Use% Mounted on\n/dev/mtdblock {free} 0 {free} 0% /overlay\noverlayfs:/overlay {free} 0 {free} 0% /"
                ),
            );
        }
        file(
            "/proc/mounts",
            "/dev/mtdblock /overlay jffs2 rw,noatime 0 0\noverlayfs:/overlay / overlay rw,noatime,lowerdir=/,upperdir=/overlay/upper,workdir=/overlay/work 0 0\ntmpfs /tmp tmpfs rw,nosuid,nodev,noatime 0 0",
        );
    }
    files.push(busybox(arch));
    let mut known = String::new();
    match libcs.of(arch, musl) {
        Some(libc) => files.push((arch.loader.into(), Body::Made(libc))),
        None => known = format!("unknown {}\n", arch.loader),
    }
    no_other_loaders(&mut known, arch);
    // CONFIG_BINFMT_MISC is in no image since.
    if is_since(release, "19.07") {
        known.push_str("folder /proc/sys/fs/binfmt_misc\n");
    }
    files.push(told("known", &known));
    files
}

/// A text, or a note.
pub(super) fn told(name: &str, content: &str) -> Told {
    (String::from(name), Body::Whole(content.as_bytes().to_vec()))
}

/// A program of its own, which tells of the ABI.
pub(super) fn busybox(arch: &Architecture) -> Told {
    (String::from("/bin/busybox"), Body::Beginning(elf::busybox(arch)))
}

/// Its own is the only one.
pub(super) fn no_other_loaders(known: &mut String, arch: &Architecture) {
    for loader in LOADERS.iter().filter(|loader| **loader != arch.loader) {
        let _ = writeln!(known, "absent {loader}");
    }
}

/// Loaders of programs for other C libraries, or another float ABI, of which an image has one at most.
const LOADERS: [&str; 27] = [
    "/lib/ld.so.1",
    "/lib/ld-linux.so.2",
    "/lib/ld-linux.so.3",
    "/lib/ld-linux-armhf.so.3",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux-mipsn8.so.1",
    "/lib/ld-linux-riscv64-lp64d.so.1",
    "/lib64/ld-linux-x86-64.so.2",
    "/lib64/ld64.so.1",
    "/lib64/ld64.so.2",
    "/lib64/ld-linux-loongarch-lp64d.so.1",
    "/lib/ld-musl-mips.so.1",
    "/lib/ld-musl-mips-sf.so.1",
    "/lib/ld-musl-mipsel.so.1",
    "/lib/ld-musl-mipsel-sf.so.1",
    "/lib/ld-musl-arm.so.1",
    "/lib/ld-musl-armhf.so.1",
    "/lib/ld-musl-i386.so.1",
    "/lib/ld-musl-powerpc-sf.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
    "/lib/ld-musl-riscv64.so.1",
    "/lib/ld-musl-powerpc64le.so.1",
    "/lib/ld-musl-s390x.so.1",
    "/lib/ld-musl-mips64el.so.1",
    "/lib64/ld.so.1",
    "/lib/ld64.so.1",
];

/// Whether a release is that one or a later one.
pub(super) fn is_since(release: &str, first: &str) -> bool {
    let at = |wanted: &str| RELEASES.iter().position(|(name, ..)| *name == wanted);
    at(release) >= at(first)
}

/// The flags of the levels of x86-64 (x86-64 psABI), as the kernel calls them.
const OF_V2: &str = "fpu cx8 cmov mmx fxsr sse sse2 syscall lm pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm";
const OF_V3: &str = " fma movbe avx f16c bmi1 avx2 bmi2 abm";

/// What the kernel prints of such a processor, as far as its type tells.
pub(super) fn cpuinfo(arch: &Architecture, device: Option<&Device>) -> String {
    let mut text = String::new();
    if let Some(soc) = device.map(|device| device.soc).filter(|soc| !soc.is_empty()) {
        let _ = writeln!(text, "system type\t\t: {}", soc.to_uppercase());
    }
    let (core, extension) = arch.processor.split_once('+').unwrap_or((arch.processor, ""));
    match e_machine(arch) {
        EM_MIPS => {
            let isa = match core {
                "mips32" | "4kc" => "mips1 mips2 mips32r1",
                "mips64" => "mips1 mips2 mips3 mips4 mips5 mips32r1 mips64r1",
                _ if arch.is_64 => "mips1 mips2 mips3 mips4 mips5 mips32r1 mips32r2 mips64r1 mips64r2",
                _ => "mips1 mips2 mips32r1 mips32r2",
            };
            let _ = writeln!(text, "isa\t\t\t: {isa}");
        }
        EM_ARM => {
            let version = match core {
                "fa526" => "4",
                "arm926ej-s" | "xscale" => "5TE",
                "arm1176jzf-s" | "arm1136j-s" | "mpcore" => "6TEJ",
                _ => "7",
            };
            let vfp = match extension {
                "" => "",
                "vfp" => " vfp",
                "vfpv3-d16" => " vfp vfpv3 vfpv3d16",
                "vfpv3" => " vfp vfpv3",
                "neon" => " vfp vfpv3 neon",
                "vfpv4" => " vfp vfpv3 vfpv4",
                _ => " vfp vfpv3 neon vfpv4",
            };
            let _ = writeln!(text, "Features\t: half thumb fastmult{vfp}\nCPU architecture: {version}");
        }
        EM_AARCH64 => text.push_str("Features\t: fp asimd\nCPU architecture: 8\n"),
        EM_RISCV => text.push_str("isa\t\t: rv64imafdc\n"),
        // The least that the architecture's name promises.
        EM_386 if core.is_empty() => {}
        EM_386 => {
            let flags = if core == "pentium4" { "fpu cx8 cmov mmx fxsr sse sse2" } else { "fpu cx8 mmx" };
            let _ = writeln!(text, "flags\t\t: {flags}");
        }
        EM_X86_64 if core.starts_with("x86-64-v") => {
            let further = if core == "x86-64-v3" { OF_V3 } else { "" };
            let _ = writeln!(text, "flags\t\t: {OF_V2}{further}");
        }
        _ => {}
    }
    if text.is_empty() { String::from("processor\t: 0") } else { text }
}

fn answers(arch: &Architecture, target: &str, release: &str) -> String {
    let mut text = String::from(if arch.name.starts_with("loongarch64") {
        "page-4k killed\n"
    } else {
        "page-4k works\n"
    });
    match e_machine(arch) {
        EM_MIPS => {
            // CONFIG_MIPS_FP_SUPPORT is in these kernels only.
            let emulates = target.starts_with("octeon/") && is_since(release, "23.05");
            if arch.is_hard {
                text.push_str("fp-instruction works\n");
            } else if !emulates {
                text.push_str("fp-instruction killed\n");
            }
            text.push_str("mips-before-r6 works\n");
            if arch.is_64 && is_since(release, "19.07") {
                text.push_str("mips-o32 refused ENOEXEC\nmips-n32 refused ENOEXEC\n");
            }
        }
        EM_AARCH64 if is_since(release, "23.05") => text.push_str("arm32 refused ENOEXEC\n"),
        EM_X86_64 => text.push_str("ia32 refused ENOEXEC\nx32 refused ENOEXEC\n"),
        _ => {}
    }
    text
}

pub(super) fn e_machine(arch: &Architecture) -> u16 {
    match arch.uname {
        name if name.starts_with("mips") => EM_MIPS,
        name if name.starts_with("armv") => EM_ARM,
        "aarch64" => EM_AARCH64,
        "ppc" => EM_PPC,
        "ppc64" | "ppc64le" => EM_PPC64,
        "s390x" => EM_S390,
        "riscv64" => EM_RISCV,
        "x86_64" => EM_X86_64,
        "loongarch64" => EM_LOONGARCH,
        _ => EM_386,
    }
}
