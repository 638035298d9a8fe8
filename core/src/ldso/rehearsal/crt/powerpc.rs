//! PPC64 ELFv2.

use super::{Binding, CODE, Code, Lead, high, low, signed};
use crate::ldso::rehearsal::Object;

/// `nop`.
const NOP: u32 = 0x6000_0000;

/// What r2 has from a function's second instruction on: `addis r2, r12, high` or `lis r2, high`, and `addi r2, r2, low`.
fn toc(code: &Code<'_, '_>) -> Option<u64> {
    let (first, second) = (code.word(0)?, code.word(4)?);
    let from = match first >> 16 {
        0x3c4c => code.address,
        0x3c40 => 0,
        _ => return None,
    };
    (second >> 16 == 0x3842).then(|| from.wrapping_add(high(first)).wrapping_add(low(second)))
}

/// `ld register, low(r2)`, or `addis register, r2, high` and `ld register, low(register)`: from where.
fn loaded(code: &Code<'_, '_>, within: u64, register: u32, toc: u64) -> Option<(u64, u64)> {
    let word = code.word(within)?;
    if word >> 16 == 0xe802 | register << 5 {
        return Some((toc.wrapping_add(low(word)), 4));
    }
    let next = code.word(within.wrapping_add(4))?;
    let is_pair = word >> 16 == 0x3c02 | register << 5 && next >> 16 == 0xe800 | register << 5 | register;
    is_pair.then(|| (toc.wrapping_add(high(word)).wrapping_add(low(next)), 8))
}

/// `std r2, 24(r1)`, a load of r12, `mtctr r12; bctr`.
fn slot(code: &Code<'_, '_>, toc: u64) -> Option<u64> {
    let from = if code.word(0)? == 0xf841_0018 { 4 } else { 0 };
    let (slot, size) = loaded(code, from, 12, toc)?;
    let behind = size.wrapping_add(from);
    let jumps = code.word(behind)? == 0x7d89_03a6 && code.word(behind.wrapping_add(4))? == 0x4e80_0420;
    jumps.then_some(slot)
}

/// How far `b` and `bl` go.
const fn branch(word: u32) -> Option<u64> {
    if word >> 26 == 18 && word & 2 == 0 { Some(signed(word & 0x03ff_fffc, 26)) } else { None }
}

/// r8 has where `start_addresses` is, the second word of which is main()'s address.
pub(super) fn lead(program: &Object<'_>, entry: u64) -> Option<Lead> {
    let code = Code::at(program, entry);
    let toc = toc(&code)?;
    let mut addresses = None;
    for within in (8..CODE).step_by(4) {
        let (word, next) = (code.word(within)?, code.word(within.wrapping_add(4))?);
        if let Some((slot, _)) = loaded(&code, within, 8, toc) {
            let table = program.memory.pointer(slot).ok()?;
            addresses = Some(table.wrapping_sub(program.base));
        } else if word >> 16 == 0x3d02 && next >> 16 == 0x3908 {
            addresses = Some(toc.wrapping_add(high(word)).wrapping_add(low(next)));
        }
        let Some(distance) = branch(word) else { continue };
        let stub = code.to(within).wrapping_add(distance);
        let slot = slot(&Code::at(program, stub), toc)?;
        return Some(Lead { slot, stub, main: Some(addresses?.wrapping_add(8)) });
    }
    None
}

/// `mflr r0; std r0, 16(r1); stdu r1, -frame(r1)`, a load of r0, `cmpdi cr7, r0, 0`.
pub(super) fn profiler_slot(object: &Object<'_>, init: u64) -> Option<u64> {
    let code = Code::at(object, init);
    let toc = toc(&code)?;
    let begins =
        code.word(8)? == 0x7c08_02a6 && code.word(12)? == 0xf801_0010 && code.word(16)? >> 16 == 0xf821;
    // A linker has put that where it needs no `addis`.
    let from = if code.word(20)? == NOP { 24 } else { 20 };
    let (slot, size) = loaded(&code, from, 0, toc).or_else(|| by_nine(&code, from, toc))?;
    let is_compared = code.word(size.wrapping_add(from))? == 0x2fa0_0000;
    (begins && is_compared).then_some(slot)
}

/// The slot of the stub that it is called by.
pub(super) fn profiler_call(object: &Object<'_>, init: u64) -> Option<(u64, u64)> {
    let code = Code::at(object, init);
    let toc = toc(&code)?;
    let mut words = (24..CODE).step_by(4);
    words.find_map(|within| {
        let stub = code.to(within).wrapping_add(branch(code.word(within)?)?);
        Some((slot(&Code::at(object, stub), toc)?, stub))
    })
}

/// `addis r9, r2, high; ld r0, low(r9)`.
fn by_nine(code: &Code<'_, '_>, within: u64, toc: u64) -> Option<(u64, u64)> {
    let (first, second) = (code.word(within)?, code.word(within.wrapping_add(4))?);
    let is_pair = first >> 16 == 0x3d22 && second >> 16 == 0xe809;
    is_pair.then(|| (toc.wrapping_add(high(first)).wrapping_add(low(second)), 8))
}

/// Each slot leads to a branch of its own (`__glink`), all of which lead to what tells by where they are which function it is:
/// before that stands how far the first slot is.
pub(super) fn binding(program: &Object<'_>, led_to: u64) -> Option<Binding> {
    const RESOLVE: [(u64, u32); 5] =
        [(0, 0x7c08_02a6), (4, 0x429f_0005), (8, 0x7d68_02a6), (12, 0x7c08_03a6), (16, 0xe80b_fff0)];
    let code = Code::at(program, led_to);
    let resolve = Code::at(program, code.to(branch(code.word(0)?)?));
    let distance = Code::at(program, resolve.address.wrapping_sub(8)).number(0, 8)?;
    let resolver = resolve.to(8).wrapping_add(distance);
    // Behind what is told once, whose length `addi r0, r12, -length` has.
    let length = 0_u64.wrapping_sub(low(resolve.word(28)?));
    let index = led_to.checked_sub(resolve.to(8))?.checked_sub(length)?.checked_div(4)?;
    resolve.has(&RESOLVE).then_some(Binding { index, resolver, within: 0 })
}
