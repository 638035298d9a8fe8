//! Instructions of x86 by which crt1.o leads to main(), and by which crti.o calls `__gmon_start__`.

use alloc::vec::Vec;

use super::Object;
use super::start::{bytes, is_x86};
use crate::elf::consts::{EM_386, EM_X86_64};

/// Bytes of code that are looked at.
pub(in super::super) const CODE: usize = 64;
/// `endbr64` and `endbr32`.
pub(in super::super) const MARKS: [[u8; 4]; 2] = [[0xf3, 0x0f, 0x1e, 0xfa], [0xf3, 0x0f, 0x1e, 0xfb]];

/// Of x86-64 the slot of the first `call *slot(%rip)` of code at an address.
pub(in super::super) fn called_slot(code: &[u8], address: u64) -> Option<u64> {
    relative(code, address, find(code, [0xff, 0x15])?.checked_add(2)?)
}

/// Whether a function may begin behind a byte where that is aligned: `ret`, `nop`, zeros and `int3` are, and the last byte of
/// a jump backwards.
pub(in super::super) const fn ends_function(byte: u8) -> bool {
    matches!(byte, 0xc3 | 0x90 | 0x00 | 0xcc | 0xff)
}

/// The same of RISC-V (unprivileged ISA, "RV32/64G Instruction Set Listings"), by the four bytes before: a jump, a call, from which
/// nothing may come back, `ebreak`, `nop` and zeros, each of two bytes or of four.
pub(in super::super) const fn ends_function_of_riscv(before: u32) -> bool {
    const NOP: u32 = 0x13;
    const EBREAK: u32 = 0x0010_0073;
    let is_jal = before & 0x7f == 0x6f;
    let is_jalr = before & 0x707f == 0x67;
    let half = before >> 16;
    // `c.jr` and `c.jalr`, of no register `c.ebreak`; `c.j`; `c.nop`.
    let is_short = half & 0xe07f == 0x8002 || half & 0xe003 == 0xa001 || matches!(half, 0 | 1);
    is_jal || is_jalr || is_short || matches!(before, NOP | EBREAK)
}

/// The same of z/Architecture ("Branch on Condition", "Branch Relative on Condition Long"), by the six bytes before: `br`, `nopr`,
/// `jg`, and zeros.
pub(in super::super) const fn ends_function_of_s390(before: [u8; 6]) -> bool {
    matches!(before, [.., 0x07, _] | [0xc0, 0xf4, ..] | [.., 0, 0])
}

/// x86's `jmp *word` and `push word; jmp *word`, with what a function begins with where branches are tracked: a linker's stub.
pub(in super::super) fn is_stub_of_x86(code: &[u8]) -> bool {
    let code = MARKS.iter().find_map(|mark| code.strip_prefix(mark)).unwrap_or(code);
    // bnd
    let code = code.strip_prefix(&[0xf2]).unwrap_or(code);
    matches!(code, [0xff, 0x25 | 0x35 | 0xa3 | 0xb3, ..])
}

fn find(code: &[u8], pair: [u8; 2]) -> Option<usize> {
    code.windows(2).position(|bytes| bytes == pair)
}

/// Four bytes of code, from there on.
fn signed(code: &[u8], at: usize) -> Option<i64> {
    Some(i32::from_le_bytes(*code.get(at..)?.first_chunk()?).into())
}

/// What they are the distance to, as the last ones of an instruction.
fn relative(code: &[u8], address: u64, at: usize) -> Option<u64> {
    let end = at.checked_add(4)?;
    Some(address.wrapping_add(end as u64).wrapping_add_signed(signed(code, at)?))
}

/// The slot through which a program's first code calls `__libc_start_main`. glibc's crt1.o: of x86-64 `call *slot(%rip)`, of
/// i386 a call of a stub. musl's crt1.o calls a function, which jumps to the stub of that.
pub(super) fn main_slot(program: &Object<'_>) -> Option<u64> {
    if !is_x86(program) {
        return None;
    }
    let first = Code::at(program, program.image.header.e_entry);
    if !first.is_wide() {
        let table = first.table();
        return first.targets().find_map(|target| Code::at(program, target).stub(table));
    }
    first.slot().or_else(|| {
        let next = first.targets().next()?;
        let next = Code::at(program, next);
        next.slot().or_else(|| Code::at(program, next.targets().next()?).stub(None))
    })
}

/// Of i386 the slot of main()'s address: glibc's crt1.o for programs that are moved has `push slot(%ebx)`.
pub(super) fn address_slot(program: &Object<'_>) -> Option<u64> {
    const PUSH: [u8; 2] = [0xff, 0xb3];
    if program.image.header.e_machine != EM_386 {
        return None;
    }
    let first = Code::at(program, program.image.header.e_entry);
    let table = first.table()?;
    Some(program.memory.wrapped(table.wrapping_add_signed(first.behind(PUSH)?)))
}

