//! arch/riscv/include/asm/elf.h, pgtable.h and processor.h.

use super::space::{Bounds, Layout, STACK_RANDOM_32, STACK_RANDOM_64, Space};
use super::{
    Arch, Entry, Load, Machine, Stage, compat_runs, is_compat, is_compat_image, nothing, same_class, sigill,
};
use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::EM_RISCV;
use crate::system::Question;

pub(super) const RISCV: Arch = Arch {
    e_machine: EM_RISCV,
    elf_check_arch,
    arch_elf_pt_proc: nothing,
    arch_check_elf: nothing,
    space,
    read_implies_exec: |_| false,
    // arch/riscv/mm/fault.c `access_error`, EXC_INST_PAGE_FAULT.
    refuses_data: |_| Some(true),
    tells_fetches: true,
    // Defined to be illegal.
    zeros: sigill,
    // The lowest seven bits are ones: longer than any instruction there is.
    magic: sigill,
    entry,
    later: nothing,
};

/// `elf_check_arch`; 32-bit programs need CONFIG_COMPAT (since 5.19) and hardware that can do UXL=32
/// (arch/riscv/kernel/process.c `compat_elf_check_arch`).
fn elf_check_arch(load: &Load<'_>) -> Stage {
    same_class(load, EM_RISCV)?;
    if is_compat(load) { compat_runs(load, Question::Riscv32, (5, 15, 0)) } else { Ok(()) }
}

/// The lowest bit of `sepc` is always 0.
#[allow(clippy::unnecessary_wraps)]
fn entry(load: &Load<'_>) -> Stage<Entry> {
    Ok(Entry::Address(load.image.header.e_entry & !1))
}

/// `TASK_SIZE_64` is half of what Sv39, Sv48 (since 5.17) or Sv57 (since 5.18) address; `DEFAULT_MAP_WINDOW`, from
/// which the stack and ELF_ET_DYN_BASE are counted since 6.6, at most half of Sv48. A 32-bit kernel's ends where
/// its fixed mappings begin (`FIXADDR_START`).
fn space(machine: &Machine, image: &Image) -> Space {
    const SV39: u64 = 1 << 38;
    const SV48: u64 = 1 << 47;
    const SV57: u64 = 1 << 56;
    let kernel = &machine.kernel;
    if image.view.class == Class::Elf32 {
        let compat = Bounds::exactly(0x8000_0000_u64.saturating_sub(kernel.page().get()));
        let native = Bounds { least: 0x9000_0000, most: 0xa000_0000 };
        let task_size = if is_compat_image(machine, image) { compat } else { native };
        return Layout {
            task_size,
            stack_top: Bounds { least: task_size.least, most: task_size.most.max(0x8000_0000) },
            stack_random: STACK_RANDOM_32,
            et_dyn_base: task_size.two_thirds(),
        }
        .space()
        .randomized(kernel.page().get() << 17);
    }
    let most = if kernel.older_than((5, 17, 0)) {
        SV39
    } else if kernel.older_than((5, 18, 0)) {
        SV48
    } else {
        SV57
    };
    let window = Bounds { least: SV39, most: if kernel.older_than((6, 6, 0)) { most } else { SV48 } };
    Layout {
        task_size: Bounds { least: SV39, most },
        stack_top: window,
        stack_random: STACK_RANDOM_64,
        et_dyn_base: window.two_thirds(),
    }
    .space()
    .randomized(kernel.page().get() << 24)
}
