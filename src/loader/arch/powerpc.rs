//! arch/powerpc/include/asm/elf.h, task_size_32.h and task_size_64.h.

use super::space::{Bounds, Layout, STACK_RANDOM_32, STACK_RANDOM_64, Space};
use super::{
    Arch, Entry, Load, Machine, Stack, Stage, compat_runs, is_compat, not_told, nothing, only, sigill, stack,
};
use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::{EF_PPC64_ABI, EM_PPC, EM_PPC64};
use crate::system::Question;

pub(super) const PPC: Arch = Arch {
    e_machine: EM_PPC,
    elf_check_arch,
    arch_elf_pt_proc: nothing,
    arch_check_elf: nothing,
    space: space_32,
    read_implies_exec,
    refuses_data,
    tells_fetches: true,
    zeros: sigill,
    // Big-endian a load of decorated storage (`lhdx`) on an e500mc, else illegal; little-endian `sc`.
    magic: not_told,
    entry,
    later: nothing,
};

pub(super) const PPC64: Arch =
    Arch { e_machine: EM_PPC64, elf_check_arch: ppc64, space: space_64, refuses_data: |_| Some(true), ..PPC };

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

/// `elf_read_implies_exec`: of 32-bit programs without PT_GNU_STACK.
fn read_implies_exec(load: &Load<'_>) -> bool {
    load.image.view.class == Class::Elf32 && stack(load.image) == Stack::Default
}

/// arch/powerpc/mm/fault.c `access_error` with CPU_FTR_NOEXECUTE, which 7xx, 74xx and 604 lack
/// (arch/powerpc/include/asm/cputable.h).
fn refuses_data(machine: &Machine) -> Option<bool> {
    let model = machine.cpu.model.get()?;
    Some(!(model.starts_with('7') || model.starts_with("604")))
}

/// In ELFv1, e_entry is the address of a function descriptor (`start_thread`). The two lowest bits of an address of
/// code are not looked at.
#[allow(clippy::unnecessary_wraps)]
fn entry(load: &Load<'_>) -> Stage<Entry> {
    let header = &load.image.header;
    if header.e_machine == EM_PPC64 && header.e_flags & EF_PPC64_ABI != 2 {
        return Ok(Entry::Elsewhere);
    }
    Ok(Entry::Address(header.e_entry & !3))
}

/// ELF_ET_DYN_BASE was 512 MiB up to 4.12.
const BASE_BEFORE: u64 = 0x2000_0000;

/// CONFIG_TASK_SIZE: 2 GiB (8xx) to 3 GiB; 7.3 takes up to 256 MiB off below the kernel.
fn space_32(machine: &Machine, _: &Image) -> Space {
    let task_size = Bounds { least: 0x8000_0000, most: 0xc000_0000 };
    of_32_bits(machine, task_size)
}

fn of_32_bits(machine: &Machine, task_size: Bounds) -> Space {
    let older = machine.kernel.older_than((4, 13, 0));
    Layout {
        task_size,
        stack_top: task_size,
        stack_random: STACK_RANDOM_32,
        et_dyn_base: Bounds { least: 0x40_0000, most: if older { BASE_BEFORE } else { 0x40_0000 } },
    }
    .space()
    .randomized(1 << 29)
}

/// `TASK_SIZE_USER64`: 64 TiB with 4 KiB pages, up to 4 PiB with 64 KiB ones (since 4.17); 16 TiB before 3.7. The stack
/// lies below 128 TiB. 32-bit programs have 4 GiB but for a page.
fn space_64(machine: &Machine, image: &Image) -> Space {
    let page = machine.kernel.page().get();
    if image.view.class == Class::Elf32 {
        let end = 0x1_0000_0000_u64.saturating_sub(page);
        return of_32_bits(machine, Bounds::exactly(end));
    }
    let least = if machine.kernel.older_than((3, 7, 0)) { 1 << 44 } else { 1 << 46 };
    let large = page > 4096;
    let older = machine.kernel.older_than((4, 13, 0));
    Layout {
        task_size: Bounds { least, most: if large { 1 << 52 } else { 1 << 46 } },
        stack_top: Bounds { least, most: if large { 1 << 47 } else { 1 << 46 } },
        stack_random: STACK_RANDOM_64,
        et_dyn_base: Bounds { least: if older { BASE_BEFORE } else { 1 << 32 }, most: 1 << 32 },
    }
    .space()
    .randomized(1 << 45)
}
