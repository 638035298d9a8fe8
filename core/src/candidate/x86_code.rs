//! Which of the newer instructions the code of an i386's program is made of: nothing in the file says it (Rust's i686
//! targets have SSE2, Alpine's and Fedora's compilers as well).

use super::reader::Reader;
use crate::elf::consts::PF_X;
use crate::elf::{ProgramHeader, offset as at};

/// Pieces of the code that are looked at, and their bytes.
const PIECES: usize = 16;
const PIECE: usize = 512;

/// What a sample of the code uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct X86Code {
    /// Bytes of the sample.
    pub bytes: usize,
    /// Instructions on double floating-point numbers, and moves of 8 bytes, that compilers make for SSE2 all over: the
    /// parts that a program chooses by the processor (memcpy) have others.
    pub sse2: u32,
    /// CMOVcc.
    pub cmov: u32,
}

#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // Of one architecture.
impl X86Code {
    /// Looks at a part of the largest segment with code.
    pub(super) fn sample(reader: &mut Reader<'_>, table: &[ProgramHeader]) -> Option<X86Code> {
        let code =
            table.iter().filter(|entry| entry.p_flags & PF_X != 0).max_by_key(|entry| entry.p_filesz)?;
        let mut found = X86Code::default();
        let (start, size) = (at(code.p_offset), at(code.p_filesz));
        let part = (size / PIECES).max(PIECE);
        for index in 0..PIECES {
            let within = index.saturating_mul(part);
            let piece = reader.up_to(start.saturating_add(within), PIECE.min(size.saturating_sub(within)));
            found.bytes = found.bytes.saturating_add(piece.len());
            for instruction in piece.windows(3) {
                found.count(instruction);
            }
        }
        Some(found)
    }

    /// Counts what three bytes begin with (Intel's manual, volume 2, appendix A).
    fn count(&mut self, bytes: &[u8]) {
        match *bytes {
            // movsd, cvtsi2sd, cvttsd2si, sqrtsd, addsd, mulsd, cvtsd2ss, subsd, divsd; movq
            [0xf2, 0x0f, 0x10 | 0x11 | 0x2a | 0x2c | 0x51 | 0x58..=0x5a | 0x5c | 0x5e]
            | [0xf3, 0x0f, 0x7e]
            | [0x66, 0x0f, 0xd6] => self.sse2 = self.sse2.saturating_add(1),
            [0x0f, 0x40..=0x4f, _] => self.cmov = self.cmov.saturating_add(1),
            _ => {}
        }
    }

    /// Whether its compiler took SSE2 for granted. Of Debian 12's 420 files for i386, which do not, libjpeg has the most:
    /// 4 in 8 KiB, where it looks at the processor first; Rust's for i686 have 60 to 80.
    pub(crate) fn uses_sse2(self) -> bool {
        is_dense(self.sse2, 3, self.bytes / 1365)
    }

    /// The same of CMOVcc: its two bytes are a chance of 1 in 4,096.
    pub(crate) fn uses_cmov(self) -> bool {
        is_dense(self.cmov, 4, self.bytes / 1024)
    }
}

fn is_dense(count: u32, least: u32, wanted: usize) -> bool {
    count >= least && count as usize >= wanted
}
