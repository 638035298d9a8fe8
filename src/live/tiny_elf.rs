//! The tiny programs that put a question to a kernel: an ELF file of one segment, at most one property under test,
//! exit(0), and behind it an instruction that is none. One room for each architecture.
//!
//! They keep out of the kernel's log as far as they can. Their stack is not executable, for Linux 5.6 and later warn of
//! the first one that is (fs/exec.c `setup_arg_pages`). And where the answer is a death, it is one that the
//! architecture does not report: on MIPS SIGILL, SIGTRAP and SIGBUS, not the SIGSEGV of a page fault
//! (arch/mips/mm/fault.c); on x86, which reports every fault, a signal that the program sends to itself.
//!
//! Built at compile time for the target architecture, since the bytes are smaller than the code that makes them.

mod arm;
mod loongarch;
mod mips;
mod powerpc;
mod riscv;
mod x86;

use crate::elf::consts::{
    ELFOSABI_ARM_FDPIC, EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV,
    EM_X86_64, ET_EXEC,
};
use crate::elf::{ByteOrder, Class, Encoding};
use crate::target::Capability;

/// Bytes of every tiny program: an ELF64 header, two program headers, and room for code.
pub(super) const SIZE: usize = 212;

/// What a program is built for.
#[derive(Clone, Copy)]
pub(super) struct BuiltFor {
    /// e_machine.
    pub(super) e_machine: u16,
    /// Its layout.
    pub(super) encoding: Encoding,
}

/// What diag was built for, which is what runs here.
pub(super) const BUILT_FOR: BuiltFor = BuiltFor {
    e_machine: if cfg!(any(
        target_arch = "mips",
        target_arch = "mips64",
        target_arch = "mips32r6",
        target_arch = "mips64r6"
    )) {
        EM_MIPS
    } else if cfg!(target_arch = "arm") {
        EM_ARM
    } else if cfg!(target_arch = "aarch64") {
        EM_AARCH64
    } else if cfg!(target_arch = "x86") {
        EM_386
    } else if cfg!(target_arch = "x86_64") {
        EM_X86_64
    } else if cfg!(any(target_arch = "riscv32", target_arch = "riscv64")) {
        EM_RISCV
    } else if cfg!(target_arch = "powerpc") {
        EM_PPC
    } else if cfg!(target_arch = "powerpc64") {
        EM_PPC64
    } else if cfg!(target_arch = "loongarch64") {
        EM_LOONGARCH
    } else {
        0 // EM_NONE
    },
    encoding: Encoding {
        order: if cfg!(target_endian = "big") { ByteOrder::Big } else { ByteOrder::Little },
        class: if cfg!(target_pointer_width = "64") { Class::Elf64 } else { Class::Elf32 },
    },
};

/// What diag proves of the kernel by running at all.
pub(super) const fn proven_by_own_build(question: Capability) -> bool {
    let wide = matches!(BUILT_FOR.encoding.class, Class::Elf64);
    match question {
        Capability::MipsO32 => cfg!(any(target_arch = "mips", target_arch = "mips32r6")),
        Capability::MipsN32 => !wide && cfg!(any(target_arch = "mips64", target_arch = "mips64r6")),
        Capability::Arm32 => cfg!(target_arch = "arm"),
        Capability::Ia32 => cfg!(target_arch = "x86"),
        Capability::X32 => !wide && cfg!(target_arch = "x86_64"),
        Capability::Riscv32 => cfg!(target_arch = "riscv32"),
        Capability::Ppc32 => cfg!(target_arch = "powerpc"),
        _ => false,
    }
}

/// The program that puts the question, made by what `own` is; without a question one that starts wherever `own` does.
/// None where such a program cannot put it.
const fn tiny_elf(question: Option<Capability>, own: BuiltFor) -> Option<TinyElf> {
    match own.e_machine {
        EM_MIPS => mips::tiny_elf(question, own),
        EM_ARM => arm::arm(question, own),
        EM_AARCH64 => arm::aarch64(question, own),
        EM_386 | EM_X86_64 => x86::tiny_elf(question, own),
        EM_RISCV => riscv::tiny_elf(question, own),
        EM_PPC | EM_PPC64 => powerpc::tiny_elf(question, own),
        EM_LOONGARCH => loongarch::tiny_elf(question, own),
        _ => None,
    }
}

/// What every architecture is asked, as part of the same program.
const fn is_of_every_architecture(question: Option<Capability>) -> bool {
    matches!(question, None | Some(Capability::Page4K | Capability::LowAddress))
}

/// The file that puts a question, or the plain one.
pub(super) fn file(question: Option<Capability>) -> Option<[u8; SIZE]> {
    match question {
        None => PLAIN,
        Some(question) => *FILES.get(question as usize)?,
    }
}

const PLAIN: Option<[u8; SIZE]> = bytes(None);

/// In the order of [`Capability::ALL`].
static FILES: [Option<[u8; SIZE]>; Capability::ALL.len()] = {
    let mut files = [None; Capability::ALL.len()];
    let (mut room, mut questions): (&mut [_], _) = (&mut files, Capability::ALL);
    while let ([place, rest @ ..], [question, more @ ..]) = (room, questions) {
        *place = bytes(Some(*question));
        (room, questions) = (rest, more);
    }
    files
};

