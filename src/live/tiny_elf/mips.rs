//! MIPS: o32, n32 and n64; MIPS16e and microMIPS.

use super::{BuiltFor, TinyElf, is_of_every_architecture};
use crate::elf::consts::{
    EF_MIPS_ABI_O32, EF_MIPS_ABI2, EF_MIPS_ARCH_ASE_M16, EF_MIPS_FP64, EF_MIPS_MICROMIPS, EF_MIPS_NAN2008,
    EM_MIPS,
};
use crate::elf::{Class, Encoding};
use crate::target::Capability;

/// li $a0, 0
const ZERO: u32 = 0x2404_0000;
/// li $v0, N: a system call's number.
const CALL: u32 = 0x2402_0000;
const SYSCALL: u32 = 0x0000_000c;
const BREAK: u32 = 0x0000_000d;
/// mtc1 $zero, $f0. An instruction that writes general register 0 would be no test.
const MTC1: u32 = 0x4480_0000;
/// mult $a0, $a0; mflo $a0
const MULT: [u32; 2] = [0x0084_0018, 0x0000_2012];

/// The kernel takes what diag is, so that is what a program is where nothing else is under test. Release 6 has the NaN
/// encoding of 2008 only.
const RELEASE_6: bool = cfg!(any(target_arch = "mips32r6", target_arch = "mips64r6"));

pub(super) const fn tiny_elf(question: Option<Capability>, own: BuiltFor) -> Option<TinyElf> {
    let abi = match question {
        // EF_MIPS_FP64 is a matter of o32.
        Some(Capability::MipsFp64 | Capability::MipsO32) => Abi::O32,
        Some(Capability::MipsN32) => Abi::N32,
        _ if matches!(own.encoding.class, Class::Elf64) => Abi::N64,
        _ => Abi::O32,
    };
    // EF_MIPS_ARCH_32, EF_MIPS_ARCH_64 or those of release 6; __NR_exit.
    let (class, mut e_flags, exit) = match abi {
        Abi::O32 => (Class::Elf32, EF_MIPS_ABI_O32 | if RELEASE_6 { 0x9000_0000 } else { 0x5000_0000 }, 4001),
        Abi::N32 => (Class::Elf32, EF_MIPS_ABI2 | if RELEASE_6 { 0xa000_0000 } else { 0x6000_0000 }, 6058),
        Abi::N64 => (Class::Elf64, if RELEASE_6 { 0xa000_0000 } else { 0x6000_0000 }, 5058),
    };
    let nan2008 = match question {
        Some(Capability::MipsNan2008) => true,
        Some(Capability::MipsNanLegacy) => false,
        _ => RELEASE_6,
    };
    if nan2008 {
        e_flags |= EF_MIPS_NAN2008;
    }
    e_flags |= match question {
        Some(Capability::MipsFp64) => EF_MIPS_FP64,
        Some(Capability::Mips16) => EF_MIPS_ARCH_ASE_M16,
        Some(Capability::MicroMips) => EF_MIPS_MICROMIPS,
        _ => 0,
    };
    let file = TinyElf::new(question, EM_MIPS, Encoding { order: own.encoding.order, class }, e_flags);
    let leave = [ZERO, CALL | exit as u32, SYSCALL, BREAK];
    Some(match question {
        Some(Capability::FpInstruction) => file.code(&[MTC1]).code(&leave),
        Some(Capability::MipsBefore6) => {
            file.code(&[ZERO]).code(&MULT).code(&[CALL | exit as u32, SYSCALL, BREAK])
        }
        // MIPS16e has no SYSCALL: addiu $a0, $a2, 0, which is `break` where it is read as microMIPS; jalx to normal code
        // behind it (the target in words, below 8 MiB); a nop in the delay slot.
        Some(Capability::Mips16) => {
            let code = TinyElf::VADDR.saturating_add(TinyElf::head(class)).saturating_add(8);
            let [_, high, low @ ..] = (code >> 2).to_be_bytes();
            let jalx = 0x1c00 | (high as u16) << 5;
            file.halves(&[0x4680, jalx, u16::from_be_bytes(low), 0x6500]).code(&leave)
        }
        // li $s0, 5, which is `break` where it is read as MIPS16e; addiu $v0, $zero, N; li $a0, 0; syscall; break
        Some(Capability::MicroMips) => file.halves(&[0xec05, 0x3040, exit, 0xee00, 0x0000, 0x8b7c, 0x4680]),
        Some(
            Capability::MipsFp64
            | Capability::MipsNan2008
            | Capability::MipsNanLegacy
            | Capability::MipsO32
            | Capability::MipsN32,
        ) => file.code(&leave),
        _ if is_of_every_architecture(question) => file.code(&leave),
        _ => return None,
    })
}

enum Abi {
    O32,
    N32,
    N64,
}
