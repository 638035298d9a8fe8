//! RISC-V: 32 and 64 bits have the same instructions for this, and the same number of exit(2).

use super::{BuiltFor, TinyElf, is_of_every_architecture};
use crate::elf::consts::EM_RISCV;
use crate::elf::{Class, Encoding};
use crate::target::Capability;

/// li a0, 0; li a7, 93; ecall; unimp
const CODE: [u32; 4] = [0x0000_0513, 0x05d0_0893, 0x0000_0073, 0xc000_1073];

pub(super) const fn tiny_elf(question: Option<Capability>, own: BuiltFor) -> Option<TinyElf> {
    let class = match question {
        Some(Capability::Riscv32) => Class::Elf32,
        _ if is_of_every_architecture(question) => own.encoding.class,
        _ => return None,
    };
    let encoding = Encoding { order: own.encoding.order, class };
    Some(TinyElf::new(question, EM_RISCV, encoding, 0).little(&CODE))
}
