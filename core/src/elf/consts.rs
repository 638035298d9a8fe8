//! Constants of elf.h and the words for them.
#![allow(missing_docs)]

pub const ET_REL: u16 = 1;
pub const ET_EXEC: u16 = 2;
pub const ET_DYN: u16 = 3;
pub const ET_CORE: u16 = 4;

pub const EM_SPARC: u16 = 2;
pub const EM_386: u16 = 3;
pub const EM_68K: u16 = 4;
pub const EM_486: u16 = 6;
pub const EM_MIPS: u16 = 8;
pub const EM_MIPS_RS3_LE: u16 = 10;
pub const EM_PARISC: u16 = 15;
pub const EM_SPARC32PLUS: u16 = 18;
pub const EM_PPC: u16 = 20;
pub const EM_PPC64: u16 = 21;
pub const EM_S390: u16 = 22;
pub const EM_ARM: u16 = 40;
pub const EM_SH: u16 = 42;
pub const EM_SPARCV9: u16 = 43;
pub const EM_IA_64: u16 = 50;
pub const EM_X86_64: u16 = 62;
pub const EM_XTENSA: u16 = 94;
pub const EM_MICROBLAZE: u16 = 189;
pub const EM_AARCH64: u16 = 183;
pub const EM_ARCV2: u16 = 195;
pub const EM_RISCV: u16 = 243;
pub const EM_BPF: u16 = 247;
pub const EM_CSKY: u16 = 252;
pub const EM_LOONGARCH: u16 = 258;

pub const PT_NULL: u32 = 0;
pub const PT_LOAD: u32 = 1;
pub const PT_DYNAMIC: u32 = 2;
pub const PT_INTERP: u32 = 3;
pub const PT_NOTE: u32 = 4;
pub const PT_PHDR: u32 = 6;
pub const PT_TLS: u32 = 7;
pub const PT_GNU_EH_FRAME: u32 = 0x6474_e550;
pub const PT_GNU_STACK: u32 = 0x6474_e551;
pub const PT_GNU_RELRO: u32 = 0x6474_e552;
pub const PT_GNU_PROPERTY: u32 = 0x6474_e553;
pub const PT_LOPROC: u32 = 0x7000_0000;
pub const PT_HIPROC: u32 = 0x7fff_ffff;
pub const PT_MIPS_REGINFO: u32 = 0x7000_0000;
pub const PT_MIPS_ABIFLAGS: u32 = 0x7000_0003;
pub const PT_RISCV_ATTRIBUTES: u32 = 0x7000_0003;

pub const PF_X: u32 = 1;
pub const PF_W: u32 = 2;
pub const PF_R: u32 = 4;

