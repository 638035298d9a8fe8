//! arch/riscv/include/asm/elf.h, pgtable.h and processor.h.

use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::EM_RISCV;
use crate::exec::arch::{
    Binprm, Bounds, Checked, Checks, Entry, LayoutSpec, STACK_RANDOM_32, STACK_RANDOM_64, TaskLayout, accept,
    compat_runs, is_compat, is_compat_image, same_class, sigill,
};
use crate::machine::Machine;
use crate::target::Capability;

pub(super) const RISCV: Checks = Checks {
    elf_check_arch,
    arch_elf_pt_proc: accept,
    arch_check_elf: accept,
    layout,
    read_implies_exec: |_| false,
    // arch/riscv/mm/fault.c `access_error`, EXC_INST_PAGE_FAULT.
    enforces_nx: |_| Some(true),
    fault_tells_exec: true,
    write_only_faults_again: false,
    first_user_address: 0,
    // Defined to be illegal.
    zeros_as_code: sigill,
    ones_as_code: sigill,
    // The lowest seven bits are ones: longer than any instruction there is.
    magic_as_code: sigill,
    entry,
    after_start: accept,
};

/// `elf_check_arch`; 32-bit programs need CONFIG_COMPAT (since 5.19) and hardware that can do UXL=32
/// (arch/riscv/kernel/process.c `compat_elf_check_arch`).
fn elf_check_arch(bprm: &Binprm<'_>) -> Checked {
    same_class(bprm, EM_RISCV)?;
    if is_compat(bprm) { compat_runs(bprm, Capability::Riscv32, (5, 15, 0)) } else { Ok(()) }
}

/// The lowest bit of `sepc` is always 0.
#[allow(clippy::unnecessary_wraps)]
fn entry(_: &Binprm<'_>, bprm: &Binprm<'_>) -> Checked<Entry> {
    Ok(Entry::Address(bprm.image.header.e_entry & !1))
}

/// `TASK_SIZE_64` is half of what Sv39, Sv48 (since 5.17) or Sv57 (since 5.18) address; `DEFAULT_MAP_WINDOW`, from
/// which the stack and ELF_ET_DYN_BASE are counted since 6.6, at most half of Sv48. A 32-bit kernel's ends where
/// its fixed mappings begin (`FIXADDR_START`).
fn layout(machine: &Machine, image: &Image) -> &'static TaskLayout {
    const SV39: u64 = 1 << 38;
    const SV48: u64 = 1 << 47;
    const SV57: u64 = 1 << 56;
    const fn of_32(task_size: Bounds, stack_top: Bounds) -> TaskLayout {
        let (stack_random, mmap_random) = (STACK_RANDOM_32, 1 << 29);
        LayoutSpec { task_size, stack_top, stack_random, et_dyn_base: task_size.two_thirds(), mmap_random }
            .layout()
    }
    const fn of_64(task_size: u64, window: u64) -> TaskLayout {
        let stack_top = Bounds { least: SV39, most: window };
        LayoutSpec {
            task_size: Bounds { least: SV39, most: task_size },
            stack_top,
            stack_random: STACK_RANDOM_64,
            et_dyn_base: stack_top.two_thirds(),
            mmap_random: 1 << 36,
        }
        .layout()
    }
    const NATIVE_32: Bounds = Bounds { least: 0x9000_0000, most: 0xa000_0000 };
    let older = |version| machine.kernel().older_than(version);
    match image.encoding.class {
        Class::Elf32 if is_compat_image(machine, image) => {
            const { &of_32(Bounds::exactly(0x7fff_f000), Bounds::exactly(0x8000_0000)) }
        }
        Class::Elf32 => const { &of_32(NATIVE_32, NATIVE_32) },
        Class::Elf64 if older((5, 17, 0)) => const { &of_64(SV39, SV39) },
        Class::Elf64 if older((5, 18, 0)) => const { &of_64(SV48, SV48) },
        Class::Elf64 if older((6, 6, 0)) => const { &of_64(SV57, SV57) },
        Class::Elf64 => const { &of_64(SV57, SV48) },
    }
}
