//! Machines of which no more is known than their names, and what is built for them: s390x, SPARC, SuperH.

use alloc::format;
use alloc::string::ToString as _;

use super::Lack;
use crate::advice::Build;
use crate::candidate::{Go, Image, Toolchain};
use crate::elf::consts::{EM_S390, EM_SH, EM_SPARC, EM_SPARC32PLUS, EM_SPARCV9, SHT_GNU_ATTRIBUTES};
use crate::elf::{ByteOrder, Class, Vendor};
use crate::exec::go::{GoEnd, GoLacks};
use crate::ldso::abi::{Abi, Effect, JudgedBy, Relocator, Setup, effects, relocates};
use crate::machine::Machine;
use crate::machine::cpuinfo::{Field, Key};
use crate::rules::shown::Shown;

/// Beginnings of what `uname -m` prints, the kernel's e_machine and word size.
const UNAMES: [(&str, u16, Class); 4] = [
    ("s390x", EM_S390, Class::Elf64),
    ("sparc64", EM_SPARCV9, Class::Elf64),
    ("sparc", EM_SPARC, Class::Elf32),
    ("sh4", EM_SH, Class::Elf32),
];

const S390X: &[Build] = &[Build {
    class: Some(Class::Elf64),
    names: &["s390x"],
    go: Some("GOARCH=s390x"),
    // The one for musl comes without a standard library.
    rust: Some("s390x-unknown-linux-gnu"),
    gnu: "s390x-linux-gnu",
    others: &[(Toolchain::Zig, "s390x-linux-musl"), (Toolchain::DotNet, "s390x"), (Toolchain::Node, "s390x")],
    ..Build::new("s390x")
}];

const SPARC64: &[Build] = &[Build {
    class: Some(Class::Elf64),
    names: &["sparc64"],
    rust: Some("sparc64-unknown-linux-gnu"),
    gnu: "sparc64-linux-gnu",
    ..Build::new("sparc64")
}];

const SH4: &[Build] = &[Build { names: &["sh4"], gnu: "sh4-linux-gnu", ..Build::new("sh4") }];

pub(super) fn builds(e_machine: u16) -> &'static [Build] {
    match e_machine {
        EM_S390 => S390X,
        EM_SPARCV9 => SPARC64,
        EM_SH => SH4,
        _ => &[],
    }
}

pub(super) fn of_uname(machine: &str) -> Option<(u16, Class)> {
    let (_, e_machine, class) = UNAMES.iter().find(|(name, ..)| machine.starts_with(name))?;
    Some((*e_machine, *class))
}

pub(super) fn order(e_machine: u16) -> Option<ByteOrder> {
    matches!(e_machine, EM_S390 | EM_SPARCV9 | EM_SPARC).then_some(ByteOrder::Big)
}

pub(super) fn also_runs(kernel: u16, program: u16) -> bool {
    kernel == EM_SPARCV9 && matches!(program, EM_SPARC | EM_SPARC32PLUS)
}

/// `Abi::cache_id` of theirs.
pub(super) fn cache_id(e_machine: u16, class: Class) -> usize {
    match (e_machine, class) {
        (EM_SPARCV9, Class::Elf64) => 0x100,
        (EM_S390, Class::Elf64) => 0x400,
        _ => 0,
    }
}

/// s390x.
static S390: Abi = Abi {
    cache_id: |class, _| cache_id(EM_S390, class),
    r_copy: 9,
    has_rel: false,
    relocates: relocates(|by, _, kind| match by {
        Relocator::Glibc => matches!(kind, 0 | 1 | 3..=5 | 9..=12 | 16 | 17 | 19 | 22 | 23 | 54..=56 | 61),
        Relocator::GlibcLazy => matches!(kind, 11 | 61),
        Relocator::Musl => matches!(kind, 0 | 9..=12 | 22 | 54..=56),
    }),
    effects: effects(&[
        (0, 0, Effect::None),
        (4, 5, Effect::Half),
        (9, 9, Effect::Copy),
        (10, 11, Effect::Slot),
        (12, 12, Effect::Relative),
        (19, 19, Effect::Half),
        (22, 22, Effect::Value),
        (54, 56, Effect::Tls),
        (61, 61, Effect::Indirect),
    ]),
    judged_by: JudgedBy::Glibc,
    setup: Setup::Second,
    asserts_relative: None,
    has_global_got: false,
    has_bionic: false,
    lacks_level: None,
};

