//! What to build for a machine: the Go environment, the Rust target, compiler flags, OpenWrt's package architecture.
//!
//! Sources: Go's `cmd/go` documentation (GOARM, GOMIPS), rustc's platform support list, OpenWrt's include/target.mk and
//! packages lang/{golang,rust}/*-values.mk.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::candidate::Toolchain;
use crate::elf::consts::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_X86_64,
};
use crate::elf::{ByteOrder, Class};
use crate::machine::family::{self, rows};
use crate::machine::{Fpu, Machine, lists};
use crate::text;

/// What to build for a machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// `GOARCH=mipsle GOMIPS=softfloat`; None where Go has no port.
    pub go: Option<&'static str>,
    /// The Rust target; a static musl one.
    pub rust: Option<&'static str>,
    /// The processor in the compiler's name.
    gcc: &'static str,
    /// The compiler's options.
    options: &'static str,
}

impl Target {
    /// The Go build.
    pub fn go(&self) -> Option<String> {
        Some(format!("GOOS=linux {} go build", self.go?))
    }

    /// The Rust build. Targets of tier 3 come without a standard library, so that is built as well.
    pub fn cargo(&self) -> Option<String> {
        let triple = self.rust?;
        let bare =
            triple.starts_with("mips") || triple.starts_with("powerpc") && !triple.starts_with("powerpc64le");
        let command =
            if bare { "cargo +nightly build --release -Zbuild-std" } else { "cargo build --release" };
        Some(format!("{command} --target {triple}"))
    }

    /// The compiler, named as OpenWrt's SDK names it for its own machines.
    pub fn compiler(&self, machine: &Machine) -> String {
        let vendor = if machine.openwrt().release.get().is_some() { "-openwrt" } else { "" };
        let Target { gcc, options, .. } = self;
        let abi = if gcc.starts_with("arm") { "gnueabi" } else { "" };
        let blank = if options.is_empty() { "" } else { " " };
        format!("{gcc}{vendor}-linux-musl{abi}-gcc -static{blank}{options}")
    }
}

/// What to build where.
struct Row {
    /// The processor.
    e_machine: u16,
    /// Its word size, where it matters.
    class: Option<Class>,
    /// Its byte order, where it matters.
    order: Option<ByteOrder>,
    /// What else the machine needs.
    fits: fn(&Machine) -> bool,
    target: Target,
}

const W32: Option<Class> = Some(Class::Elf32);
const W64: Option<Class> = Some(Class::Elf64);
const BIG: Option<ByteOrder> = Some(ByteOrder::Big);
const LITTLE: Option<ByteOrder> = Some(ByteOrder::Little);

/// The first that fits is the one to build for.
const TARGETS: [&[Row]; 7] = [
    rows(family::MIPS && family::BIG, MIPS_BIG),
    rows(family::MIPS && family::LITTLE, MIPS_LITTLE),
    rows(family::ARM, ARM),
    rows(family::X86, X86),
    rows(family::RISCV, RISCV),
    rows(family::POWERPC, POWERPC),
    rows(family::LOONGARCH, LOONGARCH),
];

#[rustfmt::skip]
const MIPS_BIG: &[Row] = &[
    Row { e_machine: EM_MIPS, class: W32, order: BIG, fits: has_fpu,
          target: Target { go: Some("GOARCH=mips GOMIPS=hardfloat"), rust: Some("mips-unknown-linux-musl"),
                           gcc: "mips", options: "-march=mips32 -mhard-float" } },
    Row { e_machine: EM_MIPS, class: W32, order: BIG, fits: is_r2,
          target: Target { go: Some("GOARCH=mips GOMIPS=softfloat"), rust: Some("mips-unknown-linux-musl"),
                           gcc: "mips", options: "-march=mips32r2 -msoft-float" } },
    Row { e_machine: EM_MIPS, class: W32, order: BIG, fits: any,
          target: Target { go: Some("GOARCH=mips GOMIPS=softfloat"), rust: Some("mips-unknown-linux-musl"),
                           gcc: "mips", options: "-march=mips32 -msoft-float" } },
    Row { e_machine: EM_MIPS, class: None, order: BIG, fits: any,
          target: Target { go: Some("GOARCH=mips64 GOMIPS64=softfloat"), rust: Some("mips64-openwrt-linux-musl"),
                           gcc: "mips64", options: "-msoft-float" } },
];

