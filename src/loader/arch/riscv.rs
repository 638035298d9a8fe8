//! arch/riscv/include/asm/elf.h.

use super::{Arch, Load, Signal, Stage, compat_runs, entry_is_address, is_compat, nothing, same_class};
use crate::elf::consts::EM_RISCV;
use crate::system::Question;

pub(super) const RISCV: Arch = Arch {
    e_machine: EM_RISCV,
    elf_check_arch,
    arch_check_elf: nothing,
    task_size: |_, _| 1 << 56,
    refuses_data: |_| true,
    tells_fetches: true,
    zeros: Some(Signal::SIGILL),
    magic: None,
    entry: entry_is_address,
    later: nothing,
};

/// `elf_check_arch`; 32-bit programs need CONFIG_COMPAT and hardware that can do UXL=32.
fn elf_check_arch(load: &Load<'_>) -> Stage {
    same_class(load, EM_RISCV)?;
    if is_compat(load) { compat_runs(load, Question::Riscv32, (5, 15, 0)) } else { Ok(()) }
}
