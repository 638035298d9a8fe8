//! `elf_check_arch` and `compat_elf_check_arch`: is this file for this processor.

use super::load::Load;
use super::{Missing, Stage, Step, mips, refuse, unknown};
use crate::elf::Class;
use crate::elf::consts::{
    EF_ARM_EABIMASK, EM_386, EM_486, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV,
    EM_X86_64,
};
use crate::errno::Errno;

/// The check of the handler that reads the file in `load.image.view`.
pub(super) fn elf_check_arch(load: &Load<'_>) -> Stage {
    let kernel = &load.machine.kernel;
    let (Some(e_machine), Some(class)) = (load.machine.e_machine(), kernel.class.value) else {
        return unknown(Missing::Processor);
    };
    let compat = load.image.view.class != class;
    match e_machine {
        EM_MIPS => mips::elf_check_arch(load),
        EM_ARM => arm(load),
        EM_AARCH64 if compat => arm_on_aarch64(load),
        EM_X86_64 if compat => ia32(load),
        EM_386 => i386(load),
        EM_RISCV | EM_LOONGARCH => same_class(load, e_machine),
        EM_PPC64 if compat => only(load, EM_PPC).and_then(|()| compat_known(load, Missing::PowerPc32)),
        _ if compat => refuse(Errno::ENOEXEC, Step::CheckArch),
        other => only(load, other),
    }
}

fn only(load: &Load<'_>, e_machine: u16) -> Stage {
    if load.image.header.e_machine == e_machine { Ok(()) } else { refuse(Errno::ENOEXEC, Step::CheckArch) }
}

/// arch/x86 `elf_check_arch_ia32`.
fn i386(load: &Load<'_>) -> Stage {
    if load.image.header.e_machine == EM_486 { Ok(()) } else { only(load, EM_386) }
}

/// arch/riscv and arch/loongarch look at EI_CLASS too; their 32-bit compatibility needs hardware that no router
/// has.
fn same_class(load: &Load<'_>, e_machine: u16) -> Stage {
    let class = load.program.ident.get(4).copied();
    let wanted = if load.machine.kernel.class.value == Some(Class::Elf64) { 2 } else { 1 };
    if class != Some(wanted) {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    only(load, e_machine)
}

/// arch/arm/kernel/elf.c `elf_check_arch`.
fn arm(load: &Load<'_>) -> Stage {
    only(load, EM_ARM)?;
    let header = &load.image.header;
    let thumb = load.machine.cpu.features.get().is_none_or(|f| f.iter().any(|feature| feature == "thumb"));
    let entry = header.e_entry & 3;
    if entry == 2 || (entry & 1 == 1 && !thumb) {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    Ok(())
}

/// arch/arm64 `compat_elf_check_arch`: CONFIG_COMPAT, AArch32 at EL0, and an EABI version.
fn arm_on_aarch64(load: &Load<'_>) -> Stage {
    only(load, EM_ARM)?;
    if load.image.header.e_flags & EF_ARM_EABIMASK == 0 {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    compat_known(load, Missing::Arm32)
}

/// CONFIG_IA32_EMULATION, and CONFIG_X86_X32_ABI for a 32-bit layout with EM_X86_64.
fn ia32(load: &Load<'_>) -> Stage {
    if load.image.header.e_machine == EM_X86_64 {
        return compat_known(load, Missing::X32);
    }
    i386(load)?;
    compat_known(load, Missing::Ia32)
}

/// A machine whose own programs are 32-bit runs 32-bit programs; OpenWrt's 64-bit kernels have had no
/// compatibility since 23.05 (target/linux/*/config-*).
fn compat_known(load: &Load<'_>, missing: Missing) -> Stage {
    let machine = load.machine;
    if let Some(abi) = machine.userland.get() {
        if abi.view.class == Class::Elf32 && abi.e_machine == load.image.header.e_machine {
            return Ok(());
        }
    }
    if machine.openwrt.release.get().is_some() && !machine.kernel.older_than((5, 15, 0)) {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    unknown(missing)
}