pub(super) fn ldso(e_machine: u16) -> Option<&'static Abi> {
    (e_machine == EM_S390).then_some(&S390)
}

/// What /proc/cpuinfo has on s390x.
pub(super) const CPUINFO: &[Key] = &[("features", Field::Features, "/proc/cpuinfo: features")];

pub(super) fn attributes(e_machine: u16) -> Option<(u32, Vendor)> {
    (e_machine == EM_S390).then_some((SHT_GNU_ATTRIBUTES, Vendor::Gnu))
}

/// The vector facility of the z13: a program whose functions hand over vectors in its registers.
pub(super) fn lack(machine: &Machine, image: &Image) -> Option<Lack> {
    /// 1 in memory, 2 in registers (GNU ld's manual, "GNU Object Attributes").
    const TAG_GNU_S390_ABI_VECTOR: u32 = 8;
    if image.header.e_machine != EM_S390 || image.attributes.as_ref()?.get(TAG_GNU_S390_ABI_VECTOR) != Some(2)
    {
        return None;
    }
    let (has, field) = has_vectors(machine);
    let told = match (machine.cpu().features.get(), machine.hwcap().value) {
        (Some(features), _) => features.to_string(),
        (None, hwcap) => format!("{:#x}", hwcap?),
    };
    let told = Shown(&told);
    (has == Some(false)).then(|| Lack {
        text: format!(
            "is built for the z13 or newer, this processor has no vector facility (vx)\nprogram: Tag_GNU_S390_ABI_Vector=2\nmachine: {field}={told}"
        ),
        dies: true,
        ..Lack::default()
    })
}

/// arch/s390/include/asm/elf.h
const HWCAP_S390_VXRS: u64 = 1 << 11;

/// The vector facility, and what tells it.
fn has_vectors(machine: &Machine) -> (Option<bool>, &'static str) {
    match machine.cpu().features.get() {
        Some(features) => (Some(features.has("vx")), "features"),
        None => (machine.hwcap().value.map(|hwcap| hwcap & HWCAP_S390_VXRS != 0), "AT_HWCAP"),
    }
}

/// sysdeps/s390/s390-64/dl-hwcaps-subdirs.c
pub(super) fn has_level(machine: &Machine, name: &[u8]) -> bool {
    /// HWCAP_S390_VXRS_BCD, HWCAP_S390_VXRS_EXT and HWCAP_S390_GS.
    const Z14: u64 = HWCAP_S390_VXRS | 7 << 12;
    /// HWCAP_S390_VXRS_EXT2 and HWCAP_S390_VXRS_PDE.
    const Z15: u64 = Z14 | 3 << 15;
    /// HWCAP_S390_VXRS_PDE2.
    const Z16: u64 = Z15 | 1 << 19;
    let needed = match name {
        b"z13" => HWCAP_S390_VXRS,
        b"z14" => Z14,
        b"z15" => Z15,
        b"z16" => Z16,
        _ => return false,
    };
    machine.hwcap().value.is_some_and(|hwcap| hwcap & needed == needed)
}

/// Go 1.22 on asks for that facility (runtime/os_linux_s390x.go `checkS390xCPU`); before, it is used where it is. Tried with
/// Go 1.15, 1.19 and 1.24.
pub(super) fn go_lacks(machine: &Machine, image: &Image, go: &Go) -> Option<GoLacks> {
    if image.header.e_machine != EM_S390 || go.minor < Some(22) {
        return None;
    }
    let (has, source) = has_vectors(machine);
    let end = match has {
        Some(true) => return None,
        Some(false) => {
            GoEnd::Exits("runtime: This CPU has no floating point hardware, so this program cannot be run.")
        }
        None => GoEnd::Unknown,
    };
    Some(GoLacks { what: "vx (the vector facility)", source, end, instead: "" })
}
