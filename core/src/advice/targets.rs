//! What one toolchain calls a machine, and nothing else: `diag --targets KIND`, for scripts.

use alloc::format;
use alloc::string::String;

use super::{Build, build, is_android, userland};
use crate::candidate::Toolchain;
use crate::elf::consts::{
    EF_ARM_ABI_FLOAT_HARD, EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64,
};
use crate::elf::{ByteOrder, Class, Encoding};
use crate::machine::{Abi, Fpu, Machine};

/// Who calls the machine so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Go's environment: `GOOS=linux GOARCH=mipsle GOMIPS=softfloat`.
    Go,
    /// The triple of a static Rust program: `mipsel-unknown-linux-musl`.
    Rust,
    /// Zig's, and behind it the processor where that matters: `mipsel-linux-musleabi -Dcpu=mips32`.
    Zig,
    /// GCC's and Clang's options: `-static -march=mips32r2 -msoft-float`.
    Gcc,
    /// DISTRIB_ARCH, by which opkg and apk take packages: `mipsel_24kc`.
    OpenWrt,
    /// `dpkg --print-architecture`: `armhf`.
    Debian,
    /// A platform of Docker and of OCI: `linux/arm/v7`.
    Docker,
}

impl Kind {
    /// All of them, in the order of the report.
    pub const ALL: [Kind; 7] =
        [Kind::OpenWrt, Kind::Go, Kind::Rust, Kind::Zig, Kind::Gcc, Kind::Debian, Kind::Docker];

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Go => "go",
            Kind::Rust => "rust",
            Kind::Zig => "zig",
            Kind::Gcc => "gcc",
            Kind::OpenWrt => "openwrt",
            Kind::Debian => "debian",
            Kind::Docker => "docker",
        }
    }

    /// The one of that word; the first where there is none.
    pub fn called(word: &str) -> Kind {
        Kind::ALL.into_iter().find(|kind| kind.name() == word).unwrap_or(Kind::OpenWrt)
    }

    /// What it is, in a sentence that says that there is none.
    pub const fn what(self) -> &'static str {
        match self {
            Kind::Go => "no port of Go",
            Kind::Rust => "no target of Rust",
            Kind::Zig => "no target of Zig",
            Kind::Gcc => "no options of GCC",
            Kind::OpenWrt => "no architecture of OpenWrt (DISTRIB_ARCH)",
            Kind::Debian => "no architecture of Debian",
            Kind::Docker => "no platform of Docker",
        }
    }

    /// What it is called; None where there is no such target, or where that is not known of the machine.
    pub fn of(self, machine: &Machine) -> Option<String> {
        if self == Kind::OpenWrt {
            return machine.openwrt().arch.get().cloned();
        }
        let build = build(machine)?;
        let android = build.android.filter(|_| is_android(machine));
        Some(match self {
            Kind::Go => {
                let system = if is_android(machine) { "android" } else { "linux" };
                format!("GOOS={system} {}", build.go?)
            }
            Kind::Rust => String::from(android.or(build.rust)?),
            Kind::Zig => String::from(build.target(Toolchain::Zig)?),
            Kind::Gcc if build.gcc.is_empty() => return None,
            Kind::Gcc if build.options.is_empty() => String::from("-static"),
            Kind::Gcc => format!("-static {}", build.options),
            Kind::OpenWrt => return None,
            Kind::Debian => String::from(debian(machine)?),
            Kind::Docker => docker(build)?,
        })
    }
}

/// GOARCH, and GOARM behind it (containerd's `platforms`).
fn docker(build: &Build) -> Option<String> {
    let mut variables = build.go?.split(' ').filter_map(|variable| variable.split_once('='));
    let (_, arch) = variables.next()?;
    let version = variables.find_map(|(name, value)| (name == "GOARM").then_some(value));
    Some(match version {
        Some(version) => format!("linux/{arch}/v{version}"),
        None => format!("linux/{arch}"),
    })
}

/// The port whose programs the machine's own are; where these are not known, the best that its processor runs.
fn debian(machine: &Machine) -> Option<&'static str> {
    let of_processor = || {
        let is_hard = build(machine)?.gnu.ends_with("eabihf");
        Some(Abi {
            e_machine: machine.e_machine()?,
            encoding: Encoding { order: machine.byte_order()?, class: machine.kernel().class.value? },
            e_flags: if is_hard { EF_ARM_ABI_FLOAT_HARD } else { 0 },
        })
    };
    let abi = userland(machine).copied().or_else(of_processor)?;
    // The ports for MIPS are hard-float.
    let runs = abi.e_machine != EM_MIPS || matches!(machine.fpu().value, Some(Fpu::Hardware | Fpu::Emulated));
    debian_arch(abi).filter(|_| runs)
}

/// Debian's name of an architecture.
pub(crate) fn debian_arch(abi: Abi) -> Option<&'static str> {
    let Encoding { order, class } = abi.encoding;
    let is_little = order == ByteOrder::Little;
    Some(match (abi.e_machine, class) {
        (EM_X86_64, Class::Elf64) => "amd64",
        (EM_386, Class::Elf32) => "i386",
        (EM_AARCH64, Class::Elf64) if is_little => "arm64",
        (EM_ARM, _) if is_little && abi.e_flags & EF_ARM_ABI_FLOAT_HARD != 0 => "armhf",
        (EM_ARM, _) if is_little => "armel",
        (EM_MIPS, Class::Elf64) if is_little => "mips64el",
        (EM_MIPS, Class::Elf32) if is_little => "mipsel",
        (EM_PPC64, Class::Elf64) if is_little => "ppc64el",
        (EM_RISCV, Class::Elf64) => "riscv64",
        (EM_S390, Class::Elf64) => "s390x",
        _ => return None,
    })
}
