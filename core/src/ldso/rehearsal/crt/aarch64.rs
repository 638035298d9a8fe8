//! AArch64.

use super::{Binding, CODE, Code, Lead, signed};
use crate::ldso::rehearsal::Object;

/// `nop`, `bti c` and `paciasp`: what marks a place that may be jumped to, and what stands for it without.
const MARKS: [u32; 3] = [0xd503_201f, 0xd503_245f, 0xd503_233f];
/// `stp x29, x30, [sp, #-16]!` and `mov x29, sp`.
const BEGIN: [u32; 2] = [0xa9bf_7bfd, 0x9100_03fd];
/// `stp x16, x30, [sp, #-16]!`.
const FIRST: u32 = 0xa9bf_7bf0;
const BR_X17: u32 = 0xd61f_0220;
/// `cbz x0` over one instruction.
const CBZ: u32 = 0xb400_0040;
const LDR: u32 = 0x3e5;
const ADD: u32 = 0x244;

/// Behind the mark.
fn begin(code: &Code<'_, '_>) -> u64 {
    if code.word(0).is_some_and(|word| MARKS.contains(&word)) { 4 } else { 0 }
}

/// `adrp from, page`, and an instruction that has `to` from there: the address, if it is of that kind.
fn pair(code: &Code<'_, '_>, within: u64, (from, to): (u32, u32), kind: u32) -> Option<u64> {
    let (first, second) = (code.word(within)?, code.word(within.wrapping_add(4))?);
    let is_page = first & 0x9f00_001f == 0x9000_0000 | from;
    let is_kind = second >> 22 == kind && second & 0x3ff == from << 5 | to;
    let pages = signed((first >> 5 & 0x7_ffff) << 2 | first >> 29 & 3, 21);
    let page = (code.to(within) & !0xfff).wrapping_add(pages << 12);
    // Of a load that is counted in words.
    let shift = if kind == LDR { 3 } else { 0 };
    let low = u64::from(second >> 10 & 0xfff) << shift;
    (is_page && is_kind).then(|| page.wrapping_add(low))
}

/// Where `b` leads, or `bl`.
fn branch(code: &Code<'_, '_>, within: u64, kind: u32) -> Option<u64> {
    let word = code.word(within).filter(|word| word >> 26 == kind)?;
    Some(code.to(within).wrapping_add(signed((word & 0x03ff_ffff) << 2, 28)))
}

const B: u32 = 0x05;
const BL: u32 = 0x25;

/// `adrp x16, page; ldr x17, [x16, #low]; add x16, x16, #low; br x17`.
pub(super) fn slot(code: &Code<'_, '_>) -> Option<u64> {
    let from = begin(code);
    let slot = pair(code, from, (16, 17), LDR)?;
    (code.word(from.wrapping_add(12))? == BR_X17).then_some(slot)
}

/// main()'s address, or its slot, in x0, and `bl __libc_start_main`.
pub(super) fn lead(program: &Object<'_>, entry: u64) -> Option<Lead> {
    let code = Code::at(program, entry);
    let mut main = None;
    for within in (0..CODE).step_by(4) {
        if let Some(slot) = pair(&code, within, (0, 0), LDR) {
            main = Some(Some(slot));
        } else if pair(&code, within, (0, 0), ADD).is_some() {
            main = Some(None);
        } else if let Some(stub) = branch(&code, within, BL) {
            return Some(Lead { slot: slot(&Code::at(program, stub))?, stub, main: main? });
        }
    }
    None
}

/// `stp x29, x30, [sp, #-16]!; mov x29, sp; bl call_weak_fn`, and that: a load of x0, `cbz x0`, and `b __gmon_start__`.
fn profiler<'r, 'a>(object: &'r Object<'a>, init: u64) -> Option<(Code<'r, 'a>, u64)> {
    let code = Code::at(object, init);
    let from = begin(&code);
    let begins = code.word(from)? == BEGIN[0] && code.word(from.wrapping_add(4))? == BEGIN[1];
    let asks = Code::at(object, branch(&code, from.wrapping_add(8), BL)?);
    let from = begin(&asks);
    (begins && asks.word(from.wrapping_add(8))? == CBZ).then_some((asks, from))
}

pub(super) fn profiler_slot(object: &Object<'_>, init: u64) -> Option<u64> {
    let (code, from) = profiler(object, init)?;
    pair(&code, from, (0, 0), LDR)
}

pub(super) fn profiler_call(object: &Object<'_>, init: u64) -> Option<(u64, u64)> {
    let (code, from) = profiler(object, init)?;
    let stub = branch(&code, from.wrapping_add(12), B)?;
    Some((slot(&Code::at(object, stub))?, stub))
}

/// All slots lead to the first stub: `stp x16, x30, [sp, #-16]!`, and a load of x17 from the word before their first; by where
/// the slot is it tells which function it is (sysdeps/aarch64/dl-trampoline.S `_dl_runtime_resolve`).
pub(super) fn binding(program: &Object<'_>, stub: u64, first: u64) -> Option<Binding> {
    let code = Code::at(program, first);
    let from = begin(&code);
    let resolver = pair(&code, from.wrapping_add(4), (16, 17), LDR)?;
    let index = slot(&Code::at(program, stub))?.checked_sub(resolver)?.checked_sub(8)?.checked_div(8)?;
    (code.word(from)? == FIRST).then_some(Binding { index, resolver, within: 16 })
}
