//! x86 and x86-64.

mod builds;
mod exec;
mod go;
mod isa;
mod vsyscall;

pub(super) use isa::has_level;
#[cfg(feature = "every-machine")]
pub(super) use isa::is_masked;

use super::Arch;
use crate::elf::consts::{EM_386, EM_X86_64};
use crate::elf::{ByteOrder, Class};
use crate::ldso::FaultKind;
use crate::ldso::abi::{Abi, Effect, JudgedBy, Relocator, Setup, effects, relocates};
use crate::machine::cpuinfo::{self, Field, Key, fpu_of_features};

pub(super) const I386: Arch = Arch {
    e_machine: EM_386,
    unames: &[("i386", Class::Elf32), ("i486", Class::Elf32), ("i586", Class::Elf32), ("i686", Class::Elf32)],
    order_of_uname: |_| Some(ByteOrder::Little),
    also_runs: &[],
    cpuinfo: KEYS,
    complete_cpu: cpuinfo::is_complete,
    fpu: |machine| fpu_of_features(machine.cpu()),
    exec: exec::I386,
    ldso: Abi {
        cache_id: |_, _| 0,
        r_copy: super::R_COPY,
        has_rel: true,
        relocates: relocates(|by, _, kind| match by {
            Relocator::Glibc => matches!(kind, 0..=2 | 5..=8 | 14 | 35..=38 | 41 | 42),
            Relocator::GlibcLazy => matches!(kind, 7 | 41 | 42),
            Relocator::Musl => matches!(kind, 0..=2 | 5..=8 | 14 | 35..=37 | 41),
        }),
        effects: effects(&[
            (0, 0, Effect::None),
            (1, 1, Effect::Value),
            (2, 2, Effect::Half),
            (5, 5, Effect::Copy),
            (6, 7, Effect::Slot),
            (8, 8, Effect::Relative),
            (14, 14, Effect::Tls),
            (35, 37, Effect::Tls),
            (41, 41, Effect::Tls),
            (42, 42, Effect::Indirect),
        ]),
        judged_by: JudgedBy::Glibc,
        setup: Setup::Second,
        asserts_relative: Some(FaultKind::RelativeKind386),
        has_global_got: false,
        has_bionic: true,
        lacks_level: Some(isa::lacks_level),
    },
    builds: builds::I386,
    attributes: None,
    lack: isa::lack,
    go: go::lacks_386,
    go_level: go::level_of_code,
    fixed_page: Some(vsyscall::fixed_page),
    hard_float: |_| None,
};

pub(super) const X86_64: Arch = Arch {
    e_machine: EM_X86_64,
    unames: &[("x86_64", Class::Elf64)],
    also_runs: &[EM_386],
    exec: exec::X86_64,
    ldso: Abi {
        // x32 is a 32-bit layout.
        cache_id: |class, _| if matches!(class, Class::Elf64) { 0x300 } else { 0x800 },
        has_rel: false,
        relocates: relocates(|by, _, kind| match by {
            Relocator::Glibc => matches!(kind, 0..=2 | 5..=8 | 10 | 16..=18 | 32 | 33 | 36..=38),
            Relocator::GlibcLazy => matches!(kind, 7 | 36 | 37),
            Relocator::Musl => matches!(kind, 0..=2 | 5..=8 | 16..=18 | 36),
        }),
        effects: effects(&[
            (0, 0, Effect::None),
            (1, 1, Effect::Value),
            (2, 2, Effect::Half),
            (5, 5, Effect::Copy),
            (6, 7, Effect::Slot),
            (8, 8, Effect::Relative),
            (10, 10, Effect::Half),
            (16, 18, Effect::Tls),
            (32, 33, Effect::Half),
            (36, 36, Effect::Tls),
            (37, 37, Effect::Indirect),
            (38, 38, Effect::Relative),
        ]),
        judged_by: JudgedBy::Both,
        asserts_relative: Some(FaultKind::RelativeKind),
        ..I386.ldso
    },
    builds: builds::X86_64,
    go: go::lacks_amd64,
    go_level: |_, _| None,
    ..I386
};

const KEYS: &[Key] = &[
    ("model name", Field::Model, "/proc/cpuinfo: model name"),
    ("flags", Field::Features, "/proc/cpuinfo: flags"),
];
