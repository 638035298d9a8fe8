//! arch/arm/kernel/elf.c, and the compatibility of arch/arm64/include/asm/elf.h and kernel/process.c.

use crate::candidate::Image;
use crate::elf::consts::{
    EF_ARM_APCS_26, EF_ARM_EABIMASK, EF_ARM_SOFT_FLOAT, EF_ARM_VFP_FLOAT, EI_OSABI, ELFOSABI_ARM_FDPIC,
    EM_AARCH64, EM_ARM,
};
use crate::errno::Errno;
use crate::exec::arch::{
    Binprm, Bounds, Checked, Checks, Entry, LayoutSpec, Reply, STACK_RANDOM_32, STACK_RANDOM_64, TaskLayout,
    accept, compat_runs, entry_is_aligned, is_compat, is_compat_image, refuse, reply, require_machine,
    sigill, stack_implies_exec, supports, unknown,
};
use crate::exec::{Missing, Signal, Step};
use crate::machine::Machine;
use crate::target::Capability;

pub(super) const ARM: Checks = Checks {
    elf_check_arch: arm,
    arch_elf_pt_proc: accept,
    arch_check_elf: accept,
    layout: arm_layout,
    read_implies_exec: arm_implies_exec,
    // arch/arm/mm/fault.c `do_page_fault` wants VM_EXEC for a fetch, whether or not the processor has XN.
    enforces_nx: |_| Some(true),
    fault_tells_exec: true,
    write_only_faults_again: false,
    first_user_address: 8192,
    // andeq r0, r0, r0; in Thumb movs r0, r0.
    zeros_as_code: |_| None,
    // Undefined, as ARM and as Thumb.
    ones_as_code: sigill,
    // Its condition decides whether it is an instruction at all.
    magic_as_code: |_| None,
    entry: arm_entry,
    after_start: arm_later,
};

pub(super) const AARCH64: Checks = Checks {
    elf_check_arch: aarch64,
    arch_elf_pt_proc: accept,
    arch_check_elf: gnu_property,
    layout: aarch64_layout,
    // `elf_read_implies_exec` and `compat_elf_read_implies_exec`.
    read_implies_exec: stack_implies_exec,
    enforces_nx: |_| Some(true),
    fault_tells_exec: true,
    write_only_faults_again: false,
    first_user_address: 0,
    // udf #0.
    zeros_as_code: aarch64_sigill,
    ones_as_code: sigill,
    // Unallocated: bits 28 to 25 are 0011.
    magic_as_code: aarch64_sigill,
    entry: aarch64_entry,
    after_start: accept,
};

/// HWCAP_* bits of AT_HWCAP, and their names in /proc/cpuinfo.
const HWCAP_THUMB: (u32, &str) = (2, "thumb");
const HWCAP_26BIT: (u32, &str) = (3, "26bit");
pub(super) const HWCAP_VFP: (u32, &str) = (6, "vfp");
pub(super) const HWCAP_VFPV3: (u32, &str) = (13, "vfpv3");

/// Whether `elf_hwcap` has a bit; None where neither /proc/cpuinfo nor AT_HWCAP tells.
pub(super) fn hwcap(machine: &Machine, (bit, name): (u32, &str)) -> Option<bool> {
    match machine.cpu().features.get() {
        Some(features) => Some(features.iter().any(|feature| feature == name)),
        None => machine.hwcap().value.map(|hwcap| hwcap >> bit & 1 == 1),
    }
}

fn needs(bprm: &Binprm<'_>, feature: (u32, &str)) -> Checked {
    match hwcap(bprm.machine, feature) {
        Some(true) => Ok(()),
        Some(false) => refuse(Errno::ENOEXEC, Step::CheckArch),
        None => unknown(Missing::CpuFeatures),
    }
}

