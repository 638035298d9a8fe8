//! The first instructions: exec succeeded, but what the program begins with is not there or not executable.

use super::load::{Load, Pages};
use super::{Missing, Signal, Stage, Step, Stop, When, kill, unknown};
use crate::candidate::{Image, Program, Toolchain};
use crate::elf::consts::{
    EM_386, EM_486, EM_AARCH64, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_X86_64, PF_R, PF_W, PF_X,
};
use crate::elf::{Class, ProgramHeader};
use crate::machine::{Fpu, Libc, Machine};
use crate::system::Question;

/// Where a program without an interpreter begins.
pub(super) fn entry(load: &Load<'_>) -> Stage {
    let pages = Pages::of(load.machine);
    let entry = load.image.header.e_entry;
    if load.image.header.e_machine == EM_MIPS {
        mips_mode(load)?;
    }
    if is_descriptor(load) {
        return Ok(());
    }
    // The last segment that covers the page wins: MAP_FIXED replaces what was there.
    let Some(segment) = load.image.loads().rfind(|segment| covers(segment, entry, pages)) else {
        return kill(Signal::SIGSEGV, When::Start, Step::EntryUnmapped);
    };
    let size = load.candidate.size().unwrap_or(u64::MAX);
    let within = entry.wrapping_sub(segment.p_vaddr);
    let offset = within.wrapping_add(segment.p_offset);
    let of_file = pages.down(entry) < pages.up(segment.p_vaddr.saturating_add(segment.p_filesz));
    let beyond = segment.p_filesz > 0 && of_file && pages.down(offset) >= size;
    let accessible = segment.p_flags & (PF_R | PF_W | PF_X) != 0;
    // A page that cannot be had comes before what may be done with it, but where the fault tells that it was for an
    // instruction.
    if beyond && accessible && !tells_fetches(load.machine) {
        return kill(Signal::SIGBUS, When::Start, Step::EntryBeyondFile);
    }
    if !accessible || (segment.p_flags & PF_X == 0 && refuses_data(load.machine)) {
        return kill(Signal::SIGSEGV, When::Start, Step::EntryNotExecutable);
    }
    if beyond {
        return kill(Signal::SIGBUS, When::Start, Step::EntryBeyondFile);
    }
    if segment.p_filesz > 0 && offset == 0 {
        return header_as_code(load);
    }
    let cleared =
        segment.p_flags & PF_W != 0 && segment.p_memsz > segment.p_filesz && within >= segment.p_filesz;
    if segment.p_filesz == 0 || !of_file || cleared || offset >= size {
        return zeros_as_code(load);
    }
    Ok(())
}

/// Zeros write through a register that is 0 on x86, and are reserved on others; on MIPS and ARM they do nothing, and
/// what follows them decides.
fn zeros_as_code(load: &Load<'_>) -> Stage {
    let signal = match load.image.header.e_machine {
        EM_X86_64 | EM_386 | EM_486 => Signal::SIGSEGV,
        EM_AARCH64 | EM_RISCV | EM_PPC | EM_PPC64 => Signal::SIGILL,
        _ => return Ok(()),
    };
    kill(signal, When::Start, Step::EntryZeros)
}

/// Whether a page fault says that an instruction was fetched, so that a segment without PF_X is SIGSEGV at once
/// (arch/arm64 and arch/riscv mm/fault.c; not so on x86, `access_error`).
fn tells_fetches(machine: &Machine) -> bool {
    matches!(machine.e_machine(), Some(EM_AARCH64 | EM_RISCV))
}

/// \x7fELF is an opcode that MIPS reserves in both byte orders (COP1 with a reserved format, and DINSU).
fn header_as_code(load: &Load<'_>) -> Stage {
    if load.image.header.e_machine == EM_MIPS {
        return kill(Signal::SIGILL, When::Start, Step::EntryIsHeader);
    }
    unknown(Missing::HeaderAsCode)
}

/// In whole pages, as the kernel maps it.
fn covers(segment: &ProgramHeader, address: u64, pages: Pages) -> bool {
    let last = segment.p_vaddr.saturating_add(segment.p_memsz.saturating_sub(1));
    segment.p_memsz > 0 && address >= pages.down(segment.p_vaddr) && pages.down(address) <= last
}

