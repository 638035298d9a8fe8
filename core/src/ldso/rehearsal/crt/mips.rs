//! MIPS, o32 and n64.

use super::{Binding, CODE, Code, Lead, high, low};
use crate::ldso::rehearsal::Object;

const MOVE_ZERO_RA: u32 = 0x03e0_0025;
/// `bal` over the next instruction.
const BAL: u32 = 0x0411_0001;
const MOVE_T7_RA: u32 = 0x03e0_7825;
const JALR_T9: u32 = 0x0320_f809;
/// The number of instructions begins behind these: `lui gp`, `addiu gp, gp`, `daddiu gp, gp`.
const LUI_GP: u32 = 0x3c1c;
const ADDIU_GP: [u32; 2] = [0x279c, 0x679c];
/// `addu gp, gp, t9` and `daddu gp, gp, t9`.
const ADD_T9: [u32; 2] = [0x0399_e021, 0x0399_e02d];
/// Registers.
const V0: u32 = 2;
const A0: u32 = 4;
const T9: u32 = 25;
/// What gp leads behind DT_PLTGOT.
const GP: u64 = 0x7ff0;

/// How far gp is from what is added to it.
fn distance(code: &Code<'_, '_>) -> Option<u64> {
    let mut words = (0..CODE).step_by(4).filter_map(|within| code.word(within));
    let first = words.by_ref().find(|word| word >> 16 == LUI_GP)?;
    let rest = words.find(|word| ADDIU_GP.contains(&(word >> 16)))?;
    Some(high(first).wrapping_add(low(rest)))
}

/// A load of a register from what gp leads to: `lw` of 32 bits, `ld` of 64.
fn loaded(code: &Code<'_, '_>, within: u64, register: u32, gp: u64) -> Option<u64> {
    let kind = if code.object.word() == 8 { 0xdf80 } else { 0x8f80 };
    let word = code.word(within).filter(|word| word >> 16 == kind | register)?;
    Some(code.wrapped(gp.wrapping_add(low(word))))
}

/// The first load of a register.
fn first(code: &Code<'_, '_>, register: u32, gp: u64) -> Option<(u64, u64)> {
    let mut places = (0..CODE).step_by(4);
    places.find_map(|within| Some((within, loaded(code, within, register, gp)?)))
}

/// gp by `bal`, main()'s address in a0, and `jalr` to what t9 has.
pub(super) fn lead(program: &Object<'_>, entry: u64) -> Option<Lead> {
    let code = Code::at(program, entry);
    let begins = code.word(0)? == MOVE_ZERO_RA && code.word(4)? == BAL;
    let gp = code.to(12).wrapping_add(distance(&code)?);
    let (_, main) = first(&code, A0, gp)?;
    let (within, slot) = first(&code, T9, gp)?;
    let calls = code.word(within.wrapping_add(4))? == JALR_T9;
    (begins && calls).then_some(Lead { slot, stub: entry, main: Some(main) })
}

/// gp by t9, a load of v0, and `beqz v0`.
pub(super) fn profiler_slot(object: &Object<'_>, init: u64) -> Option<u64> {
    let code = Code::at(object, init);
    let adds = |within| code.word(within).is_some_and(|word| ADD_T9.contains(&word));
    let begins = (0..CODE).step_by(4).any(adds);
    let (within, slot) = first(&code, V0, code.address.wrapping_add(distance(&code)?))?;
    let is_compared = code.word(within.wrapping_add(4))? >> 16 == 0x1040;
    (begins && is_compared).then_some(slot)
}

/// The GOT leads to a stub: a load of t9 from its first word, `move t7, ra; jalr t9`, and the number of the symbol in t8
/// (sysdeps/mips/dl-trampoline.c).
pub(super) fn binding(program: &Object<'_>, got: u64, stub: u64) -> Option<Binding> {
    /// `ori`, `addiu` and `daddiu` of t8.
    const NUMBERS: [u32; 3] = [0x3418, 0x2418, 0x6418];
    let code = Code::at(program, stub);
    let resolver = loaded(&code, 0, T9, got.wrapping_add(GP))?;
    let number = code.word(12).filter(|word| NUMBERS.contains(&(word >> 16)))?;
    let is_stub = code.word(4)? == MOVE_T7_RA && code.word(8)? == JALR_T9;
    is_stub.then_some(Binding { index: u64::from(number & 0x7fff), resolver, within: 0 })
}
