//! One room for each architecture, and one row that shows what is in it.
//!
//! A router's build (feature `every-machine` off) judges only the machine that it runs on, so its table has the rows of
//! that machine's family only. What no row refers to is not in the binary, and the constants that are computed from the
//! table keep out what rows cannot hold. Nowhere else in this crate is code chosen by the architecture it is built for.

#[cfg(any(feature = "every-machine", target_arch = "arm", target_arch = "aarch64"))]
mod arm;
pub(crate) mod important;
#[cfg(any(feature = "every-machine", target_arch = "loongarch64"))]
mod loongarch;
#[cfg(any(feature = "every-machine", target_arch = "mips", target_arch = "mips64"))]
pub(crate) mod mips;
#[cfg(any(feature = "every-machine", target_arch = "powerpc", target_arch = "powerpc64"))]
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // Of its two rows a router's build has one.
mod powerpc;
#[cfg(any(feature = "every-machine", target_arch = "riscv32", target_arch = "riscv64"))]
pub(crate) mod riscv;
#[cfg(any(feature = "every-machine", target_arch = "x86", target_arch = "x86_64"))]
mod x86;

#[cfg(feature = "every-machine")]
mod other;

use alloc::string::String;

use crate::advice::Build;
use crate::candidate::go::Code;
use crate::candidate::{Go, Image, Program};
use crate::elf::{ByteOrder, Class, Vendor};
use crate::exec::arch::Checks;
use crate::exec::go::GoLacks;
use crate::ldso::abi::{Abi, LacksLevel};
use crate::machine::cpuinfo::{Found, Key};
use crate::machine::{Cpu, Fact, Fpu, Machine};

/// What is to be known of an architecture.
pub(crate) struct Arch {
    /// e_machine of the kernel's own programs.
    pub(crate) e_machine: u16,
    /// Beginnings of what `uname -m` prints on such a kernel, and its word size.
    pub(crate) unames: &'static [(&'static str, Class)],
    /// The byte order of a kernel whose `uname -m` tells it.
    pub(crate) order_of_uname: fn(&str) -> Option<ByteOrder>,
    /// e_machine of other programs that such a kernel may run.
    pub(crate) also_runs: &'static [u16],
    /// What its /proc/cpuinfo has.
    pub(crate) cpuinfo: &'static [Key],
    /// Works out what several lines of /proc/cpuinfo tell together.
    pub(crate) complete_cpu: fn(&Found<'_>, &mut Cpu),
    /// Whether floating-point instructions work.
    pub(crate) fpu: fn(&Machine) -> Fact<Fpu>,
    /// What execve(2) checks.
    pub(crate) exec: Checks,
    /// What the dynamic loader does.
    pub(crate) ldso: Abi,
    /// What to build for it. The first that fits is the one.
    pub(crate) builds: &'static [Build],
    /// sh_type of the section with its build attributes, and who defines them.
    pub(crate) attributes: Option<(u32, Vendor)>,
    /// What the processor lacks of the ISA that a program is marked with.
    pub(crate) lack: fn(&Machine, &Program, &Image) -> Option<Lack>,
    /// What the processor lacks that a program of Go was built for.
    pub(crate) go: fn(&Machine, &Image, &Go) -> Option<GoLacks>,
    /// The level that a program of Go was built for, by its first instructions.
    pub(crate) go_level: fn(&mut Code<'_, '_>, u64) -> Option<&'static str>,
    /// The page of the kernel's own at an address that its ABI has fixed, as /proc/self/maps calls it, which a program without
    /// a loader calls.
    pub(crate) fixed_page: Option<fn(&Program, &Image) -> Option<&'static str>>,
    /// The mark of a program for hard float as a whole; one function of it may still be soft. Empty where what the
    /// program was built for says it.
    pub(crate) hard_float: fn(&Image) -> Option<&'static str>,
}

/// What a processor lacks that a program is made for.
#[derive(Default)]
pub(crate) struct Lack {
    /// A finding's text: "is built for ARMv7, this processor is ARMv5", and lines of evidence.
    pub(crate) text: String,
    /// MIPS release 6 took instructions away: neither runs the other's programs.
    pub(crate) is_anew: bool,
    /// It will most likely die of it: its compiler was told that it may use the instructions everywhere.
    pub(crate) dies: bool,
    /// The machine does not tell whether its processor lacks it.
    pub(crate) is_unsure: bool,
    /// What else there is to be done.
    pub(crate) fix: &'static str,
}

