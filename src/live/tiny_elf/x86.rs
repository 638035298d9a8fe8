//! x86, x86-64 and x32.

use super::{BuiltFor, TinyElf, is_of_every_architecture};
use crate::elf::consts::{EM_386, EM_X86_64};
use crate::elf::{ByteOrder, Class, Encoding};
use crate::target::Capability;

/// xor ebx, ebx; mov eax, 1 (exit); int 0x80; ud2
const I386: &[u8] = b"\x31\xdb\xb8\x01\0\0\0\xcd\x80\x0f\x0b";
/// xor edi, edi; mov eax, 60 (exit); syscall; ud2
const X86_64: &[u8] = b"\x31\xff\xb8\x3c\0\0\0\x0f\x05\x0f\x0b";
/// The same with __X32_SYSCALL_BIT.
const X32: &[u8] = b"\x31\xff\xb8\x3c\0\0\x40\x0f\x05\x0f\x0b";
/// push rsp; pop rdi; and di, 0xf000; inc esi; mov dl, 7 (PROT_READ | PROT_WRITE | PROT_EXEC); mov al, 10 (mprotect);
/// syscall; add al, 60 (exit), which it is where the call succeeded, and else no system call; syscall
///
/// All registers are 0 at the start. What is left in edi has 0 as its lowest byte.
///
/// push 39; pop rax (getpid); syscall; xchg edi, eax; push 11 (SIGSEGV); pop rsi; push 62; pop rax (kill); syscall; hlt
const STACK_X86_64: &[u8] = b"\x54\x5f\x66\x81\xe7\x00\xf0\xff\xc6\xb2\x07\xb0\x0a\x0f\x05\x04\x3c\x0f\x05\
    \x6a\x27\x58\x0f\x05\x97\x6a\x0b\x5e\x6a\x3e\x58\x0f\x05\xf4";
/// The same for i386: mprotect is 125, exit 1, getpid 20, kill 37.
const STACK_I386: &[u8] = b"\x54\x5b\x66\x81\xe3\x00\xf0\x41\xb2\x07\xb0\x7d\xcd\x80\x40\xcd\x80\
    \x6a\x14\x58\xcd\x80\x93\x6a\x0b\x59\x6a\x25\x58\xcd\x80\xf4";

pub(super) const fn tiny_elf(question: Option<Capability>, own: BuiltFor) -> Option<TinyElf> {
    let (e_machine, class, code) = match question {
        Some(Capability::Ia32) => (EM_386, Class::Elf32, I386),
        Some(Capability::X32) => (EM_X86_64, Class::Elf32, X32),
        Some(Capability::ExecutableStack) if own.e_machine == EM_386 => (EM_386, Class::Elf32, STACK_I386),
        Some(Capability::ExecutableStack) => (EM_X86_64, Class::Elf64, STACK_X86_64),
        _ if !is_of_every_architecture(question) => return None,
        _ if own.e_machine == EM_386 => (EM_386, Class::Elf32, I386),
        // An x32 kernel runs these too.
        _ => (EM_X86_64, Class::Elf64, X86_64),
    };
    let encoding = Encoding { order: ByteOrder::Little, class };
    let mut file = TinyElf::new(question, e_machine, encoding, 0);
    file.put(code);
    Some(file)
}
