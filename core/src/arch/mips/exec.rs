//! arch/mips/kernel/elf.c and arch/mips/include/asm/elf.h.

use crate::candidate::Image;
use crate::elf::consts::{
    EF_MIPS_ABI, EF_MIPS_ABI_O32, EF_MIPS_ABI2, EF_MIPS_FP64, EF_MIPS_NAN2008, EM_MIPS, PT_HIPROC, PT_LOPROC,
    PT_MIPS_ABIFLAGS,
};
use crate::elf::mips::fp;
use crate::elf::{AbiFlags, ByteOrder, Class};
use crate::errno::Errno;
use crate::exec::arch::{
    Binprm, Bounds, Checked, Checks, Entry, LayoutSpec, Reply, STACK_RANDOM_32, TaskLayout, compat_runs,
    executes_fp_at_start, kill, refuse, reply, supports, unknown,
};
use crate::exec::{Missing, Signal, Step, When};
use crate::machine::{Fpu, Machine};
use crate::target::Capability;

pub(crate) const MIPS: Checks = Checks {
    elf_check_arch,
    arch_elf_pt_proc,
    arch_check_elf,
    layout,
    // `mips_elf_read_implies_exec` holds only without RIXI, where it makes no difference.
    read_implies_exec: |_| false,
    enforces_nx: |machine| Some(has_option(machine, "rixi")),
    // arch/mips/mm/fault.c `__do_page_fault`: VM_EXEC, where the address is that of the instruction, with RIXI.
    fault_tells_exec: true,
    // arch/mips/mm/cache.c `setup_protection_map`.
    write_only_faults_again: true,
    first_user_address: 0,
    // sll zero, zero, 0: nop.
    zeros_as_code: |_| None,
    // sd ra, -1(ra), which no 32-bit processor has.
    ones_as_code: |bprm| (!bprm.is_wide_kernel()).then_some(Signal::SIGILL),
    magic_as_code,
    entry,
    after_start,
};

/// In little-endian COP1 of a reserved format, in big-endian DINSU of an impossible size, which no 32-bit processor
/// has.
fn magic_as_code(bprm: &Binprm<'_>) -> Option<Signal> {
    let is_64 = bprm.kernel.class.value != Some(Class::Elf32);
    if is_64 && bprm.image.encoding.order == ByteOrder::Big { None } else { Some(Signal::SIGILL) }
}

/// arch/mips/include/asm/processor.h: TASK_SIZE of a 32-bit kernel (32 KiB less before 4.4, the first with a vDSO),
/// `TASK_SIZE32`, and `TASK_SIZE64`, of 40 bits or, with CONFIG_MIPS_VA_BITS_48, of as many as the processor has, 48
/// at most. arch/mips/kernel/process.c `mips_stack_top` leaves room below it for the vDSO, its randomization
/// (VDSO_RANDOMIZE_SIZE) and a few pages. 15 bits of pages of up to 16 KiB are random, 18 bits in n64.
fn layout(machine: &Machine, image: &Image) -> &'static TaskLayout {
    const fn of(least: u64, most: u64, vdso: u64, mmap_random: u64) -> TaskLayout {
        let task_size = Bounds { least, most };
        let stack_top = Bounds { least: least.saturating_sub(vdso), most };
        let et_dyn_base = task_size.two_thirds();
        LayoutSpec { task_size, stack_top, stack_random: STACK_RANDOM_32, et_dyn_base, mmap_random }.layout()
    }
    if image.encoding.class == Class::Elf64 {
        const { &of(1 << 40, 1 << 48, 65 << 20, 1 << 34) }
    } else if machine.kernel().class.value == Some(Class::Elf64) || machine.kernel().older_than((4, 4, 0)) {
        const { &of(0x7fff_8000, 0x7fff_8000, 2 << 20, 1 << 29) }
    } else {
        const { &of(0x8000_0000, 0x8000_0000, 2 << 20, 1 << 29) }
    }
}

/// Whether "Options implemented" has a word that begins so.
fn has_option(machine: &Machine, start: &str) -> bool {
    machine.cpu().options.get().is_some_and(|options| options.iter().any(|option| option.starts_with(start)))
}

