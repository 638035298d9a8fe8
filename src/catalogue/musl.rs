//! What releases of musl define: `catalogue/musl.tsv`.

use std::cell::RefCell;
use std::rc::Rc;

use super::elf;
use super::rows::{Architecture, columns};
use super::text::e_machine;
use crate::elf::consts::{EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64};
use crate::recorded::Made;

const TABLE: &str = include_str!("../../catalogue/musl.tsv");

/// The releases that the table is of, in their order.
const RELEASES: [&str; 3] = ["1.2.3", "1.2.4", "1.2.5"];

/// The name of an architecture in musl's arch/, where the table has it.
fn name(arch: &Architecture) -> Option<&'static str> {
    Some(match (e_machine(arch), arch.is_64) {
        (EM_386, _) => "i386",
        (EM_AARCH64, _) => "aarch64",
        (EM_ARM, _) => "arm",
        (EM_MIPS, false) => "mips",
        (EM_MIPS, true) => "mips64",
        (EM_PPC64, _) => "powerpc64",
        (EM_RISCV, true) => "riscv64",
        (EM_S390, _) => "s390x",
        (EM_X86_64, _) => "x86_64",
        _ => return None,
    })
}

/// libc.so by release and architecture: many machines have the same one, which is made once.
#[derive(Default)]
pub(super) struct Libcs(RefCell<Vec<(Key, Rc<Made>)>>);

/// What the headers tell, and the release.
type Key = (u16, [bool; 3], &'static str);

impl Libcs {
    /// None where the table does not tell.
    pub(super) fn of(&self, arch: &Architecture, release: &'static str) -> Option<Rc<Made>> {
        if name(arch).is_none() || !RELEASES.contains(&release) {
            return None;
        }
        let key = (e_machine(arch), [arch.is_64, arch.is_big, arch.is_hard], release);
        let mut made = self.0.borrow_mut();
        if let Some((_, libc)) = made.iter().find(|(known, _)| *known == key) {
            return Some(Rc::clone(libc));
        }
        let arch = *arch;
        let libc = Rc::new(Made::new(move || elf::libc(&arch, release)));
        made.push((key, Rc::clone(&libc)));
        Some(libc)
    }
}

/// Symbols that are defined.
pub(super) struct Exports {
    /// Each by its hash for DT_GNU_HASH, and where it begins in `strings`.
    pub(super) list: Vec<(u32, u32)>,
    /// All of the table, with a NUL behind each word.
    pub(super) strings: Vec<u8>,
}

/// The symbols that a release defines for an architecture.
pub(super) fn exports(arch: &Architecture, release: &str) -> Exports {
    let own = name(arch).unwrap_or_default();
    let is_there = |line: &'static str| {
        let [_, since, until, architectures] = columns(line);
        (since.is_empty() || since <= release)
            && (until.is_empty() || release <= until)
            && (architectures.is_empty() || architectures.split(' ').any(|known| known == own))
    };
    let mut strings = TABLE.as_bytes().to_vec();
    let mut list = Vec::with_capacity(strings.len() / 8);
    // In one go: that is a third of what it takes to look for the lines, their columns and their hashes one by one.
    let (mut start, mut is_name, mut hash) = (0_u32, true, 5381_u32);
    for (at, byte) in (0_u32..).zip(&mut strings) {
        match *byte {
            b'\n' => {
                // Of most nothing more is said: they are everywhere. The first line is the head.
                let line = || TABLE.get(start as usize..at as usize).unwrap_or_default();
                if start > 0 && (is_name || is_there(line())) {
                    list.push((hash, start));
                }
                (start, is_name, hash) = (at.wrapping_add(1), true, 5381);
                *byte = 0;
            }
            b'\t' => {
                is_name = false;
                *byte = 0;
            }
            byte if is_name => hash = hash.wrapping_mul(33).wrapping_add(byte.into()),
            _ => {}
        }
    }
    Exports { list, strings }
}
