//! arch/arm/kernel/elf.c, and the compatibility of arch/arm64/include/asm/elf.h.

use super::super::asked;
use super::{
    Arch, Entry, Load, Signal, Stage, Step, compat_runs, entry_is_address, is_compat, nothing, only, refuse,
};
use crate::elf::consts::{EF_ARM_EABIMASK, EM_AARCH64, EM_ARM};
use crate::errno::Errno;
use crate::system::Question;

pub(super) const ARM: Arch = Arch {
    e_machine: EM_ARM,
    elf_check_arch: arm,
    arch_check_elf: nothing,
    task_size: |_, _| 0xbf00_0000,
    refuses_data: |_| false,
    tells_fetches: false,
    zeros: None,
    magic: None,
    entry: arm_entry,
    later: nothing,
};

pub(super) const AARCH64: Arch = Arch {
    e_machine: EM_AARCH64,
    elf_check_arch: aarch64,
    arch_check_elf: nothing,
    task_size: |_, image| if image.header.e_machine == EM_ARM { 0x1_0000_0000 } else { 1 << 52 },
    refuses_data: |_| true,
    tells_fetches: true,
    zeros: Some(Signal::SIGILL),
    magic: None,
    entry: entry_is_address,
    later: nothing,
};

/// `elf_check_arch`.
fn arm(load: &Load<'_>) -> Stage {
    only(load, EM_ARM)?;
    let header = &load.image.header;
    let entry = header.e_entry & 3;
    if entry == 2 || (entry & 1 == 1 && !has_thumb(load)?) {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    Ok(())
}

fn has_thumb(load: &Load<'_>) -> Stage<bool> {
    match load.machine.cpu.features.get() {
        Some(features) => Ok(features.iter().any(|feature| feature == "thumb")),
        None => asked(load.machine, Question::Thumb),
    }
}

/// The lowest bit selects Thumb.
#[allow(clippy::unnecessary_wraps)]
fn arm_entry(load: &Load<'_>) -> Stage<Entry> {
    Ok(Entry::Address(load.image.header.e_entry & !1))
}

/// `elf_check_arch` and `compat_elf_check_arch`: CONFIG_COMPAT, AArch32 at EL0, and an EABI version.
fn aarch64(load: &Load<'_>) -> Stage {
    if !is_compat(load) {
        return only(load, EM_AARCH64);
    }
    only(load, EM_ARM)?;
    if load.image.header.e_flags & EF_ARM_EABIMASK == 0 {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    compat_runs(load, Question::Arm32, (5, 15, 0))
}
