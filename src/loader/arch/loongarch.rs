//! arch/loongarch/include/asm/elf.h and processor.h.

use super::super::refuse;
use super::space::{Bounds, Layout, STACK_RANDOM_32, Space};
use super::{
    Arch, Load, Machine, Stage, Step, entry_is_aligned, is_compat, not_told, nothing, same_class, sigill,
};
use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::EM_LOONGARCH;
use crate::errno::Errno;

pub(super) const LOONGARCH: Arch = Arch {
    e_machine: EM_LOONGARCH,
    elf_check_arch,
    arch_elf_pt_proc: nothing,
    arch_check_elf: nothing,
    space,
    read_implies_exec: |_| false,
    // arch/loongarch/mm/fault.c `__do_page_fault`: VM_EXEC, where the address is that of the instruction.
    refuses_data: |_| Some(true),
    tells_fetches: true,
    zeros: sigill,
    // `bnez`, by a register that the kernel has cleared: what follows decides.
    magic: not_told,
    // arch/loongarch/kernel/traps.c `do_ade`.
    entry: entry_is_aligned,
    later: nothing,
};

/// There is no compatibility handler.
fn elf_check_arch(load: &Load<'_>) -> Stage {
    if is_compat(load) { refuse(Errno::ENOEXEC, Step::CheckArch) } else { same_class(load, EM_LOONGARCH) }
}

/// `TASK_SIZE64`: the bits of a virtual address that the processor has and the page tables span. Below it,
/// `stack_top` leaves room for the vDSO and its randomization.
fn space(_: &Machine, image: &Image) -> &'static Space {
    const fn of(task_size: Bounds) -> Space {
        Layout {
            task_size,
            stack_top: Bounds { least: task_size.least.saturating_sub(65 << 20), most: task_size.most },
            stack_random: STACK_RANDOM_32,
            et_dyn_base: task_size.two_thirds(),
            // 18 bits of pages of up to 64 KiB.
            mmap_random: 1 << 34,
        }
        .space()
    }
    match image.view.class {
        Class::Elf32 => const { &of(Bounds::exactly(0x8000_0000)) },
        Class::Elf64 => const { &of(Bounds { least: 1 << 39, most: 1 << 48 }) },
    }
}
