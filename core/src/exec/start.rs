//! The first instructions: exec succeeded, but what the program begins with is not there or not executable.

use super::arch::{self, Checks, Entry};
use super::binprm::{Binprm, Pages};
use super::map::Mapped;
use super::vma::Vma;
use super::{Checked, Exit, Missing, Signal, Step, When, kill, unknown};
use crate::candidate::Toolchain;
use crate::elf::ProgramHeader;
use crate::elf::consts::{PF_R, PF_W, PF_X, PT_DYNAMIC};

/// What the processor finds at the address where it is sent. `first` is the file that runs first: the interpreter,
/// or the program.
pub(super) fn fetch(program: &Binprm<'_>, first: &Binprm<'_>, arch: &Checks, loaded: &Mapped) -> Checked {
    let (mut entry, fault) = match (arch.entry)(program, first) {
        Ok(Entry::Address(entry)) => (entry, None),
        Ok(Entry::Elsewhere) => return unknown(Missing::Descriptor),
        Err(exit @ Exit::Killed(..)) => (first.image.header.e_entry, Some(exit)),
        Err(exit) => return Err(exit),
    };
    entry = entry.wrapping_add(loaded.bias);
    if !first.is_wide_kernel() {
        entry &= u64::from(u32::MAX);
    }
    match (page(program, first, arch, loaded, entry), fault) {
        (Ok(()), Some(fault)) => Err(fault),
        // An address that is not aligned, where nothing can be fetched either: which fault is first, is the
        // processor's (QEMU looks for the page first, MIPS32 at the address).
        (Err(Exit::Killed(..)), Some(_)) => unknown(Missing::TwoFaults),
        (Err(exit), _) => Err(exit),
        (Ok(()), None) => code(program, first, arch, loaded, entry),
    }
}

/// The page of an address: whether there is one, and whether it may be executed.
fn page(program: &Binprm<'_>, first: &Binprm<'_>, arch: &Checks, loaded: &Mapped, entry: u64) -> Checked {
    let Some(vma) = loaded.vmas.at(entry) else {
        if loaded.is_kernels_own(entry) {
            return unknown(Missing::Place);
        }
        return kill(Signal::SIGSEGV, When::Start, Step::EntryUnmapped);
    };
    let beyond = vma.is_lost(entry, size(vma, program, first), Pages::of(first.machine));
    let accessible = vma.flags & (PF_R | PF_W | PF_X) != 0;
    // A page that cannot be had comes before what may be done with it, but where the fault tells that it was for an
    // instruction.
    if beyond && accessible && !arch.fault_tells_exec {
        return kill(Signal::SIGBUS, When::Start, Step::EntryBeyondFile);
    }
    if !arch::executes(program, vma.flags)? {
        return kill(Signal::SIGSEGV, When::Start, Step::EntryNotExecutable);
    }
    if beyond {
        return kill(Signal::SIGBUS, When::Start, Step::EntryBeyondFile);
    }
    Ok(())
}

/// What lies at an address that can be fetched.
fn code(program: &Binprm<'_>, first: &Binprm<'_>, arch: &Checks, loaded: &Mapped, entry: u64) -> Checked {
    let Some(vma) = loaded.vmas.at(entry) else { return Ok(()) };
    let size = size(vma, program, first);
    if is_zero(vma, entry, size) {
        return match (arch.zeros_as_code)(first) {
            Some(signal) => kill(signal, When::Start, Step::EntryZeros),
            None => slide(program, loaded, entry, size),
        };
    }
    if vma.offset_of(entry) == Some(0) {
        return match (arch.magic_as_code)(first) {
            Some(signal) => kill(signal, When::Start, Step::EntryIsHeader),
            None => unknown(Missing::HeaderAsCode),
        };
    }
    Ok(())
}

/// The size of an area's file; without end where it is not known.
fn size(vma: &Vma, program: &Binprm<'_>, first: &Binprm<'_>) -> u64 {
    if vma.of_interpreter { first } else { program }.candidate.size().unwrap_or(u64::MAX)
}

/// Whether there is nothing but zeros at an address, by how it was mapped.
fn is_zero(vma: &Vma, address: u64, size: u64) -> bool {
    vma.offset_of(address).is_none_or(|offset| offset >= size)
}

/// On processors where zeros are nops, execution slides to the first page with anything else.
fn slide(program: &Binprm<'_>, loaded: &Mapped, entry: u64, size: u64) -> Checked {
    let pages = Pages::of(program.machine);
    let mut at = entry;
    while let Some(vma) = loaded.vmas.at(at) {
        if !arch::executes(program, vma.flags)? {
            break;
        }
        if vma.is_lost(at, size, pages) {
            return kill(Signal::SIGBUS, When::Start, Step::EntryZeros);
        }
        if !is_zero(vma, at, size) {
            return Ok(());
        }
        // Zeros in the place of a file's bytes end with their page.
        at = if vma.offset.is_some() { pages.up(at.saturating_add(1)) } else { vma.end };
    }
    if loaded.is_kernels_own(at) {
        return unknown(Missing::Place);
    }
    kill(Signal::SIGSEGV, When::Start, Step::EntryZeros)
}

/// A segment with whole pages beyond the end of the file: touching one is SIGBUS. That they are touched is known of
/// what a loader, an unpacker or Go's runtime reads first; of other programs nobody can tell.
pub(super) fn lost_pages(bprm: &Binprm<'_>) -> Checked {
    let Some(size) = bprm.candidate.size() else { return Ok(()) };
    let end = Pages::of(bprm.machine).up(size);
    let behind = |segment: &ProgramHeader| segment.p_offset.saturating_add(segment.p_filesz);
    if !bprm.image.loads().any(|segment| segment.p_filesz > 0 && behind(segment) > end) {
        return Ok(());
    }
    let is_go = bprm.program.origin.toolchain == Toolchain::Go;
    if loses_dynamic(bprm, end) || is_go || bprm.program.upx.is_some() {
        return kill(Signal::SIGBUS, When::Later, Step::SegmentBeyondFile);
    }
    unknown(Missing::LostPart)
}

/// Whether PT_DYNAMIC, which the loader of a C library reads first, lies behind the last page of the file.
fn loses_dynamic(bprm: &Binprm<'_>, end: u64) -> bool {
    let Some(dynamic) = bprm.image.table().iter().find(|segment| segment.p_type == PT_DYNAMIC) else {
        return false;
    };
    let within = |segment: &ProgramHeader| dynamic.p_vaddr.wrapping_sub(segment.p_vaddr);
    let holder = bprm.image.loads().rfind(|segment| within(segment) < segment.p_filesz);
    bprm.image.interp_libc().is_some()
        && holder.is_some_and(|segment| segment.p_offset.saturating_add(within(segment)) >= end)
}