/// `elf_check_arch`, then `elf_check_fdpic`.
fn arm(bprm: &Binprm<'_>) -> Checked {
    require_machine(bprm, EM_ARM)?;
    let header = &bprm.image.header;
    let entry = header.e_entry & 3;
    if entry == 2 || (entry & 1 == 1 && !has_thumb(bprm)?) {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    if is_old_abi(bprm.image) {
        if header.e_flags & EF_ARM_APCS_26 != 0 {
            needs(bprm, HWCAP_26BIT)?;
        }
        if header.e_flags & (EF_ARM_VFP_FLOAT | EF_ARM_SOFT_FLOAT) == EF_ARM_VFP_FLOAT {
            needs(bprm, HWCAP_VFP)?;
        }
    }
    fdpic(bprm)
}

/// EF_ARM_EABI_UNKNOWN.
fn is_old_abi(image: &Image) -> bool {
    image.header.e_flags & EF_ARM_EABIMASK == 0
}

fn has_thumb(bprm: &Binprm<'_>) -> Checked<bool> {
    hwcap(bprm.machine, HWCAP_THUMB).map_or_else(|| supports(bprm.machine, Capability::Thumb), Ok)
}

/// Since 4.14 fs/binfmt_elf.c leaves FDPIC files to fs/binfmt_elf_fdpic.c, which most kernels do not have.
fn fdpic(bprm: &Binprm<'_>) -> Checked {
    let is_fdpic = bprm.program.ident.get(EI_OSABI) == Some(&ELFOSABI_ARM_FDPIC);
    if !is_fdpic || bprm.kernel.older_than((4, 14, 0)) || supports(bprm.machine, Capability::ArmFdpic)? {
        return Ok(());
    }
    refuse(Errno::ENOEXEC, Step::Fdpic)
}

/// `arm_elf_read_implies_exec`: always below ARMv6.
fn arm_implies_exec(bprm: &Binprm<'_>) -> bool {
    bprm.machine.cpu().arm_architecture.value.is_some_and(|architecture| architecture < 6)
        || stack_implies_exec(bprm)
}

/// The lowest bit selects Thumb.
#[allow(clippy::unnecessary_wraps)]
fn arm_entry(_: &Binprm<'_>, bprm: &Binprm<'_>) -> Checked<Entry> {
    Ok(Entry::Address(bprm.image.header.e_entry & !1))
}

/// None of the system calls of the old ABI works without CONFIG_OABI_COMPAT, `exit` included (`vector_swi` in
/// arch/arm/kernel/entry-common.S takes them for others); but the header is no proof that the code makes them.
fn arm_later(bprm: &Binprm<'_>) -> Checked {
    if !is_old_abi(bprm.image) {
        return Ok(());
    }
    match reply(bprm.machine, Capability::ArmOabi)? {
        Reply::Works => Ok(()),
        Reply::Fails => unknown(Missing::MarkedCode),
        Reply::None => unknown(Missing::Answer(Capability::ArmOabi)),
    }
}

/// ELF_ET_DYN_BASE, which was two thirds of TASK_SIZE up to 4.12.
const fn of_32(task_size: Bounds, stack_top: Bounds) -> TaskLayout {
    let et_dyn_base = Bounds { least: 0x40_0000, most: task_size.two_thirds().most };
    LayoutSpec { task_size, stack_top, stack_random: STACK_RANDOM_32, et_dyn_base, mmap_random: 1 << 28 }
        .layout()
}

/// `TASK_SIZE` is 16 MiB less than CONFIG_PAGE_OFFSET, which is 1 to 3 GiB. STACK_TOP is 64 MiB for APCS-26
/// (`elf_set_personality`).
fn arm_layout(_: &Machine, image: &Image) -> &'static TaskLayout {
    const TASK_SIZE: Bounds = Bounds { least: 0x3f00_0000, most: 0xbf00_0000 };
    if is_old_abi(image) && image.header.e_flags & EF_ARM_APCS_26 != 0 {
        const { &of_32(TASK_SIZE, Bounds::exactly(1 << 26)) }
    } else {
        const { &of_32(TASK_SIZE, TASK_SIZE) }
    }
}