#[rustfmt::skip]
const MIPS_LITTLE: &[Row] = &[
    Row { e_machine: EM_MIPS, class: W32, order: LITTLE, fits: has_fpu,
          target: Target { go: Some("GOARCH=mipsle GOMIPS=hardfloat"), rust: Some("mipsel-unknown-linux-musl"),
                           gcc: "mipsel", options: "-march=mips32 -mhard-float" } },
    Row { e_machine: EM_MIPS, class: W32, order: LITTLE, fits: is_r2,
          target: Target { go: Some("GOARCH=mipsle GOMIPS=softfloat"), rust: Some("mipsel-unknown-linux-musl"),
                           gcc: "mipsel", options: "-march=mips32r2 -msoft-float" } },
    Row { e_machine: EM_MIPS, class: W32, order: LITTLE, fits: any,
          target: Target { go: Some("GOARCH=mipsle GOMIPS=softfloat"), rust: Some("mipsel-unknown-linux-musl"),
                           gcc: "mipsel", options: "-march=mips32 -msoft-float" } },
    Row { e_machine: EM_MIPS, class: None, order: LITTLE, fits: any,
          target: Target { go: Some("GOARCH=mips64le GOMIPS64=softfloat"), rust: None,
                           gcc: "mips64el", options: "-msoft-float" } },
];

#[rustfmt::skip]
const ARM: &[Row] = &[
    Row { e_machine: EM_ARM, class: None, order: BIG, fits: any,
          target: Target { go: None, rust: None,
                           gcc: "armeb", options: "-march=armv5te" } },
    Row { e_machine: EM_ARM, class: None, order: None, fits: is_v7_vfpv3,
          target: Target { go: Some("GOARCH=arm GOARM=7"), rust: Some("armv7-unknown-linux-musleabihf"),
                           gcc: "arm", options: "-march=armv7-a -mfpu=vfpv3-d16 -mfloat-abi=hard" } },
    Row { e_machine: EM_ARM, class: None, order: None, fits: is_v6_vfp,
          target: Target { go: Some("GOARCH=arm GOARM=6"), rust: Some("arm-unknown-linux-musleabihf"),
                           gcc: "arm", options: "-march=armv6 -mfpu=vfp -mfloat-abi=hard" } },
    Row { e_machine: EM_ARM, class: None, order: None, fits: is_v7,
          target: Target { go: Some("GOARCH=arm GOARM=5"), rust: Some("armv7-unknown-linux-musleabi"),
                           gcc: "arm", options: "-march=armv7-a -mfloat-abi=soft" } },
    Row { e_machine: EM_ARM, class: None, order: None, fits: any,
          target: Target { go: Some("GOARCH=arm GOARM=5"), rust: Some("armv5te-unknown-linux-musleabi"),
                           gcc: "arm", options: "-march=armv5te -mfloat-abi=soft" } },
    Row { e_machine: EM_AARCH64, class: None, order: LITTLE, fits: any,
          target: Target { go: Some("GOARCH=arm64"), rust: Some("aarch64-unknown-linux-musl"),
                           gcc: "aarch64", options: "" } },
];

#[rustfmt::skip]
const X86: &[Row] = &[
    Row { e_machine: EM_X86_64, class: None, order: None, fits: any,
          target: Target { go: Some("GOARCH=amd64"), rust: Some("x86_64-unknown-linux-musl"),
                           gcc: "x86_64", options: "" } },
    Row { e_machine: EM_386, class: None, order: None, fits: has_sse2,
          target: Target { go: Some("GOARCH=386"), rust: Some("i686-unknown-linux-musl"),
                           gcc: "i486", options: "-march=i686" } },
    Row { e_machine: EM_386, class: None, order: None, fits: any,
          target: Target { go: Some("GOARCH=386 GO386=softfloat"), rust: Some("i586-unknown-linux-musl"),
                           gcc: "i486", options: "-march=i586" } },
];

