//! arch/x86/include/asm/elf.h, page_32_types.h and page_64_types.h, arch/x86/mm/mmap.c.

use super::space::{Bounds, Layout, STACK_RANDOM_32, Space};
use super::{
    Arch, Load, Machine, Signal, Stage, compat_runs, entry_is_address, is_compat, not_told, nothing, only,
    stack_implies_exec,
};
use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::{EM_386, EM_486, EM_X86_64};
use crate::system::Question;

pub(super) const I386: Arch = Arch {
    e_machine: EM_386,
    elf_check_arch: i386,
    arch_elf_pt_proc: nothing,
    arch_check_elf: nothing,
    space: space_32,
    read_implies_exec: stack_implies_exec,
    // The flag is the processor's: the kernel makes use of it with CONFIG_X86_PAE only.
    refuses_data: |machine| has(machine, "nx").filter(|nx| !nx),
    // arch/x86/mm/fault.c `access_error` does not look at VM_EXEC.
    tells_fetches: false,
    // add %al, (%eax), with a register that is 0.
    zeros: |_| Some(Signal::SIGSEGV),
    // jg, which jumps into the program headers.
    magic: not_told,
    entry: entry_is_address,
    later: nothing,
};

pub(super) const X86_64: Arch = Arch {
    e_machine: EM_X86_64,
    elf_check_arch: x86_64,
    space: space_64,
    refuses_data: |machine| has(machine, "nx").or(Some(true)),
    ..I386
};

/// Whether /proc/cpuinfo lists a flag.
fn has(machine: &Machine, flag: &str) -> Option<bool> {
    machine.cpu.features.get().map(|flags| flags.iter().any(|listed| listed == flag))
}

/// `elf_check_arch_ia32`.
fn i386(load: &Load<'_>) -> Stage {
    if load.image.header.e_machine == EM_486 { Ok(()) } else { only(load, EM_386) }
}

/// `compat_elf_check_arch`: CONFIG_IA32_EMULATION (and `ia32_emulation=` since 6.7), and CONFIG_X86_X32_ABI for a
/// 32-bit layout with EM_X86_64.
fn x86_64(load: &Load<'_>) -> Stage {
    if !is_compat(load) {
        return only(load, EM_X86_64);
    }
    if load.image.header.e_machine == EM_X86_64 {
        return compat_runs(load, Question::X32, (5, 15, 0));
    }
    i386(load)?;
    compat_runs(load, Question::Ia32, (5, 15, 0))
}

/// CONFIG_PAGE_OFFSET: 1 to 3 GiB. ELF_ET_DYN_BASE was two thirds of it up to 4.12.
fn space_32(_: &Machine, _: &Image) -> &'static Space {
    const TASK_SIZE: Bounds = Bounds { least: 0x4000_0000, most: 0xc000_0000 };
    const {
        &Layout {
            task_size: TASK_SIZE,
            stack_top: TASK_SIZE,
            stack_random: STACK_RANDOM_32,
            et_dyn_base: Bounds { least: 0x40_0000, most: TASK_SIZE.two_thirds().most },
            mmap_random: 1 << 28,
        }
        .space()
    }
}

/// `TASK_SIZE_MAX`: 47 bits, or 56 with five levels of page tables (since 4.14), which the flag la57 tells: the kernel
/// clears it where it does not use them. A segment may lie there, the stack and what is mapped without an address do
/// not (`DEFAULT_MAP_WINDOW`). `IA32_PAGE_OFFSET` for i386 and x32, whose ELF_ET_DYN_BASE is 16 MiB above
/// `TASK_UNMAPPED_BASE` (two thirds of it up to 4.12).
fn space_64(machine: &Machine, image: &Image) -> &'static Space {
    const WINDOW: u64 = (1 << 47) - 4096;
    const FIVE_LEVELS: u64 = (1 << 56) - 4096;
    const IA32: Bounds = Bounds::exactly(0xffff_e000);
    const fn of(least: u64, most: u64) -> Space {
        Layout {
            task_size: Bounds { least, most },
            stack_top: Bounds::exactly(WINDOW),
            // 0x3fffff pages.
            stack_random: 16 << 30,
            et_dyn_base: Bounds::exactly(WINDOW).two_thirds(),
            mmap_random: 1 << 44,
        }
        .space()
    }
    if image.view.class == Class::Elf32 {
        return const {
            &Layout {
                task_size: IA32,
                stack_top: IA32,
                stack_random: STACK_RANDOM_32,
                et_dyn_base: Bounds { least: 0x5655_5000, most: IA32.two_thirds().most },
                mmap_random: 1 << 28,
            }
            .space()
        };
    }
    match has(machine, "la57") {
        _ if machine.kernel.older_than((4, 14, 0)) => const { &of(WINDOW, WINDOW) },
        Some(true) => const { &of(FIVE_LEVELS, FIVE_LEVELS) },
        Some(false) => const { &of(WINDOW, WINDOW) },
        None => const { &of(WINDOW, FIVE_LEVELS) },
    }
}
