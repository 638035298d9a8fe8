//! LoongArch.

mod builds;
mod exec;
mod worlds;

pub(crate) use worlds::differ;

use super::Arch;
use crate::elf::consts::EM_LOONGARCH;
use crate::elf::{ByteOrder, Class};
use crate::ldso::abi::{Abi, JudgedBy, Relocator, Setup, relocates};
use crate::machine::cpuinfo::{self, Field, Key, fpu_of_features};

/// EF_LOONGARCH_ABI_MODIFIER_MASK: 1 is soft float.
const EF_LOONGARCH_FLOAT_ABI: u32 = 7;

pub(super) const LOONGARCH: Arch = Arch {
    e_machine: EM_LOONGARCH,
    unames: &[("loongarch64", Class::Elf64), ("loongarch32", Class::Elf32)],
    order_of_uname: |_| Some(ByteOrder::Little),
    also_runs: &[],
    cpuinfo: KEYS,
    complete_cpu: cpuinfo::is_complete,
    fpu: |machine| fpu_of_features(machine.cpu()),
    exec: exec::LOONGARCH,
    ldso: Abi {
        cache_id: |_, e_flags| if e_flags & EF_LOONGARCH_FLOAT_ABI == 1 { 0x1100 } else { 0x1200 },
        r_copy: 4,
        has_rel: false,
        relocates: relocates(|by, _, kind| match by {
            Relocator::Glibc => matches!(kind, 0..=14),
            Relocator::GlibcLazy => matches!(kind, 5 | 12..=14),
            Relocator::Musl => matches!(kind, 0..=11 | 13 | 14),
        }),
        effects: &[],
        judged_by: JudgedBy::Glibc,
        setup: Setup::First,
        asserts_relative: None,
        has_global_got: false,
        has_bionic: false,
        lacks_level: None,
    },
    builds: builds::LOONGARCH,
    attributes: None,
    lack: |_, _, _| None,
    go: |_, _, _| None,
    go_level: |_, _| None,
    fixed_page: None,
    hard_float: |_| None,
};

const KEYS: &[Key] = &[
    ("system type", Field::SystemType, "/proc/cpuinfo: system type"),
    ("model name", Field::Model, "/proc/cpuinfo: model name"),
    ("Model Name", Field::Model, "/proc/cpuinfo: model name"),
    ("ISA", Field::Isa, "/proc/cpuinfo: isa"),
    ("Features", Field::Features, "/proc/cpuinfo: Features"),
];
