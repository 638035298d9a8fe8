//! What crt1.o begins a program with, and crti.o an object, of other processors than x86 (glibc sysdeps/*/start.S, crti.S), and
//! the stubs that linkers make (psABIs, "Procedure Linkage Table").

mod aarch64;
mod arm;
mod mips;
mod powerpc;
mod riscv;
mod s390;

use super::Object;
use crate::elf::consts::{DT_PLTGOT, EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC64, EM_RISCV, EM_S390};

/// How a program's first code leads to main().
#[derive(Clone, Copy)]
pub(super) struct Lead {
    /// The slot through which a stub calls `__libc_start_main`.
    pub(super) slot: u64,
    /// That stub.
    pub(super) stub: u64,
    /// The slot of main()'s address; None: code has it.
    pub(super) main: Option<u64>,
}

/// How a stub has its function bound when it is first called.
#[derive(Clone, Copy)]
pub(super) struct Binding {
    /// The place of the relocation in DT_JMPREL; of MIPS that of the symbol.
    pub(super) index: u64,
    /// The word that leads to what binds it, by its address.
    pub(super) resolver: u64,
    /// Where that stands in DT_PLTGOT.
    pub(super) within: u64,
}

/// That of a program; None where its code is not known.
pub(super) fn lead(program: &Object<'_>) -> Option<Lead> {
    let entry = program.image.header.e_entry;
    match program.image.header.e_machine {
        EM_AARCH64 => aarch64::lead(program, entry),
        EM_ARM => arm::lead(program, entry),
        EM_MIPS => mips::lead(program, entry),
        EM_RISCV if program.word() == 8 => riscv::lead(program, entry),
        EM_PPC64 => powerpc::lead(program, entry),
        EM_S390 if program.word() == 8 => s390::lead(program, entry),
        _ => None,
    }
}

/// Whether a linker's stub is there, which goes on to a function of another object.
pub(super) fn is_stub(object: &Object<'_>, address: u64) -> bool {
    let code = Code::at(object, address);
    let slot = match object.image.header.e_machine {
        EM_AARCH64 => aarch64::slot(&code),
        EM_ARM => arm::slot(&code),
        EM_RISCV if object.word() == 8 => riscv::slot(&code),
        EM_S390 if object.word() == 8 => s390::slot(&code),
        _ => None,
    };
    slot.is_some()
}

/// The slot of `__gmon_start__` in what DT_INIT leads to, which calls that where it is not 0.
pub(super) fn profiler_slot(object: &Object<'_>, init: u64) -> Option<u64> {
    match object.image.header.e_machine {
        EM_AARCH64 => aarch64::profiler_slot(object, init),
        EM_ARM => arm::profiler_slot(object, init),
        EM_MIPS => mips::profiler_slot(object, init),
        EM_PPC64 => powerpc::profiler_slot(object, init),
        EM_S390 if object.word() == 8 => s390::profiler_slot(object, init),
        _ => None,
    }
}

/// The slot by which that calls it then, if it is another one, and the stub.
pub(super) fn profiler_call(object: &Object<'_>, init: u64) -> Option<(u64, u64)> {
    match object.image.header.e_machine {
        EM_AARCH64 => aarch64::profiler_call(object, init),
        EM_ARM => arm::profiler_call(object, init),
        EM_PPC64 => powerpc::profiler_call(object, init),
        _ => None,
    }
}

/// What becomes of a stub whose slot leads to an address.
pub(super) fn binding(program: &Object<'_>, stub: u64, led_to: u64) -> Option<Binding> {
    match program.image.header.e_machine {
        EM_AARCH64 => aarch64::binding(program, stub, led_to),
        EM_ARM => arm::binding(program, stub, led_to),
        EM_MIPS => mips::binding(program, program.get(DT_PLTGOT)?, led_to),
        EM_RISCV => riscv::binding(program, stub, led_to),
        EM_PPC64 => powerpc::binding(program, led_to),
        EM_S390 => s390::binding(program, led_to),
        _ => None,
    }
}

/// Bytes of code that are looked at.
const CODE: u64 = 72;

/// Some code of an object, at an address of the file.
struct Code<'r, 'a> {
    object: &'r Object<'a>,
    address: u64,
}

impl<'r, 'a> Code<'r, 'a> {
    const fn at(object: &'r Object<'a>, address: u64) -> Code<'r, 'a> {
        Code { object, address }
    }

    /// A number of so many bytes, and that far from where it begins.
    fn number(&self, within: u64, size: u64) -> Option<u64> {
        self.object.memory.number(self.to(within), size).ok()
    }

    /// The same of an instruction's four bytes.
    fn word(&self, within: u64) -> Option<u32> {
        u32::try_from(self.number(within, 4)?).ok()
    }

    /// Whether these instructions stand there, each that far from where it begins.
    fn has(&self, words: &[(u64, u32)]) -> bool {
        words.iter().all(|(within, word)| self.word(*within) == Some(*word))
    }

    /// As an address of the object.
    fn wrapped(&self, address: u64) -> u64 {
        self.object.memory.wrapped(address)
    }

    /// Where that is.
    const fn to(&self, within: u64) -> u64 {
        self.address.wrapping_add(within)
    }
}

/// The lowest bits of a number, of which the highest is its sign.
const fn signed(number: u32, bits: u32) -> u64 {
    let sign = 1_u64.wrapping_shl(bits.saturating_sub(1));
    let kept = number as u64 & sign.wrapping_mul(2).wrapping_sub(1);
    (kept ^ sign).wrapping_sub(sign)
}

/// The lower half of an address, which an instruction ends with.
const fn low(word: u32) -> u64 {
    signed(word & 0xffff, 16)
}

/// The higher half, which an instruction ends with.
const fn high(word: u32) -> u64 {
    signed(word << 16, 32)
}
