//! What differs between architectures: one room each, one row of [`ARCHES`] each.
//!
//! A build for a router holds the row of its own processor only (feature `every-machine` off): it is the machine
//! itself that rules the others out.

// What only others need.
#![cfg_attr(not(feature = "every-machine"), allow(dead_code))]

#[cfg(any(feature = "every-machine", target_arch = "aarch64", target_arch = "arm"))]
mod arm;
mod layout;
#[cfg(any(feature = "every-machine", target_arch = "loongarch64"))]
mod loongarch;
#[cfg(any(feature = "every-machine", target_arch = "mips", target_arch = "mips64"))]
mod mips;
#[cfg(any(feature = "every-machine", target_arch = "powerpc", target_arch = "powerpc64"))]
mod powerpc;
#[cfg(any(feature = "every-machine", target_arch = "riscv32", target_arch = "riscv64"))]
mod riscv;
#[cfg(any(feature = "every-machine", target_arch = "x86", target_arch = "x86_64"))]
mod x86;

pub(super) use layout::TaskLayout;

use super::binprm::Binprm;
use super::{Checked, Missing, Reply, Signal, Step, When, kill, refuse, reply, unknown};
use crate::candidate::{Candidate, Image, Program, Toolchain};
use crate::elf::Class;
use crate::elf::consts::{EM_MIPS, PF_R, PF_W, PF_X, PT_GNU_STACK};
use crate::errno::Errno;
use crate::machine::{Libc, Machine};
use crate::target::Question;

