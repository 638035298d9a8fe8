//! arch/mips/kernel/elf.c and arch/mips/include/asm/elf.h.

use super::super::{Signal, When, asked, kill};
use super::{
    Arch, Entry, Load, Missing, Stage, Step, Told, compat_runs, executes_fp_at_start, refuse, told, unknown,
};
use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::{
    EF_MIPS_ABI, EF_MIPS_ABI_O32, EF_MIPS_ABI2, EF_MIPS_FP64, EF_MIPS_NAN2008, EM_MIPS,
};
use crate::errno::Errno;
use crate::machine::{Fpu, Machine};
use crate::system::Question;

pub(super) const MIPS: Arch = Arch {
    e_machine: EM_MIPS,
    elf_check_arch,
    arch_check_elf: check_elf,
    task_size,
    // No RIXI but on some.
    refuses_data: |_| false,
    tells_fetches: false,
    zeros: None,
    // Reserved in both byte orders: COP1 with a reserved format, and DINSU.
    magic: Some(Signal::SIGILL),
    entry,
    later,
};

/// arch/mips/include/asm/processor.h. 64-bit: `TASK_SIZE64` is 1 << the bits of a virtual address (48 or more with
/// CONFIG_MIPS_VA_BITS_48, else 40).
fn task_size(machine: &Machine, image: &Image) -> u64 {
    match (image.view.class, machine.kernel.class.value) {
        (Class::Elf64, _) => 1 << 48,
        (Class::Elf32, Some(Class::Elf64)) => 0x7fff_8000,
        (Class::Elf32, _) => 0x8000_0000,
    }
}

fn check_elf(load: &Load<'_>) -> Stage {
    if load.image.header.e_machine != EM_MIPS {
        return Ok(());
    }
    arch_elf_pt_proc(load)?;
    arch_check_elf(load)
}

/// PT_LOPROC..=PT_HIPROC.
const PROCESSOR_SPECIFIC: std::ops::RangeInclusive<u32> = 0x7000_0000..=0x7fff_ffff;

/// PT_MIPS_ABIFLAGS.
const PT_MIPS_ABIFLAGS: u32 = 0x7000_0003;

/// sizeof(struct mips_elf_abiflags_v0).
const ABIFLAGS_SIZE: u64 = 24;

