//! The tiny programs that put a question to a MIPS kernel: one segment, at most one instruction under test, exit.

use crate::elf::consts::{EF_MIPS_FP64, EF_MIPS_NAN2008};
use crate::elf::{ByteOrder, Class, View};
use crate::system::Question;

/// mtc1 $zero, $f0. An instruction that writes general register 0 would be no test.
const MTC1: u32 = 0x4480_0000;
/// li $a0, 0
const ZERO: u32 = 0x2404_0000;
/// li $v0, N: a system call's number.
const CALL: u32 = 0x2402_0000;
const SYSCALL: u32 = 0x0000_000c;
/// Not reached.
const BREAK: u32 = 0x0000_000d;

/// A file, in room for the largest: n64, five instructions.
pub(super) struct Tiny {
    room: [u8; 140],
    len: usize,
}

impl Tiny {
    /// The file.
    pub(super) fn bytes(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or_default()
    }
}

/// The file, for o32 or n64. EF_MIPS_FP64 is a matter of o32.
pub(super) const fn tiny_elf(question: Question, view: View) -> Tiny {
    let class = if matches!(question, Question::MipsFp64) { Class::Elf32 } else { view.class };
    // o32: EF_MIPS_ABI_O32 | EF_MIPS_ARCH_32, __NR_exit 4001; n64: EF_MIPS_ARCH_64, __NR_exit 5058.
    let (base, exit) = match class {
        Class::Elf32 => (0x5000_1000, 4001),
        Class::Elf64 => (0x6000_0000, 5058),
    };
    let e_flags = match question {
        Question::MipsFp64 => base | EF_MIPS_FP64,
        Question::MipsNan2008 => base | EF_MIPS_NAN2008,
        _ => base,
    };
    // Whatever kind of NaN an FPU has, one of the two flags lets the instruction through to it; before Release 6
    // that is the legacy one.
    let first = if matches!(question, Question::FpInstruction) { MTC1 } else { ZERO };
    image(View { order: view.order, class }, 8, e_flags, &[first, ZERO, CALL | exit, SYSCALL, BREAK])
}

