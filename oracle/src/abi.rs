//! The processors and calling conventions that programs are written for.

use std::ops::Deref;

use testkit::abi::{
    AARCH64, ARM, ARMEB, I386, Isa, LOONGARCH64, MIPS, MIPSEL, N32, N32EL, N64, N64EL, POWERPC, POWERPC64,
    POWERPC64LE, RISCV64, X32, X86_64,
};

/// What a program is written for, and what kernels do with such programs.
#[derive(PartialEq, Eq, Debug)]
pub struct Abi {
    abi: testkit::Abi,
    /// Where address spaces of such programs end, by kernel and configuration.
    pub ends: &'static [u64],
}

impl Deref for Abi {
    type Target = testkit::Abi;

    fn deref(&self) -> &testkit::Abi {
        &self.abi
    }
}

const fn abi(abi: testkit::Abi, ends: &'static [u64]) -> Abi {
    Abi { abi, ends }
}

/// MIPS64 revision 1, not PIC.
const N32_FLAGS: u32 = 0x6000_0024;
const N64_FLAGS: u32 = 0x6000_0004;

/// 32-bit kernels, and 64-bit ones with their compatibility handler.
const MIPS_ENDS: &[u64] = &[0x7fff_8000, 0x8000_0000];
const MIPS64_ENDS: &[u64] = &[1 << 40, 1 << 48];
const ARM_ENDS: &[u64] = &[0x7f00_0000, 0xbf00_0000, 0xc000_0000, 1 << 32];
const PPC64_ENDS: &[u64] = &[1 << 46, 1 << 47, 1 << 49, 1 << 52];

/// All of them.
pub const ABIS: &[Abi] = &[
    abi(X86_64, &[0x7fff_ffff_f000, 1 << 47, (1 << 56) - 0x1000]),
    abi(I386, &[0xc000_0000, 0xffff_e000]),
    abi(X32, &[0xffff_e000]),
    abi(MIPS, MIPS_ENDS),
    abi(MIPSEL, MIPS_ENDS),
    abi(testkit::Abi { e_flags: N32_FLAGS, ..N32 }, MIPS_ENDS),
    abi(testkit::Abi { e_flags: N32_FLAGS, ..N32EL }, MIPS_ENDS),
    abi(testkit::Abi { e_flags: N64_FLAGS, ..N64 }, MIPS64_ENDS),
    abi(testkit::Abi { e_flags: N64_FLAGS, ..N64EL }, MIPS64_ENDS),
    abi(ARM, ARM_ENDS),
    abi(ARMEB, ARM_ENDS),
    abi(testkit::Abi { name: "arm-oabi", e_flags: 0x0202, isa: Isa::ArmOabi, ..ARM }, ARM_ENDS),
    abi(testkit::Abi { name: "thumb", isa: Isa::Thumb, ..ARM }, ARM_ENDS),
    abi(AARCH64, &[1 << 39, 1 << 48, 1 << 52]),
    abi(RISCV64, &[1 << 38, 1 << 47, 1 << 56]),
    abi(testkit::Abi { name: "ppc", ..POWERPC }, &[0x8000_0000, 0xc000_0000, 0xffff_f000]),
    abi(testkit::Abi { name: "ppc64", e_flags: 1, ..POWERPC64 }, PPC64_ENDS),
    abi(testkit::Abi { name: "ppc64-v2", ..POWERPC64 }, PPC64_ENDS),
    abi(testkit::Abi { name: "ppc64le", ..POWERPC64LE }, PPC64_ENDS),
    abi(LOONGARCH64, &[1 << 40, 1 << 47, 1 << 48]),
];

impl Abi {
    /// By its name in a case.
    pub fn of(name: &str) -> Option<&'static Abi> {
        ABIS.iter().find(|abi| abi.name == name)
    }

    /// Instructions that end the program with a status, at most 16 bytes; behind the system call one that does not
    /// work, should it come back.
    pub fn exits(&self, status: u8) -> Vec<u8> {
        [self.exit(status), self.trap()].concat()
    }

    /// Instructions that read a byte at each of two addresses, below 2 GiB, and then end the program; None where that
    /// is not written for the processor.
    pub fn reads_and_exits(&self, addresses: [u64; 2], status: u8) -> Option<Vec<u8>> {
        Some([self.reads(addresses)?, self.exits(status)].concat())
    }

    /// The same for FreeBSD, as its `_start` begins (lib/csu/amd64/crt1_c.c, mips/crt1_c.c up to FreeBSD 13): it is given its
    /// arguments in a register, which is 0 on Linux. None where that is not written for the processor.
    pub fn exits_on_freebsd(&self, status: u8) -> Option<Vec<u8>> {
        let code = match self.isa {
            // mov rax, [rdi]; mov edi, status; mov eax, SYS_exit; syscall
            Isa::X86_64 => vec![0x48, 0x8b, 0x07, 0xbf, status, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0x0f, 0x05],
            // lw v0, 0(a0); li a0, status; li v0, SYS_exit; syscall
            Isa::Mips(_) => [0x8c82_0000, 0x2404_0000 | u64::from(status), 0x2402_0001, 0xc]
                .into_iter()
                .flat_map(|word| self.encoding.uint(word, 4))
                .collect(),
            _ => return None,
        };
        Some([code, self.trap()].concat())
    }
}
