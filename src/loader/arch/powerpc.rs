//! arch/powerpc/include/asm/elf.h.

use super::{Arch, Entry, Load, Signal, Stage, compat_runs, entry_is_address, is_compat, nothing, only};
use crate::elf::consts::{EM_PPC, EM_PPC64};
use crate::system::Question;

pub(super) const PPC: Arch = Arch {
    e_machine: EM_PPC,
    elf_check_arch,
    arch_check_elf: nothing,
    task_size: |_, _| 0xc000_0000,
    refuses_data: |_| false,
    tells_fetches: false,
    zeros: Some(Signal::SIGILL),
    magic: None,
    entry: entry_is_address,
    later: nothing,
};

pub(super) const PPC64: Arch =
    Arch { e_machine: EM_PPC64, elf_check_arch: ppc64, task_size: |_, _| 1 << 56, entry, ..PPC };

fn elf_check_arch(load: &Load<'_>) -> Stage {
    only(load, EM_PPC)
}

fn ppc64(load: &Load<'_>) -> Stage {
    if !is_compat(load) {
        return only(load, EM_PPC64);
    }
    only(load, EM_PPC)?;
    compat_runs(load, Question::Ppc32, (5, 15, 0))
}

/// In ELFv1, e_entry is the address of a function descriptor.
fn entry(load: &Load<'_>) -> Stage<Entry> {
    let header = &load.image.header;
    if header.e_machine == EM_PPC64 && header.e_flags & 3 != 2 {
        return Ok(Entry::Elsewhere);
    }
    entry_is_address(load)
}
