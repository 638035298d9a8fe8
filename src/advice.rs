//! What to build for a machine: the Go environment, the Rust target, compiler flags, OpenWrt's package architecture.
//!
//! Sources: Go's `cmd/go` documentation (GOARM, GOMIPS), rustc's platform support list, OpenWrt's include/target.mk and
//! packages lang/{golang,rust}/*-values.mk.

use crate::candidate::Toolchain;
use crate::elf::consts::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_X86_64,
};
use crate::elf::{ByteOrder, Class};
use crate::machine::family::{self, rows};
use crate::machine::{Fpu, Machine, lists};
use crate::text;

/// What to build for a machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// `GOARCH=mipsle GOMIPS=softfloat`; None where Go has no port.
    pub go: Option<&'static str>,
    /// The Rust target; a static musl one.
    pub rust: Option<&'static str>,
    /// The processor in the compiler's name, and its options.
    gcc: &'static str,
}

impl Target {
    /// The Go build.
    pub fn go(&self) -> Option<String> {
        Some(text::concat(&["GOOS=linux ", self.go?, " go build"]))
    }

    /// The Rust build. Targets of tier 3 come without a standard library, so that is built as well.
    pub fn cargo(&self) -> Option<String> {
        let triple = self.rust?;
        let bare =
            triple.starts_with("mips") || triple.starts_with("powerpc") && !triple.starts_with("powerpc64le");
        let command =
            if bare { "cargo +nightly build --release -Zbuild-std" } else { "cargo build --release" };
        Some(text::concat(&[command, " --target ", triple]))
    }

    /// The compiler, named as OpenWrt's SDK names it for its own machines.
    pub fn compiler(&self, machine: &Machine) -> String {
        let vendor = if machine.openwrt.release.get().is_some() { "-openwrt" } else { "" };
        let (arch, options) = text::cut(self.gcc, b',').unwrap_or_default();
        let abi = if arch.starts_with("arm") { "gnueabi" } else { "" };
        text::concat(&[arch, vendor, "-linux-musl", abi, "-gcc -static", options])
    }
}

/// A processor, its word size and byte order where they matter, and what else a machine needs; then Go's environment,
/// the Rust target, the processor in the compiler's name, and the compiler's options.
type Row = (u16, Option<Class>, Option<ByteOrder>, fn(&Machine) -> bool, &'static str);

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
    (EM_MIPS, W32, BIG, has_fpu,
     "GOARCH=mips GOMIPS=hardfloat|mips-unknown-linux-musl|mips, -march=mips32 -mhard-float"),
    (EM_MIPS, W32, BIG, is_r2,
     "GOARCH=mips GOMIPS=softfloat|mips-unknown-linux-musl|mips, -march=mips32r2 -msoft-float"),
    (EM_MIPS, W32, BIG, any,
     "GOARCH=mips GOMIPS=softfloat|mips-unknown-linux-musl|mips, -march=mips32 -msoft-float"),
    (EM_MIPS, None, BIG, any,
     "GOARCH=mips64 GOMIPS64=softfloat|mips64-openwrt-linux-musl|mips64, -msoft-float"),
];

#[rustfmt::skip]
const MIPS_LITTLE: &[Row] = &[
    (EM_MIPS, W32, LITTLE, has_fpu,
     "GOARCH=mipsle GOMIPS=hardfloat|mipsel-unknown-linux-musl|mipsel, -march=mips32 -mhard-float"),
    (EM_MIPS, W32, LITTLE, is_r2,
     "GOARCH=mipsle GOMIPS=softfloat|mipsel-unknown-linux-musl|mipsel, -march=mips32r2 -msoft-float"),
    (EM_MIPS, W32, LITTLE, any,
     "GOARCH=mipsle GOMIPS=softfloat|mipsel-unknown-linux-musl|mipsel, -march=mips32 -msoft-float"),
    (EM_MIPS, None, LITTLE, any, "GOARCH=mips64le GOMIPS64=softfloat||mips64el, -msoft-float"),
];

