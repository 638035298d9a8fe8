//! PowerPC, of 32 and 64 bits.

mod builds;
mod exec;
mod go;
mod isa;

#[cfg(feature = "every-machine")]
pub(super) use isa::has_level;

use super::Arch;
use crate::candidate::Image;
use crate::elf::consts::{EM_PPC, EM_PPC64, SHT_GNU_ATTRIBUTES};
use crate::elf::{ByteOrder, Class, Vendor};
use crate::ldso::abi::{Abi, Effect, JudgedBy, Relocator, Setup, effects, relocates};
use crate::machine::cpuinfo::{self, Field, Key, fpu_of_features};
use crate::machine::{Fact, Fpu, Machine};

pub(super) const PPC: Arch = Arch {
    e_machine: EM_PPC,
    unames: &[("ppc", Class::Elf32)],
    order_of_uname: |machine| Some(if machine.ends_with("le") { ByteOrder::Little } else { ByteOrder::Big }),
    also_runs: &[],
    cpuinfo: KEYS,
    complete_cpu: cpuinfo::is_complete,
    fpu,
    exec: exec::PPC,
    ldso: Abi {
        cache_id: |_, _| 0,
        r_copy: 19,
        has_rel: false,
        relocates: relocates(|by, _, kind| match by {
            Relocator::Glibc => matches!(kind, 0..=37 | 67..=78 | 248..=252),
            // glibc fills in the PLT as a whole.
            Relocator::GlibcLazy => true,
            Relocator::Musl => matches!(kind, 0 | 1 | 19..=22 | 24 | 68 | 73 | 78),
        }),
        effects: &[],
        judged_by: JudgedBy::Glibc,
        setup: Setup::Second,
        asserts_relative: None,
        has_global_got: false,
        has_bionic: false,
        lacks_level: None,
    },
    builds: builds::PPC,
    attributes: Some((SHT_GNU_ATTRIBUTES, Vendor::Gnu)),
    lack: isa::lack,
    // Go has no port to it.
    go: |_, _, _| None,
    go_level: |_, _| None,
    fixed_page: None,
    hard_float,
};

/// Before [`PPC`] in the table, whose name begins as this one's does.
pub(super) const PPC64: Arch = Arch {
    e_machine: EM_PPC64,
    unames: &[("ppc64", Class::Elf64)],
    also_runs: &[EM_PPC],
    exec: exec::PPC64,
    ldso: Abi {
        cache_id: |_, _| 0x500,
        relocates: relocates(|by, _, kind| match by {
            Relocator::Glibc => matches!(
                kind,
                0..=9 | 19..=22 | 24..=26 | 37..=44 | 56 | 57 | 68..=73 | 78 | 95..=100 | 110..=113 | 247 | 248
            ),
            Relocator::GlibcLazy => true,
            Relocator::Musl => matches!(kind, 0 | 19..=22 | 38 | 43 | 68 | 73 | 78),
        }),
        effects: effects(&[
            (0, 0, Effect::None),
            (19, 19, Effect::Copy),
            (20, 21, Effect::Slot),
            (22, 22, Effect::Relative),
            (26, 26, Effect::Half),
            (38, 38, Effect::Value),
            (43, 43, Effect::Value),
            (68, 68, Effect::Tls),
            (73, 73, Effect::Tls),
            (78, 78, Effect::Tls),
            (247, 248, Effect::Indirect),
        ]),
        setup: Setup::Plt,
        ..PPC.ldso
    },
    builds: builds::PPC64,
    go: go::lacks,
    go_level: go::level_of_code,
    ..PPC
};

const KEYS: &[Key] = &[
    ("cpu", Field::Model, "/proc/cpuinfo: cpu"),
    ("platform", Field::SystemType, "/proc/cpuinfo: platform"),
    ("machine", Field::Machine, "/proc/cpuinfo: machine"),
    ("model", Field::Machine, "/proc/cpuinfo: model"),
];

fn hard_float(image: &Image) -> Option<&'static str> {
    let mark = image.attributes.as_ref()?.value(isa::TAG_GNU_POWER_ABI_FP) & 3;
    matches!(mark, 1 | 3).then_some("hard float (Tag_GNU_Power_ABI_FP)")
}

/// PPC_FEATURE_HAS_FPU; without it the kernel may still emulate.
fn fpu(machine: &Machine) -> Fact<Fpu> {
    let hwcap = machine.hwcap().value.filter(|_| machine.cpu().features.value.is_none());
    match hwcap {
        Some(hwcap) => Fact::new((hwcap & 0x0800_0000 != 0).then_some(Fpu::Hardware), "AT_HWCAP"),
        None => fpu_of_features(machine.cpu()),
    }
}
