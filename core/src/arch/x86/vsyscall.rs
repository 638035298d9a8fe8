//! The page of vsyscalls (arch/x86/entry/vsyscall/vsyscall_64.c): glibc before 2.14 calls it in static programs.

use crate::candidate::{Image, Program};
use crate::elf::consts::EM_X86_64;

/// Bytes of an instruction that loads an address of it, and of what may stand before its call.
const NEAR: usize = 32;

/// "[vsyscall]", where a program without a loader loads one of the three addresses, and calls it.
pub(super) fn fixed_page(program: &Program, image: &Image) -> Option<&'static str> {
    if image.header.e_machine != EM_X86_64 || image.interp.is_some() || program.go.is_some() {
        return None;
    }
    let calls = program.file.as_ref()?.any(NEAR, &|bytes| bytes.windows(NEAR).any(loads_and_calls));
    (calls == Some(true)).then_some("[vsyscall]")
}

/// `mov $0xffffffffff600000, %rax` and such (gettimeofday; time is at ...400, getcpu at ...800), and behind it a call or a
/// jump by a register.
fn loads_and_calls(bytes: &[u8]) -> bool {
    let [0x48 | 0x49, 0xc7, 0xc0..=0xc7, 0x00, 0x00 | 0x04 | 0x08, 0x60, 0xff, rest @ ..] = bytes else {
        return false;
    };
    rest.windows(2).any(|pair| matches!(pair, [0xff, 0xd0..=0xd7 | 0xe0..=0xe7]))
}