#[rustfmt::skip]
const ARM: &[Row] = &[
    (EM_ARM, None, BIG, any, "||armeb, -march=armv5te"),
    (EM_ARM, None, None, is_v7_vfpv3,
     "GOARCH=arm GOARM=7|armv7-unknown-linux-musleabihf|arm, -march=armv7-a -mfpu=vfpv3-d16 -mfloat-abi=hard"),
    (EM_ARM, None, None, is_v6_vfp,
     "GOARCH=arm GOARM=6|arm-unknown-linux-musleabihf|arm, -march=armv6 -mfpu=vfp -mfloat-abi=hard"),
    (EM_ARM, None, None, is_v7,
     "GOARCH=arm GOARM=5|armv7-unknown-linux-musleabi|arm, -march=armv7-a -mfloat-abi=soft"),
    (EM_ARM, None, None, any,
     "GOARCH=arm GOARM=5|armv5te-unknown-linux-musleabi|arm, -march=armv5te -mfloat-abi=soft"),
    (EM_AARCH64, None, LITTLE, any, "GOARCH=arm64|aarch64-unknown-linux-musl|aarch64,"),
];

#[rustfmt::skip]
const X86: &[Row] = &[
    (EM_X86_64, None, None, any, "GOARCH=amd64|x86_64-unknown-linux-musl|x86_64,"),
    (EM_386, None, None, has_sse2, "GOARCH=386|i686-unknown-linux-musl|i486, -march=i686"),
    (EM_386, None, None, any, "GOARCH=386 GO386=softfloat|i586-unknown-linux-musl|i486, -march=i586"),
];

const RISCV: &[Row] = &[(EM_RISCV, W64, None, any, "GOARCH=riscv64|riscv64gc-unknown-linux-musl|riscv64,")];

#[rustfmt::skip]
const POWERPC: &[Row] = &[
    (EM_PPC, None, None, any, "|powerpc-unknown-linux-musl|powerpc, -msoft-float"),
    (EM_PPC64, None, BIG, any, "GOARCH=ppc64|powerpc64-unknown-linux-musl|powerpc64, -mabi=elfv2"),
    (EM_PPC64, None, None, any, "GOARCH=ppc64le|powerpc64le-unknown-linux-musl|powerpc64le,"),
];

const LOONGARCH: &[Row] =
    &[(EM_LOONGARCH, W64, None, any, "GOARCH=loong64|loongarch64-unknown-linux-musl|loongarch64,")];

const fn any(_: &Machine) -> bool {
    true
}

/// Soft float runs everywhere; hard float only where there is an FPU, and no stock OpenWrt kernel emulates one.
fn has_fpu(machine: &Machine) -> bool {
    machine.fpu.value == Some(Fpu::Hardware)
}

fn is_r2(machine: &Machine) -> bool {
    lists(&machine.cpu.isa, "mips32r2")
}

fn is_v7(machine: &Machine) -> bool {
    machine.cpu.arm_architecture.value >= Some(7)
}

fn is_v7_vfpv3(machine: &Machine) -> bool {
    is_v7(machine)
        && ["vfpv3", "vfpv3d16", "vfpv4", "neon"].iter().any(|name| lists(&machine.cpu.features, name))
}

/// A Cortex-A9 without VFP (bcm53xx) is a GOARM=5 machine.
fn is_v6_vfp(machine: &Machine) -> bool {
    machine.cpu.arm_architecture.value >= Some(6) && lists(&machine.cpu.features, "vfp")
}

fn has_sse2(machine: &Machine) -> bool {
    lists(&machine.cpu.features, "sse2")
}

/// What to build for this machine; None where its processor is not known.
pub fn target(machine: &Machine) -> Option<Target> {
    let own = machine.byte_order()?;
    let userland = machine.userland.get();
    let class = userland.map(|abi| abi.view.class).or(machine.kernel.class.value)?;
    let e_machine = userland.map(|abi| abi.e_machine).or_else(|| machine.e_machine())?;
    let fitting = |(of, bits, order, fits, _): &&Row| {
        *of == e_machine
            && bits.is_none_or(|bits| bits == class)
            && order.is_none_or(|order| order == own)
            && fits(machine)
    };
    let (.., words) = TARGETS.iter().find_map(|rows| rows.iter().find(fitting))?;
    let mut words = text::split(words, b'|');
    let mut next = || words.next().unwrap_or_default();
    let given = |words: &'static str| (!words.is_empty()).then_some(words);
    Some(Target { go: given(next()), rust: given(next()), gcc: next() })
}

/// To rebuild for this machine, with the toolchain that made the program; with all of them where that is not known. A
/// sentence and its commands; None where it is not known what to build.
pub(crate) fn rebuild(machine: &Machine, toolchain: Toolchain) -> Option<(String, Vec<String>)> {
    let target = target(machine)?;
    let mut sentence = "rebuild it for this machine".to_owned();
    if let Some(arch) = machine.openwrt.arch.get() {
        sentence += ", or take the build for ";
        sentence += &text::printable(arch.as_bytes());
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
