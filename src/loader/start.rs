//! The first instructions: exec succeeded, but what the program begins with is not there or not executable.

use super::arch::{self, Arch, Entry};
use super::areas::Area;
use super::load::{Load, Pages};
use super::map::Loaded;
use super::{Missing, Signal, Stage, Step, Stop, When, kill, unknown};
use crate::candidate::Toolchain;
use crate::elf::ProgramHeader;
use crate::elf::consts::{PF_R, PF_W, PF_X, PT_DYNAMIC};

/// What the processor finds at the address where it is sent. `first` is the file that runs first: the interpreter,
/// or the program.
pub(super) fn fetch(program: &Load<'_>, first: &Load<'_>, arch: &Arch, loaded: &Loaded) -> Stage {
    let (mut entry, fault) = match (arch.entry)(program, first) {
        Ok(Entry::Address(entry)) => (entry, None),
        Ok(Entry::Elsewhere) => return unknown(Missing::Descriptor),
        Err(stop @ Stop::Killed(..)) => (first.image.header.e_entry, Some(stop)),
        Err(stop) => return Err(stop),
    };
    entry = entry.wrapping_add(loaded.bias);
    if !first.is_wide_kernel() {
        entry &= u64::from(u32::MAX);
    }
    match (page(program, first, arch, loaded, entry), fault) {
        (Ok(()), Some(fault)) => Err(fault),
        // An address that is not aligned, where nothing can be fetched either: which fault is first, is the
        // processor's (QEMU looks for the page first, MIPS32 at the address).
        (Err(Stop::Killed(..)), Some(_)) => unknown(Missing::TwoFaults),
        (Err(stop), _) => Err(stop),
        (Ok(()), None) => code(program, first, arch, loaded, entry),
    }
}

/// The page of an address: whether there is one, and whether it may be executed.
fn page(program: &Load<'_>, first: &Load<'_>, arch: &Arch, loaded: &Loaded, entry: u64) -> Stage {
    let Some(area) = loaded.areas.at(entry) else {
        if loaded.is_kernels_own(entry) {
            return unknown(Missing::Place);
        }
        return kill(Signal::SIGSEGV, When::Start, Step::EntryUnmapped);
    };
    let beyond = area.is_lost(entry, size(area, program, first), Pages::of(first.machine));
    let accessible = area.flags & (PF_R | PF_W | PF_X) != 0;
    // A page that cannot be had comes before what may be done with it, but where the fault tells that it was for an
    // instruction.
    if beyond && accessible && !arch.tells_fetches {
        return kill(Signal::SIGBUS, When::Start, Step::EntryBeyondFile);
    }
    if !arch::executes(program, area.flags)? {
        return kill(Signal::SIGSEGV, When::Start, Step::EntryNotExecutable);
    }
    if beyond {
        return kill(Signal::SIGBUS, When::Start, Step::EntryBeyondFile);
    }
    Ok(())
}

/// What lies at an address that can be fetched.
fn code(program: &Load<'_>, first: &Load<'_>, arch: &Arch, loaded: &Loaded, entry: u64) -> Stage {
    let Some(area) = loaded.areas.at(entry) else { return Ok(()) };
    let size = size(area, program, first);
    if is_zero(area, entry, size) {
        return match (arch.zeros)(first) {
            Some(signal) => kill(signal, When::Start, Step::EntryZeros),
            None => slide(program, loaded, entry, size),
        };
    }
    if area.offset_of(entry) == Some(0) {
        return match (arch.magic)(first) {
            Some(signal) => kill(signal, When::Start, Step::EntryIsHeader),
            None => unknown(Missing::HeaderAsCode),
        };
    }
    Ok(())
}

/// The size of an area's file; without end where it is not known.
fn size(area: &Area, program: &Load<'_>, first: &Load<'_>) -> u64 {
    if area.of_interpreter { first } else { program }.candidate.size().unwrap_or(u64::MAX)
}

/// Whether there is nothing but zeros at an address, by how it was mapped.
fn is_zero(area: &Area, address: u64, size: u64) -> bool {
    area.offset_of(address).is_none_or(|offset| offset >= size)
}

/// Zeros that do nothing: what lies behind the last of them decides.
fn slide(program: &Load<'_>, loaded: &Loaded, entry: u64, size: u64) -> Stage {
    let pages = Pages::of(program.machine);
    let mut at = entry;
    while let Some(area) = loaded.areas.at(at) {
        if !arch::executes(program, area.flags)? {
            break;
        }
        if area.is_lost(at, size, pages) {
            return kill(Signal::SIGBUS, When::Start, Step::EntryZeros);
        }
        if !is_zero(area, at, size) {
            return Ok(());
        }
        // Zeros in the place of a file's bytes end with their page.
        at = if area.offset.is_some() { pages.up(at.saturating_add(1)) } else { area.end };
    }
    if loaded.is_kernels_own(at) {
        return unknown(Missing::Place);
    }
    kill(Signal::SIGSEGV, When::Start, Step::EntryZeros)
}

/// A segment with whole pages beyond the end of the file: touching one is SIGBUS. That they are touched is known of
/// what a loader, an unpacker or Go's runtime reads first; of other programs nobody can tell.
pub(super) fn lost_pages(load: &Load<'_>) -> Stage {
    let Some(size) = load.candidate.size() else { return Ok(()) };
    let end = Pages::of(load.machine).up(size);
    let behind = |segment: &ProgramHeader| segment.p_offset.saturating_add(segment.p_filesz);
    if !load.image.loads().any(|segment| segment.p_filesz > 0 && behind(segment) > end) {
        return Ok(());
    }
    let is_go = load.program.origin.toolchain == Toolchain::Go;
    if loses_dynamic(load, end) || is_go || load.program.upx.is_some() {
        return kill(Signal::SIGBUS, When::Later, Step::SegmentBeyondFile);
    }
    unknown(Missing::LostPart)
}

/// Whether PT_DYNAMIC, which the loader of a C library reads first, lies behind the last page of the file.
fn loses_dynamic(load: &Load<'_>, end: u64) -> bool {
    let Some(dynamic) = load.image.table().iter().find(|segment| segment.p_type == PT_DYNAMIC) else {
        return false;
    };
    let within = |segment: &ProgramHeader| dynamic.p_vaddr.wrapping_sub(segment.p_vaddr);
    let holder = load.image.loads().rfind(|segment| within(segment) < segment.p_filesz);
    load.image.interp_libc().is_some()
        && holder.is_some_and(|segment| segment.p_offset.saturating_add(within(segment)) >= end)
}
