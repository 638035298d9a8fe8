//! ARM and AArch64: a kernel of 64 bits may run programs of either.

mod builds;
mod cpu;
mod exec;
mod go;
mod isa;
mod kuser;

use super::Arch;
use crate::candidate::Image;
use crate::elf::consts::{EF_ARM_ABI_FLOAT_HARD, EM_AARCH64, EM_ARM, SHT_ARM_ATTRIBUTES};
use crate::elf::{ByteOrder, Class, Vendor};
use crate::ldso::abi::{Abi, Effect, JudgedBy, Relocator, Setup, effects, relocates};
use crate::machine::cpuinfo::fpu_of_features;

pub(super) const ARM: Arch = Arch {
    e_machine: EM_ARM,
    unames: &[("arm", Class::Elf32)],
    order_of_uname,
    also_runs: &[],
    cpuinfo: cpu::KEYS,
    complete_cpu: cpu::complete_cpu,
    fpu: cpu::fpu,
    exec: exec::ARM,
    ldso: Abi {
        cache_id: |_, e_flags| if e_flags & EF_ARM_ABI_FLOAT_HARD == 0 { 0xb00 } else { 0x900 },
        r_copy: 20,
        has_rel: true,
        relocates: relocates(|by, _, kind| match by {
            Relocator::Glibc => matches!(kind, 0..=2 | 13 | 17..=23 | 160),
            Relocator::GlibcLazy => matches!(kind, 13 | 22),
            Relocator::Musl => matches!(kind, 0 | 2 | 13 | 17..=23),
        }),
        effects: effects(&[
            (0, 0, Effect::None),
            (1, 1, Effect::Other),
            (2, 2, Effect::Value),
            (13, 13, Effect::Tls),
            (17, 19, Effect::Tls),
            (20, 20, Effect::Copy),
            (21, 22, Effect::Slot),
            (23, 23, Effect::Relative),
            (160, 160, Effect::Indirect),
        ]),
        judged_by: JudgedBy::Glibc,
        setup: Setup::Second,
        asserts_relative: None,
        has_global_got: false,
        has_bionic: true,
        lacks_level: None,
    },
    builds: builds::ARM,
    attributes: Some((SHT_ARM_ATTRIBUTES, Vendor::Arm)),
    lack: isa::lack,
    go: go::lacks_arm,
    go_level: go::level_of_code,
    fixed_page: Some(kuser::fixed_page),
    hard_float,
};

/// Before [`ARM`] in the table: armv8l is the 32-bit name of a 64-bit kernel.
pub(super) const AARCH64: Arch = Arch {
    e_machine: EM_AARCH64,
    unames: &[("aarch64", Class::Elf64), ("armv8", Class::Elf64)],
    also_runs: &[EM_ARM],
    fpu: |machine| fpu_of_features(machine.cpu()),
    exec: exec::AARCH64,
    ldso: Abi {
        cache_id: |_, _| 0xa00,
        r_copy: 1024,
        has_rel: false,
        relocates: relocates(|by, _, kind| match by {
            Relocator::Glibc => matches!(kind, 0 | 257 | 258 | 1024..=1032),
            Relocator::GlibcLazy => matches!(kind, 1026 | 1031 | 1032),
            Relocator::Musl => matches!(kind, 0 | 257 | 1024..=1031),
        }),
        effects: effects(&[
            (0, 0, Effect::None),
            (257, 257, Effect::Value),
            (258, 258, Effect::Half),
            (1024, 1024, Effect::Copy),
            (1025, 1026, Effect::Slot),
            (1027, 1027, Effect::Relative),
            (1028, 1031, Effect::Tls),
            (1032, 1032, Effect::Indirect),
        ]),
        ..ARM.ldso
    },
    builds: builds::AARCH64,
    attributes: None,
    lack: |_, _, _| None,
    go: go::lacks_arm64,
    go_level: |_, _| None,
    fixed_page: None,
    hard_float: |_| None,
    ..ARM
};

/// aarch64_be, armv5teb, armv7b.
#[allow(clippy::unnecessary_wraps)]
fn order_of_uname(machine: &str) -> Option<ByteOrder> {
    let is_big = machine.ends_with('b') || machine.ends_with("_be");
    Some(if is_big { ByteOrder::Big } else { ByteOrder::Little })
}

/// 1: arguments in registers of the VFP.
const TAG_ABI_VFP_ARGS: u32 = 28;

fn hard_float(image: &Image) -> Option<&'static str> {
    if image.header.e_flags & EF_ARM_ABI_FLOAT_HARD != 0 {
        return Some("hard float (EF_ARM_ABI_FLOAT_HARD)");
    }
    (image.attributes.as_ref()?.get(TAG_ABI_VFP_ARGS) == Some(1)).then_some("hard float (Tag_ABI_VFP_args)")
}