const fn bytes(question: Option<Capability>) -> Option<[u8; SIZE]> {
    match tiny_elf(question, BUILT_FOR) {
        Some(tiny) => Some(tiny.bytes),
        None => None,
    }
}

/// A file in the making: headers, then code.
struct TinyElf {
    bytes: [u8; SIZE],
    len: usize,
    /// EI_DATA.
    order: ByteOrder,
    wide: bool,
}

impl TinyElf {
    /// Below 2 GiB, and aligned for pages of 64 KiB.
    const VADDR: u32 = 0x40_0000;
    /// [`SIZE`], as ELF has it.
    const FILESZ: u32 = 212;

    /// The bytes of the headers, behind which the code is.
    const fn head(class: Class) -> u32 {
        match class {
            Class::Elf32 => 52 + 2 * 32,
            Class::Elf64 => 64 + 2 * 56,
        }
    }

    /// The headers of a static ET_EXEC of one segment, and with a stack that is not executable. What a question wants of
    /// them whatever the architecture, it gets here.
    const fn new(question: Option<Capability>, e_machine: u16, encoding: Encoding, e_flags: u32) -> TinyElf {
        let wide = matches!(encoding.class, Class::Elf64);
        let mut out = TinyElf { bytes: [0; SIZE], len: 0, order: encoding.order, wide };
        let vaddr = match question {
            Some(Capability::Page4K) => TinyElf::VADDR.saturating_add(4096),
            Some(Capability::LowAddress) => 0,
            _ => TinyElf::VADDR,
        };
        let osabi = if matches!(question, Some(Capability::ArmFdpic)) { ELFOSABI_ARM_FDPIC } else { 0 };
        // The instruction set is in the lowest bit of an address.
        let odd = matches!(question, Some(Capability::Thumb | Capability::Mips16 | Capability::MicroMips));
        let (ehsize, phentsize) = if wide { (64, 56) } else { (52, 32) };
        out.put(b"\x7fELF");
        let class = if wide { 2 } else { 1 };
        let data = if matches!(encoding.order, ByteOrder::Little) { 1 } else { 2 };
        out.put(&[class, data, 1, osabi, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.half(ET_EXEC);
        out.half(e_machine);
        out.word(1);
        out.long(vaddr.saturating_add(TinyElf::head(encoding.class)) | odd as u32); // e_entry
        out.long(if wide { 64 } else { 52 }); // e_phoff
        out.long(0);
        out.word(e_flags);
        out.half(ehsize);
        out.half(phentsize);
        out.half(2);
        out.half(0);
        out.half(0);
        out.half(0);
        // PT_LOAD, PF_R | PF_X
        out.program_header(1, 5, vaddr, TinyElf::FILESZ, 4096);
        // PT_GNU_STACK, PF_R | PF_W
        out.program_header(0x6474_e551, 6, 0, 0, 0);
        out
    }

    /// What it names begins where the file does.
    const fn program_header(&mut self, p_type: u32, flags: u32, vaddr: u32, size: u32, align: u32) {
        self.word(p_type);
        if self.wide {
            self.word(flags);
        }
        self.long(0); // p_offset
        self.long(vaddr);
        self.long(vaddr); // p_paddr
        self.long(size);
        self.long(size); // p_memsz
        if !self.wide {
            self.word(flags);
        }
        self.long(align);
    }

    /// Code as it lies there.
    const fn put(&mut self, mut code: &[u8]) {
        let (_, mut room) = self.bytes.split_at_mut(self.len);
        while let ([byte, more @ ..], [place, rest @ ..]) = (code, room) {
            *place = *byte;
            self.len = self.len.saturating_add(1);
            (code, room) = (more, rest);
        }
    }

    const fn half(&mut self, value: u16) {
        self.put(&match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        });
    }

    const fn word(&mut self, value: u32) {
        self.put(&match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        });
    }

    /// An address or a size.
    const fn long(&mut self, value: u32) {
        let little = matches!(self.order, ByteOrder::Little);
        if self.wide && !little {
            self.word(0);
        }
        self.word(value);
        if self.wide && little {
            self.word(0);
        }
    }

    /// Instructions in the file's own byte order.
    const fn code(mut self, mut code: &[u32]) -> TinyElf {
        while let [instruction, more @ ..] = code {
            self.word(*instruction);
            code = more;
        }
        self
    }

    /// Instructions of 16 bits, or halves of longer ones, in the file's own byte order.
    const fn halves(mut self, mut code: &[u16]) -> TinyElf {
        while let [instruction, more @ ..] = code {
            self.half(*instruction);
            code = more;
        }
        self
    }

    /// Instructions that are little-endian whatever the data are.
    const fn little(mut self, mut code: &[u32]) -> TinyElf {
        while let [instruction, more @ ..] = code {
            self.put(&instruction.to_le_bytes());
            code = more;
        }
        self
    }
}

#[cfg(test)]
pub(super) mod tests;
