//! fs/binfmt_elf.c after the point of no return: whatever fails here is SIGSEGV, not an errno.

use super::load::{Load, Pages};
use super::{Signal, Stage, Step, When, arch, kill};
use crate::candidate::{Candidate, Content, Image};
use crate::elf::consts::ET_DYN;
use crate::elf::{Class, ProgramHeader};
use crate::machine::Machine;

/// PF_W.
const WRITABLE: u32 = 2;

/// Maps the program's PT_LOADs in table order.
pub(super) fn segments(load: &Load<'_>) -> Stage {
    let machine = load.machine;
    let limit = task_size(machine, load.image);
    for segment in load.image.loads() {
        check(machine, segment, limit, load.image.header.e_type == ET_DYN)?;
    }
    if zeroing_fails(load) {
        return kill(Signal::SIGSEGV, When::Exec, Step::MapZeros);
    }
    if load.image.interp.is_none() && entry_out_of_range(load.image, limit) {
        return kill(Signal::SIGSEGV, When::Exec, Step::EntryRange);
    }
    Ok(())
}

/// `BAD_ADDR(elf_entry)`. Where the program is relocated, the sum wraps for the highest addresses.
fn entry_out_of_range(image: &Image, limit: u64) -> bool {
    let entry = image.header.e_entry;
    let top = if image.view.class == Class::Elf64 { u64::MAX } else { u64::from(u32::MAX) };
    entry >= limit && (image.header.e_type != ET_DYN || entry < top.saturating_sub(limit))
}

/// Whether the rest of the page behind a segment's file part cannot be cleared, because no page of the file is there.
/// Since 6.7 that counts for every writable segment, before for the last one whatever its flags. Linux 6.1.176 was
/// seen to go on.
fn zeroing_fails(load: &Load<'_>) -> bool {
    let kernel = &load.machine.kernel;
    let pages = Pages::of(load.machine);
    let Some(size) = load.candidate.size() else { return false };
    let fails = |segment: &ProgramHeader| {
        let end = segment.p_vaddr.wrapping_add(segment.p_filesz);
        let page = pages.down(segment.p_offset.saturating_add(segment.p_filesz));
        segment.p_memsz > segment.p_filesz && segment.p_filesz > 0 && pages.down(end) != end && page >= size
    };
    if !kernel.older_than((6, 7, 0)) {
        return load.image.loads().any(|segment| segment.p_flags & WRITABLE != 0 && fails(segment));
    }
    let is_6_1 = !kernel.older_than((6, 1, 0)) && kernel.older_than((6, 2, 0));
    let end = |segment: &&ProgramHeader| segment.p_vaddr.saturating_add(segment.p_filesz);
    !is_6_1 && load.image.loads().max_by_key(end).is_some_and(fails)
}

/// `load_elf_interp`: any failure is one of the program's exec.
pub(super) fn interpreter(load: &Load<'_>, interpreter: &Candidate) -> Stage {
    let fail = || kill(Signal::SIGSEGV, When::Exec, Step::InterpreterMap);
    let Content::Elf(program) = &interpreter.content else { return Ok(()) };
    let Some(image) = program.native_in(load.image.view) else {
        return Ok(());
    };
    let is_loadable = matches!(image.header.e_type, 2 | ET_DYN);
    if !is_loadable || image.loads().next().is_none() {
        return fail();
    }
    let limit = task_size(load.machine, image);
    for segment in image.loads() {
        if check(load.machine, segment, limit, image.header.e_type == ET_DYN).is_err() {
            return fail();
        }
    }
    if image.header.e_type != ET_DYN && image.header.e_entry >= limit { fail() } else { Ok(()) }
}

/// `elf_load` and the range checks before it.
fn check(machine: &Machine, segment: &ProgramHeader, limit: u64, relocated: bool) -> Stage {
    let pages = Pages::of(machine);
    let range = kill(Signal::SIGSEGV, When::Exec, Step::MapRange);
    // A negative loff_t cannot be mapped.
    let negative = segment.p_filesz > 0 && i64::try_from(segment.p_offset).is_err();
    if segment.p_filesz > segment.p_memsz || segment.p_memsz > limit || negative {
        return range;
    }
    let out = segment.p_vaddr >= limit || segment.p_memsz > limit.saturating_sub(segment.p_vaddr);
    if out && !relocated {
        return range;
    }
    if segment.p_filesz > 0 && segment.p_offset.wrapping_sub(segment.p_vaddr) & pages.within() != 0 {
        return kill(Signal::SIGSEGV, When::Exec, Step::MapAlignment);
    }
    if largest_accounted(segment, pages) > memory(machine) {
        return kill(Signal::SIGSEGV, When::Exec, Step::MapMemory);
    }
    Ok(())
}

/// What `__vm_enough_memory` is asked for in one piece: the anonymous tail, and a writable file mapping.
fn largest_accounted(segment: &ProgramHeader, pages: Pages) -> u64 {
    let file = pages.up(segment.p_filesz);
    let tail = pages.up(segment.p_memsz).saturating_sub(file);
    if segment.p_flags & WRITABLE != 0 { tail.max(file) } else { tail }
}

/// RAM plus swap: the bound of the heuristic overcommit mode. Without a bound where it is not known.
fn memory(machine: &Machine) -> u64 {
    machine
        .memory
        .total
        .value
        .map_or(u64::MAX, |total| total.saturating_add(machine.memory.swap.value.unwrap_or(u64::MAX)))
}

/// TASK_SIZE of a program of this layout; without a bound where it is not known.
fn task_size(machine: &Machine, image: &Image) -> u64 {
    match arch::of(machine) {
        Some(arch) => (arch.space)(machine, image).task_size.most,
        None if image.view.class == Class::Elf32 => 1 << 32,
        None => u64::MAX,
    }
}
