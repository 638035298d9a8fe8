//! RISC-V, of 32 and 64 bits.

mod builds;
mod exec;
mod go;
mod isa;

use super::Arch;
use crate::elf::consts::{EF_RISCV_FLOAT_ABI, EM_RISCV, SHT_RISCV_ATTRIBUTES};
use crate::elf::{ByteOrder, Class, Vendor};
use crate::ldso::abi::{Abi, Effect, JudgedBy, Relocator, Setup, effects, relocates};
use crate::machine::cpuinfo::{self, Field, Key, UNTOLD};
use crate::machine::{Cpu, Fact, Fpu};

pub(super) const RISCV: Arch = Arch {
    e_machine: EM_RISCV,
    unames: &[("riscv64", Class::Elf64), ("riscv32", Class::Elf32)],
    order_of_uname: |_| Some(ByteOrder::Little),
    also_runs: &[],
    cpuinfo: KEYS,
    complete_cpu: cpuinfo::is_complete,
    fpu: |machine| fpu(machine.cpu()),
    exec: exec::RISCV,
    ldso: Abi {
        cache_id: |_, e_flags| if e_flags & EF_RISCV_FLOAT_ABI == 4 { 0x1000 } else { 0xf00 },
        r_copy: 4,
        has_rel: false,
        relocates: relocates(|by, class, kind| match (by, class) {
            (Relocator::GlibcLazy, _) => matches!(kind, 5 | 58),
            // Words, and those of thread-local variables, have numbers of their own for 32 and for 64 bits.
            (_, Class::Elf64) if matches!(kind, 1 | 6 | 8 | 10) => false,
            (_, Class::Elf32) if matches!(kind, 2 | 7 | 9 | 11) => false,
            // Neither knows R_RISCV_TLSDESC (glibc up to 2.41, musl up to 1.2.5).
            (Relocator::Glibc, _) => matches!(kind, 0..=11 | 58),
            (Relocator::Musl, _) => matches!(kind, 0..=11),
        }),
        effects: effects(&[
            (0, 0, Effect::None),
            (1, 2, Effect::Value),
            (3, 3, Effect::Relative),
            (4, 4, Effect::Copy),
            (5, 5, Effect::Slot),
            (6, 11, Effect::Tls),
            (58, 58, Effect::Indirect),
        ]),
        judged_by: JudgedBy::Glibc,
        setup: Setup::First,
        asserts_relative: None,
        has_global_got: false,
        has_bionic: false,
        lacks_level: None,
    },
    builds: builds::RISCV,
    attributes: Some((SHT_RISCV_ATTRIBUTES, Vendor::Riscv)),
    lack: isa::lack,
    go: go::lacks,
    go_level: |_, _| None,
    fixed_page: None,
    hard_float: |_| None,
};

const KEYS: &[Key] =
    &[("isa", Field::Isa, "/proc/cpuinfo: isa"), ("uarch", Field::Model, "/proc/cpuinfo: uarch")];

/// Single letters of the ISA come before the first underscore; g is imafd.
pub(crate) fn fpu(cpu: &Cpu) -> Fact<Fpu> {
    match cpu.isa.get().and_then(|isa| isa.iter().next()).and_then(|isa| isa.as_bytes().strip_prefix(b"rv")) {
        Some(isa) => {
            let mut letters = isa.iter().take_while(|&&letter| letter != b'_');
            let has = letters.any(|letter| matches!(letter, b'f' | b'd' | b'g'));
            Fact::new(Some(if has { Fpu::Hardware } else { Fpu::Absent }), cpu.isa.source)
        }
        None => Fact::new(None, UNTOLD),
    }
}
