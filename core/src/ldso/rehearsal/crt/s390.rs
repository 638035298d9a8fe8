//! s390x.

use super::{Binding, CODE, Code, Lead, signed};
use crate::ldso::rehearsal::Object;

const LARL_R1: u64 = 0xc010;
const LARL_R2: u64 = 0xc020;
const LGRL_R1: u64 = 0xc418;
const LGRL_R2: u64 = 0xc428;
const BRASL_R14: u64 = 0xc0e5;
const JG: u64 = 0xc0f4;
/// `lg %r1, 0(%r1)`.
const LG_R1: u64 = 0xe310_1000_0004;
const LG_R2: u64 = 0xe320_2000_0004;
const BR_R1: u64 = 0x07f1;
const LTGR_R1: u64 = 0xb902_0011;

/// Where an instruction of six bytes leads to that begins so.
fn relative(code: &Code<'_, '_>, within: u64, begin: u64) -> Option<u64> {
    let is_it = code.number(within, 2)? == begin;
    let distance = signed(code.word(within.wrapping_add(2))?, 32).wrapping_mul(2);
    is_it.then(|| code.to(within).wrapping_add(distance))
}

/// `larl %r1, slot; lg %r1, 0(%r1)`, or `lgrl %r1, slot`: that, and how long it is.
fn loaded(code: &Code<'_, '_>, within: u64) -> Option<(u64, u64)> {
    if let Some(slot) = relative(code, within, LGRL_R1) {
        return Some((slot, 6));
    }
    let slot = relative(code, within, LARL_R1)?;
    (code.number(within.wrapping_add(6), 6)? == LG_R1).then_some((slot, 12))
}

/// The same, and `br %r1`.
pub(super) fn slot(code: &Code<'_, '_>) -> Option<u64> {
    let (slot, size) = loaded(code, 0)?;
    (code.number(size, 2)? == BR_R1).then_some(slot)
}

/// Bytes of the instruction there.
fn size(code: &Code<'_, '_>, within: u64) -> Option<u64> {
    Some(match code.number(within, 1)? >> 6 {
        0 => 2,
        1 | 2 => 4,
        _ => 6,
    })
}

/// main()'s address in %r2, and `brasl %r14, __libc_start_main@plt`.
pub(super) fn lead(program: &Object<'_>, entry: u64) -> Option<Lead> {
    let code = Code::at(program, entry);
    let (mut within, mut main) = (0, None);
    while within < CODE {
        let next = within.wrapping_add(size(&code, within)?);
        if let Some(slot) = relative(&code, within, LGRL_R2) {
            main = Some(Some(slot));
        } else if let Some(address) = relative(&code, within, LARL_R2) {
            let is_slot = code.number(next, 6)? == LG_R2;
            // In a program that is not moved a function of crt1.o jumps there by a slot.
            main = Some(if is_slot { Some(address) } else { slot(&Code::at(program, address)) });
        } else if let Some(stub) = relative(&code, within, BRASL_R14) {
            return Some(Lead { slot: slot(&Code::at(program, stub))?, stub, main: main? });
        }
        within = next;
    }
    None
}

/// The load of a slot, and `ltgr %r1, %r1`.
pub(super) fn profiler_slot(object: &Object<'_>, init: u64) -> Option<u64> {
    /// `stmg %r6, %r15, 48(%r15)`.
    const BEGIN: u64 = 0xeb6f_f030_0024;
    let code = Code::at(object, init);
    let mut within = 0;
    while within < CODE && code.number(0, 6)? == BEGIN {
        if let Some((slot, size)) = loaded(&code, within) {
            return (code.number(within.wrapping_add(size), 4)? == LTGR_R1).then_some(slot);
        }
        within = within.wrapping_add(size(&code, within)?);
    }
    None
}

/// A slot leads to the second half of its stub: `basr %r1, %r0; lgf %r1, 12(%r1)`, which has the distance of the relocation in
/// DT_JMPREL, and `jg` to the first stub: `stg %r1, 56(%r15); larl %r1, DT_PLTGOT`.
pub(super) fn binding(program: &Object<'_>, led_to: u64) -> Option<Binding> {
    const RELOCATION: u64 = 24;
    let code = Code::at(program, led_to);
    let is_half = code.number(0, 2)? == 0x0d10 && code.number(2, 6)? == 0xe310_100c_0014;
    let first = Code::at(program, relative(&code, 8, JG)?);
    let is_first = first.number(0, 6)? == 0xe310_f038_0024;
    let index = u64::from(code.word(14)?).checked_div(RELOCATION)?;
    let resolver = relative(&first, 6, LARL_R1)?.wrapping_add(16);
    (is_half && is_first).then_some(Binding { index, resolver, within: 16 })
}
