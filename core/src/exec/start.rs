//! The first instructions: exec succeeded, but what the program begins with is not there or not executable.

use super::arch::{self, Checks, Entry};
use super::binprm::{Binprm, Pages};
use super::mmap::Mm;
use super::vma::Vma;
use super::{Checked, Exit, Missing, Signal, Step, When, kill, unknown};
use crate::candidate::damage::{BlankEntry, Fill, Transfer};
use crate::candidate::{Image, last_name};
use crate::elf::consts::{ELF_NOTE_OS_LINUX, PF_R, PF_W, PF_X, PT_DYNAMIC};
use crate::machine::{Machine, Version};

/// glibc's words, sysdeps/unix/sysv/linux/dl-osinfo.h `dl_fatal`.
pub(crate) const KERNEL_TOO_OLD: &[u8] = b"FATAL: kernel too old";

/// What the processor finds at the address where it is sent. `first` is the file that runs first: the interpreter,
/// or the program; `bias` is what is added to its addresses.
pub(super) fn fetch(mm: &Mm<'_>, first: &Binprm<'_>, arch: &Checks, bias: u64) -> Checked {
    let (entry, fault) = match (arch.entry)(mm.program, first) {
        Ok(Entry::Address(entry)) => (entry, Ok(())),
        Ok(Entry::Elsewhere) => return unknown(Missing::Descriptor),
        Err(exit @ Exit::Killed(..)) => (first.image.header.e_entry, Err(exit)),
        Err(exit) => return Err(exit),
    };
    let entry = entry.wrapping_add(bias) & mm.word;
    match page(mm, first, arch, entry) {
        // An address that is not aligned, where nothing can be fetched either: which fault is first, is the
        // processor's (QEMU looks for the page first, MIPS32 at the address).
        Err(Exit::Killed(..)) if fault.is_err() => unknown(Missing::TwoFaults),
        Err(exit) => Err(exit),
        Ok(vma) => {
            fault?;
            code(mm, first, arch, vma, entry)
        }
    }
}

/// The page of an address: whether there is one, and whether it may be executed.
fn page<'a>(mm: &'a Mm<'_>, first: &Binprm<'_>, arch: &Checks, entry: u64) -> Checked<&'a Vma> {
    let Some(vma) = mm.vmas.at(entry) else {
        if mm.is_kernels_own(entry) {
            return unknown(Missing::Place);
        }
        return kill(Signal::SIGSEGV, When::Start, Step::EntryUnmapped);
    };
    let beyond = vma.is_lost(entry, size(mm, first, vma), mm.pages);
    let accessible = vma.flags & (PF_R | PF_W | PF_X) != 0;
    // A page that cannot be had comes before what may be done with it, but where the fault tells that it was for an
    // instruction.
    let comes_first = beyond && accessible && !arch.fault_tells_exec;
    if !comes_first && !arch::executes(mm.program, vma.flags)? {
        return kill(Signal::SIGSEGV, When::Start, Step::EntryNotExecutable);
    }
    if beyond { kill(Signal::SIGBUS, When::Start, Step::EntryBeyondFile) } else { Ok(vma) }
}

/// What lies at an address that can be fetched.
fn code(mm: &Mm<'_>, first: &Binprm<'_>, arch: &Checks, vma: &Vma, entry: u64) -> Checked {
    let size = size(mm, first, vma);
    let Some(offset) = vma.offset_of(entry).filter(|offset| *offset < size) else {
        return match (arch.zeros_as_code)(first) {
            Some(signal) => kill(signal, When::Start, Step::EntryZeros),
            None => slide(mm, entry, size),
        };
    };
    if offset == 0 {
        return match (arch.magic_as_code)(first) {
            Some(signal) => kill(signal, When::Start, Step::EntryIsHeader),
            // Whatever it is: it ends where the loader should have been.
            None if lacks_loader(first) => kill(Signal::SIGSEGV, When::Later, Step::EntryIsHeader),
            None => unknown(Missing::HeaderAsCode),
        };
    }
    match &first.program.damage.entry {
        Some(blank) if offset.abs_diff(blank.offset as u64) <= 1 => {
            never_written(first, arch, blank, When::Start)
        }
        _ => Ok(()),
    }
}

/// What the processor makes of a place that nobody wrote to. Where that does nothing it goes on to the end of the segment,
/// if there is nothing else.
fn never_written(bprm: &Binprm<'_>, arch: &Checks, blank: &BlankEntry, when: When) -> Checked {
    let (as_code, step) = match blank.fill {
        Fill::Zeros => (arch.zeros_as_code, Step::EntryZeros),
        Fill::Ones => (arch.ones_as_code, Step::EntryBlank),
    };
    match as_code(bprm) {
        Some(signal) => kill(signal, when, step),
        None if blank.whole => kill(Signal::SIGSEGV, when, step),
        None => Ok(()),
    }
}

