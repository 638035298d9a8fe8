//! Which architectures this build can judge: all of them, or (a router's build, feature `every-machine` off) those that
//! can run it, for it judges only the machine that it runs on. `false` constants let the compiler drop the rest.

const EVERY: bool = cfg!(feature = "every-machine");

/// A machine that does not run diag.
pub(crate) const OTHER: bool = EVERY;
/// MIPS, of 32 and 64 bits.
pub(crate) const MIPS: bool = EVERY || cfg!(any(target_arch = "mips", target_arch = "mips64"));
/// ARM and AArch64: a kernel of 64 bits can run either.
pub(crate) const ARM: bool = EVERY || cfg!(any(target_arch = "arm", target_arch = "aarch64"));
/// x86 and x86-64.
pub(crate) const X86: bool = EVERY || cfg!(any(target_arch = "x86", target_arch = "x86_64"));
/// RISC-V.
pub(crate) const RISCV: bool = EVERY || cfg!(any(target_arch = "riscv32", target_arch = "riscv64"));
/// PowerPC, of 32 and 64 bits.
pub(crate) const POWERPC: bool = EVERY || cfg!(any(target_arch = "powerpc", target_arch = "powerpc64"));
/// Whatever Android runs on.
pub(crate) const ANDROID: bool = ARM || X86;
/// Kernels that differ in their pages and in their address space; those of 32-bit MIPS, which routers have, do not.
pub(crate) const PAGES: bool = EVERY || !cfg!(target_arch = "mips");
/// LoongArch.
pub(crate) const LOONGARCH: bool = EVERY || cfg!(target_arch = "loongarch64");

/// Either byte order: a kernel runs programs of its own only.
pub(crate) const BIG: bool = EVERY || cfg!(target_endian = "big");
/// The other.
pub(crate) const LITTLE: bool = EVERY || cfg!(target_endian = "little");

/// The rows of a table that are for such machines; none where there are none.
pub(crate) const fn rows<T>(met: bool, rows: &'static [T]) -> &'static [T] {
    if met { rows } else { &[] }
}
