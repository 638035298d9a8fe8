//! The words by which release pages tell one file from another. They were counted on the pages of 36 projects, and are
//! those of Go (GOARCH, GOARM, GOMIPS), of GoReleaser, of Rust's and Debian's targets, of Docker and of `uname -m`.

use crate::elf::consts::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_S390, EM_SH,
    EM_SPARCV9, EM_X86_64,
};
use crate::elf::{ByteOrder, Class};

/// What a word says of the processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Processor {
    /// In small letters, with `-` for whatever parts words.
    pub(super) word: &'static str,
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
use Level::{AnyArm, AnyX86, Arm, Armel, Armhf, Core, Mips16, OldLoongArch, OldX86, X86};

const fn of(word: &'static str, e_machine: u16, class: Class, order: ByteOrder, level: Level) -> Processor {
    Processor { word, e_machine, class, order, level }
}

const fn mips(word: &'static str, class: Class, order: ByteOrder) -> Processor {
    of(word, EM_MIPS, class, order, Level::Any)
}

const fn arm(word: &'static str, level: Level) -> Processor {
    of(word, EM_ARM, Elf32, Little, level)
}

const fn arm64(word: &'static str) -> Processor {
    of(word, EM_AARCH64, Elf64, Little, Level::Any)
}

const fn x86(word: &'static str, level: Level) -> Processor {
    of(word, EM_386, Elf32, Little, level)
}

const fn x86_64(word: &'static str, level: u8) -> Processor {
    of(word, EM_X86_64, Elf64, Little, X86(level))
}

/// Of several words at one place the longest counts, so their order does not.
pub(super) static PROCESSORS: &[Processor] = &[
    mips("mips", Elf32, Big),
    mips("mips32", Elf32, Big),
    mips("mipsbe", Elf32, Big),
    mips("mipseb", Elf32, Big),
    mips("mipsle", Elf32, Little),
    mips("mipsel", Elf32, Little),
    mips("mips32le", Elf32, Little),
    mips("mips32el", Elf32, Little),
    of("mips16", EM_MIPS, Elf32, Big, Mips16),
    of("mips16el", EM_MIPS, Elf32, Little, Mips16),
    mips("mips64", Elf64, Big),
    mips("mips64le", Elf64, Little),
    mips("mips64el", Elf64, Little),
    of("armeb", EM_ARM, Elf32, Big, AnyArm),
    of("armbe", EM_ARM, Elf32, Big, AnyArm),
    arm("arm", AnyArm),
    arm("arm32", AnyArm),
    arm("armel", Armel),
    arm("armhf", Armhf),
    arm("arm-hf", Armhf),
    arm("armv5", Arm(5)),
    arm("arm5", Arm(5)),
    arm("arm-5", Arm(5)),
    arm("arm-v5", Arm(5)),
    arm("arm32-v5", Arm(5)),
    arm("arm32v5", Arm(5)),
    arm("armv5l", Arm(5)),
    arm("armv5te", Arm(5)),
    arm("armv5tel", Arm(5)),
    arm("armv5el", Arm(5)),
    arm("armv6", Arm(6)),
    arm("arm6", Arm(6)),
    arm("arm-6", Arm(6)),
    arm("arm-v6", Arm(6)),
    arm("arm32-v6", Arm(6)),
    arm("arm32v6", Arm(6)),
    arm("armv6l", Arm(6)),
    arm("armv6hf", Arm(6)),
    arm("armv6hl", Arm(6)),
    arm("pi-zero-w", Core(6)),
    arm("mpcorenovfp", Arm(6)),
    arm("armv7", Arm(7)),
    arm("arm7", Arm(7)),
    arm("arm-7", Arm(7)),
    arm("arm-v7", Arm(7)),
    arm("arm32-v7", Arm(7)),
    arm("arm32-v7a", Arm(7)),
    arm("arm32v7", Arm(7)),
    arm("armv7a", Arm(7)),
    arm("armv7l", Arm(7)),
    arm("armv7el", Arm(7)),
    arm("armv7hf", Arm(7)),
    arm("armv7hl", Arm(7)),
    arm("armv7hnl", Arm(7)),
    arm("armeabi-v7a", Arm(7)),
    arm("cortex-a5", Core(7)),
    arm("cortex-a7", Core(7)),
    arm("cortex-a8", Core(7)),
    arm("cortex-a9", Core(7)),
    arm("cortex-a15", Core(7)),
    arm64("arm64"),
    arm64("aarch64"),
    arm64("armv8"),
    arm64("arm64-v8"),
    arm64("arm64-v8a"),
    arm64("arm64v8"),
    arm64("cortex-a53"),
    arm64("cortex-a72"),
    arm64("cortex-a76"),
    x86("386", AnyX86),
    x86("i386", AnyX86),
    x86("x86", AnyX86),
    x86("x32", AnyX86),
    x86("x86-32", AnyX86),
    x86("ia32", AnyX86),
    x86("32", AnyX86),
    x86("32bit", AnyX86),
    x86("i686", AnyX86),
    x86("i586", OldX86),
    x86("i486", OldX86),
    x86("geode", OldX86),
    x86_64("amd64", 0),
    x86_64("x86-64", 0),
    x86_64("x64", 0),
    x86_64("64", 0),
    x86_64("64bit", 0),
    x86_64("amd64-compatible", 1),
    x86_64("amd64-baseline", 1),
    x86_64("x64-baseline", 1),
    x86_64("amd64-v1", 1),
    x86_64("amd64v1", 1),
    x86_64("x86-64-v1", 1),
    x86_64("amd64-v2", 2),
    x86_64("amd64v2", 2),
    x86_64("x86-64-v2", 2),
    x86_64("amd64-v3", 3),
    x86_64("amd64v3", 3),
    x86_64("amd64-avx", 3),
    x86_64("amd64-avx2", 3),
    x86_64("x86-64-v3", 3),
    x86_64("amd64-v4", 4),
    x86_64("amd64v4", 4),
    x86_64("x86-64-v4", 4),
    of("riscv64", EM_RISCV, Elf64, Little, Level::Any),
    of("riscv64gc", EM_RISCV, Elf64, Little, Level::Any),
    of("riscv32", EM_RISCV, Elf32, Little, Level::Any),
    of("loong64", EM_LOONGARCH, Elf64, Little, Level::Any),
    of("loongarch64", EM_LOONGARCH, Elf64, Little, Level::Any),
    of("loong64-abi2", EM_LOONGARCH, Elf64, Little, Level::Any),
    of("loong64-abi1", EM_LOONGARCH, Elf64, Little, OldLoongArch),
    of("powerpc", EM_PPC, Elf32, Big, Level::Any),
    of("ppc", EM_PPC, Elf32, Big, Level::Any),
    of("powerpc64", EM_PPC64, Elf64, Big, Level::Any),
    of("ppc64", EM_PPC64, Elf64, Big, Level::Any),
    of("powerpc64le", EM_PPC64, Elf64, Little, Level::Any),
    of("ppc64le", EM_PPC64, Elf64, Little, Level::Any),
    of("ppc64el", EM_PPC64, Elf64, Little, Level::Any),
    of("s390x", EM_S390, Elf64, Big, Level::Any),
    of("sparc64", EM_SPARCV9, Elf64, Big, Level::Any),
    of("sh4", EM_SH, Elf32, Little, Level::Any),
];

