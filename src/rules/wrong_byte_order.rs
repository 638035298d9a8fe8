use super::Case;
use crate::elf::ByteOrder;
use crate::finding::{Finding, Severity};
use crate::loader::{Outcome, Step};

rule! {
    /// # What it means
    /// The program was built for the other byte order. MIPS, ARM and PowerPC processors exist in both.
    /// # How it looks
    /// BusyBox ash: `./v2ray: line 1: syntax error: unexpected "("`, or `line 1: ...ELF...: not found`; bash:
    /// `cannot execute binary file: Exec format error`.
    /// # Why
    /// The kernel reads e_type in its own byte order, finds 0x0200 instead of 2, and refuses the file (ENOEXEC). ash
    /// then runs it as a shell script. `uname -m` says `mips` for both byte orders.
    /// # Fix
    /// Take the build for the other byte order: `mipsle` instead of `mips` (Go), `mipsel` (Rust, OpenWrt, Debian).
    /// # Kernel source
    /// fs/binfmt_elf.c `load_elf_binary`: `elf_ex->e_type != ET_EXEC && elf_ex->e_type != ET_DYN`.
    "wrong-byte-order", check
}

const WORDS: &str = "\
%n is %0, this machine is %1
p EI_DATA=%2
p built for=%b
m machine=%m
rebuild";
const ORDER: &str = "m byte order=%1";
/// `uname -m` does not tell it.
const UNAME: &str = "m byte order=%1 (uname -m says \"%3\" for both)";

fn check(case: &Case<'_>) -> Option<Finding> {
    let order = case.own()?.view.order;
    let machine = case.machine.byte_order()?;
    let refused = matches!(case.content, Outcome::Refused { .. } | Outcome::Unknown { .. });
    if order == machine || !refused || case.foreign {
        return None;
    }
    let data = if order == ByteOrder::Little { "1 (LSB)" } else { "2 (MSB)" };
    let uname = case.machine.kernel.machine.get().map_or("", String::as_str);
    let kernel = case.kernel_at(&[Step::ElfType, Step::CheckArch]);
    let own = if uname.starts_with("mips") { UNAME } else { ORDER };
    Some(case.tell(Severity::Error, &[WORDS, own, kernel], &[&order.name(), &machine.name(), &data, &uname]))
}
