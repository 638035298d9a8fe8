//! MIPS, of 32 and 64 bits and both byte orders. What its ELF files hold is in [`crate::elf::mips`].

mod builds;
pub(crate) mod cpu;
pub(crate) mod exec;
mod go;
mod isa;

use super::Arch;
use crate::elf::Class;
use crate::elf::consts::{EF_MIPS_ABI2, EF_MIPS_NAN2008, EM_MIPS};
use crate::ldso::abi::{Abi, Effect, JudgedBy, Relocator, Setup, effects, relocates};
use crate::machine::cpuinfo;

pub(super) const MIPS: Arch = Arch {
    e_machine: EM_MIPS,
    unames: &[("mips64", Class::Elf64), ("mips", Class::Elf32)],
    order_of_uname: |_| None,
    also_runs: &[],
    cpuinfo: cpu::KEYS,
    complete_cpu: cpuinfo::is_complete,
    fpu: cpu::fpu,
    exec: exec::MIPS,
    ldso: Abi {
        cache_id,
        r_copy: 126,
        has_rel: true,
        relocates: relocates(|by, class, kind| match (by, class) {
            (Relocator::GlibcLazy, _) => kind == 127,
            // Those of thread-local variables have numbers of their own for 32 and for 64 bits.
            (_, Class::Elf64) if matches!(kind, 38 | 39 | 47) => false,
            (_, Class::Elf32) if matches!(kind, 40 | 41 | 48) => false,
            (Relocator::Glibc, _) => matches!(kind, 0 | 3 | 38..=41 | 47 | 48 | 51 | 126 | 127),
            (Relocator::Musl, _) => matches!(kind, 0 | 3 | 38..=41 | 47 | 48 | 126 | 127),
        }),
        effects: effects(&[
            (0, 0, Effect::None),
            (3, 3, Effect::OfGot),
            (38, 41, Effect::Tls),
            (47, 48, Effect::Tls),
            (51, 51, Effect::None),
            (126, 126, Effect::Copy),
            (127, 127, Effect::Slot),
        ]),
        judged_by: JudgedBy::Glibc,
        setup: Setup::Got,
        asserts_relative: None,
        has_global_got: true,
        has_bionic: false,
        lacks_level: None,
    },
    builds: builds::MIPS,
    attributes: None,
    lack: isa::lack,
    go: go::lacks,
    go_level: go::level_of_code,
    fixed_page: None,
    hard_float: |image| image.is_mips_hard_float().then_some(""),
};

fn cache_id(class: Class, e_flags: u32) -> usize {
    match (class, e_flags & EF_MIPS_ABI2 != 0, e_flags & EF_MIPS_NAN2008 != 0) {
        (Class::Elf64, _, false) => 0x700,
        (Class::Elf32, true, false) => 0x600,
        (Class::Elf32, false, false) => 0,
        (Class::Elf32, false, true) => 0xc00,
        (Class::Elf32, true, true) => 0xd00,
        (Class::Elf64, _, true) => 0xe00,
    }
}