/// `elf_check_arch`: EI_CLASS is looked at, EI_DATA is not.
fn elf_check_arch(load: &Load<'_>) -> Stage {
    let header = &load.image.header;
    let class = match load.program.ident.get(4) {
        Some(1) => Class::Elf32,
        Some(2) => Class::Elf64,
        _ => return refuse(Errno::ENOEXEC, Step::CheckArch),
    };
    if header.e_machine != EM_MIPS || class != load.image.view.class {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    let kernel = load.machine.kernel.class.value;
    match (kernel, class) {
        (Some(Class::Elf64), Class::Elf64) => Ok(()),
        (Some(Class::Elf64), Class::Elf32) if header.e_flags & EF_MIPS_ABI2 != 0 => n32(load),
        (Some(Class::Elf64), Class::Elf32) => {
            o32(load)?;
            compat_runs(load, Question::MipsO32, (4, 14, 0))
        }
        _ => o32(load),
    }
}

fn o32(load: &Load<'_>) -> Stage {
    let flags = load.image.header.e_flags;
    let abi = flags & EF_MIPS_ABI;
    if flags & EF_MIPS_ABI2 != 0 || (abi != 0 && abi != EF_MIPS_ABI_O32) {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    let is_asked = flags & EF_MIPS_FP64 != 0 && !load.machine.kernel.older_than((3, 14, 0));
    if is_asked && !asked(load.machine, Question::MipsFp64)? {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    Ok(())
}

fn n32(load: &Load<'_>) -> Stage {
    if load.image.header.e_flags & EF_MIPS_ABI != 0 {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    compat_runs(load, Question::MipsN32, (4, 14, 0))
}

/// `arch_elf_pt_proc`, for each program header of the processor's range (Linux 3.19 on). An error of a short
/// PT_MIPS_ABIFLAGS is returned as it is.
fn arch_elf_pt_proc(load: &Load<'_>) -> Stage {
    if load.machine.kernel.older_than((3, 19, 0)) || !checks_fp_abi(load.machine) {
        return Ok(());
    }
    let size = load.candidate.size().unwrap_or(u64::MAX);
    for segment in load.image.table().iter().filter(|segment| segment.p_type == PT_MIPS_ABIFLAGS) {
        if segment.p_filesz < ABIFLAGS_SIZE {
            return refuse(Errno::EINVAL, Step::MipsAbiFlags);
        }
        if segment.p_offset.saturating_add(ABIFLAGS_SIZE) > size {
            return refuse(Errno::EIO, Step::MipsAbiFlags);
        }
    }
    Ok(())
}

/// `arch_elf_pt_proc` and `arch_check_elf` are compiled only with CONFIG_MIPS_FP_SUPPORT (an option since 5.0).
/// Since 5.17 "Options implemented" then names a NaN encoding.
fn checks_fp_abi(machine: &Machine) -> bool {
    if machine.kernel.older_than((5, 0, 0)) {
        return true;
    }
    let options = machine.cpu.options.get();
    options.is_some_and(|options| options.iter().any(|option| option.starts_with("nan_")))
        || machine.fpu.value.is_some_and(|fpu| fpu != crate::machine::Fpu::Absent)
}

/// `arch_check_elf`: first the NaN encoding, then the FP ABI.
fn arch_check_elf(load: &Load<'_>) -> Stage {
    let machine = load.machine;
    if machine.kernel.older_than((3, 19, 0)) || !checks_fp_abi(machine) {
        return Ok(());
    }
    let interpreter = interpreter_image(load);
    if !machine.kernel.older_than((4, 5, 0)) {
        check_nan(load, interpreter)?;
    }
    // The FP ABI is compared only with CONFIG_MIPS_O32_FP64_SUPPORT, which is told by taking an FP64 file; what
    // passes the table whatever the answer needs none.
    let (program, loader) = (fp_abi(load.image), interpreter.map(fp_abi));
    if compatible(program, loader.unwrap_or(program)) {
        return Ok(());
    }
    if asked(machine, Question::MipsFp64)? {
        return refuse(Errno::ELIBBAD, Step::MipsFpAbi);
    }
    Ok(())
}

fn interpreter_image<'a>(load: &Load<'a>) -> Option<&'a Image> {
    let program = load.candidate.interpreter.as_ref()?.program()?;
    load.image.interp.as_ref()?;
    program.native_in(load.image.view)
}

fn check_nan(load: &Load<'_>, interpreter: Option<&Image>) -> Stage {
    let nan2008 = |image: &Image| image.header.e_flags & EF_MIPS_NAN2008 != 0;
    let own = nan2008(load.image);
    let question = if own { Question::MipsNan2008 } else { Question::MipsNanLegacy };
    // The machine's own programs tell without a question that theirs is taken.
    let like_userland =
        load.machine.userland.get().is_some_and(|abi| own == (abi.e_flags & EF_MIPS_NAN2008 != 0));
    if !like_userland && !asked(load.machine, question)? {
        return refuse(Errno::ENOEXEC, Step::MipsNan);
    }
    if interpreter.is_some_and(|interpreter| nan2008(interpreter) != own) {
        return refuse(Errno::ELIBBAD, Step::MipsNan);
    }
    Ok(())
}

/// MIPS_ABI_FP_*: 0 any, 1 double, 2 single, 3 soft, 4 old 64, 5 xx, 6 64, 7 64A, -1 absent, 8 one too high.
fn fp_abi(image: &Image) -> i8 {
    const OLD_64: i8 = 4;
    let mut abi = -1;
    for segment in image.table().iter().filter(|segment| PROCESSOR_SPECIFIC.contains(&segment.p_type)) {
        if image.view.class == Class::Elf32 && image.header.e_flags & EF_MIPS_FP64 != 0 {
            abi = OLD_64;
        }
        if segment.p_type == PT_MIPS_ABIFLAGS {
            abi = image.abiflags.map_or(-1, |flags| i8::try_from(flags.fp_abi.min(8)).unwrap_or(8));
        }
    }
    abi
}

/// The table of `arch_check_elf` for o32: rows and columns absent, any, double, single, soft, old 64, xx, 64, 64A.
fn compatible(program: i8, interpreter: i8) -> bool {
    const ROWS: [u16; 9] = [
        0b1_0101_1111, // absent
        0b1_1101_1111, // any
        0b1_0100_0111, // double
        0b0_0000_1011, // single
        0b0_0001_0011, // soft
        0b0_0000_0000, // old 64
        0b1_1100_0111, // xx
        0b1_1100_0010, // 64
        0b1_1100_0111, // 64A
    ];
    let index = |abi: i8| usize::try_from(abi.saturating_add(1)).ok();
    let (Some(row), Some(column)) = (index(program), index(interpreter)) else { return false };
    column < 9 && ROWS.get(row).is_some_and(|row| row >> column & 1 == 1)
}

/// An odd entry selects MIPS16 or microMIPS: an address error where the processor has neither.
fn entry(load: &Load<'_>) -> Stage<Entry> {
    let entry = load.image.header.e_entry;
    if entry.trailing_zeros() >= 2 {
        return Ok(Entry::Address(entry));
    }
    if entry.trailing_zeros() > 0 {
        return kill(Signal::SIGBUS, When::Start, Step::EntryMode);
    }
    let has = |name: &str| load.machine.cpu.ases.get().map(|ases| ases.iter().any(|ase| ase == name));
    for (names, question) in
        [(["mips16", "mips16e2"], Question::Mips16), (["micromips"; 2], Question::MicroMips)]
    {
        let works = match (has(names[0]), has(names[1])) {
            (Some(one), Some(other)) => one || other,
            _ => asked(load.machine, question)?,
        };
        if works {
            return Ok(Entry::Address(entry & !1));
        }
    }
    kill(Signal::SIGBUS, When::Start, Step::EntryMode)
}

fn later(load: &Load<'_>) -> Stage {
    if load.image.header.e_machine != EM_MIPS {
        return Ok(());
    }
    release(load)?;
    floating_point(load)
}

/// Release 6 encodes many instructions anew: its code does not run on earlier ones.
fn release(load: &Load<'_>) -> Stage {
    let Some(isa) = load.image.mips_isa() else { return Ok(()) };
    let Some(listed) = load.machine.cpu.isa.get() else { return Ok(()) };
    let machine_is_6 = listed.iter().any(|name| name.ends_with("r6"));
    let machine_is_older = listed.iter().any(|name| !name.ends_with("r6"));
    if isa.revision == 6 && !machine_is_6 {
        return kill(Signal::SIGILL, When::Later, Step::Instruction);
    }
    if isa.revision != 6 && machine_is_6 && !machine_is_older && !asked(load.machine, Question::MipsBefore6)?
    {
        return kill(Signal::SIGILL, When::Later, Step::Instruction);
    }
    Ok(())
}

fn floating_point(load: &Load<'_>) -> Stage {
    if load.image.view.class != Class::Elf32 || !executes_fp_at_start(load.program, load.image) {
        return Ok(());
    }
    match load.machine.fpu.value {
        Some(Fpu::Hardware | Fpu::Emulated) => Ok(()),
        Some(Fpu::Absent) => kill(Signal::SIGILL, When::Later, Step::FpInstruction),
        None => match told(load.machine, Question::FpInstruction)? {
            Told::Yes => Ok(()),
            Told::No => kill(Signal::SIGILL, When::Later, Step::FpInstruction),
            Told::Untold => unknown(Missing::Answer(Question::FpInstruction)),
        },
    }
}
