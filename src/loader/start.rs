//! The first instructions: exec succeeded, but what the program begins with is not there or not executable.

use super::load::{Load, Pages};
use super::{Missing, Signal, Stage, Step, Stop, When, kill, unknown};
use crate::candidate::{Image, Program, Toolchain};
use crate::elf::consts::{EM_AARCH64, EM_MIPS, EM_PPC64, EM_RISCV, EM_X86_64, PF_R, PF_W, PF_X};
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
    let needed = if refuses_data(load.machine) { PF_X } else { PF_R | PF_W | PF_X };
    if segment.p_flags & needed == 0 {
        return kill(Signal::SIGSEGV, When::Start, Step::EntryNotExecutable);
    }
    let size = load.candidate.size().unwrap_or(u64::MAX);
    let within = entry.wrapping_sub(segment.p_vaddr);
    let offset = within.wrapping_add(segment.p_offset);
    if segment.p_filesz > 0 && offset == 0 {
        return header_as_code(load);
    }
    if within < segment.p_filesz && pages.down(offset) >= size {
        return kill(Signal::SIGBUS, When::Start, Step::EntryBeyondFile);
    }
    Ok(())
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
