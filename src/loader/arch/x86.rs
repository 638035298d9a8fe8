//! arch/x86/include/asm/elf.h.

use super::{Arch, Load, Signal, Stage, compat_runs, entry_is_address, is_compat, nothing, only};
use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::{EM_386, EM_486, EM_X86_64};
use crate::machine::Machine;
use crate::system::Question;

pub(super) const I386: Arch = Arch {
    e_machine: EM_386,
    elf_check_arch: i386,
    arch_check_elf: nothing,
    task_size: |_, _| 0xc000_0000,
    refuses_data: |_| false,
    tells_fetches: false,
    // add %al, (%eax), with a register that is 0.
    zeros: Some(Signal::SIGSEGV),
    magic: None,
    entry: entry_is_address,
    later: nothing,
};

pub(super) const X86_64: Arch =
    Arch { e_machine: EM_X86_64, elf_check_arch: x86_64, task_size, refuses_data: |_| true, ..I386 };

/// `TASK_SIZE_MAX` with 47 bits, and `IA32_PAGE_OFFSET`.
fn task_size(_: &Machine, image: &Image) -> u64 {
    if image.view.class == Class::Elf64 { 0x7fff_ffff_f000 } else { 0xffff_e000 }
}

/// `elf_check_arch_ia32`.
fn i386(load: &Load<'_>) -> Stage {
    if load.image.header.e_machine == EM_486 { Ok(()) } else { only(load, EM_386) }
}

/// `compat_elf_check_arch`: CONFIG_IA32_EMULATION, and CONFIG_X86_X32_ABI for a 32-bit layout with EM_X86_64.
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
