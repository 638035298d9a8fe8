//! The words by which release pages tell one file from another. They were counted on the pages of 36 projects, and are
//! those of Go (GOARCH, GOARM, GOMIPS), of GoReleaser, of Rust's and Debian's targets, of Docker and of `uname -m`.

use crate::elf::consts::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_S390, EM_SH,
    EM_SPARCV9, EM_X86_64,
};
use crate::elf::{ByteOrder, Class};

/// What words say of the processor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Processor {
    /// In small letters, with `-` for whatever parts them in a name, and a blank between two.
    pub(super) words: &'static str,
    pub(super) e_machine: u16,
    pub(super) class: Class,
    pub(super) order: ByteOrder,
    pub(super) level: Level,
}

/// What a word says beyond the architecture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Level {
    /// Nothing.
    Any,
    /// `arm`: GOARM=5 of frp, rclone, syncthing; 6 of restic; 7 of hysteria and hugo.
    AnyArm,
    /// An ARM version. From 6 on with VFP, unless the name says soft float.
    Arm(u8),
    /// A core by its name: with its own FPU, whatever the float ABI.
    Core(u8),
    /// Debian's ARMv5 without VFP; sing-box has its ARMv6 there.
    Armel,
    /// Debian's ARMv7 with VFP; telegraf has its ARMv6 there.
    Armhf,
    /// Of x86-64, by its number; 0 where the word says none.
    X86(u8),
    /// 32-bit x86: with SSE2 unless the project builds it without, which the word does not say.
    AnyX86,
    /// 32-bit x86 without SSE2.
    OldX86,
    /// MIPS in MIPS16 code.
    Mips16,
    /// The old world of LoongArch.
    OldLoongArch,
}

use ByteOrder::{Big, Little};
use Class::{Elf32, Elf64};
use Level::{Any, AnyArm, AnyX86, Arm, Armel, Armhf, Core, Mips16, OldLoongArch, OldX86, X86};

const fn of(words: &'static str, e_machine: u16, class: Class, order: ByteOrder, level: Level) -> Processor {
    Processor { words, e_machine, class, order, level }
}

/// Of several words at one place the longest counts, so their order does not.
pub(super) static PROCESSORS: &[Processor] = &[
    of("mips mips32 mipsbe mipseb", EM_MIPS, Elf32, Big, Any),
    of("mipsle mipsel mips32le mips32el", EM_MIPS, Elf32, Little, Any),
    of("mips16", EM_MIPS, Elf32, Big, Mips16),
    of("mips16el", EM_MIPS, Elf32, Little, Mips16),
    of("mips64", EM_MIPS, Elf64, Big, Any),
    of("mips64le mips64el", EM_MIPS, Elf64, Little, Any),
    of("armeb armbe", EM_ARM, Elf32, Big, AnyArm),
    of("arm arm32", EM_ARM, Elf32, Little, AnyArm),
    of("armel", EM_ARM, Elf32, Little, Armel),
    of("armhf arm-hf", EM_ARM, Elf32, Little, Armhf),
    of(
        "armv5 arm5 arm-5 arm-v5 arm32-v5 arm32v5 armv5l armv5te armv5tel armv5el",
        EM_ARM,
        Elf32,
        Little,
        Arm(5),
    ),
    of(
        "armv6 arm6 arm-6 arm-v6 arm32-v6 arm32v6 armv6l armv6hf armv6hl mpcorenovfp",
        EM_ARM,
        Elf32,
        Little,
        Arm(6),
    ),
    of("pi-zero-w", EM_ARM, Elf32, Little, Core(6)),
    of(
        "armv7 arm7 arm-7 arm-v7 arm32-v7 arm32-v7a arm32v7 armv7a armv7l armv7el armv7hf armv7hl armv7hnl armeabi-v7a",
        EM_ARM,
        Elf32,
        Little,
        Arm(7),
    ),
    of("cortex-a5 cortex-a7 cortex-a8 cortex-a9 cortex-a15", EM_ARM, Elf32, Little, Core(7)),
    of(
        "arm64 aarch64 armv8 arm64-v8 arm64-v8a arm64v8 cortex-a53 cortex-a72 cortex-a76",
        EM_AARCH64,
        Elf64,
        Little,
        Any,
    ),
    of("386 i386 x86 x32 x86-32 ia32 32 32bit i686", EM_386, Elf32, Little, AnyX86),
    of("i586 i486 geode", EM_386, Elf32, Little, OldX86),
    of("amd64 x86-64 x64 64 64bit", EM_X86_64, Elf64, Little, X86(0)),
    of(
        "amd64-compatible amd64-baseline x64-baseline amd64-v1 amd64v1 x86-64-v1",
        EM_X86_64,
        Elf64,
        Little,
        X86(1),
    ),
    of("amd64-v2 amd64v2 x86-64-v2", EM_X86_64, Elf64, Little, X86(2)),
    of("amd64-v3 amd64v3 amd64-avx amd64-avx2 x86-64-v3", EM_X86_64, Elf64, Little, X86(3)),
    of("amd64-v4 amd64v4 x86-64-v4", EM_X86_64, Elf64, Little, X86(4)),
    of("riscv64 riscv64gc", EM_RISCV, Elf64, Little, Any),
    of("riscv32", EM_RISCV, Elf32, Little, Any),
    of("loong64 loongarch64 loong64-abi2", EM_LOONGARCH, Elf64, Little, Any),
    of("loong64-abi1", EM_LOONGARCH, Elf64, Little, OldLoongArch),
    of("powerpc ppc", EM_PPC, Elf32, Big, Any),
    of("powerpc64 ppc64", EM_PPC64, Elf64, Big, Any),
    of("powerpc64le ppc64le ppc64el", EM_PPC64, Elf64, Little, Any),
    of("s390x", EM_S390, Elf64, Big, Any),
    of("sparc64", EM_SPARCV9, Elf64, Big, Any),
    of("sh4", EM_SH, Elf32, Little, Any),
];

