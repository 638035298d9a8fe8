//! What an ELF header, its notes and its abiflags say together.

use super::{Image, Interp, program};
use crate::elf::ProgramHeader;
use crate::elf::consts::{EF_MIPS_ARCH_ASE_M16, EF_MIPS_ARCH_ASE_MDMX, EF_MIPS_MICROMIPS, EM_MIPS, PT_LOAD};
use crate::elf::mips::{self, Abi, Isa};
use crate::machine::Libc;

impl Image {
    /// The program header table; empty where the kernel cannot have it.
    pub fn table(&self) -> &[ProgramHeader] {
        self.program_headers.as_deref().unwrap_or_default()
    }

    /// The PT_LOADs.
    pub fn loads(&self) -> impl DoubleEndedIterator<Item = &ProgramHeader> {
        self.table().iter().filter(|segment| segment.p_type == PT_LOAD)
    }

    /// Where an address lies in the file; None where no PT_LOAD takes it from there.
    pub fn offset_of(&self, address: u64) -> Option<usize> {
        program::place_of(self.table(), address).map(|(offset, _)| offset)
    }

    /// Where the file has what an entry of PT_DYNAMIC leads to.
    pub fn dynamic_offset(&self, tag: u32) -> Option<usize> {
        self.dynamic_part(tag).map(|(offset, _)| offset)
    }

    /// The PT_LOAD in which an address lies, in memory, of those with a right (PF_W, PF_X).
    pub fn load_with(&self, right: u32, address: u64) -> Option<&ProgramHeader> {
        self.loads()
            .find(|load| load.p_flags & right != 0 && address.wrapping_sub(load.p_vaddr) < load.p_memsz)
    }

    /// How many bytes of the file a segment has from an address on; None where none takes it from there.
    pub fn left_of(&self, address: u64) -> Option<u64> {
        program::place_of(self.table(), address).map(|(_, left)| left as u64)
    }

    /// The same, and how many bytes its segment has from there on.
    pub fn dynamic_part(&self, tag: u32) -> Option<(usize, usize)> {
        program::place_of(self.table(), self.dynamic.as_ref()?.get(tag)?)
    }

    /// The MIPS instruction set; None for other processors.
    pub fn mips_isa(&self) -> Option<Isa> {
        if self.header.e_machine == EM_MIPS {
            Isa::of(self.header.e_flags, self.abiflags.as_ref())
        } else {
            None
        }
    }

    /// The MIPS calling convention.
    pub fn mips_abi(&self) -> Abi {
        Abi::of(self.encoding.class, self.header.e_flags)
    }

    /// Whether `.MIPS.abiflags` says that FPU registers are used.
    pub fn is_mips_hard_float(&self) -> bool {
        self.header.e_machine == EM_MIPS && self.abiflags.is_some_and(|flags| mips::fp::is_hard(flags.fp_abi))
    }

    /// AFL_ASE_* bits, of abiflags and of e_flags.
    pub fn mips_ases(&self) -> u32 {
        let flags = self.header.e_flags;
        let bit = |mark: u32, ase: u32| if flags & mark == 0 { 0 } else { ase };
        self.abiflags.map_or(0, |abiflags| abiflags.ases)
            | bit(EF_MIPS_ARCH_ASE_M16, mips::AFL_ASE_MIPS16)
            | bit(EF_MIPS_MICROMIPS, mips::AFL_ASE_MICROMIPS)
            | bit(EF_MIPS_ARCH_ASE_MDMX, 0x10)
    }

    /// PT_INTERP; empty where there is none.
    pub fn interp_path(&self) -> &[u8] {
        match &self.interp {
            Some(Interp::Path(path)) => path,
            _ => &[],
        }
    }

    /// The C library whose loader PT_INTERP names.
    pub fn interp_libc(&self) -> Option<Libc> {
        let Some(Interp::Path(path)) = &self.interp else { return None };
        Libc::of_loader(path).filter(|_| self.interp_system().is_none())
    }
}

/// The folder in a path, with its slash, and the name behind it.
pub fn last_name(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash.wrapping_add(1));
    path.split_at_checked(at).unwrap_or_default()
}
