//! arch/x86/include/asm/elf.h, page_32_types.h and page_64_types.h, arch/x86/mm/mmap.c.

use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::{EM_386, EM_486, EM_X86_64};
use crate::exec::Signal;
use crate::exec::arch::{
    Binprm, Bounds, Checked, Checks, LayoutSpec, STACK_RANDOM_32, TaskLayout, accept, compat_runs,
    entry_is_address, is_compat, require_machine, sigill, stack_implies_exec, undefined,
};
use crate::machine::Machine;
use crate::target::Capability;

pub(super) const I386: Checks = Checks {
    elf_check_arch: i386,
    arch_elf_pt_proc: accept,
    arch_check_elf: accept,
    layout: layout_32,
    read_implies_exec: stack_implies_exec,
    // The flag is the processor's: the kernel makes use of it with CONFIG_X86_PAE only.
    enforces_nx: |machine| has(machine, "nx").filter(|nx| !nx),
    // arch/x86/mm/fault.c `access_error` does not look at VM_EXEC.
    fault_tells_exec: false,
    write_only_faults_again: false,
    first_user_address: 0,
    // add %al, (%eax), with a register that is 0.
    zeros_as_code: |_| Some(Signal::SIGSEGV),
    // Group 5 has no /7.
    ones_as_code: sigill,
    // jg, which jumps into the program headers.
    magic_as_code: undefined,
    entry: entry_is_address,
    after_start: accept,
};

pub(super) const X86_64: Checks = Checks {
    elf_check_arch: x86_64,
    layout: layout_64,
    enforces_nx: |machine| has(machine, "nx").or(Some(true)),
    ..I386
};

/// Whether /proc/cpuinfo lists a flag.
fn has(machine: &Machine, flag: &str) -> Option<bool> {
    machine.cpu().features.get().map(|flags| flags.iter().any(|listed| listed == flag))
}

/// `elf_check_arch_ia32`.
fn i386(bprm: &Binprm<'_>) -> Checked {
    if bprm.image.header.e_machine == EM_486 { Ok(()) } else { require_machine(bprm, EM_386) }
}

/// `compat_elf_check_arch`: CONFIG_IA32_EMULATION (and `ia32_emulation=` since 6.7), and CONFIG_X86_X32_ABI for a
/// 32-bit layout with EM_X86_64.
fn x86_64(bprm: &Binprm<'_>) -> Checked {
    if !is_compat(bprm) {
        return require_machine(bprm, EM_X86_64);
    }
    if bprm.image.header.e_machine == EM_X86_64 {
        return compat_runs(bprm, Capability::X32, (5, 15, 0));
    }
    i386(bprm)?;
    compat_runs(bprm, Capability::Ia32, (5, 15, 0))
}

/// CONFIG_PAGE_OFFSET: 1 to 3 GiB. ELF_ET_DYN_BASE was two thirds of it up to 4.12.
fn layout_32(_: &Machine, _: &Image) -> &'static TaskLayout {
    const TASK_SIZE: Bounds = Bounds { least: 0x4000_0000, most: 0xc000_0000 };
    const {
        &LayoutSpec {
            task_size: TASK_SIZE,
            stack_top: TASK_SIZE,
            stack_random: STACK_RANDOM_32,
            et_dyn_base: Bounds { least: 0x40_0000, most: TASK_SIZE.two_thirds().most },
            mmap_random: 1 << 28,
        }
        .layout()
    }
}

/// `TASK_SIZE_MAX`: 47 bits, or 56 with five levels of page tables (since 4.14), which the flag la57 tells: the kernel
/// clears it where it does not use them. A segment may lie there, the stack and what is mapped without an address do
/// not (`DEFAULT_MAP_WINDOW`). `IA32_PAGE_OFFSET` for i386 and x32, whose ELF_ET_DYN_BASE is 16 MiB above
/// `TASK_UNMAPPED_BASE` (two thirds of it up to 4.12).
fn layout_64(machine: &Machine, image: &Image) -> &'static TaskLayout {
    const WINDOW: u64 = (1 << 47) - 4096;
    const FIVE_LEVELS: u64 = (1 << 56) - 4096;
    const IA32: Bounds = Bounds::exactly(0xffff_e000);
    const fn of(least: u64, most: u64) -> TaskLayout {
        LayoutSpec {
            task_size: Bounds { least, most },
            stack_top: Bounds::exactly(WINDOW),
            // 0x3fffff pages.
            stack_random: 16 << 30,
            et_dyn_base: Bounds::exactly(WINDOW).two_thirds(),
            mmap_random: 1 << 44,
        }
        .layout()
    }
    if image.encoding.class == Class::Elf32 {
        return const {
            &LayoutSpec {
                task_size: IA32,
                stack_top: IA32,
                stack_random: STACK_RANDOM_32,
                et_dyn_base: Bounds { least: 0x5655_5000, most: IA32.two_thirds().most },
                mmap_random: 1 << 28,
            }
            .layout()
        };
    }
    if machine.kernel().older_than((4, 14, 0)) {
        return const { &of(WINDOW, WINDOW) };
    }
    match has(machine, "la57") {
        Some(true) => const { &of(FIVE_LEVELS, FIVE_LEVELS) },
        Some(false) => const { &of(WINDOW, WINDOW) },
        None => const { &of(WINDOW, FIVE_LEVELS) },
    }
}
