//! The code that is run before main(): constructors, and what crt1.o and crti.o begin a program and an object with.

use alloc::vec::Vec;

use super::code::{CODE, ends_function_of_riscv, ends_function_of_s390, is_stub_of_x86, profiler_slot};
use super::crt;
use super::frames::{Frames, Listed, may_begin_unlisted};
use super::memory::{Access, NOWHERE};
use super::{End, FaultKind, Object, Step};
use crate::budget::SEGMENTS_OF_A_STEP;
use crate::candidate::{Dynamic, Image};
use crate::elf::ProgramHeader;
use crate::elf::consts::{
    DT_GNU_HASH, DT_INIT, DT_INIT_ARRAY, DT_INIT_ARRAYSZ, DT_JMPREL, DT_PLTRELSZ, DT_PREINIT_ARRAY,
    DT_PREINIT_ARRAYSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELSZ, DT_STRTAB, DT_SYMTAB, DT_VERNEED, DT_VERSYM,
    EM_386, EM_AARCH64, EM_MIPS, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64, PF_X, PT_GNU_EH_FRAME,
};

/// What linkers put before code. DT_HASH is one, and was added behind all else to the glibc of Debian 11 for ARM.
const TABLES: [u32; 8] =
    [DT_GNU_HASH, DT_SYMTAB, DT_STRTAB, DT_VERSYM, DT_VERNEED, DT_REL, DT_RELA, DT_JMPREL];
const RELOCATIONS: [(u32, u32); 3] = [(DT_REL, DT_RELSZ), (DT_RELA, DT_RELASZ), (DT_JMPREL, DT_PLTRELSZ)];
const CONSTRUCTORS_AT_MOST: u64 = 1 << 16;