/// What a word says besides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sense {
    Linux,
    /// Another operating system.
    System(&'static str),
    Android,
    Soft,
    Hard,
    Musl,
    Glibc,
    Uclibc,
    Static,
    /// It is no program: sources, documents.
    NoProgram(&'static str),
    /// The processor's part of an OpenWrt architecture: its packages are for that one alone.
    OpenWrt,
}

impl Sense {
    /// An operating system's name.
    pub(super) const fn is_system(self) -> bool {
        matches!(self, Linux | System(_) | Android)
    }
}

use Sense::{Android, Glibc, Hard, Linux, Musl, NoProgram, OpenWrt, Soft, Static, System, Uclibc};

/// Whole words.
pub(super) static WORDS: &[(&str, &[Sense])] = &[
    ("linux", &[Linux]),
    ("musllinux", &[Linux, Musl]),
    ("manylinux", &[Linux, Glibc]),
    ("manylinux2014", &[Linux, Glibc]),
    ("openwrt", &[Linux]),
    ("alpine", &[Linux, Musl]),
    ("debian", &[Linux, Glibc]),
    ("ubuntu", &[Linux, Glibc]),
    ("windows", &[System("Windows")]),
    ("windows7", &[System("Windows")]),
    ("win", &[System("Windows")]),
    ("win7", &[System("Windows")]),
    ("win32", &[System("Windows")]),
    ("win64", &[System("Windows")]),
    ("cygwin", &[System("Windows")]),
    ("darwin", &[System("macOS")]),
    ("macos", &[System("macOS")]),
    ("mac", &[System("macOS")]),
    ("osx", &[System("macOS")]),
    ("apple", &[System("macOS")]),
    ("ios", &[System("iOS")]),
    ("freebsd", &[System("FreeBSD")]),
    ("openbsd", &[System("OpenBSD")]),
    ("netbsd", &[System("NetBSD")]),
    ("dragonfly", &[System("DragonFly BSD")]),
    ("dragonflybsd", &[System("DragonFly BSD")]),
    ("solaris", &[System("Solaris")]),
    ("sunos", &[System("Solaris")]),
    ("illumos", &[System("illumos")]),
    ("aix", &[System("AIX")]),
    ("plan9", &[System("Plan 9")]),
    ("haiku", &[System("Haiku")]),
    ("wasm", &[System("WebAssembly")]),
    ("wasip1", &[System("WebAssembly")]),
    ("android", &[Android]),
    ("androideabi", &[Android]),
    ("softfloat", &[Soft]),
    ("soft", &[Soft]),
    ("sf", &[Soft]),
    ("novfp", &[Soft]),
    ("mpcorenovfp", &[Soft]),
    ("nofpu", &[Soft]),
    ("hardfloat", &[Hard]),
    ("hard", &[Hard]),
    ("hf", &[Hard]),
    ("24kf", &[Hard, OpenWrt]),
    ("musl", &[Musl]),
    ("muslsf", &[Musl, Soft]),
    ("musleabi", &[Musl, Soft]),
    ("musleabihf", &[Musl, Hard]),
    ("muslabi64", &[Musl]),
    ("glibc", &[Glibc]),
    ("gnu", &[Glibc]),
    ("gnueabi", &[Glibc, Soft]),
    ("gnueabihf", &[Glibc, Hard]),
    ("gnuabi64", &[Glibc]),
    ("gnusf", &[Glibc, Soft]),
    ("uclibc", &[Uclibc]),
    ("static", &[Static]),
    ("src", &[NoProgram("sources")]),
    ("source", &[NoProgram("sources")]),
    ("sources", &[NoProgram("sources")]),
    ("vendor", &[NoProgram("sources")]),
    ("buildable", &[NoProgram("sources")]),
    ("frontend", &[NoProgram("no program")]),
    ("docs", &[NoProgram("documents")]),
    ("sdk", &[NoProgram("no program")]),
    ("dbg", &[NoProgram("debug symbols")]),
    ("dbgsym", &[NoProgram("debug symbols")]),
    ("debuginfo", &[NoProgram("debug symbols")]),
    ("checksums", &[NoProgram("checksums")]),
    ("24kc", &[OpenWrt]),
    ("74kc", &[OpenWrt]),
    ("4kec", &[OpenWrt]),
    ("cortex", &[OpenWrt]),
    ("arm926ej", &[OpenWrt]),
    ("arm1176jzf", &[OpenWrt]),
    ("fa526", &[OpenWrt]),
    ("xscale", &[OpenWrt]),
    ("generic", &[OpenWrt]),
    ("mips64r2", &[OpenWrt]),
    ("octeonplus", &[OpenWrt]),
    ("pentium4", &[OpenWrt]),
    ("pentium", &[OpenWrt]),
];

/// How a file holds its program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Container {
    /// As it is, or in an archive.
    Plain,
    /// A package for the manager of that name.
    Package(Manager),
    /// Another operating system's.
    Foreign(&'static str),
    /// It holds none.
    NoProgram(&'static str),
}

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

/// By the end of a name.
pub(super) static ENDS: &[(&str, Container)] = &[
    (".pkg.tar.zst", Container::Package(Manager::Pacman)),
    (".pkg.tar.xz", Container::Package(Manager::Pacman)),
    (".ipk", Container::Package(Manager::Ipk)),
    (".apk", Container::Package(Manager::Apk)),
    (".deb", Container::Package(Manager::Deb)),
    (".rpm", Container::Package(Manager::Rpm)),
    (".exe", Container::Foreign("Windows")),
    (".msi", Container::Foreign("Windows")),
    (".msix", Container::Foreign("Windows")),
    (".dll", Container::Foreign("Windows")),
    (".dmg", Container::Foreign("macOS")),
    (".pkg", Container::Foreign("macOS")),
    (".sha1", Container::NoProgram("a checksum")),
    (".sha256", Container::NoProgram("a checksum")),
    (".sha512", Container::NoProgram("a checksum")),
    (".sha256sum", Container::NoProgram("a checksum")),
    (".md5", Container::NoProgram("a checksum")),
    (".sum", Container::NoProgram("a checksum")),
    (".dgst", Container::NoProgram("a checksum")),
    (".sig", Container::NoProgram("a signature")),
    (".asc", Container::NoProgram("a signature")),
    (".pem", Container::NoProgram("a signature")),
    (".minisig", Container::NoProgram("a signature")),
    (".sigstore", Container::NoProgram("a signature")),
    (".intoto.jsonl", Container::NoProgram("a signature")),
    (".zsync", Container::NoProgram("no program")),
    (".txt", Container::NoProgram("a text")),
    (".json", Container::NoProgram("a text")),
    (".md", Container::NoProgram("a text")),
    (".yml", Container::NoProgram("a text")),
    (".yaml", Container::NoProgram("a text")),
    (".toml", Container::NoProgram("a text")),
    (".html", Container::NoProgram("a text")),
    (".sh", Container::NoProgram("a script")),
    (".ps1", Container::NoProgram("a script")),
    (".unsigned", Container::NoProgram("a text")),
];
