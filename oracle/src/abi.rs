//! The processors and calling conventions that programs are written for.

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
}

/// What a program is written for.
#[derive(PartialEq, Eq, Debug)]
pub struct Abi {
    /// Its name in a case.
    pub name: &'static str,
    /// e_machine.
    pub e_machine: u16,
    /// Whether headers have the layout of ELFCLASS64.
    pub wide: bool,
    /// Whether headers are big-endian.
    pub big: bool,
    /// e_flags.
    pub e_flags: u32,
    /// Its instructions.
    pub isa: Isa,
    /// Where address spaces of such programs end, by kernel and configuration.
    pub ends: &'static [u64],
}

const fn abi(
    name: &'static str,
    e_machine: u16,
    (wide, big): (bool, bool),
    e_flags: u32,
    isa: Isa,
    ends: &'static [u64],
) -> Abi {
    Abi { name, e_machine, wide, big, e_flags, isa, ends }
}

const LE32: (bool, bool) = (false, false);
const BE32: (bool, bool) = (false, true);
const LE64: (bool, bool) = (true, false);
const BE64: (bool, bool) = (true, true);

/// 32-bit kernels, and 64-bit ones with their compatibility handler.
const MIPS_ENDS: &[u64] = &[0x7fff_8000, 0x8000_0000];
const MIPS64_ENDS: &[u64] = &[1 << 40, 1 << 48];
const ARM_ENDS: &[u64] = &[0x7f00_0000, 0xbf00_0000, 0xc000_0000, 1 << 32];
const PPC64_ENDS: &[u64] = &[1 << 46, 1 << 47, 1 << 49, 1 << 52];

/// All of them.
pub const ABIS: &[Abi] = &[
    abi("x86-64", 62, LE64, 0, Isa::X86_64, &[0x7fff_ffff_f000, 1 << 47, (1 << 56) - 0x1000]),
    abi("i386", 3, LE32, 0, Isa::I386, &[0xc000_0000, 0xffff_e000]),
    abi("x32", 62, LE32, 0, Isa::X32, &[0xffff_e000]),
    abi("mips", 8, BE32, 0x5000_1004, Isa::Mips(4001), MIPS_ENDS),
    abi("mipsel", 8, LE32, 0x5000_1004, Isa::Mips(4001), MIPS_ENDS),
    abi("n32", 8, BE32, 0x6000_0024, Isa::Mips(6058), MIPS_ENDS),
    abi("n32el", 8, LE32, 0x6000_0024, Isa::Mips(6058), MIPS_ENDS),
    abi("n64", 8, BE64, 0x6000_0004, Isa::Mips(5058), MIPS64_ENDS),
    abi("n64el", 8, LE64, 0x6000_0004, Isa::Mips(5058), MIPS64_ENDS),
    abi("arm", 40, LE32, 0x0500_0200, Isa::Arm, ARM_ENDS),
    abi("armeb", 40, BE32, 0x0580_0200, Isa::Arm, ARM_ENDS),
    abi("arm-oabi", 40, LE32, 0x0000_0202, Isa::ArmOabi, ARM_ENDS),
    abi("thumb", 40, LE32, 0x0500_0200, Isa::Thumb, ARM_ENDS),
    abi("aarch64", 183, LE64, 0, Isa::Aarch64, &[1 << 39, 1 << 48, 1 << 52]),
    abi("riscv64", 243, LE64, 5, Isa::RiscV, &[1 << 38, 1 << 47, 1 << 56]),
    abi("ppc", 20, BE32, 0, Isa::PowerPc, &[0x8000_0000, 0xc000_0000, 0xffff_f000]),
    abi("ppc64", 21, BE64, 1, Isa::PowerPc, PPC64_ENDS),
    abi("ppc64-v2", 21, BE64, 2, Isa::PowerPc, PPC64_ENDS),
    abi("ppc64le", 21, LE64, 2, Isa::PowerPc, PPC64_ENDS),
    abi("loongarch64", 258, LE64, 0x43, Isa::LoongArch, &[1 << 40, 1 << 47, 1 << 48]),
];

