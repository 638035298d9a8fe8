//! ARM of 32 bits, whose code may be of either instruction set.

use super::{Binding, Code, Lead, signed};
use crate::ldso::rehearsal::Object;

/// An address with this bit leads to Thumb's instructions.
const THUMB: u64 = 1;

/// How far `b` and `bl` lead, from where they are.
const fn branch(word: u32) -> u64 {
    signed((word & 0x00ff_ffff) << 2, 26).wrapping_add(8)
}

/// The same of Thumb's `blx`: it leads to an instruction of ARM.
fn exchanged(code: &Code<'_, '_>, within: u64) -> Option<u64> {
    let word = code.word(within)?;
    let (first, second) = (word & 0xffff, word >> 16);
    if first >> 11 != 0x1e || second & 0xd001 != 0xc000 {
        return None;
    }
    let sign = first >> 10 & 1;
    // Two bits have the sign's where they are the other way.
    let (high, low) = (second >> 13 & 1 ^ sign ^ 1, second >> 11 & 1 ^ sign ^ 1);
    let distance = sign << 24 | high << 23 | low << 22 | (first & 0x3ff) << 12 | (second & 0x7ff) << 1;
    let from = code.to(within).wrapping_add(4) & !3;
    Some(code.wrapped(from.wrapping_add(signed(distance, 25))))
}

/// `add ip, pc, #high; add ip, ip, #middle; ldr pc, [ip, #low]!`.
pub(super) fn slot(code: &Code<'_, '_>) -> Option<u64> {
    let (first, second, third) = (code.word(0)?, code.word(4)?, code.word(8)?);
    let is_stub = first >> 8 == 0x00e2_8fc6 && second >> 8 == 0x00e2_8cca && third >> 12 == 0x000e_5bcf;
    let distance = (first & 0xff) << 20 | (second & 0xff) << 12 | third & 0xfff;
    is_stub.then(|| code.wrapped(code.to(8).wrapping_add(distance.into())))
}

/// crt1.o: `ldr sl, =table - here; add r3, pc, here; add sl, sl, r3`, `ldr r0, =main's slot - table; ldr r0, [sl, r0]`, and
/// `bl __libc_start_main`; or the same of Thumb's, which has `blx` for that.
pub(super) fn lead(program: &Object<'_>, entry: u64) -> Option<Lead> {
    const WORDS: [(u64, u32); 5] = [
        (0x18, 0xe59f_a01c),
        (0x1c, 0xe28f_3018),
        (0x20, 0xe08a_a003),
        (0x2c, 0xe59f_000c),
        (0x30, 0xe79a_0000),
    ];
    const HALVES: [(u64, u32); 4] =
        [(0x10, 0xa018_f8df), (0x14, 0x449a_a305), (0x1c, 0x4804_b408), (0x20, 0x0000_f85a)];
    let code = Code::at(program, entry & !THUMB);
    let (here, stub) = if entry & THUMB == 0 {
        let call = code.word(0x34).filter(|word| word >> 24 == 0xeb)?;
        (0x3c, code.has(&WORDS).then(|| code.wrapped(code.to(0x34).wrapping_add(branch(call))))?)
    } else {
        (0x2c, code.has(&HALVES).then(|| exchanged(&code, 0x24))??)
    };
    let table = code.to(here).wrapping_add(code.number(here, 4)?);
    let main = code.wrapped(table.wrapping_add(code.number(here.wrapping_add(4), 4)?));
    let slot = slot(&Code::at(program, stub))?;
    (code.address % 4 == 0).then_some(Lead { slot, stub, main: Some(main) })
}

/// `push {r3, lr}; bl call_weak_fn`, and that: `ldr r3, =table - here; ldr r2, =slot - table; add r3, pc, r3; ldr r2, [r3, r2];
/// cmp r2, #0; bxeq lr; b __gmon_start__`.
fn profiler<'r, 'a>(object: &'r Object<'a>, init: u64) -> Option<Code<'r, 'a>> {
    const WORDS: [(u64, u32); 6] = [
        (0, 0xe59f_3014),
        (4, 0xe59f_2014),
        (8, 0xe08f_3003),
        (12, 0xe793_2002),
        (16, 0xe352_0000),
        (20, 0x012f_ff1e),
    ];
    let code = Code::at(object, init);
    let call = code.word(4).filter(|word| word >> 24 == 0xeb)?;
    let asks = Code::at(object, code.wrapped(code.to(4).wrapping_add(branch(call))));
    (code.word(0)? == 0xe92d_4008 && asks.has(&WORDS)).then_some(asks)
}

pub(super) fn profiler_slot(object: &Object<'_>, init: u64) -> Option<u64> {
    let code = profiler(object, init)?;
    let table = code.to(16).wrapping_add(code.number(28, 4)?);
    Some(code.wrapped(table.wrapping_add(code.number(32, 4)?)))
}

pub(super) fn profiler_call(object: &Object<'_>, init: u64) -> Option<(u64, u64)> {
    let code = profiler(object, init)?;
    let jump = code.word(24).filter(|word| word >> 24 == 0xea)?;
    let stub = code.wrapped(code.to(24).wrapping_add(branch(jump)));
    Some((slot(&Code::at(object, stub))?, stub))
}

/// All slots lead to the first stub, `push {lr}; ldr lr, =table - here; add lr, pc, lr; ldr pc, [lr, #8]!`; by where the slot is
/// it tells which function it is (sysdeps/arm/dl-trampoline.S `_dl_runtime_resolve`).
pub(super) fn binding(program: &Object<'_>, stub: u64, first: u64) -> Option<Binding> {
    const WORDS: [(u64, u32); 4] = [(0, 0xe52d_e004), (4, 0xe59f_e004), (8, 0xe08f_e00e), (12, 0xe5be_f008)];
    let code = Code::at(program, first);
    let table = code.to(16).wrapping_add(code.number(16, 4)?);
    let resolver = code.wrapped(table.wrapping_add(8));
    let index = slot(&Code::at(program, stub))?.checked_sub(resolver)?.checked_sub(4)?.checked_div(4)?;
    code.has(&WORDS).then_some(Binding { index, resolver, within: 8 })
}
