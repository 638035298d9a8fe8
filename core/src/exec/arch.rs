//! What an architecture decides in execve(2): the row of its checks, and what several of them share.

// A router's build has the rows of its own architecture only.
#![cfg_attr(not(feature = "every-machine"), allow(dead_code, unused_imports))]

mod layout;

pub(crate) use layout::{Bounds, LayoutSpec, STACK_RANDOM_32, STACK_RANDOM_64, TaskLayout};

pub(crate) use super::binprm::Binprm;
pub(crate) use super::exit::{Checked, Reply, kill, refuse, reply, supports, unknown};
use super::{Missing, Signal, Step, When};
use crate::arch;
use crate::candidate::{Candidate, Image, Program};
use crate::elf::Class;
use crate::elf::consts::{PF_R, PF_W, PF_X, PT_GNU_STACK};
use crate::errno::Errno;
use crate::machine::{Libc, Machine, Version};
use crate::target::Capability;

/// The checks of an architecture, as fs/binfmt_elf.c calls them: its functions have the kernel's names.
#[allow(clippy::struct_field_names)]
pub(crate) struct Checks {
    /// `elf_check_arch` and `elf_check_fdpic`, or `compat_elf_check_arch` where `bprm.image.encoding` is not the kernel's
    /// own word size. Of the program, and of its interpreter.
    pub(crate) elf_check_arch: fn(&Binprm<'_>) -> Checked,
    /// `arch_elf_pt_proc` of all program headers of a file: of the program once its interpreter was opened and its
    /// first bytes were read, of the interpreter once its own table was read.
    pub(crate) arch_elf_pt_proc: fn(&Binprm<'_>) -> Checked,
    /// `arch_check_elf` of the program, with its interpreter: the last check before the point of no return.
    pub(crate) arch_check_elf: fn(&Binprm<'_>) -> Checked,
    /// Where things lie in the address space of a program of this layout.
    pub(crate) layout: fn(&Machine, &Image) -> &'static TaskLayout,
    /// `elf_read_implies_exec` of the program: whether what may be read may be executed, in the program's segments
    /// and in its interpreter's.
    pub(crate) read_implies_exec: fn(&Binprm<'_>) -> bool,
    /// Whether processor or kernel keep data from being executed: where they do not, whatever may be read or written
    /// is code. None where the machine does not tell.
    pub(crate) enforces_nx: fn(&Machine) -> Option<bool>,
    /// Whether a page fault says that an instruction was fetched, so that a segment without PF_X is SIGSEGV before
    /// it is asked whether the page can be had.
    pub(crate) fault_tells_exec: bool,
    /// Whether code that may only be written faults again and again: the fault is handled, and the page stays one that
    /// may not be read.
    pub(crate) write_only_faults_again: bool,
    /// `arch_mmap_check` bars addresses below this even from root (FIRST_USER_ADDRESS).
    pub(crate) first_user_address: u64,
    /// What zeros are as an instruction; None where they do nothing, and what follows them decides.
    pub(crate) zeros_as_code: fn(&Binprm<'_>) -> Option<Signal>,
    /// What erased flash is as an instruction: bits that are all 1. None where it does nothing, or something.
    pub(crate) ones_as_code: fn(&Binprm<'_>) -> Option<Signal>,
    /// What the ELF header is as an instruction, where that is the same for every header.
    pub(crate) magic_as_code: fn(&Binprm<'_>) -> Option<Signal>,
    /// What is special about e_entry: an instruction set, a function descriptor.
    pub(crate) entry: fn(program: &Binprm<'_>, first: &Binprm<'_>) -> Checked<Entry>,
    /// What becomes of a program that has started: instructions that the processor lacks.
    pub(crate) after_start: fn(&Binprm<'_>) -> Checked,
}

/// What e_entry is.
pub(crate) enum Entry {
    /// The address of the first instruction.
    Address(u64),
    /// The address of something else, so that nothing is said of the first instruction.
    Elsewhere,
}

/// Of the machine's own architecture.
pub(crate) fn of(machine: &Machine) -> Option<&'static Checks> {
    Some(&arch::of(machine.e_machine()?)?.exec)
}

/// The check of the handler that reads the file in `bprm.image.encoding`. Of an architecture that has no row here, all
/// that is known is that it takes its own e_machine in its own word size.
pub(crate) fn elf_check_arch(bprm: &Binprm<'_>) -> Checked {
    let (Some(e_machine), Some(class)) = (bprm.machine.e_machine(), bprm.kernel.class.value) else {
        return unknown(Missing::Processor);
    };
    match of(bprm.machine) {
        Some(arch) => (arch.elf_check_arch)(bprm),
        None if bprm.image.encoding.class != class => refuse(Errno::ENOEXEC, Step::CheckArch),
        None => require_machine(bprm, e_machine),
    }
}

pub(crate) fn require_machine(bprm: &Binprm<'_>, e_machine: u16) -> Checked {
    if bprm.image.header.e_machine == e_machine { Ok(()) } else { refuse(Errno::ENOEXEC, Step::CheckArch) }
}

/// Whether a segment of these p_flags can be executed: fs/binfmt_elf.c `make_prot`, mm/mmap.c `do_mmap` with
/// READ_IMPLIES_EXEC, and the processor. `load` is the program, for the segments of its interpreter as well.
pub(crate) fn executes(bprm: &Binprm<'_>, p_flags: u32) -> Checked<bool> {
    if p_flags & PF_X != 0 || p_flags & (PF_R | PF_W) == 0 {
        return Ok(p_flags & PF_X != 0);
    }
    let Some(arch) = of(bprm.machine) else { return unknown(Missing::NoExecute) };
    if p_flags & PF_R != 0 && (arch.read_implies_exec)(bprm) {
        return Ok(true);
    }
    if p_flags & (PF_R | PF_W) == PF_W && arch.write_only_faults_again {
        return unknown(Missing::Endless);
    }
    match (arch.enforces_nx)(bprm.machine) {
        Some(refuses) => Ok(!refuses),
        None => unknown(Missing::NoExecute),
    }
}

/// Whether the file is read by the kernel's compatibility handler.
pub(crate) fn is_compat(bprm: &Binprm<'_>) -> bool {
    is_compat_image(bprm.machine, bprm.image)
}

pub(crate) fn is_compat_image(machine: &Machine, image: &Image) -> bool {
    machine.kernel().class.value.is_some_and(|class| image.encoding.class != class)
}

/// What PT_GNU_STACK says of the stack (`executable_stack`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stack {
    /// EXSTACK_DEFAULT: there is none.
    Default,
    /// EXSTACK_DISABLE_X.
    Data,
    /// EXSTACK_ENABLE_X.
    Code,
}

/// The last PT_GNU_STACK counts.
pub(crate) fn stack(image: &Image) -> Stack {
    match image.table().iter().rfind(|segment| segment.p_type == PT_GNU_STACK) {
        None => Stack::Default,
        Some(segment) if segment.p_flags & PF_X != 0 => Stack::Code,
        Some(_) => Stack::Data,
    }
}

/// `elf_read_implies_exec` of x86 and ARM in both word sizes: since 5.8 without PT_GNU_STACK, before also with an
/// executable stack. 64-bit programs have had none since.
pub(crate) fn stack_implies_exec(bprm: &Binprm<'_>) -> bool {
    match stack(bprm.image) {
        Stack::Data => false,
        Stack::Code => bprm.kernel.older_than((5, 8, 0)),
        Stack::Default => bprm.image.encoding.class == Class::Elf32 || bprm.kernel.older_than((5, 8, 0)),
    }
}

/// arch/riscv and arch/loongarch look at EI_CLASS as well as at e_machine.
pub(crate) fn same_class(bprm: &Binprm<'_>, e_machine: u16) -> Checked {
    let wanted = if bprm.image.encoding.class == Class::Elf64 { 2 } else { 1 };
    if bprm.program.ident.get(4) != Some(&wanted) {
        return refuse(Errno::ENOEXEC, Step::CheckArch);
    }
    require_machine(bprm, e_machine)
}

/// Whether a 64-bit kernel has the handler for a 32-bit file: a machine whose own programs are of that kind does;
/// else the kernel is asked. Where it cannot be, OpenWrt tells: its 64-bit kernels have had no compatibility since
/// `openwrt` (target/linux/*/config-*).
pub(crate) fn compat_runs(bprm: &Binprm<'_>, question: Capability, openwrt: Version) -> Checked {
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
pub(crate) fn entry_is_aligned(program: &Binprm<'_>, bprm: &Binprm<'_>) -> Checked<Entry> {
    if bprm.image.header.e_entry & 3 != 0 {
        return kill(Signal::SIGBUS, When::Start, Step::EntryAlignment);
    }
    entry_is_address(program, bprm)
}

#[allow(clippy::unnecessary_wraps)]
pub(crate) fn entry_is_address(_: &Binprm<'_>, bprm: &Binprm<'_>) -> Checked<Entry> {
    Ok(Entry::Address(bprm.image.header.e_entry))
}

#[allow(clippy::unnecessary_wraps)]
pub(crate) fn sigill(_: &Binprm<'_>) -> Option<Signal> {
    Some(Signal::SIGILL)
}

pub(crate) fn undefined(_: &Binprm<'_>) -> Option<Signal> {
    None
}

#[allow(clippy::unnecessary_wraps)]
pub(crate) fn accept(_: &Binprm<'_>) -> Checked {
    Ok(())
}

/// Whether a floating-point instruction is executed before `main`: Go's runtime and a glibc that are marked hard-float
/// do that. Others may never do so.
pub(crate) fn executes_fp_at_start(candidate: &Candidate, program: &Program, image: &Image) -> bool {
    let hard = program.is_mips_hard_float(image);
    hard && (program.go.is_some() || is_glibc(image)) || has_hard_loader(candidate, image)
}

/// Whether the loader is a hard-float glibc's, whatever the program is for.
pub(crate) fn has_hard_loader(candidate: &Candidate, image: &Image) -> bool {
    let loader = candidate.interpreter.as_ref().filter(|_| image.interp_libc() == Some(Libc::Glibc));
    let loader = loader.and_then(|loader| loader.program()?.as_read_by(image.encoding));
    loader.is_some_and(Image::is_mips_hard_float)
}

/// A glibc loader, or the ABI tag that glibc puts into static programs.
fn is_glibc(image: &Image) -> bool {
    image.abi_tag.is_some_and(|(os, ..)| os == 0) || image.interp_libc() == Some(Libc::Glibc)
}

#[cfg(all(test, feature = "every-machine"))]
pub(crate) mod tests;