impl Abi {
    /// By its name in a case.
    pub fn of(name: &str) -> Option<&'static Abi> {
        ABIS.iter().find(|abi| abi.name == name)
    }

    /// Bytes of an address.
    pub fn word(&self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// A number in this byte order.
    pub fn uint(&self, value: u64, len: usize) -> Vec<u8> {
        if self.big { value.to_be_bytes()[8 - len..].to_vec() } else { value.to_le_bytes()[..len].to_vec() }
    }

    /// Whether e_entry is the address of a function descriptor: PowerPC64 before ELFv2.
    pub fn has_descriptors(&self) -> bool {
        self.e_machine == 21 && self.e_flags & 3 != 2
    }

    /// What e_entry has on top of the address of the first instruction: the mark of Thumb.
    pub fn entry_mark(&self) -> u64 {
        u64::from(self.isa == Isa::Thumb)
    }

    /// Whether zeros are instructions that do nothing, so that execution slides through them: `sll $0,$0,0`,
    /// `andeq r0,r0,r0` and `movs r0,r0`.
    pub fn slides_on_zeros(&self) -> bool {
        matches!(self.e_machine, 8 | 40)
    }

    /// Instructions that read a byte at each of two addresses, below 2 GiB, and then end the program; None where that
    /// is not written for the processor.
    pub fn reads_and_exits(&self, addresses: [u64; 2], status: u8) -> Option<Vec<u8>> {
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
                    code.extend(self.uint(u64::from(0x3c08_0000 | high), 4));
                    code.extend(self.uint(u64::from(0x8108_0000 | (address & 0xffff)), 4));
                    continue;
                }
                _ => return None,
            }
            code.extend(address.to_le_bytes());
        }
        code.extend(self.exit(status));
        Some(code)
    }

    /// Instructions that end the program with a status: at most 16 bytes. What stands behind the system call is an
    /// instruction that does not work, should it come back.
    pub fn exit(&self, status: u8) -> Vec<u8> {
        let s = u32::from(status);
        let words: &[u32] = match self.isa {
            // mov edi, s; mov eax, 60; syscall; ud2
            Isa::X86_64 => return x86([0xbf, status], [60, 0, 0, 0], &[0x0f, 0x05, 0x0f, 0x0b]),
            Isa::X32 => return x86([0xbf, status], [60, 0, 0, 0x40], &[0x0f, 0x05, 0x0f, 0x0b]),
            // mov ebx, s; mov eax, 1; int 0x80; ud2
            Isa::I386 => return x86([0xbb, status], [1, 0, 0, 0], &[0xcd, 0x80, 0x0f, 0x0b]),
            // li a0, s; li v0, number; syscall; break
            Isa::Mips(number) => &[0x2404_0000 | s, 0x2402_0000 | number, 0xc, 0xd],
            // mov r0, s; mov r7, 1; svc 0; udf
            Isa::Arm => &[0xe3a0_0000 | s, 0xe3a0_7001, 0xef00_0000, 0xe7f0_00f0],
            // mov r0, s; swi 0x900001; udf
            Isa::ArmOabi => &[0xe3a0_0000 | s, 0xef90_0001, 0xe7f0_00f0, 0xe7f0_00f0],
            // movs r0, s; movs r7, 1; svc 0; udf
            Isa::Thumb => &[0x2701_2000 | s, 0xde00_df00],
            // mov x0, s; mov x8, 93; svc 0; brk 0
            Isa::Aarch64 => &[0xd280_0000 | s << 5, 0xd280_0ba8, 0xd400_0001, 0xd420_0000],
            // li a0, s; li a7, 93; ecall; ebreak
            Isa::RiscV => &[0x513 | s << 20, 0x05d0_0893, 0x73, 0x0010_0073],
            // li r0, 1; li r3, s; sc; trap
            Isa::PowerPc => &[0x3800_0001, 0x3860_0000 | s, 0x4400_0002, 0x7fe0_0008],
            // li.w a0, s; li.w a7, 93; syscall 0; break 0
            Isa::LoongArch => &[0x0280_0004 | s << 10, 0x0281_740b, 0x002b_0000, 0x002a_0000],
        };
        // BE8 keeps code little-endian.
        let big = self.big && self.isa != Isa::Arm;
        let bytes = |word: &u32| if big { word.to_be_bytes() } else { word.to_le_bytes() };
        words.iter().flat_map(bytes).collect()
    }
}

fn x86([load, status]: [u8; 2], number: [u8; 4], call: &[u8]) -> Vec<u8> {
    [&[load, status, 0, 0, 0, 0xb8][..], &number, call].concat()
}