/// What words say besides: a set of bits.
pub(super) type Senses = u16;

pub(super) const LINUX: Senses = 1;
pub(super) const ANDROID: Senses = 2;
/// Another operating system.
pub(super) const SYSTEM: Senses = 4;
pub(super) const SOFT: Senses = 8;
pub(super) const HARD: Senses = 0x10;
pub(super) const MUSL: Senses = 0x20;
pub(super) const GLIBC: Senses = 0x40;
pub(super) const UCLIBC: Senses = 0x80;
pub(super) const STATIC: Senses = 0x100;
/// The processor's part of an OpenWrt architecture: its packages are for that one alone.
pub(super) const OPENWRT: Senses = 0x200;
/// A target of GCC or Rust, in which `arm` is what these mean by it.
pub(super) const TRIPLE: Senses = 0x400;

/// Whole words, a blank between two; what they say; and what else a file is with such a name, where no Linux machine starts it.
pub(super) static WORDS: &[(&str, Senses, &str)] = &[
    ("linux openwrt", LINUX, ""),
    ("musllinux alpine", LINUX | MUSL, ""),
    ("manylinux manylinux2014 debian ubuntu", LINUX | GLIBC, ""),
    ("windows windows7 win win7 win32 win64 cygwin", SYSTEM, "for Windows"),
    ("darwin macos mac osx apple", SYSTEM, "for macOS"),
    ("ios", SYSTEM, "for iOS"),
    ("freebsd", SYSTEM, "for FreeBSD"),
    ("openbsd", SYSTEM, "for OpenBSD"),
    ("netbsd", SYSTEM, "for NetBSD"),
    ("dragonfly dragonflybsd", SYSTEM, "for DragonFly BSD"),
    ("solaris sunos", SYSTEM, "for Solaris"),
    ("illumos", SYSTEM, "for illumos"),
    ("aix", SYSTEM, "for AIX"),
    ("plan9", SYSTEM, "for Plan 9"),
    ("haiku", SYSTEM, "for Haiku"),
    ("wasm wasip1", SYSTEM, "for WebAssembly"),
    ("android androideabi", ANDROID, ""),
    ("softfloat soft sf novfp mpcorenovfp nofpu", SOFT, ""),
    ("hardfloat hard hf", HARD, ""),
    ("musl muslabi64", MUSL, ""),
    ("muslsf musleabi", MUSL | SOFT, ""),
    ("musleabihf", MUSL | HARD, ""),
    ("glibc gnu gnuabi64", GLIBC, ""),
    ("gnueabi gnusf", GLIBC | SOFT, ""),
    ("gnueabihf", GLIBC | HARD, ""),
    ("uclibc", UCLIBC, ""),
    ("static", STATIC, ""),
    ("unknown", TRIPLE, ""),
    ("24kf", HARD | OPENWRT, ""),
    (
        "24kc 74kc 4kec cortex arm926ej arm1176jzf fa526 xscale generic mips64r2 octeonplus pentium4 pentium",
        OPENWRT,
        "",
    ),
    ("src source sources vendor buildable", 0, "sources"),
    ("docs", 0, "documents"),
    ("dbg dbgsym debuginfo", 0, "debug symbols"),
    ("checksums", 0, "a checksum"),
    ("frontend sdk", 0, "no program"),
];

/// Who installs a package.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manager {
    /// OpenWrt's opkg.
    Ipk,
    /// apk: Alpine's, OpenWrt's since 25.12, and the name of Android's.
    Apk,
    Deb,
    Rpm,
    Pacman,
}

/// The ends of packages' names.
pub(super) static PACKAGES: &[(&str, Manager)] = &[
    (".ipk", Manager::Ipk),
    (".apk", Manager::Apk),
    (".deb", Manager::Deb),
    (".rpm", Manager::Rpm),
    (".pkg.tar.zst .pkg.tar.xz", Manager::Pacman),
];

/// The ends of names of what no Linux machine starts, and what that is.
pub(super) static OTHER_ENDS: &[(&str, &str)] = &[
    (".exe .msi .msix .dll", "for Windows"),
    (".dmg .pkg", "for macOS"),
    (".sha1 .sha256 .sha512 .sha256sum .md5 .sum .dgst", "a checksum"),
    (".sig .asc .pem .minisig .sigstore .intoto.jsonl", "a signature"),
    (".zsync", "no program"),
    (".txt .json .md .yml .yaml .toml .html .unsigned", "a text"),
    (".sh .ps1", "a script"),
];
