//! x86, x86-64 and x32.

use super::{Own, Tiny, is_of_every_architecture};
use crate::elf::consts::{EM_386, EM_X86_64};
use crate::elf::{ByteOrder, Class, View};
use crate::system::Question;

/// xor ebx, ebx; mov eax, 1 (exit); int 0x80; ud2
const I386: &[u8] = b"\x31\xdb\xb8\x01\0\0\0\xcd\x80\x0f\x0b";
/// xor edi, edi; mov eax, 60 (exit); syscall; ud2
const X86_64: &[u8] = b"\x31\xff\xb8\x3c\0\0\0\x0f\x05\x0f\x0b";
/// The same with __X32_SYSCALL_BIT.
const X32: &[u8] = b"\x31\xff\xb8\x3c\0\0\x40\x0f\x05\x0f\x0b";

pub(super) const fn tiny_elf(question: Option<Question>, own: Own) -> Option<Tiny> {
    let (e_machine, class, code) = match question {
        Some(Question::Ia32) => (EM_386, Class::Elf32, I386),
        Some(Question::X32) => (EM_X86_64, Class::Elf32, X32),
        _ if !is_of_every_architecture(question) => return None,
        _ if own.e_machine == EM_386 => (EM_386, Class::Elf32, I386),
        // An x32 kernel runs these too.
        _ => (EM_X86_64, Class::Elf64, X86_64),
    };
    let view = View { order: ByteOrder::Little, class };
    let mut file = Tiny::new(question, e_machine, view, 0);
    file.put(code);
    Some(file)
}