pub const DT_NULL: u32 = 0;
pub const DT_NEEDED: u32 = 1;
pub const DT_PLTRELSZ: u32 = 2;
pub const DT_PLTGOT: u32 = 3;
pub const DT_HASH: u32 = 4;
pub const DT_STRTAB: u32 = 5;
pub const DT_SYMTAB: u32 = 6;
pub const DT_RELA: u32 = 7;
pub const DT_RELASZ: u32 = 8;
pub const DT_RELAENT: u32 = 9;
pub const DT_STRSZ: u32 = 10;
pub const DT_SONAME: u32 = 14;
pub const DT_RPATH: u32 = 15;
pub const DT_REL: u32 = 17;
pub const DT_RELSZ: u32 = 18;
pub const DT_RELENT: u32 = 19;
pub const DT_PLTREL: u32 = 20;
pub const DT_JMPREL: u32 = 23;
pub const DT_BIND_NOW: u32 = 24;
pub const DT_INIT: u32 = 12;
pub const DT_FINI: u32 = 13;
pub const DT_FINI_ARRAY: u32 = 26;
pub const DT_FINI_ARRAYSZ: u32 = 28;
pub const DT_DEBUG: u32 = 21;
pub const DT_TEXTREL: u32 = 22;
pub const DT_INIT_ARRAY: u32 = 25;
pub const DT_INIT_ARRAYSZ: u32 = 27;
pub const DT_RUNPATH: u32 = 29;
pub const DT_FLAGS: u32 = 30;
pub const DT_PREINIT_ARRAY: u32 = 32;
pub const DT_PREINIT_ARRAYSZ: u32 = 33;
pub const DT_RELRSZ: u32 = 35;
pub const DT_RELR: u32 = 36;
pub const DT_RELRENT: u32 = 37;
pub const DT_GNU_HASH: u32 = 0x6fff_fef5;
pub const DT_VERSYM: u32 = 0x6fff_fff0;
pub const DT_DEPAUDIT: u32 = 0x6fff_fefb;
pub const DT_AUDIT: u32 = 0x6fff_fefc;
pub const DT_RELACOUNT: u32 = 0x6fff_fff9;
pub const DT_RELCOUNT: u32 = 0x6fff_fffa;
pub const DT_FLAGS_1: u32 = 0x6fff_fffb;
pub const DT_VERDEF: u32 = 0x6fff_fffc;
pub const DT_VERNEED: u32 = 0x6fff_fffe;
pub const DT_PPC64_GLINK: u32 = 0x7000_0000;
pub const DT_MIPS_LOCAL_GOTNO: u32 = 0x7000_000a;
pub const DT_MIPS_SYMTABNO: u32 = 0x7000_0011;
pub const DT_MIPS_GOTSYM: u32 = 0x7000_0013;
pub const DT_MIPS_PLTGOT: u32 = 0x7000_0032;
pub const DT_MIPS_RLD_MAP_REL: u32 = 0x7000_0035;
pub const DT_MIPS_XHASH: u32 = 0x7000_0036;
pub const DF_BIND_NOW: u64 = 8;
pub const DF_1_NOW: u64 = 1;
pub const DF_1_NODEFLIB: u64 = 0x800;
pub const DF_1_PIE: u64 = 0x0800_0000;

pub const NT_GNU_ABI_TAG: u32 = 1;
pub const ELF_NOTE_OS_LINUX: u32 = 0;
pub const NT_GNU_PROPERTY_TYPE_0: u32 = 5;
/// The Go linker's build id: name "Go\0\0".
pub const NT_GO_BUILDID: u32 = 4;
pub const GNU_PROPERTY_X86_ISA_1_NEEDED: u32 = 0xc000_8002;

pub const SHT_PROGBITS: u32 = 1;
pub const SHT_STRTAB: u32 = 3;
pub const SHT_NOTE: u32 = 7;
pub const SHT_NOBITS: u32 = 8;
pub const SHT_GNU_ATTRIBUTES: u32 = 0x6fff_fff5;
pub const SHT_ARM_ATTRIBUTES: u32 = 0x7000_0003;
pub const SHT_RISCV_ATTRIBUTES: u32 = 0x7000_0003;
pub const SHF_WRITE: u64 = 1;
pub const SHF_ALLOC: u64 = 2;
pub const SHF_EXECINSTR: u64 = 4;
pub const SHF_STRINGS: u64 = 0x20;

pub const EF_MIPS_PIC: u32 = 2;
pub const EF_MIPS_CPIC: u32 = 4;
pub const EF_MIPS_ABI2: u32 = 0x20;
pub const EF_MIPS_32BITMODE: u32 = 0x100;
pub const EF_MIPS_FP64: u32 = 0x200;
pub const EF_MIPS_NAN2008: u32 = 0x400;
pub const EF_MIPS_ABI: u32 = 0xf000;
pub const EF_MIPS_ABI_O32: u32 = 0x1000;
pub const EF_MIPS_ABI_O64: u32 = 0x2000;
pub const EF_MIPS_ABI_EABI32: u32 = 0x3000;
pub const EF_MIPS_ABI_EABI64: u32 = 0x4000;
pub const EF_MIPS_MACH: u32 = 0x00ff_0000;
pub const EF_MIPS_MICROMIPS: u32 = 0x0200_0000;
pub const EF_MIPS_ARCH_ASE_M16: u32 = 0x0400_0000;
pub const EF_MIPS_ARCH_ASE_MDMX: u32 = 0x0800_0000;
pub const EF_MIPS_ARCH: u32 = 0xf000_0000;