/// The architectures that this build judges.
pub(crate) const ARCHES: &[&Arch] = &[
    #[cfg(any(feature = "every-machine", target_arch = "mips", target_arch = "mips64"))]
    &mips::MIPS,
    #[cfg(any(feature = "every-machine", target_arch = "arm", target_arch = "aarch64"))]
    &arm::AARCH64,
    #[cfg(any(feature = "every-machine", target_arch = "arm", target_arch = "aarch64"))]
    &arm::ARM,
    #[cfg(any(feature = "every-machine", target_arch = "x86", target_arch = "x86_64"))]
    &x86::I386,
    #[cfg(any(feature = "every-machine", target_arch = "x86", target_arch = "x86_64"))]
    &x86::X86_64,
    #[cfg(any(feature = "every-machine", target_arch = "riscv32", target_arch = "riscv64"))]
    &riscv::RISCV,
    // 32-bit routers have 32-bit kernels.
    #[cfg(any(feature = "every-machine", target_arch = "powerpc64"))]
    &powerpc::PPC64,
    #[cfg(any(feature = "every-machine", target_arch = "powerpc", target_arch = "powerpc64"))]
    &powerpc::PPC,
    #[cfg(any(feature = "every-machine", target_arch = "loongarch64"))]
    &loongarch::LOONGARCH,
];

/// Whether a row of the table has a property, as a constant.
macro_rules! any {
    ($arch:ident => $property:expr) => {{
        let (mut rows, mut found) = (ARCHES, false);
        while let [$arch, rest @ ..] = rows {
            found |= $property;
            rows = rest;
        }
        found
    }};
}

/// The row of an e_machine.
pub(crate) fn of(e_machine: u16) -> Option<&'static Arch> {
    ARCHES.iter().find(|arch| arch.e_machine == e_machine).copied()
}

/// What an e_machine decides in the dynamic loader.
pub(crate) fn ldso(e_machine: u16) -> Option<&'static Abi> {
    let judged = of(e_machine).map(|arch| &arch.ldso);
    #[cfg(feature = "every-machine")]
    let judged = judged.or_else(|| other::ldso(e_machine));
    judged
}

/// The row of a machine.
pub(crate) fn of_machine(machine: &Machine) -> Option<&'static Arch> {
    of(machine.e_machine()?)
}

/// e_machine and word size of a kernel, by `uname -m`. A 64-bit kernel that shows a 32-bit name to a process under
/// PER_LINUX32 is told apart on ARM only (armv8l).
pub(crate) fn of_uname(machine: &str) -> Option<(u16, Class)> {
    let judged = ARCHES.iter().find_map(|arch| {
        let (_, class) = arch.unames.iter().find(|(name, _)| machine.starts_with(name))?;
        Some((arch.e_machine, *class))
    });
    #[cfg(feature = "every-machine")]
    let judged = judged.or_else(|| other::of_uname(machine));
    judged
}

/// The byte order of a kernel, by `uname -m`: "mips", "ppc" and "sh4" stand for both. Where diag runs it knows its own.
pub(crate) fn order_of_uname(machine: &str) -> Option<ByteOrder> {
    let (e_machine, _) = of_uname(machine)?;
    let judged = of(e_machine).and_then(|arch| (arch.order_of_uname)(machine));
    #[cfg(feature = "every-machine")]
    let judged = judged.or_else(|| other::order(e_machine));
    judged
}

/// Whether a kernel of an e_machine may run programs of another.
pub(crate) fn runs(kernel: u16, program: u16) -> bool {
    let also = const { any!(arch => !arch.also_runs.is_empty()) }
        && of(kernel).is_some_and(|arch| arch.also_runs.contains(&program));
    #[cfg(feature = "every-machine")]
    let also = also || other::also_runs(kernel, program);
    kernel == program || also
}

/// The lines of /proc/cpuinfo that are looked at.
pub(crate) fn cpuinfo() -> impl Iterator<Item = &'static Key> {
    let judged = ARCHES.iter().flat_map(|arch| arch.cpuinfo);
    #[cfg(feature = "every-machine")]
    let judged = judged.chain(other::CPUINFO);
    judged
}

/// sh_type of the section with a program's build attributes, and who defines them.
pub(crate) fn attributes(e_machine: u16) -> Option<(u32, Vendor)> {
    #[cfg(feature = "every-machine")]
    if let Some(found) = other::attributes(e_machine) {
        return Some(found);
    }
    if const { any!(arch => arch.attributes.is_some()) } { of(e_machine)?.attributes } else { None }
}

/// What the machine's processor lacks of the ISA that a program is marked with.
pub(crate) fn lack(machine: &Machine, program: &Program, image: &Image) -> Option<Lack> {
    #[cfg(feature = "every-machine")]
    if let Some(lack) = other::lack(machine, image) {
        return Some(lack);
    }
    (of(image.header.e_machine)?.lack)(machine, program, image)
}