/// A static ET_EXEC of one segment, with five instructions at most.
const fn image(view: View, e_machine: u16, e_flags: u32, code: &[u32]) -> Tiny {
    // Below 2 GiB and aligned for pages of 64 KiB.
    const VADDR: u32 = 0x40_0000;
    let little = matches!(view.order, ByteOrder::Little);
    let wide = matches!(view.class, Class::Elf64);
    let (ehsize, phentsize, head) = if wide { (64, 56, 120) } else { (52, 32, 84) };
    let mut size: u32 = head;
    let mut rest = code;
    while let [_, more @ ..] = rest {
        size = size.saturating_add(4);
        rest = more;
    }
    let mut room = [0; 140];
    let mut out = Bytes { room: &mut room, little, wide, len: 0 };
    out.bytes(b"\x7fELF");
    out.bytes(&[if wide { 2 } else { 1 }, if little { 1 } else { 2 }, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.half(2); // ET_EXEC
    out.half(e_machine);
    out.word(1);
    out.long(VADDR.saturating_add(head)); // e_entry
    out.long(if wide { 64 } else { 52 }); // e_phoff
    out.long(0);
    out.word(e_flags);
    out.half(ehsize);
    out.half(phentsize);
    out.half(1);
    out.half(0);
    out.half(0);
    out.half(0);
    out.word(1); // PT_LOAD
    if wide {
        out.word(5); // PF_R | PF_X
    }
    out.long(0);
    out.long(VADDR);
    out.long(VADDR);
    out.long(size);
    out.long(size);
    if !wide {
        out.word(5);
    }
    out.long(0x1_0000);
    let mut rest = code;
    while let [instruction, more @ ..] = rest {
        out.word(*instruction);
        rest = more;
    }
    Tiny { len: out.len, room }
}

/// Fills a file from front to end.
struct Bytes<'a> {
    room: &'a mut [u8],
    little: bool,
    wide: bool,
    len: usize,
}

impl Bytes<'_> {
    #[allow(clippy::mem_replace_with_default)] // `mem::take` is no const fn.
    const fn bytes(&mut self, mut bytes: &[u8]) {
        while let [byte, more @ ..] = bytes {
            if let Some((place, room)) = std::mem::replace(&mut self.room, &mut []).split_first_mut() {
                *place = *byte;
                self.room = room;
                self.len = self.len.saturating_add(1);
            }
            bytes = more;
        }
    }

    const fn half(&mut self, value: u16) {
        self.bytes(&if self.little { value.to_le_bytes() } else { value.to_be_bytes() });
    }

    const fn word(&mut self, value: u32) {
        self.bytes(&if self.little { value.to_le_bytes() } else { value.to_be_bytes() });
    }

    /// An address or a size.
    const fn long(&mut self, value: u32) {
        if self.wide && !self.little {
            self.word(0);
        }
        self.word(value);
        if self.wide && self.little {
            self.word(0);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use object::read::elf::{FileHeader, ProgramHeader as _};

    use super::*;

    /// A program of this host, to try the starting of one.
    pub(in super::super) fn of_this_host(e_machine: u16, code: &[u32]) -> Vec<u8> {
        let view = View { order: ByteOrder::Little, class: Class::Elf64 };
        image(view, e_machine, 0, code).bytes().to_vec()
    }

    fn read<Elf: FileHeader<Endian = object::Endianness>>(
        file: &[u8],
        order: ByteOrder,
        code_at: u64,
    ) -> object::elf::FileFlags {
        let header = Elf::parse(file).expect("a header");
        let endian = header.endian().expect("an endian");
        assert_eq!(endian == object::Endianness::Little, order == ByteOrder::Little);
        assert_eq!(header.e_machine(endian), object::elf::EM_MIPS);
        assert_eq!(header.e_type(endian), object::elf::ET_EXEC);
        let segments = header.program_headers(endian, file).expect("program headers");
        assert_eq!(segments.len(), 1);
        let segment = segments.first().expect("one");
        assert_eq!(segment.p_type(endian), object::elf::PT_LOAD);
        assert_eq!(segment.p_flags(endian), object::elf::PF_R | object::elf::PF_X);
        assert_eq!(segment.p_offset(endian).into(), 0);
        assert_eq!(segment.p_filesz(endian).into(), u64::try_from(file.len()).expect("small"));
        assert_eq!(segment.p_memsz(endian).into(), segment.p_filesz(endian).into());
        assert_eq!(header.e_entry(endian).into(), segment.p_vaddr(endian).into() + code_at);
        header.e_flags(endian)
    }

    #[test]
    fn as_another_reader_sees_them() {
        use object::elf::{EF_MIPS_ABI_O32, EF_MIPS_ARCH_32, EF_MIPS_FP64, EF_MIPS_NAN2008};
        use object::elf::{FileHeader32, FileHeader64};
        let base = EF_MIPS_ABI_O32 | EF_MIPS_ARCH_32;
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for (question, flags) in [
                (Question::FpInstruction, base),
                (Question::MipsFp64, base | EF_MIPS_FP64),
                (Question::MipsNan2008, base | EF_MIPS_NAN2008),
                (Question::MipsNanLegacy, base),
            ] {
                let file = tiny_elf(question, View { order, class: Class::Elf32 });
                assert_eq!(
                    read::<FileHeader32<object::Endianness>>(file.bytes(), order, 84),
                    flags,
                    "{question:?}"
                );
                let file = tiny_elf(question, View { order, class: Class::Elf64 });
                if question != Question::MipsFp64 {
                    read::<FileHeader64<object::Endianness>>(file.bytes(), order, 120);
                }
            }
        }
        let big = tiny_elf(Question::FpInstruction, View { order: ByteOrder::Big, class: Class::Elf32 });
        assert_eq!(big.bytes().get(84..88), Some(&[0x44, 0x80, 0, 0][..]));
    }
}
