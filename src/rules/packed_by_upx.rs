use super::Case;
use crate::finding::{Finding, Severity};

rule! {
    /// # What it means
    /// The file is packed by UPX: it holds a small program that unpacks the real one into memory.
    /// # How it looks
    /// It starts like any other program. UPX 3.96 made MIPS files that hang or crash.
    /// # Why
    /// The ELF headers are the packer's, so that what diag reads from them (loader, libraries, float ABI) may not hold
    /// for the program inside. Unpacked, it takes memory that cannot be given back, as a plain file's pages can.
    /// # Fix
    /// `upx -d -o plain FILE` on the computer, then judge the plain file.
    /// # Kernel source
    /// None: the kernel sees an ordinary program.
    "packed-by-upx", check
}

const SIZES: &str = "%n is packed by UPX: %s0 here, %s1 in memory";
const NO_SIZE: &str = "%n is packed by UPX, so its headers are the packer's";
const WORDS: &str = "\
p headers=the packer's, not the program's
> to judge the program inside, unpack it on the computer:
$ upx -d -o plain FILE";

fn check(case: &Case<'_>) -> Option<Finding> {
    let unpacked = case.program?.upx?.unpacked;
    let size = case.candidate.size().unwrap_or(0);
    let title = if unpacked.is_some() { SIZES } else { NO_SIZE };
    Some(case.tell(Severity::Note, &[title, WORDS], &[&size, &unpacked.unwrap_or(0)]))
}