/// Where its loader goes once all is loaded: the program's own entry.
pub(super) fn behind_loader(bprm: &Binprm<'_>, arch: &Checks) -> Checked {
    match &bprm.program.damage.entry {
        Some(blank) if matches!((arch.entry)(bprm, bprm), Ok(Entry::Address(_))) => {
            never_written(bprm, arch, blank, When::Later)
        }
        _ => Ok(()),
    }
}

/// Bytes were added to or taken from what is loaded: code and data are not where they look for each other.
pub(super) fn changed(bprm: &Binprm<'_>) -> Checked {
    match bprm.program.damage.transfer {
        Some(Transfer::Added(true) | Transfer::Removed(_, true) | Transfer::Recoded) => {
            kill(Signal::SIGSEGV, When::Later, Step::Transfer)
        }
        _ => Ok(()),
    }
}

/// The size of an area's file; without end where it is not known.
fn size(mm: &Mm<'_>, first: &Binprm<'_>, vma: &Vma) -> u64 {
    if vma.of_interpreter { first } else { mm.program }.size()
}

/// On processors where zeros are nops, execution slides to the first page with anything else.
fn slide(mm: &Mm<'_>, entry: u64, size: u64) -> Checked {
    let pages = mm.pages;
    let mut at = entry;
    while let Some(vma) = mm.vmas.at(at) {
        if !arch::executes(mm.program, vma.flags)? {
            break;
        }
        at = match vma.offset_of(at) {
            Some(offset) if offset < size => return Ok(()),
            Some(offset) if pages.down(offset) >= size => {
                return kill(Signal::SIGBUS, When::Start, Step::EntryZeros);
            }
            // Zeros in the place of a file's bytes end with their page.
            Some(_) => pages.up(at.saturating_add(1)),
            None => vma.end,
        };
    }
    if mm.is_kernels_own(at) {
        return unknown(Missing::Place);
    }
    kill(Signal::SIGSEGV, When::Start, Step::EntryZeros)
}

/// A file that nothing but this kernel starts, and that expects a loader, or another kernel.
pub(super) fn without_loader(bprm: &Binprm<'_>) -> Checked {
    let image = bprm.image;
    if lacks_loader(bprm) {
        return kill(Signal::SIGSEGV, When::Later, Step::NoLoader);
    }
    if bprm.program.calls_another_system(image) {
        return kill(Signal::SIGSEGV, When::Later, Step::OtherSystem);
    }
    Ok(())
}

/// The release of Linux that the glibc of a program was built for, where this one is older.
pub(crate) fn newer_kernel(machine: &Machine, image: &Image) -> Option<Version> {
    let (system, version) = image.abi_tag?;
    let told = machine.kernel().uname()?;
    (system == ELF_NOTE_OS_LINUX && told.version < version).then_some(version)
}

/// A static glibc compares the releases itself, where it was built to: then it holds the words. `__libc_fatal` aborts.
pub(super) fn os_check(bprm: &Binprm<'_>) -> Checked {
    let file = bprm.program.file.as_ref();
    if bprm.image.interp.is_none()
        && newer_kernel(bprm.machine, bprm.image).is_some()
        && file.and_then(|file| file.holds(KERNEL_TOO_OLD)) == Some(true)
    {
        return kill(Signal::SIGABRT, When::Later, Step::OsCheck);
    }
    Ok(())
}

/// Whether it needs libraries that nobody loads: wherever its entry leads (GNU ld up to 2.3x gives a library the start of
/// its .text), what it calls is not there. Loaders are their own, and so is what UPX packed.
fn lacks_loader(bprm: &Binprm<'_>) -> bool {
    let Some(dynamic) = bprm.image.dynamic.as_ref().filter(|_| bprm.image.interp.is_none()) else {
        return false;
    };
    let is_loader = |name: &[u8]| name.starts_with(b"ld") || name.starts_with(b"libc.");
    let name = last_name(bprm.candidate.resolved.as_bytes()).1;
    !dynamic.needed.is_empty()
        && bprm.program.upx.is_none()
        && !is_loader(dynamic.soname.as_deref().unwrap_or(name))
}

/// A segment with whole pages beyond the end of the file: touching one is SIGBUS. That they are touched is known of
/// what a loader, an unpacker or Go's runtime reads first; of other programs nobody can tell.
pub(super) fn lost_pages(bprm: &Binprm<'_>) -> Checked {
    let Some(size) = bprm.candidate.size() else { return Ok(()) };
    let end = Pages::of(bprm.machine).up(size);
    if !bprm.image.loads().any(|segment| segment.p_filesz > 0 && segment.file_end() > end) {
        return Ok(());
    }
    let is_go = bprm.program.go.is_some();
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
    // Of several segments that hold it, the last one was mapped over the others.
    let mut is_lost = false;
    for segment in bprm.image.loads() {
        let within = dynamic.p_vaddr.wrapping_sub(segment.p_vaddr);
        if within < segment.p_filesz {
            is_lost = segment.p_offset.saturating_add(within) >= end;
        }
    }
    is_lost && bprm.image.interp_libc().is_some()
}