/// What the machine's processor lacks that a program of Go was built for.
pub(crate) fn go_lacks(machine: &Machine, image: &Image, go: &Go) -> Option<GoLacks> {
    #[cfg(feature = "every-machine")]
    if let Some(lacks) = other::go_lacks(machine, image, go) {
        return Some(lacks);
    }
    (of(image.header.e_machine)?.go)(machine, image, go)
}

/// The two ABIs of LoongArch, where a program and a machine are of different ones.
pub(crate) struct Worlds {
    pub(crate) program: &'static str,
    pub(crate) machine: &'static str,
    /// What to do about it.
    pub(crate) fix: &'static str,
    /// The program's is known by its loader, or by what only one of them has.
    pub(crate) is_certain: bool,
}

/// Where a program and a machine are of different ones.
#[cfg_attr(not(feature = "every-machine"), allow(unused_variables))]
pub(crate) fn worlds(machine: &Machine, program: &Program, image: &Image) -> Option<Worlds> {
    #[cfg(any(feature = "every-machine", target_arch = "loongarch64"))]
    {
        loongarch::differ(machine, program, image)
    }
    #[cfg(not(any(feature = "every-machine", target_arch = "loongarch64")))]
    {
        None
    }
}

/// What to build for machines of an e_machine. The first that fits is the one.
pub(crate) fn builds(e_machine: u16) -> &'static [Build] {
    let judged = of(e_machine).map(|arch| arch.builds);
    #[cfg(feature = "every-machine")]
    let judged = judged.or_else(|| Some(other::builds(e_machine)));
    judged.unwrap_or_default()
}

/// [`Abi::cache_id`] of programs of an e_machine.
pub(crate) fn cache_id(e_machine: u16, class: Class, e_flags: u32) -> usize {
    let judged = of(e_machine).map(|arch| (arch.ldso.cache_id)(class, e_flags));
    #[cfg(feature = "every-machine")]
    let judged = judged.or_else(|| Some(other::cache_id(e_machine, class)));
    judged.unwrap_or_default()
}

/// [`Abi::lacks_level`] of the machine's processor.
pub(crate) fn lacks_level(machine: &Machine) -> Option<LacksLevel> {
    of_machine(machine)?.ldso.lacks_level
}

/// Whether the machine's processor has what libraries in a folder of glibc-hwcaps are built for: x86-64-v3, power9, z14.
#[cfg_attr(not(feature = "every-machine"), allow(unused_variables))]
pub(crate) fn has_level(machine: &Machine, name: &[u8]) -> bool {
    #[cfg(feature = "every-machine")]
    if powerpc::has_level(machine, name) || other::has_level(machine, name) {
        return true;
    }
    #[cfg(any(feature = "every-machine", target_arch = "x86", target_arch = "x86_64"))]
    if x86::has_level(machine, name) {
        return true;
    }
    false
}

/// Whether libraries in a folder of glibc-hwcaps are not taken where glibc.cpu.hwcaps is set so: `-AVX2,-ERMS`.
#[cfg_attr(not(feature = "every-machine"), allow(unused_variables))]
pub(crate) fn is_masked(level: &[u8], hwcaps: &[u8]) -> bool {
    #[cfg(feature = "every-machine")]
    {
        x86::is_masked(level, hwcaps)
    }
    #[cfg(not(feature = "every-machine"))]
    {
        false
    }
}

/// Whether the table has a row for an e_machine.
pub(crate) const fn is_judged(e_machine: u16) -> bool {
    any!(arch => arch.e_machine == e_machine)
}

/// Whether one has DT_GNU_HASH.
pub(crate) const HAS_GNU_HASH: bool = any!(arch => !arch.ldso.has_global_got);
/// Whether Android runs on one.
pub(crate) const HAS_BIONIC: bool = any!(arch => arch.ldso.has_bionic);
/// Whether glibc knows levels of the processor on one.
pub(crate) const HAS_LEVELS: bool = any!(arch => arch.ldso.lacks_level.is_some());
/// Whether the kernel has pages of its own at fixed addresses on one.
pub(crate) const HAS_FIXED_PAGES: bool = any!(arch => arch.fixed_page.is_some());
/// Whether kernels differ in the size of their pages and of their address space: not those of 32-bit MIPS on routers.
pub(crate) const PAGES_DIFFER: bool = cfg!(any(feature = "every-machine", not(target_arch = "mips")));
/// R_*_COPY of most architectures.
pub(crate) const R_COPY: usize = 5;

#[cfg(all(test, feature = "every-machine"))]
mod tests;
