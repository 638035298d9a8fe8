//! The first instructions: exec succeeded, but what the program begins with is not there or not executable.

use super::arch::{self, Entry};
use super::load::{Load, Pages};
use super::{Missing, Signal, Stage, Step, When, kill, unknown};
use crate::elf::ProgramHeader;
use crate::elf::consts::{PF_R, PF_W, PF_X};

/// Where a program without an interpreter begins.
pub(super) fn entry(load: &Load<'_>) -> Stage {
    let pages = Pages::of(load.machine);
    let Some(arch) = arch::of(load.machine) else { return Ok(()) };
    let Entry::Address(entry) = (arch.entry)(load)? else { return Ok(()) };
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
    if beyond && accessible && !arch.tells_fetches {
        return kill(Signal::SIGBUS, When::Start, Step::EntryBeyondFile);
    }
    if !arch::executes(load, segment.p_flags)? {
        return kill(Signal::SIGSEGV, When::Start, Step::EntryNotExecutable);
    }
    if beyond {
        return kill(Signal::SIGBUS, When::Start, Step::EntryBeyondFile);
    }
    if segment.p_filesz > 0 && offset == 0 {
        return match (arch.magic)(load) {
            Some(signal) => kill(signal, When::Start, Step::EntryIsHeader),
            None => unknown(Missing::HeaderAsCode),
        };
    }
    let cleared =
        segment.p_flags & PF_W != 0 && segment.p_memsz > segment.p_filesz && within >= segment.p_filesz;
    if segment.p_filesz == 0 || !of_file || cleared || offset >= size {
        // Where zeros are no instruction; where they do nothing, what follows them decides.
        return (arch.zeros)(load).map_or(Ok(()), |signal| kill(signal, When::Start, Step::EntryZeros));
    }
    Ok(())
}

/// In whole pages, as the kernel maps it.
fn covers(segment: &ProgramHeader, address: u64, pages: Pages) -> bool {
    let last = segment.p_vaddr.saturating_add(segment.p_memsz.saturating_sub(1));
    segment.p_memsz > 0 && address >= pages.down(segment.p_vaddr) && pages.down(address) <= last
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
