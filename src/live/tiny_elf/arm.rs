//! ARM and AArch64.

use super::{BuiltFor, TinyElf, is_of_every_architecture};
use crate::elf::consts::{EF_ARM_BE8, EF_ARM_EABI_VER5, EM_AARCH64, EM_ARM};
use crate::elf::{ByteOrder, Class, Encoding};
use crate::target::Capability;

/// mov r0, #0
const ZERO: u32 = 0xe3a0_0000;
/// udf #0
const UNDEFINED: u32 = 0xe7f0_00f0;
/// r7 = __NR_exit; svc #0; udf
const EABI: [u32; 4] = [ZERO, 0xe3a0_7001, 0xef00_0000, UNDEFINED];
/// svc #0x900001: the number is in the instruction. A kernel without CONFIG_OABI_COMPAT takes it from r7, which is 0
/// at the start: restart_syscall, which does nothing and comes back (arch/arm/kernel/entry-common.S `vector_swi`).
const OABI: [u32; 3] = [ZERO, 0xef90_0001, UNDEFINED];
/// movs r0, #0; movs r7, #1; svc 0; udf #0: two in a word.
const THUMB: [u32; 2] = [0x2701_2000, 0xde00_df00];
/// mov x0, #0; mov x8, #93; svc #0; udf #0
const A64: [u32; 4] = [0xd280_0000, 0xd280_0ba8, 0xd400_0001, 0];

pub(super) const fn arm(question: Option<Capability>, own: BuiltFor) -> Option<TinyElf> {
    // In a big-endian program the instructions stay little-endian from ARMv6 on (BE8), which is what Rust builds.
    let order = if matches!(own.encoding.order, ByteOrder::Big) { EF_ARM_BE8 } else { 0 };
    let abi = if matches!(question, Some(Capability::ArmOabi)) { 0 } else { EF_ARM_EABI_VER5 };
    let encoding = Encoding { order: own.encoding.order, class: Class::Elf32 };
    let file = TinyElf::new(question, EM_ARM, encoding, abi | order);
    Some(match question {
        Some(Capability::ArmOabi) => file.little(&OABI),
        Some(Capability::Thumb) => file.little(&THUMB),
        // fs/binfmt_elf_fdpic.c asks for nothing but EI_OSABI and a PT_LOAD with e_entry in it; the code runs at any
        // address.
        Some(Capability::Arm32 | Capability::ArmFdpic) => file.little(&EABI),
        _ if is_of_every_architecture(question) => file.little(&EABI),
        _ => return None,
    })
}

pub(super) const fn aarch64(question: Option<Capability>, own: BuiltFor) -> Option<TinyElf> {
    if matches!(question, Some(Capability::Arm32)) {
        return arm(question, own);
    }
    if !is_of_every_architecture(question) {
        return None;
    }
    let encoding = Encoding { order: own.encoding.order, class: Class::Elf64 };
    Some(TinyElf::new(question, EM_AARCH64, encoding, 0).little(&A64))
}
