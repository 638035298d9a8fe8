//! What a kernel can be asked, as no file tells it. An architecture's own are rows here; the programs that ask are in the
//! program's `live/tiny_elf`.

use crate::arch;
use crate::elf::Class;
use crate::elf::consts::{EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC64, EM_RISCV, EM_X86_64};

/// The kernels that have a capability or lack it.
struct Kernels {
    /// Theirs; 0 for any.
    e_machine: u16,
    /// Of 64 bits only.
    wide: bool,
    /// This build of diag judges them.
    met: bool,
}

const ANY: Kernels = Kernels { e_machine: 0, wide: false, met: true };
const MIPS: Kernels = Kernels { e_machine: EM_MIPS, wide: false, met: arch::is_judged(EM_MIPS) };
const MIPS64: Kernels = Kernels { wide: true, ..MIPS };
const ARM: Kernels = Kernels { e_machine: EM_ARM, wide: false, met: arch::is_judged(EM_ARM) };
const AARCH64: Kernels = Kernels { e_machine: EM_AARCH64, ..ARM };
const X86_64: Kernels = Kernels { e_machine: EM_X86_64, wide: false, met: arch::is_judged(EM_X86_64) };
const RISCV64: Kernels = Kernels { e_machine: EM_RISCV, wide: true, met: arch::is_judged(EM_RISCV) };
const PPC64: Kernels = Kernels { e_machine: EM_PPC64, wide: false, met: arch::is_judged(EM_PPC64) };

macro_rules! capabilities {
    ($($(#[doc = $doc:literal])+ $name:ident $text:literal $kernels:ident $what:literal)*) => {
        /// What a kernel takes or does, and only itself can tell. The probe for it is a tiny ELF file of our own which
        /// has just that property and exits at once; where diag itself has it, diag's running there is the proof.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Capability {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Capability {
            /// All of them.
            pub const ALL: &'static [Capability] = &[$(Capability::$name),*];

            /// The name it has in the report and in a recorded machine.
            pub const fn name(self) -> &'static str {
                match self { $(Capability::$name => if $kernels.met { $text } else { "" },)* }
            }

            /// Whether it can be decisive on a kernel of this e_machine and word size.
            pub fn applies_to(self, e_machine: u16, class: Class) -> bool {
                static OF: &[Kernels] = &[$($kernels),*];
                OF.get(self as usize).is_some_and(|kernels| {
                    kernels.met
                        && (kernels.e_machine == 0 || kernels.e_machine == e_machine)
                        && (!kernels.wide || class == Class::Elf64)
                })
            }

            /// In words: what is not known without an answer.
            pub const fn description(self) -> &'static str {
                match self { $(Capability::$name => if $kernels.met { $what } else { "" },)* }
            }
        }
    };
}

capabilities! {
    /// Does a floating-point instruction work? A MIPS program that executes `mtc1` and exits.
    FpInstruction "fp-instruction" MIPS "whether floating-point instructions work"
    /// Is EF_MIPS_FP64 accepted? CONFIG_MIPS_O32_FP64_SUPPORT.
    MipsFp64 "mips-fp64" MIPS "whether this kernel takes FP64 programs (CONFIG_MIPS_O32_FP64_SUPPORT)"
    /// Is EF_MIPS_NAN2008 accepted? `mips_use_nan_2008`.
    MipsNan2008 "mips-nan2008" MIPS "whether this kernel takes the NaN encoding of 2008"
    /// Is a file without EF_MIPS_NAN2008 accepted? `mips_use_nan_legacy`.
    MipsNanLegacy "mips-nan-legacy" MIPS "whether this kernel takes the legacy NaN encoding"
    /// Does a 64-bit MIPS kernel run o32? CONFIG_MIPS32_O32.
    MipsO32 "mips-o32" MIPS64 "whether this kernel runs o32 programs (CONFIG_MIPS32_O32)"
    /// Does a 64-bit MIPS kernel run n32? CONFIG_MIPS32_N32.
    MipsN32 "mips-n32" MIPS64 "whether this kernel runs n32 programs (CONFIG_MIPS32_N32)"
    /// Does code in MIPS16 run? An odd e_entry.
    Mips16 "mips16" MIPS "whether the processor has MIPS16"
    /// Does code in microMIPS run? An odd e_entry.
    MicroMips "micromips" MIPS "whether the processor has microMIPS"
    /// Do the instructions run that MIPS release 6 dropped (`mult`, `mflo`)? The processor, or
    /// CONFIG_MIPSR2_TO_R6_EMULATOR.
    MipsBefore6 "mips-before-r6" MIPS "whether this kernel emulates the instructions that MIPS release 6 dropped"
    /// Does a 64-bit ARM kernel run 32-bit programs? CONFIG_COMPAT, and AArch32 at EL0.
    Arm32 "arm32" AARCH64 "whether this kernel runs 32-bit ARM programs (CONFIG_COMPAT)"
    /// Do system calls of the old ARM ABI work? CONFIG_OABI_COMPAT.
    ArmOabi "arm-oabi" ARM "whether this kernel runs programs of the old ARM ABI (CONFIG_OABI_COMPAT)"
    /// Does Thumb code run? HWCAP_THUMB.
    Thumb "thumb" ARM "whether the processor has Thumb"
    /// Is an FDPIC program accepted? CONFIG_BINFMT_ELF_FDPIC.
    ArmFdpic "arm-fdpic" ARM "whether this kernel runs FDPIC programs (CONFIG_BINFMT_ELF_FDPIC)"
    /// Does a 64-bit x86 kernel run i386 programs? CONFIG_IA32_EMULATION, ia32_emulation=.
    Ia32 "ia32" X86_64 "whether this kernel runs 32-bit x86 programs (CONFIG_IA32_EMULATION)"
    /// Does it run x32 programs? CONFIG_X86_X32_ABI, syscall.x32=.
    X32 "x32" X86_64 "whether this kernel runs x32 programs (CONFIG_X86_X32_ABI)"
    /// May the stack be made executable, as glibc does for a library? SELinux (`execstack`), PR_SET_MDWE.
    ExecutableStack "executable-stack" X86_64 "whether this kernel lets a library make the stack executable"
    /// Does a 64-bit RISC-V kernel run 32-bit programs? CONFIG_COMPAT, and UXL=32 in the hardware.
    Riscv32 "riscv32" RISCV64 "whether this kernel runs 32-bit RISC-V programs (CONFIG_COMPAT)"
    /// Does a 64-bit PowerPC kernel run 32-bit programs? CONFIG_COMPAT.
    Ppc32 "ppc32" PPC64 "whether this kernel runs 32-bit PowerPC programs (CONFIG_COMPAT)"
    /// Is a segment mapped whose p_offset and p_vaddr agree within 4 KiB, and not within 64 KiB?
    Page4K "page-4k" ANY "the size of this kernel's pages"
    /// Is a segment at address 0 mapped? vm.mmap_min_addr, or CAP_SYS_RAWIO.
    LowAddress "low-address" ANY "whether this kernel maps the lowest addresses (vm.mmap_min_addr)"
}