/// An architecture, as fs/binfmt_elf.c sees it. Its functions have the kernel's names.
#[allow(clippy::struct_field_names)]
pub(super) struct Arch {
    /// e_machine of the kernel itself.
    pub(super) e_machine: u16,
    /// `elf_check_arch` and `elf_check_fdpic`, or `compat_elf_check_arch` where `bprm.image.encoding` is not the kernel's
    /// own word size. Of the program, and of its interpreter.
    pub(super) elf_check_arch: fn(&Binprm<'_>) -> Checked,
    /// `arch_elf_pt_proc` of all program headers of a file: of the program once its interpreter was opened and its
    /// first bytes were read, of the interpreter once its own table was read.
    pub(super) arch_elf_pt_proc: fn(&Binprm<'_>) -> Checked,
    /// `arch_check_elf` of the program, with its interpreter: the last check before the point of no return.
    pub(super) arch_check_elf: fn(&Binprm<'_>) -> Checked,
    /// Where things lie in the address space of a program of this layout.
    pub(super) layout: fn(&Machine, &Image) -> &'static TaskLayout,
    /// `elf_read_implies_exec` of the program: whether what may be read may be executed, in the program's segments
    /// and in its interpreter's.
    pub(super) read_implies_exec: fn(&Binprm<'_>) -> bool,
    /// Whether processor or kernel keep data from being executed: where they do not, whatever may be read or written
    /// is code. None where the machine does not tell.
    pub(super) enforces_nx: fn(&Machine) -> Option<bool>,
    /// Whether a page fault says that an instruction was fetched, so that a segment without PF_X is SIGSEGV before
    /// it is asked whether the page can be had.
    pub(super) fault_tells_exec: bool,
    /// What zeros are as an instruction; None where they do nothing, and what follows them decides.
    pub(super) zeros_as_code: fn(&Binprm<'_>) -> Option<Signal>,
    /// What the ELF header is as an instruction, where that is the same for every header.
    pub(super) magic_as_code: fn(&Binprm<'_>) -> Option<Signal>,
    /// What is special about e_entry: an instruction set, a function descriptor.
    pub(super) entry: fn(program: &Binprm<'_>, first: &Binprm<'_>) -> Checked<Entry>,
    /// What becomes of a program that has started: instructions that the processor lacks.
    pub(super) after_start: fn(&Binprm<'_>) -> Checked,
}

/// What e_entry is.
pub(super) enum Entry {
    /// The address of the first instruction.
    Address(u64),
    /// The address of something else, so that nothing is said of the first instruction.
    Elsewhere,
}

const ARCHES: &[Arch] = &[
    #[cfg(any(feature = "every-machine", target_arch = "mips", target_arch = "mips64"))]
    mips::MIPS,
    #[cfg(any(feature = "every-machine", target_arch = "arm"))]
    arm::ARM,
    #[cfg(any(feature = "every-machine", target_arch = "aarch64", target_arch = "arm"))]
    arm::AARCH64,
    #[cfg(any(feature = "every-machine", target_arch = "x86"))]
    x86::I386,
    #[cfg(any(feature = "every-machine", target_arch = "x86", target_arch = "x86_64"))]
    x86::X86_64,
    #[cfg(any(feature = "every-machine", target_arch = "riscv32", target_arch = "riscv64"))]
    riscv::RISCV,
    #[cfg(any(feature = "every-machine", target_arch = "powerpc"))]
    powerpc::PPC,
    #[cfg(any(feature = "every-machine", target_arch = "powerpc", target_arch = "powerpc64"))]
    powerpc::PPC64,
    #[cfg(any(feature = "every-machine", target_arch = "loongarch64"))]
    loongarch::LOONGARCH,
];

/// The machine's own.
pub(super) fn of(machine: &Machine) -> Option<&'static Arch> {
    let e_machine = machine.e_machine()?;
    ARCHES.iter().find(|arch| arch.e_machine == e_machine)
}

/// The check of the handler that reads the file in `bprm.image.encoding`. Of an architecture that has no row here, all
/// that is known is that it takes its own e_machine in its own word size.
pub(super) fn elf_check_arch(bprm: &Binprm<'_>) -> Checked {
    let (Some(e_machine), Some(class)) = (bprm.machine.e_machine(), bprm.machine.kernel().class.value) else {
        return unknown(Missing::Processor);
    };
    match of(bprm.machine) {
        Some(arch) => (arch.elf_check_arch)(bprm),
        None if bprm.image.encoding.class != class => refuse(Errno::ENOEXEC, Step::CheckArch),
        None => require_machine(bprm, e_machine),
    }
}

fn require_machine(bprm: &Binprm<'_>, e_machine: u16) -> Checked {
    if bprm.image.header.e_machine == e_machine { Ok(()) } else { refuse(Errno::ENOEXEC, Step::CheckArch) }
}

/// Whether a segment of these p_flags can be executed: fs/binfmt_elf.c `make_prot`, mm/mmap.c `do_mmap` with
/// READ_IMPLIES_EXEC, and the processor. `load` is the program, for the segments of its interpreter as well.
pub(super) fn executes(bprm: &Binprm<'_>, p_flags: u32) -> Checked<bool> {
    if p_flags & PF_X != 0 || p_flags & (PF_R | PF_W) == 0 {
        return Ok(p_flags & PF_X != 0);
    }
    let Some(arch) = of(bprm.machine) else { return unknown(Missing::NoExecute) };
    if p_flags & PF_R != 0 && (arch.read_implies_exec)(bprm) {
        return Ok(true);
    }
    // arch/mips/mm/cache.c `setup_protection_map`: it may not be read, for which no fault is ever final.
    if p_flags & (PF_R | PF_W) == PF_W && arch.e_machine == EM_MIPS {
        return unknown(Missing::Endless);
    }
    match (arch.enforces_nx)(bprm.machine) {
        Some(refuses) => Ok(!refuses),
        None => unknown(Missing::NoExecute),
    }
}

/// Whether the file is read by the kernel's compatibility handler.
fn is_compat(bprm: &Binprm<'_>) -> bool {
    is_compat_image(bprm.machine, bprm.image)
}

fn is_compat_image(machine: &Machine, image: &Image) -> bool {
    machine.kernel().class.value.is_some_and(|class| image.encoding.class != class)
}

/// What PT_GNU_STACK says of the stack (`executable_stack`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stack {
    /// EXSTACK_DEFAULT: there is none.
    Default,
    /// EXSTACK_DISABLE_X.
    Data,
    /// EXSTACK_ENABLE_X.
    Code,
}

/// The last PT_GNU_STACK counts.
fn stack(image: &Image) -> Stack {
    match image.table().iter().rfind(|segment| segment.p_type == PT_GNU_STACK) {
        None => Stack::Default,
        Some(segment) if segment.p_flags & PF_X != 0 => Stack::Code,
        Some(_) => Stack::Data,
    }
}

/// `elf_read_implies_exec` of x86 and ARM in both word sizes: since 5.8 without PT_GNU_STACK, before also with an
/// executable stack. 64-bit programs have had none since.
fn stack_implies_exec(bprm: &Binprm<'_>) -> bool {
    match stack(bprm.image) {
        Stack::Data => false,
        Stack::Code => bprm.machine.kernel().older_than((5, 8, 0)),
        Stack::Default => {
            bprm.image.encoding.class == Class::Elf32 || bprm.machine.kernel().older_than((5, 8, 0))
        }
    }
}

/// arch/riscv and arch/loongarch look at EI_CLASS as well as at e_machine.
#[cfg(any(
    feature = "every-machine",
    target_arch = "riscv32",
    target_arch = "riscv64",
    target_arch = "loongarch64"
))]
fn same_class(bprm: &Binprm<'_>, e_machine: u16) -> Checked {
    let wanted = if bprm.image.encoding.class == Class::Elf64 { 2 } else { 1 };
    if bprm.program.ident.get(4) != Some(&wanted) {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    require_machine(bprm, e_machine)
}

/// Whether a 64-bit kernel has the handler for a 32-bit file: a machine whose own programs are of that kind does;
/// else the kernel is asked. Where it cannot be, OpenWrt tells: its 64-bit kernels have had no compatibility since
/// `openwrt` (target/linux/*/config-*).
fn compat_runs(bprm: &Binprm<'_>, question: Question, openwrt: (u32, u32, u32)) -> Checked {
    let machine = bprm.machine;
    let header = &bprm.image.header;
    let abi2 = crate::elf::consts::EF_MIPS_ABI2;
    let like_userland = machine.userland().get().is_some_and(|abi| {
        abi.encoding.class == Class::Elf32
            && abi.e_machine == header.e_machine
            && (abi.e_flags ^ header.e_flags) & abi2 == 0
    });
    if like_userland {
        return Ok(());
    }
    let openwrt_has_none = machine.openwrt().release.get().is_some() && !machine.kernel().older_than(openwrt);
    match reply(machine, question)? {
        Reply::Works => Ok(()),
        Reply::Fails => refuse(Errno::ENOEXEC, Step::CheckArch),
        Reply::None if openwrt_has_none => refuse(Errno::ENOEXEC, Step::CheckArch),
        Reply::None => unknown(Missing::Answer(question)),
    }
}

/// The instructions of the architecture are of 4 bytes: an address between two is an error of its own.
fn entry_is_aligned(program: &Binprm<'_>, bprm: &Binprm<'_>) -> Checked<Entry> {
    if bprm.image.header.e_entry & 3 != 0 {
        return kill(Signal::SIGBUS, When::Start, Step::EntryAlignment);
    }
    entry_is_address(program, bprm)
}

#[allow(clippy::unnecessary_wraps)]
fn entry_is_address(_: &Binprm<'_>, bprm: &Binprm<'_>) -> Checked<Entry> {
    Ok(Entry::Address(bprm.image.header.e_entry))
}

#[allow(clippy::unnecessary_wraps)]
fn sigill(_: &Binprm<'_>) -> Option<Signal> {
    Some(Signal::SIGILL)
}

fn undefined(_: &Binprm<'_>) -> Option<Signal> {
    None
}

#[allow(clippy::unnecessary_wraps)]
fn accept(_: &Binprm<'_>) -> Checked {
    Ok(())
}

/// Whether a floating-point instruction is executed before `main`: Go's runtime and a glibc that are marked hard-float
/// do that. Others may never do so.
pub(crate) fn executes_fp_at_start(candidate: &Candidate, program: &Program, image: &Image) -> bool {
    let hard = image.is_mips_hard_float();
    hard && (program.origin.toolchain == Toolchain::Go || is_glibc(image))
        || has_hard_loader(candidate, image)
}

/// Whether the loader is a hard-float glibc's, whatever the program is for.
pub(crate) fn has_hard_loader(candidate: &Candidate, image: &Image) -> bool {
    let loader = candidate.interpreter.as_ref().filter(|_| image.interp_libc() == Some(Libc::Glibc));
    let loader = loader.and_then(|loader| loader.program()?.native_in(image.encoding));
    loader.is_some_and(Image::is_mips_hard_float)
}

/// A glibc loader, or the ABI tag that glibc puts into static programs.
fn is_glibc(image: &Image) -> bool {
    image.abi_tag.is_some_and(|(os, ..)| os == 0) || image.interp_libc() == Some(Libc::Glibc)
}

#[cfg(all(test, feature = "every-machine"))]
pub(super) mod tests;
