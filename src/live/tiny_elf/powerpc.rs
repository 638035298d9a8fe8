//! PowerPC, 32 and 64 bits.

use super::{BuiltFor, TinyElf, is_of_every_architecture};
use crate::elf::consts::{EM_PPC, EM_PPC64};
use crate::elf::{Class, Encoding};
use crate::target::Capability;

/// li r0, 1 (exit); li r3, 0; sc; 0 is no instruction
const CODE: [u32; 4] = [0x3800_0001, 0x3860_0000, 0x4400_0002, 0];

pub(super) const fn tiny_elf(question: Option<Capability>, own: BuiltFor) -> Option<TinyElf> {
    let wide = match question {
        Some(Capability::Ppc32) => false,
        _ if is_of_every_architecture(question) => own.e_machine == EM_PPC64,
        _ => return None,
    };
    // ELFv2, in either byte order: e_entry is the code itself, not a function descriptor.
    let (e_machine, class, e_flags) =
        if wide { (EM_PPC64, Class::Elf64, 2) } else { (EM_PPC, Class::Elf32, 0) };
    Some(
        TinyElf::new(question, e_machine, Encoding { order: own.encoding.order, class }, e_flags).code(&CODE),
    )
}
