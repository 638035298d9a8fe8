//! GOMIPS and GOMIPS64 of programs that do not tell them: Go before 1.18. What tells it is seen where floating point is
//! judged.

use crate::candidate::go::Code;
use crate::candidate::{Go, Image};
use crate::elf::{ByteOrder, Class, Encoding};
use crate::exec::go::{GoEnd, GoLacks};
use crate::machine::{Fpu, Machine};

pub(super) fn lacks(machine: &Machine, image: &Image, go: &Go) -> Option<GoLacks> {
    let is_open = image.abiflags.is_none() && go.level.is_none();
    let Encoding { class, order } = image.encoding;
    let instead = match (class, order) {
        (Class::Elf32, ByteOrder::Big) => "GOARCH=mips GOMIPS=softfloat",
        (Class::Elf32, ByteOrder::Little) => "GOARCH=mipsle GOMIPS=softfloat",
        (Class::Elf64, ByteOrder::Big) => "GOARCH=mips64 GOMIPS64=softfloat",
        (Class::Elf64, ByteOrder::Little) => "GOARCH=mips64le GOMIPS64=softfloat",
    };
    (is_open && machine.fpu().value == Some(Fpu::Absent)).then_some(GoLacks {
        what: "an FPU",
        source: "FPU",
        end: GoEnd::Default,
        instead,
    })
}

/// By the functions that `rt0_go` calls, of which runtime.check is the first: whether they have instructions of an FPU. The
/// entry point jumps to `main`, which jumps to `rt0_go` by an address in $1.
pub(super) fn level_of_code(code: &mut Code<'_, '_>, entry: u64) -> Option<&'static str> {
    // lw $1, 8($30) and ld $1, 16($30): how a function looks for room on its stack.
    let prologue = if code.is_64() { 0xdfc1_0010 } else { 0x8fc1_0008 };
    let jump = |at: u64, word: u32| (at & !0x0fff_ffff) | u64::from(word & 0x03ff_ffff) << 2;
    let (mut at, mut register, mut found) = (entry, 0_u64, None);
    for _ in 0..160 {
        let Some(word) = code.word(at) else { break };
        let here = at;
        at = at.wrapping_add(4);
        let low = u64::from(word & 0xffff);
        match (word >> 26, word >> 16) {
            (2, _) => at = jump(here, word),
            (3, _) => {
                let function = jump(here, word);
                if code.word(function) == Some(prologue) {
                    // COP1, LWC1, LDC1, SWC1, SDC1.
                    let is_fp = |word: u32| matches!(word >> 26, 0x11 | 0x31 | 0x35 | 0x39 | 0x3d);
                    if code.any(function, prologue, is_fp) {
                        return Some("hardfloat");
                    }
                    found = Some("softfloat");
                }
            }
            (_, 0x3c01) => register = low << 16,
            // addiu $1, $1 and daddiu $1, $1
            (_, 0x2421 | 0x6421) => register = register.wrapping_add(low).wrapping_sub((low & 0x8000) << 1),
            _ if word == 0x0020_0008 => at = register,
            _ => {}
        }
    }
    found
}