const RISCV: &[Row] = &[Row {
    e_machine: EM_RISCV,
    class: W64,
    order: None,
    fits: any,
    target: Target {
        go: Some("GOARCH=riscv64"),
        rust: Some("riscv64gc-unknown-linux-musl"),
        gcc: "riscv64",
        options: "",
    },
}];

#[rustfmt::skip]
const POWERPC: &[Row] = &[
    Row { e_machine: EM_PPC, class: None, order: None, fits: any,
          target: Target { go: None, rust: Some("powerpc-unknown-linux-musl"),
                           gcc: "powerpc", options: "-msoft-float" } },
    Row { e_machine: EM_PPC64, class: None, order: BIG, fits: any,
          target: Target { go: Some("GOARCH=ppc64"), rust: Some("powerpc64-unknown-linux-musl"),
                           gcc: "powerpc64", options: "-mabi=elfv2" } },
    Row { e_machine: EM_PPC64, class: None, order: None, fits: any,
          target: Target { go: Some("GOARCH=ppc64le"), rust: Some("powerpc64le-unknown-linux-musl"),
                           gcc: "powerpc64le", options: "" } },
];

const LOONGARCH: &[Row] = &[Row {
    e_machine: EM_LOONGARCH,
    class: W64,
    order: None,
    fits: any,
    target: Target {
        go: Some("GOARCH=loong64"),
        rust: Some("loongarch64-unknown-linux-musl"),
        gcc: "loongarch64",
        options: "",
    },
}];

const fn any(_: &Machine) -> bool {
    true
}

/// Soft float runs everywhere; hard float only where there is an FPU, and no stock OpenWrt kernel emulates one.
fn has_fpu(machine: &Machine) -> bool {
    machine.fpu().value == Some(Fpu::Hardware)
}

fn is_r2(machine: &Machine) -> bool {
    lists(&machine.cpu().isa, "mips32r2")
}

fn is_v7(machine: &Machine) -> bool {
    machine.cpu().arm_architecture.value >= Some(7)
}

fn is_v7_vfpv3(machine: &Machine) -> bool {
    is_v7(machine)
        && ["vfpv3", "vfpv3d16", "vfpv4", "neon"].iter().any(|name| lists(&machine.cpu().features, name))
}

/// A Cortex-A9 without VFP (bcm53xx) is a GOARM=5 machine.
fn is_v6_vfp(machine: &Machine) -> bool {
    machine.cpu().arm_architecture.value >= Some(6) && lists(&machine.cpu().features, "vfp")
}

fn has_sse2(machine: &Machine) -> bool {
    lists(&machine.cpu().features, "sse2")
}

/// What to build for this machine; None where its processor is not known.
pub fn target(machine: &Machine) -> Option<Target> {
    let own = machine.byte_order()?;
    let userland = machine.userland().get();
    let class = userland.map(|abi| abi.encoding.class).or(machine.kernel().class.value)?;
    let e_machine = userland.map(|abi| abi.e_machine).or_else(|| machine.e_machine())?;
    let fitting = |row: &&Row| {
        row.e_machine == e_machine
            && row.class.is_none_or(|wanted| wanted == class)
            && row.order.is_none_or(|wanted| wanted == own)
            && (row.fits)(machine)
    };
    TARGETS.iter().find_map(|rows| rows.iter().find(fitting)).map(|row| row.target)
}

/// To rebuild for this machine, with the toolchain that made the program; with all of them where that is not known. A
/// sentence and its commands; None where it is not known what to build.
pub(crate) fn rebuild(machine: &Machine, toolchain: Toolchain) -> Option<(String, Vec<String>)> {
    let target = target(machine)?;
    let mut sentence = "rebuild it for this machine".to_owned();
    if let Some(arch) = machine.openwrt().arch.get() {
        sentence.push_str(", or take the build for ");
        sentence.push_str(&text::printable(arch.as_bytes()));
    }
    let of_toolchain = match toolchain {
        Toolchain::Go => target.go(),
        Toolchain::Rust => target.cargo(),
        Toolchain::C => Some(target.compiler(machine)),
        Toolchain::Unknown => None,
    };
    let commands = match of_toolchain {
        Some(command) => vec![command],
        None => [Some(target.compiler(machine)), target.cargo(), target.go()].into_iter().flatten().collect(),
    };
    Some((sentence, commands))
}
