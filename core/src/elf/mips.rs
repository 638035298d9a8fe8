//! What a MIPS program says of itself: instruction set, ABI, floating-point ABI, application-specific extensions.

use super::consts::{
    EF_MIPS_ABI, EF_MIPS_ABI_EABI32, EF_MIPS_ABI_EABI64, EF_MIPS_ABI_O32, EF_MIPS_ABI_O64, EF_MIPS_ABI2,
    EF_MIPS_MACH, name_in,
};
use super::{AbiFlags, Class};

/// An instruction set, numbered as in `.MIPS.abiflags`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Isa {
    /// 1 to 5 (MIPS I to V), 32 or 64.
    pub level: u8,
    /// 1, 2, 3, 5, 6 of MIPS32 and MIPS64; 0 below those.
    pub revision: u8,
}

impl Isa {
    /// From `.MIPS.abiflags` where it is there, else from e_flags.
    pub fn of(e_flags: u32, abiflags: Option<&AbiFlags>) -> Option<Isa> {
        abiflags.and_then(Isa::from_abiflags).or_else(|| Isa::from_flags(e_flags))
    }

    /// From EF_MIPS_ARCH. R3 and R5 have no value there: they are marked as R2.
    pub fn from_flags(e_flags: u32) -> Option<Isa> {
        const BY_ARCH: [(u8, u8); 11] =
            [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (32, 1), (64, 1), (32, 2), (64, 2), (32, 6), (64, 6)];
        let (level, revision) = *BY_ARCH.get((e_flags >> 28) as usize)?;
        Some(Isa { level, revision })
    }

    /// From isa_level and isa_rev.
    pub const fn from_abiflags(flags: &AbiFlags) -> Option<Isa> {
        match (flags.isa_level, flags.isa_rev) {
            (level @ 1..=5, _) => Some(Isa { level, revision: 0 }),
            // Early toolchains wrote 0 for the first revision.
            (level @ (32 | 64), 0 | 1) => Some(Isa { level, revision: 1 }),
            (level @ (32 | 64), revision @ 2..=6) => Some(Isa { level, revision }),
            _ => None,
        }
    }

    /// Register width: 64 for MIPS III to V and MIPS64.
    pub const fn bits(self) -> u32 {
        match self.level {
            3..=5 | 64 => 64,
            _ => 32,
        }
    }

    /// "MIPS32r2", as in /proc/cpuinfo but for case; the first revision without a number.
    pub fn name(self) -> &'static str {
        const OLD: [&str; 5] = ["MIPS I", "MIPS II", "MIPS III", "MIPS IV", "MIPS V"];
        const MIPS32: [&str; 7] = ["", "", "MIPS32r2", "MIPS32r3", "", "MIPS32r5", "MIPS32r6"];
        const MIPS64: [&str; 7] = ["", "", "MIPS64r2", "MIPS64r3", "", "MIPS64r5", "MIPS64r6"];
        let (names, first) = if self.level == 32 { (&MIPS32, "MIPS32") } else { (&MIPS64, "MIPS64") };
        let name = match OLD.get(usize::from(self.level.wrapping_sub(1))) {
            None => names.get(usize::from(self.revision)),
            old => old,
        };
        name.copied().filter(|name| !name.is_empty()).unwrap_or(first)
    }
}

/// A calling convention.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Abi {
    O32,
    N32,
    N64,
    O64,
    Eabi32,
    Eabi64,
    Unknown,
}

impl Abi {
    /// From EI_CLASS and e_flags.
    pub const fn of(class: Class, e_flags: u32) -> Abi {
        match (e_flags & EF_MIPS_ABI, class) {
            (EF_MIPS_ABI_O32, _) => Abi::O32,
            (EF_MIPS_ABI_O64, _) => Abi::O64,
            (EF_MIPS_ABI_EABI32, _) => Abi::Eabi32,
            (EF_MIPS_ABI_EABI64, _) => Abi::Eabi64,
            (0, Class::Elf64) => Abi::N64,
            (0, Class::Elf32) if e_flags & EF_MIPS_ABI2 != 0 => Abi::N32,
            (0, Class::Elf32) => Abi::O32,
            _ => Abi::Unknown,
        }
    }

    /// "o32".
    pub const fn name(self) -> &'static str {
        match self {
            Abi::O32 => "o32",
            Abi::N32 => "n32",
            Abi::N64 => "n64",
            Abi::O64 => "o64",
            Abi::Eabi32 => "EABI32",
            Abi::Eabi64 => "EABI64",
            Abi::Unknown => "unknown ABI",
        }
    }
}

/// EF_MIPS_MACH: a processor whose own instructions the program is built for.
pub fn mach_name(e_flags: u32) -> Option<&'static str> {
    const NAMES: [(u32, &str); 20] = [
        (0x81, "TX3900"),
        (0x82, "R4010"),
        (0x83, "VR4100"),
        (0x85, "R4650"),
        (0x87, "VR4120"),
        (0x88, "VR4111"),
        (0x8a, "SB-1"),
        (0x8b, "Octeon"),
        (0x8c, "XLR"),
        (0x8d, "Octeon 2"),
        (0x8e, "Octeon 3"),
        (0x91, "VR5400"),
        (0x92, "R5900"),
        (0x98, "VR5500"),
        (0x99, "RM9000"),
        (0xa0, "Loongson 2E"),
        (0xa1, "Loongson 2F"),
        (0xa2, "Loongson GS464"),
        (0xa3, "Loongson GS464E"),
        (0xa4, "Loongson GS264E"),
    ];
    name_in(&NAMES, (e_flags & EF_MIPS_MACH) >> 16)
}