/// Calls the constructors of an object: DT_INIT, then those of DT_INIT_ARRAY. `count_mask`: glibc counts them in 32 bits.
pub(super) fn construct(
    objects: &[Object<'_>],
    object: &Object<'_>,
    value: &dyn Fn(u32) -> Option<u64>,
    count_mask: u64,
) -> Step<()> {
    const WHAT: &str = "DT_INIT_ARRAY";
    let nowhere = |what| object.fault(FaultKind::JumpsNowhere, what);
    // musl leaves out one at 0.
    let is_called = |init: &u64| *init != 0 || count_mask != u64::MAX;
    if let Some(init) = value(DT_INIT).filter(is_called) {
        let init = object.base.wrapping_add(init);
        let (of, within) = code_at(objects, init).ok_or_else(|| nowhere("DT_INIT"))?;
        // Linkers make one DT_INIT: of two, one was another entry.
        let is_odd = object.first(DT_INIT) != object.get(DT_INIT);
        if !is_x86(of) && (is_odd || !begins_function(of, within)) {
            return Err(no_function(object, of, within, "DT_INIT"));
        }
        // crti.o calls that where its address is not 0.
        if let Some(slot) = profiler_slot(of, within).or_else(|| crt::profiler_slot(of, within)) {
            let pointer = |at| of.memory.pointer(at).map_err(|access| of.lost(access, "__gmon_start__"));
            let mut led_to = pointer(slot)?;
            if let Some((slot, _)) = crt::profiler_call(of, within).filter(|_| led_to != 0) {
                led_to = pointer(slot)?;
                if led_to == 0 {
                    return Err(nowhere("__gmon_start__"));
                }
            }
            match code_at(objects, led_to) {
                _ if led_to == 0 => {}
                None => return Err(nowhere_at(object, led_to, "__gmon_start__")),
                Some((of, within)) => return Err(no_function(object, of, within, "__gmon_start__")),
            }
        }
    }
    let Some(array) = value(DT_INIT_ARRAY) else { return Ok(()) };
    let size = match value(DT_INIT_ARRAYSZ) {
        Some(size) => size,
        // musl takes it for 0.
        None if count_mask == u64::MAX => 0,
        None => return Err(object.fault(FaultKind::NoEntrySize, WHAT)),
    };
    let count = size.checked_div(object.word()).unwrap_or_default() & count_mask;
    call_each(objects, object, (array, count), WHAT)
}

/// Calls the functions of DT_PREINIT_ARRAY: those of the program alone, which glibc calls before all other code (elf/dl-init.c
/// `_dl_init`), and musl never.
pub(super) fn construct_first(objects: &[Object<'_>], program: &Object<'_>) -> Step<()> {
    let Some(array) = program.get(DT_PREINIT_ARRAY) else { return Ok(()) };
    let size = program.get(DT_PREINIT_ARRAYSZ).unwrap_or_default();
    let count = size.checked_div(program.word()).unwrap_or_default() & 0xffff_ffff;
    call_each(objects, program, (array, count), "DT_PREINIT_ARRAY")
}

/// Calls so many functions, whose addresses are in an array.
fn call_each(
    objects: &[Object<'_>],
    object: &Object<'_>,
    (array, count): (u64, u64),
    what: &'static str,
) -> Step<()> {
    let nowhere = || object.fault(FaultKind::JumpsNowhere, what);
    for index in 0..count {
        if index > CONSTRUCTORS_AT_MOST {
            return Err(End::TooMuch);
        }
        object.look_at(objects.len())?;
        let at = array.wrapping_add(index.wrapping_mul(object.word()));
        let address = object.memory.pointer(at);
        let address = address.map_err(|access| match access {
            Access::Nothing => nowhere(),
            _ => object.misled(access, at, what),
        })?;
        let address = jumped_to(object.image, address);
        if !is_aligned(object.image, address) {
            return Err(match object.image.header.e_machine {
                EM_AARCH64 => object.fault(FaultKind::Misaligned, what),
                EM_S390 if address & NOWHERE == 0 => object.fault(FaultKind::NoInstruction, what),
                _ => object.lost(Access::Anothers, what),
            });
        }
        if object.image.header.e_machine == EM_AARCH64 && address & NOWHERE != 0 {
            return Err(object.lost(Access::Anothers, what));
        }
        let (of, within) = code_at(objects, address).ok_or_else(nowhere)?;
        // Nobody knows what the midst of a function does, nor what another object's does here.
        if of.index != object.index || !begins_function(of, within) {
            return Err(no_function(object, of, within, what));
        }
    }
    Ok(())
}

/// The object whose code is at an address, and the address there.
pub(super) fn code_at<'r, 'a>(objects: &'r [Object<'a>], address: u64) -> Option<(&'r Object<'a>, u64)> {
    let within = |of: &Object<'a>| of.memory.wrapped(address.wrapping_sub(of.base));
    let of = objects.iter().find(|of| of.memory.has(within(of)))?;
    of.memory.can_run(within(of)).then(|| (of, within(of)))
}

pub(super) fn bytes(object: &Object<'_>, from: u64, size: u64) -> Vec<u8> {
    let byte = |at| object.memory.number(from.wrapping_add(at), 1).ok().map(|byte| byte.to_le_bytes()[0]);
    (0..size).map_while(byte).collect()
}

/// The end of a jump to where no code is. Of s390x an odd address comes first (z/Architecture, "Specification Exception").
pub(super) fn nowhere_at(object: &Object<'_>, address: u64, what: &'static str) -> End {
    let kind = match object.image.header.e_machine {
        EM_S390 if address & 1 != 0 => FaultKind::NoInstruction,
        EM_AARCH64 if address & 3 != 0 => FaultKind::Misaligned,
        _ => FaultKind::JumpsNowhere,
    };
    object.fault(kind, what)
}

/// Whether a function begins at an address, by what .eh_frame_hdr lists (LSB, "Exception Frames"). Of code that it does not
/// list, crtbegin.o's, those do that are aligned, and that nothing runs into.
pub(super) fn begins_function(object: &Object<'_>, address: u64) -> bool {
    object.look_through();
    if is_x86(object) && is_stub_of_x86(&bytes(object, address, 7)) {
        return false;
    }
    let is_no_function = || {
        !is_aligned(object.image, address)
            || is_among_tables(object.image, address)
            || crt::is_stub(object, address)
    };
    if !is_x86(object) && is_no_function() {
        return false;
    }
    let segments = object.image.table();
    let _is_over = object.memory.steps(segments.len() / SEGMENTS_OF_A_STEP);
    let header = segments.iter().find(|segment| segment.p_type == PT_GNU_EH_FRAME);
    let is_code = |from: u64, size| bytes(object, from, size).iter().any(|byte| *byte != 0);
    // A recording has no code at all.
    let has_code = || text(object.image, address).is_some_and(|from| is_code(from, CODE as u64));
    // What unwinds functions stands behind them, and nothing behind what is of the file.
    let load = |address| object.image.load_with(PF_X, address).map(|load| load.p_vaddr);
    let is_unwinder =
        |header: &ProgramHeader| header.p_vaddr <= address && load(header.p_vaddr) == load(address);
    let is_rest = || load(address).is_none() || header.is_some_and(is_unwinder);
    let is_behind = !is_code(address, 4) && has_code() || !is_x86(object) && is_rest();
    let before = |size| bytes(object, address.wrapping_sub(size), size);
    let follows = || match object.image.header.e_machine {
        EM_RISCV => before(4).try_into().is_ok_and(|word| ends_function_of_riscv(u32::from_le_bytes(word))),
        EM_S390 => before(6).try_into().is_ok_and(ends_function_of_s390),
        _ => true,
    };
    let is_first = || follows_relocations(object.image, address);
    let found = header.and_then(|header| listed(object, header.p_vaddr, address));
    !is_behind && found.unwrap_or_else(|| follows() || is_first())
}

/// Whether a table of relocations ends at an address: behind the last table linkers put the first code, DT_INIT's, which nothing
/// runs into.
fn follows_relocations(image: &Image, address: u64) -> bool {
    let ends = |dynamic: &Dynamic| {
        let end = |(table, size)| Some(dynamic.get(table)?.wrapping_add(dynamic.get(size)?));
        RELOCATIONS.into_iter().any(|table| end(table) == Some(address))
    };
    image.dynamic.as_ref().is_some_and(ends)
}

/// Whether zeros are there, and the processor has none of them for an instruction (Power ISA, "Illegal Instruction Class";
/// RISC-V, "Expanded Instruction-Length Encoding"; z/Architecture, "Operation Exception"; Arm ARM, "UDF"). A recording has
/// nothing else.
fn is_nothing(object: &Object<'_>, address: u64) -> bool {
    let size = match object.image.header.e_machine {
        EM_PPC64 | EM_AARCH64 => 4,
        EM_RISCV | EM_S390 => 2,
        _ => return false,
    };
    let unwinder = object.image.table().iter().find(|segment| segment.p_type == PT_GNU_EH_FRAME);
    let is_code = |from, size| bytes(object, from, size).iter().any(|byte| *byte != 0);
    let first = || {
        let header = unwinder?.p_vaddr;
        let distance = object.memory.number(header.wrapping_add(12), 4).ok()?;
        // Four bytes with a sign.
        Some(header.wrapping_add((distance ^ 0x8000_0000).wrapping_sub(0x8000_0000)))
    };
    is_aligned(object.image, address)
        && object.memory.has_all(address, size)
        && !is_code(address, size)
        && first().is_some_and(|from| is_code(from, 4))
}

/// What becomes of a call by an object that leads to no function, or to one of which nobody knows what it does here.
fn no_function(by: &Object<'_>, of: &Object<'_>, address: u64, what: &'static str) -> End {
    /// The header of an ELF file: of s390x `su`, which may find nothing to subtract, and then no instruction.
    const HEADER: u64 = 0x7f45_4c46;
    if is_nothing(of, address) || is_header(of, address) {
        by.fault(FaultKind::NoInstruction, what)
    } else if of.image.header.e_machine == EM_S390 && of.memory.number(address, 4) == Ok(HEADER) {
        by.fault(FaultKind::WrongFunction, what)
    } else {
        by.lost(Access::Anothers, what)
    }
}

/// Whether an address is that of an ELF file's header, which begins with what is no instruction to AArch64 (Arm ARM, "A64
/// instruction set encoding"), to RISC-V ("Expanded Instruction-Length Encoding", more than 80 bits) and to MIPS of that byte
/// order (COP1 of a format that there is not).
pub(super) fn is_header(object: &Object<'_>, address: u64) -> bool {
    const BEGIN: u64 = 0x464c_457f;
    let is_none = matches!(object.image.header.e_machine, EM_AARCH64 | EM_RISCV | EM_MIPS);
    is_none && object.memory.number(address, 4) == Ok(BEGIN) && object.memory.can_run(address)
}

/// Whether a function begins at an address; None where the table at `header` does not tell.
fn listed(object: &Object<'_>, header: u64, address: u64) -> Option<bool> {
    let mut frames =
        Frames { number: &mut |at, size| object.memory.number(at, size).ok(), word: object.word() };
    match frames.look_up(header, address)? {
        Listed::Begins => Some(true),
        Listed::Within => Some(false),
        Listed::Not if !is_x86(object) => None,
        Listed::Not => {
            let byte = |at| bytes(object, at, 1).first().copied().unwrap_or_default();
            Some(may_begin_unlisted(address, byte(address.wrapping_sub(1)), byte(address)))
        }
    }
}

/// Where there is code if there is any: DT_INIT, or the front of a segment that has nothing else.
pub(in super::super) fn text(image: &Image, address: u64) -> Option<u64> {
    let init = image.dynamic.as_ref().and_then(|dynamic| dynamic.get(DT_INIT));
    // What is left of its last page can be run, too.
    let runs = |load: &&ProgramHeader| load.p_flags & PF_X != 0 && load.p_vaddr <= address;
    let load = image.loads().rfind(runs).filter(|load| load.p_offset != 0);
    init.or_else(|| load.map(|load| load.p_vaddr))
}

/// Of a segment that has both, code stands behind all tables.
pub(in super::super) fn is_among_tables(image: &Image, address: u64) -> bool {
    let load = image.load_with(PF_X, address);
    let end = load.map_or(0, |load| load.p_vaddr.saturating_add(load.p_memsz));
    let is_behind = |dynamic: &Dynamic| {
        TABLES.iter().filter_map(|tag| dynamic.get(*tag)).any(|at| (address..end).contains(&at))
    };
    image.dynamic.as_ref().is_some_and(is_behind)
}

/// Whether a processor may run what lies at an address: what it does else each does in its way.
pub(in super::super) fn is_aligned(image: &Image, address: u64) -> bool {
    match image.header.e_machine {
        EM_AARCH64 | EM_PPC64 => address % 4 == 0,
        EM_S390 | EM_RISCV => address % 2 == 0,
        _ => true,
    }
}

/// Where a processor goes, of which some leave out the lowest bits of an address (RISC-V's JALR, POWER's `bctr`).
fn jumped_to(image: &Image, address: u64) -> u64 {
    match image.header.e_machine {
        EM_RISCV => address & !1,
        EM_PPC64 => address & !3,
        _ => address,
    }
}

pub(super) fn is_x86(object: &Object<'_>) -> bool {
    matches!(object.image.header.e_machine, EM_X86_64 | EM_386)
}