/// On 64-bit PowerPC ELFv1, e_entry is the address of a function descriptor.
fn is_descriptor(load: &Load<'_>) -> bool {
    load.image.header.e_machine == EM_PPC64 && load.image.header.e_flags & 3 != 2
}

/// Whether the processor keeps data from being executed; most MIPS and old ARM ones do not (no RIXI, no XN): there
/// whatever may be read or written is executed.
fn refuses_data(machine: &Machine) -> bool {
    matches!(machine.e_machine(), Some(EM_X86_64 | EM_AARCH64 | EM_RISCV))
}

/// An odd entry selects MIPS16 or microMIPS: an address error where the processor has neither.
fn mips_mode(load: &Load<'_>) -> Stage {
    let compressed = ["mips16", "mips16e2", "micromips"];
    let entry = load.image.header.e_entry;
    if entry.trailing_zeros() >= 2 {
        return Ok(());
    }
    if entry.trailing_zeros() > 0 {
        return kill(Signal::SIGBUS, When::Start, Step::EntryMode);
    }
    match load.machine.cpu.ases.get() {
        Some(ases) if ases.iter().any(|ase| compressed.contains(&ase.as_str())) => Ok(()),
        Some(_) => kill(Signal::SIGBUS, When::Start, Step::EntryMode),
        None => unknown(Missing::Compressed),
    }
}

/// A segment with whole pages beyond the end of the file: the copy was cut short, and what was lost is part of the
/// program.
pub(super) fn missing_pages(load: &Load<'_>) -> Stage {
    let Some(size) = load.candidate.size() else { return Ok(()) };
    let end = Pages::of(load.machine).up(size);
    let lost = |segment: &ProgramHeader| {
        segment.p_filesz > 0 && segment.p_offset.saturating_add(segment.p_filesz) > end
    };
    if load.image.loads().any(lost) {
        return kill(Signal::SIGBUS, When::Later, Step::SegmentBeyondFile);
    }
    Ok(())
}

/// Release 6 encodes many instructions anew: its code does not run on earlier ones.
pub(super) fn mips_release(load: &Load<'_>) -> Stage {
    let Some(isa) = load.image.mips_isa() else { return Ok(()) };
    let Some(listed) = load.machine.cpu.isa.get() else { return Ok(()) };
    let machine_is_6 = listed.iter().any(|name| name.ends_with("r6"));
    let machine_is_older = listed.iter().any(|name| !name.ends_with("r6"));
    if isa.revision == 6 && !machine_is_6 {
        return kill(Signal::SIGILL, When::Later, Step::Instruction);
    }
    if isa.revision != 6 && machine_is_6 && !machine_is_older {
        return unknown(Missing::OldInstructions);
    }
    Ok(())
}

/// Go's runtime and a hard-float glibc execute floating-point instructions before `main`. Other programs that are
/// marked hard-float may never do so.
pub(super) fn mips_floating_point(load: &Load<'_>) -> Stage {
    if load.image.view.class != Class::Elf32 || !executes_fp_at_start(load.program, load.image) {
        return Ok(());
    }
    match load.machine.fpu.value {
        Some(Fpu::Hardware | Fpu::Emulated) => Ok(()),
        Some(Fpu::Absent) => kill(Signal::SIGILL, When::Later, Step::FpInstruction),
        None if load.machine.answer(Question::FpInstruction).is_none() => {
            Err(Stop::Ask(Question::FpInstruction))
        }
        None => unknown(Missing::FloatingPoint),
    }
}

/// Whether a program that is marked hard-float executes a floating-point instruction before `main`.
pub(crate) fn executes_fp_at_start(program: &Program, image: &Image) -> bool {
    image.is_mips_hard_float() && (program.origin.toolchain == Toolchain::Go || is_glibc(image))
}

/// A glibc loader, or the ABI tag that glibc puts into static programs.
fn is_glibc(image: &Image) -> bool {
    image.abi_tag.is_some_and(|(os, ..)| os == 0) || image.interp_libc() == Some(Libc::Glibc)
}
