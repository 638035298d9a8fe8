//! arch/loongarch/include/asm/elf.h and processor.h.

use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::EM_LOONGARCH;
use crate::errno::Errno;
use crate::exec::Step;
use crate::exec::arch::{
    Binprm, Bounds, Checked, Checks, LayoutSpec, STACK_RANDOM_32, TaskLayout, accept, entry_is_aligned,
    is_compat, refuse, same_class, sigill, undefined,
};
use crate::machine::Machine;

pub(super) const LOONGARCH: Checks = Checks {
    elf_check_arch,
    arch_elf_pt_proc: accept,
    arch_check_elf: accept,
    layout,
    read_implies_exec: |_| false,
    // arch/loongarch/mm/fault.c `__do_page_fault`: VM_EXEC, where the address is that of the instruction.
    enforces_nx: |_| Some(true),
    fault_tells_exec: true,
    write_only_faults_again: false,
    first_user_address: 0,
    zeros_as_code: sigill,
    ones_as_code: sigill,
    // `bnez`, by a register that the kernel has cleared: what follows decides.
    magic_as_code: undefined,
    // arch/loongarch/kernel/traps.c `do_ade`.
    entry: entry_is_aligned,
    after_start: accept,
};

/// There is no compatibility handler.
fn elf_check_arch(bprm: &Binprm<'_>) -> Checked {
    if is_compat(bprm) { refuse(Errno::ENOEXEC, Step::CheckArch) } else { same_class(bprm, EM_LOONGARCH) }
}

/// `TASK_SIZE64`: the bits of a virtual address that the processor has and the page tables span. Below it,
/// `stack_top` leaves room for the vDSO and its randomization.
fn layout(_: &Machine, image: &Image) -> &'static TaskLayout {
    const fn of(task_size: Bounds) -> TaskLayout {
        LayoutSpec {
            task_size,
            stack_top: Bounds { least: task_size.least.saturating_sub(65 << 20), most: task_size.most },
            stack_random: STACK_RANDOM_32,
            et_dyn_base: task_size.two_thirds(),
            // 18 bits of pages of up to 64 KiB.
            mmap_random: 1 << 34,
        }
        .layout()
    }
    match image.encoding.class {
        Class::Elf32 => const { &of(Bounds::exactly(0x8000_0000)) },
        Class::Elf64 => const { &of(Bounds { least: 1 << 39, most: 1 << 48 }) },
    }
}
