//! arch/powerpc/include/asm/elf.h, task_size_32.h and task_size_64.h.

use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::{EF_PPC64_ABI, EM_PPC, EM_PPC64, ET_DYN};
use crate::exec::arch::{
    Binprm, Bounds, Checked, Checks, Entry, LayoutSpec, STACK_RANDOM_32, STACK_RANDOM_64, Stack, TaskLayout,
    accept, compat_runs, is_compat, require_machine, sigill, stack, undefined,
};
use crate::machine::Machine;
use crate::target::Capability;

pub(super) const PPC: Checks = Checks {
    elf_check_arch,
    arch_elf_pt_proc: accept,
    arch_check_elf: accept,
    layout: layout_32,
    read_implies_exec,
    enforces_nx,
    fault_tells_exec: true,
    write_only_faults_again: false,
    first_user_address: 0,
    zeros_as_code: sigill,
    // fnmadd. f31, f31, f31, f31
    ones_as_code: |_| None,
    // Big-endian a load of decorated storage (`lhdx`) on an e500mc, else illegal; little-endian `sc`.
    magic_as_code: undefined,
    entry,
    after_start: accept,
};

pub(super) const PPC64: Checks =
    Checks { elf_check_arch: ppc64, layout: layout_64, enforces_nx: |_| Some(true), ..PPC };

fn elf_check_arch(bprm: &Binprm<'_>) -> Checked {
    require_machine(bprm, EM_PPC)
}

fn ppc64(bprm: &Binprm<'_>) -> Checked {
    if !is_compat(bprm) {
        return require_machine(bprm, EM_PPC64);
    }
    require_machine(bprm, EM_PPC)?;
    compat_runs(bprm, Capability::Ppc32, (5, 15, 0))
}

/// `elf_read_implies_exec`: of 32-bit programs without PT_GNU_STACK.
fn read_implies_exec(bprm: &Binprm<'_>) -> bool {
    bprm.image.encoding.class == Class::Elf32 && stack(bprm.image) == Stack::Default
}

/// arch/powerpc/mm/fault.c `access_error` with CPU_FTR_NOEXECUTE, which 7xx, 74xx and 604 lack
/// (arch/powerpc/include/asm/cputable.h).
fn enforces_nx(machine: &Machine) -> Option<bool> {
    let model = machine.cpu().model.get()?;
    Some(!(model.starts_with('7') || model.starts_with("604")))
}

/// In ELFv1, e_entry is the address of a function descriptor (`start_thread`); whether this is ELFv1, the program tells
/// for its interpreter too (`SET_PERSONALITY`). The two lowest bits of an address of code are not looked at.
#[allow(clippy::unnecessary_wraps)]
fn entry(program: &Binprm<'_>, first: &Binprm<'_>) -> Checked<Entry> {
    let header = &program.image.header;
    if header.e_machine == EM_PPC64 && header.e_flags & EF_PPC64_ABI != 2 {
        // `ELF_PLAT_INIT` says how to relocate what it leads to, which it does of an interpreter only.
        let is_static_pie = program.image.interp.is_none() && header.e_type == ET_DYN;
        let descriptor = first.image.descriptor.filter(|_| !is_static_pie);
        return Ok(descriptor.map_or(Entry::Elsewhere, |address| Entry::Address(address & !3)));
    }
    Ok(Entry::Address(first.image.header.e_entry & !3))
}

/// ELF_ET_DYN_BASE; it was 512 MiB up to 4.12.
const BASE_32: Bounds = Bounds { least: 0x40_0000, most: 0x2000_0000 };
const BASE_64: Bounds = Bounds { least: 0x2000_0000, most: 1 << 32 };

const fn of_32(task_size: Bounds) -> TaskLayout {
    let (stack_random, et_dyn_base, mmap_random) = (STACK_RANDOM_32, BASE_32, 1 << 29);
    LayoutSpec { task_size, stack_top: task_size, stack_random, et_dyn_base, mmap_random }.layout()
}

/// CONFIG_TASK_SIZE: 2 GiB (8xx) to 3 GiB; 7.3 takes up to 256 MiB off below the kernel.
fn layout_32(_: &Machine, _: &Image) -> &'static TaskLayout {
    const { &of_32(Bounds { least: 0x8000_0000, most: 0xc000_0000 }) }
}

/// `TASK_SIZE_USER64`: 64 TiB with 4 KiB pages, up to 4 PiB with 64 KiB ones (since 4.17); 16 TiB before 3.7. The stack
/// lies below 128 TiB. 32-bit programs have 4 GiB but for a page.
fn layout_64(machine: &Machine, image: &Image) -> &'static TaskLayout {
    const fn of(least: u64, task_size: u64, stack_top: u64) -> TaskLayout {
        LayoutSpec {
            task_size: Bounds { least, most: task_size },
            stack_top: Bounds { least, most: stack_top },
            stack_random: STACK_RANDOM_64,
            et_dyn_base: BASE_64,
            mmap_random: 1 << 45,
        }
        .layout()
    }
    let large_pages = machine.kernel().page_size.value != Some(4096);
    match image.encoding.class {
        Class::Elf32 => const { &of_32(Bounds { least: 0xffff_0000, most: 0xffff_f000 }) },
        Class::Elf64 if machine.kernel().older_than((3, 7, 0)) => const { &of(1 << 44, 1 << 46, 1 << 46) },
        Class::Elf64 if large_pages => const { &of(1 << 46, 1 << 52, 1 << 47) },
        Class::Elf64 => const { &of(1 << 46, 1 << 46, 1 << 46) },
    }
}