/// `elf_check_arch` and `compat_elf_check_arch`: CONFIG_COMPAT, AArch32 at EL0, and an EABI version.
fn aarch64(bprm: &Binprm<'_>) -> Checked {
    if !is_compat(bprm) {
        return require_machine(bprm, EM_AARCH64);
    }
    require_machine(bprm, EM_ARM)?;
    if is_old_abi(bprm.image) {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    compat_runs(bprm, Capability::Arm32, (5, 15, 0))
}

fn aarch64_sigill(bprm: &Binprm<'_>) -> Option<Signal> {
    if is_compat(bprm) { None } else { Some(Signal::SIGILL) }
}

/// arch/arm64/mm/fault.c `do_sp_pc_abort`. Thumb is selected by the lowest bit here too (`compat_start_thread`), and
/// what an ARM address between two instructions does, the architecture leaves open.
fn aarch64_entry(program: &Binprm<'_>, bprm: &Binprm<'_>) -> Checked<Entry> {
    match bprm.image.header.e_entry & 3 {
        1 | 3 if is_compat(bprm) => arm_entry(program, bprm),
        2 if is_compat(bprm) => unknown(Missing::Unpredictable),
        _ => entry_is_aligned(program, bprm),
    }
}

/// `TASK_SIZE_64` is 1 << CONFIG_ARM64_VA_BITS: 36 (16 KiB pages), 39 (4 KiB) or 42 (64 KiB) to 48, or 52 where the
/// processor has them (64 KiB pages since 5.0, others since 6.9). The stack and what is mapped without an address lie
/// below 1 << 48 then. Randomization takes an eighth. For 32-bit programs `TASK_SIZE_32`, `AARCH32_VECTORS_BASE` and
/// COMPAT_ELF_ET_DYN_BASE.
fn aarch64_layout(machine: &Machine, image: &Image) -> &'static TaskLayout {
    const fn of(least: u64, most: u64) -> TaskLayout {
        let window = Bounds { least, most: 1 << 48 };
        LayoutSpec {
            task_size: Bounds { least, most },
            stack_top: window,
            stack_random: STACK_RANDOM_64,
            et_dyn_base: window.two_thirds(),
            mmap_random: 1 << 45,
        }
        .layout()
    }
    if is_compat_image(machine, image) {
        return const { &of_32(Bounds { least: 0xffff_0000, most: 0x1_0000_0000 }, Bounds::exactly(0xffff_0000)) };
    }
    let before = |version| machine.kernel().older_than(version);
    match machine.kernel().page_size.value {
        Some(0x1000) if before((6, 9, 0)) => const { &of(1 << 39, 1 << 48) },
        Some(0x1000) => const { &of(1 << 39, 1 << 52) },
        Some(0x4000) if before((6, 9, 0)) => const { &of(1 << 36, 1 << 48) },
        Some(0x1_0000) if before((5, 0, 0)) => const { &of(1 << 42, 1 << 48) },
        Some(0x1_0000) => const { &of(1 << 42, 1 << 52) },
        _ => const { &of(1 << 36, 1 << 52) },
    }
}

/// fs/binfmt_elf.c `parse_elf_properties`: of the interpreter, where there is one.
fn gnu_property(bprm: &Binprm<'_>) -> Checked {
    if bprm.kernel.older_than((5, 8, 0)) {
        return Ok(());
    }
    let interpreter = bprm.candidate.interpreter.as_ref().filter(|_| bprm.image.interp.is_some());
    let image = match interpreter.and_then(|interpreter| interpreter.program()) {
        Some(program) => program.as_read_by(bprm.image.encoding),
        None => Some(bprm.image),
    };
    match image.map_or(Ok(()), |image| image.gnu_property) {
        Ok(()) => Ok(()),
        Err(errno) => refuse(errno, Step::GnuProperty),
    }
}
