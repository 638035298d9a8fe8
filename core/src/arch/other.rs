//! Machines of which no more is known than their names: s390x, SPARC, SuperH.

use crate::elf::consts::{EM_S390, EM_SH, EM_SPARC, EM_SPARC32PLUS, EM_SPARCV9};
use crate::elf::{ByteOrder, Class};

/// Beginnings of what `uname -m` prints, the kernel's e_machine and word size.
const UNAMES: [(&str, u16, Class); 4] = [
    ("s390x", EM_S390, Class::Elf64),
    ("sparc64", EM_SPARCV9, Class::Elf64),
    ("sparc", EM_SPARC, Class::Elf32),
    ("sh4", EM_SH, Class::Elf32),
];

pub(super) fn of_uname(machine: &str) -> Option<(u16, Class)> {
    let (_, e_machine, class) = UNAMES.iter().find(|(name, ..)| machine.starts_with(name))?;
    Some((*e_machine, *class))
}

pub(super) fn order(e_machine: u16) -> Option<ByteOrder> {
    matches!(e_machine, EM_S390 | EM_SPARCV9 | EM_SPARC).then_some(ByteOrder::Big)
}

pub(super) fn also_runs(kernel: u16, program: u16) -> bool {
    kernel == EM_SPARCV9 && matches!(program, EM_SPARC | EM_SPARC32PLUS)
}
