//! RISC-V of 64 bits.

use super::{Binding, CODE, Code, Lead, signed};
use crate::ldso::rehearsal::Object;

const RA: u32 = 1;
const T1: u32 = 6;
const T2: u32 = 7;
const A0: u32 = 10;
const T3: u32 = 28;
/// Bytes of the first stub, and of each other.
const FIRST_STUB: u64 = 32;
const STUB: u64 = 16;

const fn rd(word: u32) -> u32 {
    word >> 7 & 31
}

/// Whether it is an instruction that has both its registers the same.
const fn is(word: u32, kind: u32, register: u32) -> bool {
    word & 0xf_ffff == register << 15 | register << 7 | kind
}

const LD: u32 = 0x3003;
const ADDI: u32 = 0x13;
const JALR: u32 = 0x67;

/// `auipc register, high`, and what follows it: the address, and that instruction.
fn pair(code: &Code<'_, '_>, within: u64, register: u32) -> Option<(u64, u32)> {
    let (first, second) = (code.word(within)?, code.word(within.wrapping_add(4))?);
    let is_page = first & 0x7f == 0x17 && rd(first) == register;
    let page = code.to(within).wrapping_add(signed(first & 0xffff_f000, 32));
    is_page.then(|| (page.wrapping_add(signed(second >> 20, 12)), second))
}

/// `auipc t3, high; ld t3, low(t3); jalr t1, t3`.
pub(super) fn slot(code: &Code<'_, '_>) -> Option<u64> {
    let (slot, load) = pair(code, 0, T3)?;
    let is_stub = is(load, LD, T3) && code.word(8)? == T3 << 15 | T1 << 7 | JALR;
    is_stub.then_some(slot)
}

/// `la a0, main`, and `call __libc_start_main@plt`.
pub(super) fn lead(program: &Object<'_>, entry: u64) -> Option<Lead> {
    let code = Code::at(program, entry);
    let (mut within, mut main) = (0, None);
    while within < CODE {
        let word = code.word(within)?;
        match pair(&code, within, A0) {
            Some((address, second)) if is(second, LD, A0) => main = Some(Some(address)),
            Some((_, second)) if is(second, ADDI, A0) => main = Some(None),
            _ => {}
        }
        let near = (word & 0xfff == RA << 7 | 0x6f).then(|| code.to(within).wrapping_add(jump(word)));
        let far = || pair(&code, within, RA).filter(|(_, second)| is(*second, JALR, RA));
        if let Some(stub) = near.or_else(|| far().map(|(address, _)| address)) {
            if let Some(slot) = slot(&Code::at(program, stub)) {
                return Some(Lead { slot, stub, main: main? });
            }
        }
        // Those of 16 bits have another end.
        within = within.wrapping_add(if word & 3 == 3 { 4 } else { 2 });
    }
    None
}

/// How far `jal` goes.
const fn jump(word: u32) -> u64 {
    let bits = (word >> 21 & 0x3ff) << 1 | (word >> 20 & 1) << 11 | word & 0xf_f000 | word >> 31 << 20;
    signed(bits, 21)
}

/// All slots lead to the first stub, which has `auipc t2, high; sub t1, t1, t3; ld t3, low(t2)` and tells by where it is called
/// from which function it is (sysdeps/riscv/dl-trampoline.S `_dl_runtime_resolve`).
pub(super) fn binding(program: &Object<'_>, stub: u64, first: u64) -> Option<Binding> {
    let code = Code::at(program, first);
    let (page, _) = pair(&code, 0, T2)?;
    let (subtract, load) = (code.word(4)?, code.word(8)?);
    let is_first = subtract == 0x41c3_0333 && load & 0xf_ffff == T2 << 15 | T3 << 7 | LD;
    // What follows `auipc` here is another instruction.
    let resolver = page.wrapping_sub(signed(subtract >> 20, 12)).wrapping_add(signed(load >> 20, 12));
    let index = stub.checked_sub(first)?.checked_sub(FIRST_STUB)?.checked_div(STUB)?;
    is_first.then_some(Binding { index, resolver, within: 0 })
}
