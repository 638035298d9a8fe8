//! Numbers worth writing into a field: those at which a kernel decides, and some that nobody thought of.

use crate::abi::Abi;
use crate::random::Random;

/// What numbers depend on, besides the field.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Of whose address space.
    pub abi: &'static Abi,
    /// Bytes of a page.
    pub page: u64,
    /// Bytes of RAM and swap.
    pub memory: u64,
}

/// e_machine: all that kernels here take, what they are mistaken for, and EM_NONE.
const MACHINES: [u64; 22] =
    [0, 2, 3, 4, 6, 7, 8, 10, 18, 20, 21, 22, 40, 42, 43, 50, 62, 183, 243, 247, 252, 258];
/// The sizes of both program headers, of both ELF headers, their neighbours, and swapped.
const ENTRY_SIZES: [u64; 14] = [0, 1, 31, 32, 33, 40, 52, 55, 56, 57, 64, 0x2000, 0x3800, 0xffff];
/// A page of either kind of headers, 64 KiB of them, and beyond.
const ENTRY_COUNTS: [u64; 16] =
    [0, 73, 74, 128, 129, 170, 1023, 1024, 1025, 1170, 1171, 2047, 2048, 2049, 0x8000, 0xffff];
const TYPES: [u64; 22] = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    0x6474_e550,
    0x6474_e551,
    0x6474_e552,
    0x6474_e553,
    0x6fff_ffff,
    0x7000_0000,
    0x7000_0001,
    0x7000_0002,
    0x7000_0003,
    0x7000_0004,
    0x7fff_ffff,
    0x0100_0000,
    0xffff_ffff,
];
const ALIGNS: [u64; 16] = [
    0,
    1,
    2,
    3,
    4,
    8,
    0x800,
    0x1000,
    0x1001,
    0x2000,
    0x4000,
    0x1_0000,
    0x1_0001,
    0x18000,
    0x20_0000,
    1 << 30,
];
/// Bits of e_flags that some kernel looks at. MIPS: ABI2, 32BITMODE, FP64, NAN2008, ABI, MACH, ASEs, ARCH. ARM: APCS26,
/// soft and hard float, BE8, the EABI's version. PowerPC64: the ABI.
const FLAG_BITS: [u64; 24] = [
    1,
    2,
    4,
    8,
    0x20,
    0x100,
    0x200,
    0x400,
    0x1000,
    0x2000,
    0x3000,
    0x4000,
    0x0080_0000,
    0x0082_0000,
    0x0100_0000,
    0x0200_0000,
    0x0400_0000,
    0x0500_0000,
    0x0800_0000,
    0x1000_0000,
    0x2000_0000,
    0x7000_0000,
    0x9000_0000,
    0xa000_0000,
];

impl Setting {
    /// A number for a field of which the current one is known.
    pub fn number(&self, random: &mut Random, field: &str, current: u64) -> u64 {
        if random.once_in(24) {
            return self.any(random);
        }
        match field {
            "EI_CLASS" | "EI_DATA" | "EI_VERSION" | "EI_OSABI" | "EI_ABIVERSION" => {
                random.pick(&[0, 1, 2, 3, 9, 64, 65, 97, 255])
            }
            "e_type" => random.pick(&[0, 1, 2, 3, 4, 5, 0x200, 0x300, 0xfe00, 0xff00, 0xffff]),
            "e_machine" => random.pick(&MACHINES),
            "e_phentsize" | "e_ehsize" | "e_shentsize" => random.pick(&ENTRY_SIZES),
            "e_phnum" if random.once_in(2) => current.wrapping_add(random.pick(&[1, 2, 3, u64::MAX])),
            "e_phnum" | "e_shnum" | "e_shstrndx" => random.pick(&ENTRY_COUNTS),
            "e_flags" if random.once_in(4) => random.pick(&FLAG_BITS),
            "e_flags" => current ^ random.pick(&FLAG_BITS),
            "p_type" => random.pick(&TYPES),
            "p_flags" => random.below(8) as u64 | if random.once_in(16) { 0xffff_fff0 } else { 0 },
            "p_align" if random.once_in(3) => 1 << random.below(64),
            "p_align" => random.pick(&ALIGNS),
            "abiflags.fp_abi" => random.below(10) as u64,
            "p_vaddr" | "p_offset" | "e_entry" if !random.once_in(3) => {
                self.congruent(random, field, current)
            }
            "p_memsz" | "p_filesz" if random.once_in(4) => self.of_memory(random),
            _ => self.word(random, current),
        }
    }

    /// Any number, of any length.
    fn any(&self, random: &mut Random) -> u64 {
        let bits = if self.abi.encoding.wide { 64 } else { 32 };
        random.number() >> (64 - bits) >> random.below(bits)
    }

    /// An address or a size: near the current one, small, near a power of two, near the end of the address space.
    fn word(&self, random: &mut Random, current: u64) -> u64 {
        let near = [1, 2, 4, 8, 16, 0x80, 0x100, 0xfff, self.page, 2 * self.page, 0x1_0000];
        let step = random.pick(&near);
        match random.below(8) {
            0 | 1 => current.wrapping_add(step),
            2 => current.wrapping_sub(step),
            3 => random.below(17) as u64,
            4 => (1_u64 << random.below(64)).wrapping_sub(random.pick(&[0, 1])),
            5 => self.landmark(random).wrapping_add(step),
            6 => self.landmark(random).wrapping_sub(random.pick(&[0, step])),
            _ => self.any(random),
        }
    }

    /// An address at which kernels decide: both ends of the address space, two thirds of it (where ET_DYN goes), the
    /// ends of signed numbers.
    fn landmark(&self, random: &mut Random) -> u64 {
        let end = random.pick(self.abi.ends);
        let top = if self.abi.encoding.wide { u64::MAX } else { 0xffff_ffff };
        let pages = random.pick(&[0, 1, 2, 16, 256, 4096, 0x8000, 0x20_0000, 0x40_0000]) * self.page;
        match random.below(8) {
            0 => 0,
            1 => self.page,
            2 => end / 3 * 2,
            3 => end / 3,
            4 => top / 2,
            5 => top,
            6 => end.wrapping_sub(pages),
            _ => end,
        }
    }

    /// An address that lies in its page as the current one does, so that alignment does not hide the rest.
    fn congruent(&self, random: &mut Random, field: &str, current: u64) -> u64 {
        let within = 0xffff;
        let keep = |address: u64| (address & !within) | (current & within);
        match random.below(6) {
            0 => current.wrapping_add(self.page * (1 + random.below(16) as u64)),
            1 => current.wrapping_sub(self.page * (1 + random.below(16) as u64)),
            2 => keep(self.any(random)),
            3 if field == "p_offset" => keep(1 << random.below(64)),
            3 => keep(random.number() % self.abi.ends[0]),
            4 => keep(self.landmark(random)),
            _ => keep(self.landmark(random).wrapping_sub(1)),
        }
    }

    /// Around what this computer has: heuristic overcommit (`__vm_enough_memory`) refuses more in one piece.
    fn of_memory(&self, random: &mut Random) -> u64 {
        let eighths = self.memory / 8 * random.pick(&[2, 4, 6, 7, 8, 9, 12, 16]);
        eighths.wrapping_add(random.pick(&[0, self.page, 1 << 20])).wrapping_sub(random.pick(&[0, self.page]))
    }
}
