//! Processors and calling conventions that programs are written for.

use crate::elf_h::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_SH, EM_X86_64,
};
use crate::layout::Encoding;

/// How instructions are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Isa {
    X86_64,
    I386,
    X32,
    /// With the number of its exit(2).
    Mips(u32),
    Arm,
    ArmOabi,
    Thumb,
    Aarch64,
    RiscV,
    PowerPc,
    LoongArch,
    /// Zeros instead of instructions.
    None,
}

/// What a program is written for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Abi {
    /// Its name in recipes and cases.
    pub name: &'static str,
    /// e_machine.
    pub e_machine: u16,
    /// EI_CLASS and EI_DATA.
    pub encoding: Encoding,
    /// e_flags.
    pub e_flags: u32,
    /// Its instructions.
    pub isa: Isa,
}

const fn abi(name: &'static str, e_machine: u16, encoding: Encoding, e_flags: u32, isa: Isa) -> Abi {
    Abi { name, e_machine, encoding, e_flags, isa }
}

const LE32: Encoding = Encoding { wide: false, big: false };
const BE32: Encoding = Encoding { wide: false, big: true };
const LE64: Encoding = Encoding { wide: true, big: false };
const BE64: Encoding = Encoding { wide: true, big: true };

/// MIPS32 revision 1, o32.
pub const MIPS: Abi = abi("mips", EM_MIPS, BE32, 0x5000_1004, Isa::Mips(4001));
/// The same, little-endian.
pub const MIPSEL: Abi = abi("mipsel", EM_MIPS, LE32, 0x5000_1004, Isa::Mips(4001));
/// MIPS64 revision 2, n64.
pub const N64: Abi = abi("n64", EM_MIPS, BE64, 0x8000_0006, Isa::Mips(5058));
/// The same, little-endian.
pub const N64EL: Abi = abi("n64el", EM_MIPS, LE64, 0x8000_0006, Isa::Mips(5058));
/// MIPS64 revision 2, n32.
pub const N32: Abi = abi("n32", EM_MIPS, BE32, 0x8000_0026, Isa::Mips(6058));
/// The same, little-endian.
pub const N32EL: Abi = abi("n32el", EM_MIPS, LE32, 0x8000_0026, Isa::Mips(6058));
/// ARM's EABI 5, soft-float.
pub const ARM: Abi = abi("arm", EM_ARM, LE32, 0x0500_0200, Isa::Arm);
/// ARM's EABI 5, hard-float.
pub const ARMHF: Abi = abi("armhf", EM_ARM, LE32, 0x0500_0400, Isa::Arm);
/// ARM's EABI 5, BE8.
pub const ARMEB: Abi = abi("armeb", EM_ARM, BE32, 0x0580_0200, Isa::Arm);
/// 64-bit ARM.
pub const AARCH64: Abi = abi("aarch64", EM_AARCH64, LE64, 0, Isa::Aarch64);
/// The same, big-endian.
pub const AARCH64_BE: Abi = abi("aarch64_be", EM_AARCH64, BE64, 0, Isa::Aarch64);
/// 32-bit x86.
pub const I386: Abi = abi("i386", EM_386, LE32, 0, Isa::I386);
/// 64-bit x86.
pub const X86_64: Abi = abi("x86-64", EM_X86_64, LE64, 0, Isa::X86_64);
/// 64-bit x86 with addresses of 32 bits.
pub const X32: Abi = abi("x32", EM_X86_64, LE32, 0, Isa::X32);
/// 64-bit RISC-V, double-float.
pub const RISCV64: Abi = abi("riscv64", EM_RISCV, LE64, 5, Isa::RiscV);
/// 32-bit RISC-V, double-float.
pub const RISCV32: Abi = abi("riscv32", EM_RISCV, LE32, 5, Isa::RiscV);
/// 32-bit PowerPC.
pub const POWERPC: Abi = abi("powerpc", EM_PPC, BE32, 0, Isa::PowerPc);
/// 64-bit PowerPC, ELFv2.
pub const POWERPC64: Abi = abi("powerpc64", EM_PPC64, BE64, 2, Isa::PowerPc);
/// The same, little-endian.
pub const POWERPC64LE: Abi = abi("powerpc64le", EM_PPC64, LE64, 2, Isa::PowerPc);
/// 64-bit LoongArch, double-float.
pub const LOONGARCH64: Abi = abi("loongarch64", EM_LOONGARCH, LE64, 0x43, Isa::LoongArch);
/// SuperH, whose programs do not run: one that diag knows by name alone.
pub const SH4: Abi = abi("sh4", EM_SH, LE32, 9, Isa::None);

/// What [`crate::Elf::of`] builds for.
pub const ABIS: [Abi; 21] = [
    MIPS,
    MIPSEL,
    N64,
    N64EL,
    N32,
    N32EL,
    ARM,
    ARMHF,
    ARMEB,
    AARCH64,
    AARCH64_BE,
    I386,
    X86_64,
    X32,
    RISCV64,
    RISCV32,
    POWERPC,
    POWERPC64,
    POWERPC64LE,
    LOONGARCH64,
    SH4,
];

impl Abi {
    /// Whether e_entry is the address of a function descriptor: PowerPC64 before ELFv2.
    pub fn has_descriptors(&self) -> bool {
        self.e_machine == EM_PPC64 && self.e_flags & 3 != 2
    }