/// `elf_check_arch`: EI_CLASS is looked at, EI_DATA is not.
fn elf_check_arch(bprm: &Binprm<'_>) -> Checked {
    let header = &bprm.image.header;
    let class = match bprm.program.ident.get(4) {
        Some(1) => Class::Elf32,
        Some(2) => Class::Elf64,
        _ => return refuse(Errno::ENOEXEC, Step::CheckArch),
    };
    if header.e_machine != EM_MIPS || class != bprm.image.encoding.class {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    let kernel = bprm.kernel.class.value;
    match (kernel, class) {
        (Some(Class::Elf64), Class::Elf64) => Ok(()),
        (Some(Class::Elf64), Class::Elf32) if header.e_flags & EF_MIPS_ABI2 != 0 => n32(bprm),
        (Some(Class::Elf64), Class::Elf32) => {
            o32(bprm)?;
            compat_runs(bprm, Capability::MipsO32, (4, 14, 0))
        }
        _ => o32(bprm),
    }
}

fn o32(bprm: &Binprm<'_>) -> Checked {
    let flags = bprm.image.header.e_flags;
    let abi = flags & EF_MIPS_ABI;
    if flags & EF_MIPS_ABI2 != 0 || (abi != 0 && abi != EF_MIPS_ABI_O32) {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    let is_asked = flags & EF_MIPS_FP64 != 0 && !bprm.kernel.older_than((3, 14, 0));
    if is_asked && !supports(bprm.machine, Capability::MipsFp64)? {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    Ok(())
}

fn n32(bprm: &Binprm<'_>) -> Checked {
    if bprm.image.header.e_flags & EF_MIPS_ABI != 0 {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    compat_runs(bprm, Capability::MipsN32, (4, 14, 0))
}

/// `arch_elf_pt_proc`, for each program header of the processor's range (since 3.19).
fn arch_elf_pt_proc(bprm: &Binprm<'_>) -> Checked {
    for segment in bprm.image.table() {
        let size = AbiFlags::SIZE as u64;
        let errno = if segment.p_type != PT_MIPS_ABIFLAGS {
            continue;
        } else if segment.p_filesz < size || i64::try_from(segment.p_offset).is_err() {
            Errno::EINVAL
        } else if segment.p_offset.saturating_add(size) > bprm.size() {
            Errno::EIO
        } else {
            continue;
        };
        if has_elf_state(bprm)? {
            return refuse(errno, Step::MipsAbiFlags);
        }
    }
    Ok(())
}

/// Whether `arch_elf_pt_proc` and `arch_check_elf` are there: since 3.19, and since 5.0 with CONFIG_MIPS_FP_SUPPORT
/// only. Since 5.17 "Options implemented" then names a NaN encoding; with it, floating-point instructions work on
/// every processor.
fn has_elf_state(bprm: &Binprm<'_>) -> Checked<bool> {
    let machine = bprm.machine;
    if machine.kernel().older_than((5, 0, 0)) {
        return Ok(!machine.kernel().older_than((3, 19, 0)));
    }
    if has_option(machine, "nan_") {
        return Ok(true);
    }
    match machine.fpu().value {
        Some(fpu) => Ok(fpu != Fpu::Absent),
        None => supports(machine, Capability::FpInstruction),
    }
}

/// `arch_check_elf`: first the NaN encoding, then the FP ABI. Whether it is there is asked where it would refuse.
fn arch_check_elf(bprm: &Binprm<'_>) -> Checked {
    let interpreter = interpreter(bprm);
    check_nan(bprm, interpreter)?;
    // The FP ABI is compared only with CONFIG_MIPS_O32_FP64_SUPPORT, which is told by taking an FP64 file.
    let (program, loader) = (fp_abi(bprm.image), interpreter.map(fp_abi));
    let is_o32 = bprm.image.encoding.class == Class::Elf32 && bprm.image.header.e_flags & EF_MIPS_ABI2 == 0;
    if !have_a_mode(is_o32, program, loader.unwrap_or(program))
        && has_elf_state(bprm)?
        && supports(bprm.machine, Capability::MipsFp64)?
    {
        return refuse(Errno::ELIBBAD, Step::MipsFpAbi);
    }
    Ok(())
}

fn interpreter<'a>(bprm: &Binprm<'a>) -> Option<&'a Image> {
    bprm.image.interp.as_ref()?;
    bprm.candidate.interpreter.as_ref()?.program()?.as_read_by(bprm.image.encoding)
}

/// The NaN encoding of IEEE 754-2008 or the older one (since 4.5): `mips_use_nan_2008` and `mips_use_nan_legacy`, as
/// arch/mips/kernel/fpu-probe.c `cpu_set_nan_2008` sets them by the parameter `ieee754=`:
///
/// | processor | strict (default) | legacy | 2008 | relaxed (default of Loongson-64), emulated (6.12) |
/// | --- | --- | --- | --- | --- |
/// | FPU without FIR.HAS2008, or before MIPS32 | legacy | legacy | legacy | both |
/// | FPU with FCSR.NAN2008 fixed to 1 (release 6) | 2008 | 2008 | 2008 | both |
/// | FPU with FCSR.NAN2008 writable | both | legacy | 2008 | both |
/// | no FPU, MIPS32 on | both | legacy | 2008 | both |
/// | no FPU, before MIPS32 | legacy | legacy | 2008 | both |
fn check_nan(bprm: &Binprm<'_>, interpreter: Option<&Image>) -> Checked {
    let nan2008 = |e_flags: u32| e_flags & EF_MIPS_NAN2008 != 0;
    let machine = bprm.machine;
    if machine.kernel().older_than((4, 5, 0)) {
        return Ok(());
    }
    let own = nan2008(bprm.image.header.e_flags);
    let question = if own { Capability::MipsNan2008 } else { Capability::MipsNanLegacy };
    // The machine's own programs tell without a question that theirs is taken.
    let like_userland = machine.userland().get().is_some_and(|abi| own == nan2008(abi.e_flags));
    if !like_userland && has_elf_state(bprm)? && !supports(machine, question)? {
        return refuse(Errno::ENOEXEC, Step::MipsNan);
    }
    let differs = interpreter.is_some_and(|image| nan2008(image.header.e_flags) != own);
    if differs && has_elf_state(bprm)? { refuse(Errno::ELIBBAD, Step::MipsNan) } else { Ok(()) }
}

/// fp_abi of a file: that of PT_MIPS_ABIFLAGS, or OLD_64 where EF_MIPS_FP64 is set and no PT_MIPS_ABIFLAGS follows
/// the last header of the processor's range; None (-1 in the kernel) where nothing says so.
fn fp_abi(image: &Image) -> Option<u8> {
    let mut abi = None;
    for segment in image.table() {
        if segment.p_type == PT_MIPS_ABIFLAGS {
            abi = image.abiflags.map(|flags| flags.fp_abi);
        } else if (PT_LOPROC..=PT_HIPROC).contains(&segment.p_type)
            && image.encoding.class == Class::Elf32
            && image.header.e_flags & EF_MIPS_FP64 != 0
        {
            abi = Some(fp::OLD_64);
        }
    }
    abi
}

/// Whether there is an FPU mode for both: `fpu_reqs`, `none_req` and `max_abi` of `arch_check_elf`. Without one in
/// common it is ELIBBAD; which one it is decides nothing.
pub(crate) fn have_a_mode(is_o32: bool, program: Option<u8>, interpreter: Option<u8>) -> bool {
    const SINGLE: u8 = 1;
    const SOFT: u8 = 2;
    const FR1: u8 = 4;
    const FRDEFAULT: u8 = 8;
    const FRE: u8 = 16;
    // any, double, single, soft; old 64, xx, 64, 64A, which n32 and n64 do not have.
    const MODES: [u8; 8] = [
        SINGLE | SOFT | FR1 | FRDEFAULT | FRE,
        FRDEFAULT | FRE,
        SINGLE,
        SOFT,
        0,
        FR1 | FRDEFAULT | FRE,
        FR1,
        FR1 | FRE,
    ];
    let modes = |abi: Option<u8>| match abi {
        None => SINGLE | SOFT | FRDEFAULT | FRE,
        Some(abi) if !is_o32 && abi > fp::SOFT => 0,
        Some(abi) => MODES.get(usize::from(abi)).copied().unwrap_or(0),
    };
    modes(program) & modes(interpreter) != 0
}

/// An odd entry selects MIPS16 or microMIPS: an address error where the processor has neither.
fn entry(_: &Binprm<'_>, bprm: &Binprm<'_>) -> Checked<Entry> {
    let entry = bprm.image.header.e_entry;
    match entry & 3 {
        0 => return Ok(Entry::Address(entry)),
        2 => return kill(Signal::SIGBUS, When::Start, Step::EntryAlignment),
        _ => {}
    }
    let machine = bprm.machine;
    let has_either = match machine.cpu().ases.get() {
        Some(ases) => ases.iter().any(|ase| ["mips16", "mips16e2", "micromips"].contains(&ase)),
        None => supports(machine, Capability::Mips16)? || supports(machine, Capability::MicroMips)?,
    };
    if !has_either {
        return kill(Signal::SIGBUS, When::Start, Step::EntryMode);
    }
    Ok(Entry::Address(entry & !1))
}

fn after_start(bprm: &Binprm<'_>) -> Checked {
    release(bprm)?;
    floating_point(bprm)
}

/// Release 6 encodes many instructions anew: its code does not run on earlier ones, nor theirs on it where the kernel
/// does not emulate that. But the header is no proof of the code.
fn release(bprm: &Binprm<'_>) -> Checked {
    let Some(isa) = bprm.image.mips_isa() else { return Ok(()) };
    let Some(listed) = bprm.machine.cpu().isa.get() else { return Ok(()) };
    let (mut machine_is_6, mut machine_is_older) = (false, false);
    for name in listed.iter() {
        let is_6 = name.ends_with("r6");
        machine_is_6 |= is_6;
        machine_is_older |= !is_6;
    }
    let runs = match isa.revision {
        6 => machine_is_6,
        _ => !machine_is_6 || machine_is_older || supports(bprm.machine, Capability::MipsBefore6)?,
    };
    if runs { Ok(()) } else { unknown(Missing::MarkedCode) }
}

fn floating_point(bprm: &Binprm<'_>) -> Checked {
    if !executes_fp_at_start(bprm.candidate, bprm.program, bprm.image) {
        return Ok(());
    }
    match bprm.machine.fpu().value {
        Some(Fpu::Hardware | Fpu::Emulated) => Ok(()),
        Some(Fpu::Absent) => kill(Signal::SIGILL, When::Later, Step::FpInstruction),
        None => match reply(bprm.machine, Capability::FpInstruction)? {
            Reply::Works => Ok(()),
            Reply::Fails => kill(Signal::SIGILL, When::Later, Step::FpInstruction),
            Reply::None => unknown(Missing::Answer(Capability::FpInstruction)),
        },
    }
}
