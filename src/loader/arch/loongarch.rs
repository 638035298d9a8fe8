//! arch/loongarch/include/asm/elf.h.

use super::super::refuse;
use super::{Arch, Load, Signal, Stage, Step, entry_is_address, is_compat, nothing, same_class};
use crate::elf::consts::EM_LOONGARCH;
use crate::errno::Errno;

pub(super) const LOONGARCH: Arch = Arch {
    e_machine: EM_LOONGARCH,
    elf_check_arch,
    arch_check_elf: nothing,
    task_size: |_, _| 1 << 56,
    refuses_data: |_| false,
    tells_fetches: false,
    zeros: Some(Signal::SIGILL),
    magic: None,
    entry: entry_is_address,
    later: nothing,
};

/// There is no compatibility handler.
fn elf_check_arch(load: &Load<'_>) -> Stage {
    if is_compat(load) { refuse(Errno::ENOEXEC, Step::CheckArch) } else { same_class(load, EM_LOONGARCH) }
}
