use super::{Case, words};
use crate::finding::{Finding, Severity};
use crate::loader::Step;

rule! {
    /// # What it means
    /// The program was built for another family of processors.
    /// # How it looks
    /// BusyBox ash: `syntax error: unexpected "("` or `line 1: ...ELF...: not found`; bash: `cannot execute binary
    /// file: Exec format error`.
    /// # Why
    /// e_machine in the ELF header is not the one that the kernel accepts; it refuses the file (ENOEXEC).
    /// # Fix
    /// Take the build for this machine's processor. `diag` without arguments names it, with OpenWrt's, Go's and Rust's
    /// words for it.
    /// # Kernel source
    /// `elf_check_arch` in arch/*/include/asm/elf.h, called by fs/binfmt_elf.c `load_elf_binary`.
    "wrong-architecture", check
}

const WORDS: &str = "\
%n is built for %0, this machine is %1
p e_machine=%2 (%b)
m machine=%m
m e_machine=%3 (%1)
rebuild";

fn check(case: &Case<'_>) -> Option<Finding> {
    if case.starts() || !case.foreign {
        return None;
    }
    let (file, own) = (case.own()?.header.e_machine, case.machine.e_machine()?);
    let [file_name, own_name] = [file, own].map(words::processor);
    let [file, own] = [file, own].map(u64::from);
    let kernel = case.kernel_at(&[Step::CheckArch, Step::ElfType]);
    Some(case.tell(Severity::Error, &[WORDS, kernel], &[&file_name, &own_name, &file, &own]))
}
