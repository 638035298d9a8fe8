//! LoongArch.

use super::{BuiltFor, TinyElf, is_of_every_architecture};
use crate::elf::consts::EM_LOONGARCH;
use crate::target::Capability;

/// addi.w $a0, $zero, 0; addi.w $a7, $zero, 93; syscall 0; break 0
const CODE: [u32; 4] = [0x0280_0004, 0x0281_740b, 0x002b_0000, 0x002a_0000];

/// Soft float, object files of version 1.
const E_FLAGS: u32 = 0x41;

pub(super) const fn tiny_elf(question: Option<Capability>, own: BuiltFor) -> Option<TinyElf> {
    if !is_of_every_architecture(question) {
        return None;
    }
    Some(TinyElf::new(question, EM_LOONGARCH, own.encoding, E_FLAGS).little(&CODE))
}