pub const EF_ARM_APCS_26: u32 = 0x08;
pub const EF_ARM_ABI_FLOAT_SOFT: u32 = 0x200;
pub const EF_ARM_ABI_FLOAT_HARD: u32 = 0x400;
/// In OABI files (EABI version 0) the same bit.
pub const EF_ARM_VFP_FLOAT: u32 = 0x400;
/// In OABI files the bit of EF_ARM_ABI_FLOAT_SOFT.
pub const EF_ARM_SOFT_FLOAT: u32 = 0x200;
pub const EF_ARM_BE8: u32 = 0x0080_0000;
pub const EF_ARM_EABIMASK: u32 = 0xff00_0000;
pub const EF_ARM_EABI_VER5: u32 = 0x0500_0000;

pub const EF_PPC64_ABI: u32 = 3;

pub const EF_RISCV_RVC: u32 = 1;
pub const EF_RISCV_FLOAT_ABI: u32 = 6;
pub const EF_RISCV_FLOAT_ABI_DOUBLE: u32 = 4;
pub const EF_RISCV_RVE: u32 = 8;

pub const ELFOSABI_NONE: u8 = 0;
pub const ELFOSABI_GNU: u8 = 3;
pub const ELFOSABI_FREEBSD: u8 = 9;
pub const ELFOSABI_ARM_FDPIC: u8 = 65;

/// Index of EI_CLASS, EI_DATA, EI_VERSION and EI_OSABI in e_ident.
pub const EI_CLASS: usize = 4;
pub const EI_DATA: usize = 5;
pub const EI_VERSION: usize = 6;
pub const EI_OSABI: usize = 7;

/// The name of a number in a table.
pub(crate) fn name_in(table: &[(u32, &'static str)], number: u32) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// The usual word for a processor family; None where it is not one that anybody meets.
pub fn machine_name(e_machine: u16) -> Option<&'static str> {
    const NAMES: [(u32, &str); 32] = [
        (EM_SPARC as u32, "SPARC"),
        (EM_SPARC32PLUS as u32, "SPARC"),
        (EM_SPARCV9 as u32, "SPARC"),
        (EM_386 as u32, "x86"),
        (EM_486 as u32, "x86"),
        (EM_68K as u32, "m68k"),
        (EM_MIPS as u32, "MIPS"),
        (EM_MIPS_RS3_LE as u32, "MIPS"),
        (EM_PARISC as u32, "PA-RISC"),
        (EM_PPC as u32, "PowerPC"),
        (EM_PPC64 as u32, "PowerPC64"),
        (EM_S390 as u32, "s390"),
        (EM_ARM as u32, "ARM"),
        (EM_SH as u32, "SuperH"),
        (EM_IA_64 as u32, "IA-64"),
        (EM_X86_64 as u32, "x86-64"),
        (83, "AVR"),
        (92, "OpenRISC"),
        (93, "ARC"),
        (EM_XTENSA as u32, "Xtensa"),
        (113, "Nios II"),
        (164, "Hexagon"),
        (EM_AARCH64 as u32, "AArch64"),
        (EM_MICROBLAZE as u32, "MicroBlaze"),
        (EM_ARCV2 as u32, "ARCv2"),
        (190, "NVIDIA CUDA"),
        (224, "AMD GPU"),
        (EM_RISCV as u32, "RISC-V"),
        (EM_BPF as u32, "BPF"),
        (EM_CSKY as u32, "C-SKY"),
        (EM_LOONGARCH as u32, "LoongArch"),
        (0x9026, "Alpha"),
    ];
    name_in(&NAMES, u32::from(e_machine))
}

/// The word for EI_OSABI; None where it has none. The kernel ignores it.
pub fn osabi_name(osabi: u8) -> Option<&'static str> {
    const NAMES: [(u32, &str); 10] = [
        (0, "System V"),
        (1, "HP-UX"),
        (2, "NetBSD"),
        (3, "GNU/Linux"),
        (6, "Solaris"),
        (9, "FreeBSD"),
        (12, "OpenBSD"),
        (ELFOSABI_ARM_FDPIC as u32, "ARM FDPIC"),
        (97, "ARM"),
        (255, "standalone"),
    ];
    name_in(&NAMES, u32::from(osabi))
}

/// The word for e_type; None where it has none.
pub fn type_name(e_type: u16) -> Option<&'static str> {
    const NAMES: [&str; 5] = ["ET_NONE", "ET_REL", "ET_EXEC", "ET_DYN", "ET_CORE"];
    NAMES.get(usize::from(e_type)).copied()
}