/// Val_GNU_MIPS_ABI_FP_*: fp_abi.
pub mod fp {
    #![allow(missing_docs)]
    pub const ANY: u8 = 0;
    pub const DOUBLE: u8 = 1;
    pub const SINGLE: u8 = 2;
    pub const SOFT: u8 = 3;
    pub const OLD_64: u8 = 4;
    pub const XX: u8 = 5;
    pub const FP64: u8 = 6;
    pub const FP64A: u8 = 7;

    /// "soft float", "double float"; None for no valid value.
    pub const fn name(fp_abi: u8) -> Option<&'static str> {
        Some(match fp_abi {
            ANY => "no float",
            DOUBLE => "double float",
            SINGLE => "single float",
            SOFT => "soft float",
            OLD_64 => "old 64-bit float (-mips32r2 -mfp64)",
            XX => "double float, any FPU (-mfpxx)",
            FP64 => "double float, 64-bit FPU (-mfp64)",
            FP64A => "double float, 64-bit FPU (-mfp64 -mno-odd-spreg)",
            _ => return None,
        })
    }

    /// Whether code of this ABI may use FPU registers.
    pub const fn is_hard(fp_abi: u8) -> bool {
        !matches!(fp_abi, ANY | SOFT)
    }
}

/// Extensions in `ases` of `.MIPS.abiflags`: AFL_ASE_*, the usual name, and the word under "ASEs implemented" in
/// /proc/cpuinfo ("" where it has none).
pub const ASES: [(u32, &str, &str); 20] = [
    (AFL_ASE_DSP, "DSP", "dsp"),
    (AFL_ASE_DSPR2, "DSP R2", "dsp2"),
    (0x4, "EVA", "eva"),
    (0x8, "MCU", ""),
    (0x10, "MDMX", "mdmx"),
    (0x20, "MIPS-3D", "mips3d"),
    (0x40, "MT", "mt"),
    (0x80, "SmartMIPS", "smartmips"),
    (0x100, "VZ", "vz"),
    (AFL_ASE_MSA, "MSA", "msa"),
    (AFL_ASE_MIPS16, "MIPS16", "mips16"),
    (AFL_ASE_MICROMIPS, "microMIPS", "micromips"),
    (0x1000, "XPA", "xpa"),
    (AFL_ASE_DSPR3, "DSP R3", "dsp3"),
    (0x4000, "MIPS16e2", "mips16e2"),
    (0x8000, "CRC", ""),
    (0x2_0000, "GINV", ""),
    (0x4_0000, "Loongson MMI", "loongson-mmi"),
    (0x8_0000, "Loongson CAM", "loongson-cam"),
    (0x10_0000, "Loongson EXT", "loongson-ext"),
];

/// DSP.
pub const AFL_ASE_DSP: u32 = 1;
/// DSP R2.
pub const AFL_ASE_DSPR2: u32 = 2;
/// MSA.
pub const AFL_ASE_MSA: u32 = 0x200;
/// MIPS16.
pub const AFL_ASE_MIPS16: u32 = 0x400;
/// microMIPS.
pub const AFL_ASE_MICROMIPS: u32 = 0x800;
/// DSP R3.
pub const AFL_ASE_DSPR3: u32 = 0x2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abiflags_tell_more_than_e_flags() {
        let flags = |isa_level, isa_rev| AbiFlags { isa_level, isa_rev, ..AbiFlags::default() };
        let name = |e_flags, a: Option<&AbiFlags>| Isa::of(e_flags, a).map(Isa::name);
        assert_eq!(name(0x7000_1007, Some(&flags(32, 5))), Some("MIPS32r5"));
        assert_eq!(name(0x7000_1007, None), Some("MIPS32r2"));
        assert_eq!(name(0x5000_1004, None), Some("MIPS32"));
        assert_eq!(name(0x2000_0000, None), Some("MIPS III"));
        assert_eq!(name(0xf000_0000, None), None);
        assert_eq!(name(0x8000_0000, Some(&flags(7, 1))), Some("MIPS64r2"));
        assert_eq!(Isa::from_flags(0x2000_0000).map(Isa::bits), Some(64));
    }

    #[test]
    fn the_abi_is_in_class_and_flags() {
        assert_eq!(Abi::of(Class::Elf32, 0x5000_1004), Abi::O32);
        assert_eq!(Abi::of(Class::Elf32, 0), Abi::O32);
        assert_eq!(Abi::of(Class::Elf32, 0x20), Abi::N32);
        assert_eq!(Abi::of(Class::Elf64, 0x8000_0007), Abi::N64);
        assert_eq!(Abi::of(Class::Elf64, 0x2000), Abi::O64);
        assert_eq!(Abi::of(Class::Elf32, 0x3000), Abi::Eabi32);
        assert_eq!(Abi::of(Class::Elf32, 0x9000), Abi::Unknown);
    }
}