/// What a stub has its function be bound by: `push $number` of x86-64 the place of the relocation in DT_JMPREL, of i386 its
/// distance in bytes.
pub(super) fn pushed_number(object: &Object<'_>, address: u64) -> Option<u64> {
    const PUSH: u8 = 0x68;
    if !is_x86(object) {
        return None;
    }
    let code = Code::at(object, address).behind_mark();
    let number = signed(&code.bytes, 1)?;
    u64::try_from(number).ok().filter(|_| code.bytes.first() == Some(&PUSH))
}

/// Of i386 the slot through which a stub has its function bound, whose second half is at an address: `push $number; jmp first`, and
/// there `push word; jmp *slot`.
pub(super) fn resolver_slot(program: &Object<'_>, address: u64) -> Option<u64> {
    const JUMP: u8 = 0xe9;
    const SIZE_OF_PUSH: usize = 6;
    if program.image.header.e_machine != EM_386 {
        return None;
    }
    let half = Code::at(program, address);
    let first = half.relative(SIZE_OF_PUSH).filter(|_| half.bytes.get(5) == Some(&JUMP))?;
    let table = Code::at(program, program.image.header.e_entry).table();
    let mut jump = Code::at(program, first);
    jump.bytes.drain(..SIZE_OF_PUSH.min(jump.bytes.len()));
    jump.stub(table)
}

/// The slot of `__gmon_start__`, whose value crti.o's part of DT_INIT begins with: `mov slot(%rip), %rax`, or of i386
/// `mov slot(%ebx), %eax`.
pub(super) fn profiler_slot(object: &Object<'_>, init: u64) -> Option<u64> {
    const BEGIN: &[u8] = &[0x48, 0x83, 0xec, 0x08, 0x48, 0x8b, 0x05];
    const BEGIN_32: &[u8] = &[0x53, 0x83, 0xec, 0x08, 0xe8];
    const LOAD_32: [u8; 2] = [0x8b, 0x83];
    if !is_x86(object) {
        return None;
    }
    let code = Code::at(object, init).behind_mark();
    if code.is_wide() {
        return code.bytes.starts_with(BEGIN).then(|| code.relative(BEGIN.len()))?;
    }
    let table = code.table().filter(|_| code.bytes.starts_with(BEGIN_32))?;
    Some(table.wrapping_add_signed(code.behind(LOAD_32)?))
}

/// Some instructions.
struct Code<'r, 'a> {
    object: &'r Object<'a>,
    address: u64,
    bytes: Vec<u8>,
}

impl<'r, 'a> Code<'r, 'a> {
    fn at(object: &'r Object<'a>, address: u64) -> Code<'r, 'a> {
        Code { object, address, bytes: bytes(object, address, CODE as u64) }
    }

    fn is_wide(&self) -> bool {
        self.object.image.header.e_machine == EM_X86_64
    }

    /// Without the mark of a place that may be jumped to.
    fn behind_mark(mut self) -> Code<'r, 'a> {
        if let Some(mark) = MARKS.iter().find(|mark| self.bytes.starts_with(*mark)) {
            self.bytes.drain(..mark.len());
            self.address = self.address.wrapping_add(mark.len() as u64);
        }
        self
    }

    fn relative(&self, at: usize) -> Option<u64> {
        Some(self.object.memory.wrapped(relative(&self.bytes, self.address, at)?))
    }

    /// The number behind the first instruction that begins so.
    fn behind(&self, pair: [u8; 2]) -> Option<i64> {
        signed(&self.bytes, find(&self.bytes, pair)?.checked_add(2)?)
    }

    fn slot(&self) -> Option<u64> {
        called_slot(&self.bytes, self.address)
    }

    /// Of i386 what %ebx has: `add $distance, %ebx`, from that instruction on.
    fn table(&self) -> Option<u64> {
        const ADD: [u8; 2] = [0x81, 0xc3];
        let at = find(&self.bytes, ADD)? as u64;
        Some(self.address.wrapping_add(at).wrapping_add_signed(self.behind(ADD)?))
    }

    /// The slot of a stub: `jmp *slot(%rip)`, or of i386 `jmp *slot` and `jmp *slot(%ebx)`. `table`: what %ebx has.
    fn stub(self, table: Option<u64>) -> Option<u64> {
        const BND: u8 = 0xf2;
        let is_wide = self.is_wide();
        let code = self.behind_mark();
        let skipped = usize::from(code.bytes.first() == Some(&BND));
        let at = skipped.checked_add(2)?;
        let slot = match code.bytes.get(skipped..)? {
            [0xff, 0x25, ..] if is_wide => code.relative(at)?,
            [0xff, 0x25, ..] => 0_u64.wrapping_add_signed(signed(&code.bytes, at)?),
            [0xff, 0xa3, ..] if !is_wide => table?.wrapping_add_signed(signed(&code.bytes, at)?),
            _ => return None,
        };
        Some(code.object.memory.wrapped(slot))
    }

    /// Where each `call` and `jmp` leads to, if it leads to code.
    fn targets(&self) -> impl Iterator<Item = u64> {
        let calls = self.bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, 0xe8 | 0xe9));
        let targets = calls.filter_map(|(at, _)| self.relative(at.checked_add(1)?));
        targets.filter(|target| self.object.memory.can_run(*target))
    }
}