    /// What e_entry has on top of the address of the first instruction: the mark of Thumb.
    pub fn entry_mark(&self) -> u64 {
        u64::from(self.isa == Isa::Thumb)
    }

    /// Whether zeros are instructions that do nothing, so that execution slides through them: `sll $0,$0,0`,
    /// `andeq r0,r0,r0` and `movs r0,r0`.
    pub fn slides_on_zeros(&self) -> bool {
        matches!(self.e_machine, EM_MIPS | EM_ARM)
    }

    /// Instructions that read a byte at each of two addresses, below 2 GiB; None where that is not written for the
    /// processor.
    pub fn reads(&self, addresses: [u64; 2]) -> Option<Vec<u8>> {
        let mut code = Vec::new();
        for address in addresses {
            let address = u32::try_from(address).ok()?;
            match self.isa {
                // mov al, [address]: in 64-bit code by a SIB byte without base and index.
                Isa::X86_64 | Isa::X32 => code.extend([0x8a, 0x04, 0x25]),
                Isa::I386 => code.extend([0x8a, 0x05]),
                // lui t0, high; lb t0, low(t0): the low half is signed.
                Isa::Mips(_) => {
                    let high = address.wrapping_add(0x8000) >> 16;
                    code.extend(self.words(&[0x3c08_0000 | high, 0x8108_0000 | (address & 0xffff)]));
                    continue;
                }
                _ => return None,
            }
            code.extend(address.to_le_bytes());
        }
        Some(code)
    }

    /// Instructions that end the program with a status: at most 12 bytes.
    pub fn exit(&self, status: u8) -> Vec<u8> {
        let s = u32::from(status);
        match self.isa {
            // mov edi, s; mov eax, 60; syscall
            Isa::X86_64 => x86([0xbf, status], [60, 0, 0, 0], [0x0f, 0x05]),
            Isa::X32 => x86([0xbf, status], [60, 0, 0, 0x40], [0x0f, 0x05]),
            // mov ebx, s; mov eax, 1; int 0x80
            Isa::I386 => x86([0xbb, status], [1, 0, 0, 0], [0xcd, 0x80]),
            // li a0, s; li v0, number; syscall
            Isa::Mips(number) => self.words(&[0x2404_0000 | s, 0x2402_0000 | number, 0xc]),
            // mov r0, s; mov r7, 1; svc 0
            Isa::Arm => self.words(&[0xe3a0_0000 | s, 0xe3a0_7001, 0xef00_0000]),
            // mov r0, s; swi 0x900001
            Isa::ArmOabi => self.words(&[0xe3a0_0000 | s, 0xef90_0001]),
            // movs r0, s; movs r7, 1; svc 0
            Isa::Thumb => vec![status, 0x20, 0x01, 0x27, 0x00, 0xdf],
            // mov x0, s; mov x8, 93; svc 0
            Isa::Aarch64 => self.words(&[0xd280_0000 | s << 5, 0xd280_0ba8, 0xd400_0001]),
            // li a0, s; li a7, 93; ecall
            Isa::RiscV => self.words(&[0x513 | s << 20, 0x05d0_0893, 0x73]),
            // li r0, 1; li r3, s; sc
            Isa::PowerPc => self.words(&[0x3800_0001, 0x3860_0000 | s, 0x4400_0002]),
            // li.w a0, s; li.w a7, 93; syscall 0
            Isa::LoongArch => self.words(&[0x0280_0004 | s << 10, 0x0281_740b, 0x002b_0000]),
            Isa::None => vec![0; 12],
        }
    }

    /// An instruction that does not work, to stand behind [`Abi::exit`].
    pub fn trap(&self) -> Vec<u8> {
        match self.isa {
            // ud2
            Isa::X86_64 | Isa::X32 | Isa::I386 => vec![0x0f, 0x0b],
            // break
            Isa::Mips(_) => self.words(&[0xd]),
            // udf
            Isa::Arm => self.words(&[0xe7f0_00f0]),
            Isa::ArmOabi => self.words(&[0xe7f0_00f0, 0xe7f0_00f0]),
            Isa::Thumb => vec![0x00, 0xde],
            // brk 0
            Isa::Aarch64 => self.words(&[0xd420_0000]),
            // ebreak
            Isa::RiscV => self.words(&[0x0010_0073]),
            // trap
            Isa::PowerPc => self.words(&[0x7fe0_0008]),
            // break 0
            Isa::LoongArch => self.words(&[0x002a_0000]),
            Isa::None => vec![0; 4],
        }
    }

    /// Instructions of 32 bits. AArch64 and BE8 keep them little-endian in a big-endian file.
    fn words(&self, words: &[u32]) -> Vec<u8> {
        let big = self.encoding.big && !matches!(self.isa, Isa::Arm | Isa::Aarch64);
        let bytes = |word: &u32| if big { word.to_be_bytes() } else { word.to_le_bytes() };
        words.iter().flat_map(bytes).collect()
    }
}

fn x86([load, status]: [u8; 2], number: [u8; 4], call: [u8; 2]) -> Vec<u8> {
    [&[load, status, 0, 0, 0, 0xb8][..], &number, &call].concat()
}
