//! What the files of a release page say of each other: a project that has `mipsle-softfloat` means hard float by `mipsle`.

use alloc::vec::Vec;

use super::name::Name;
use super::words::{ANDROID, GLIBC, HARD, Level, MUSL, SOFT};
use crate::elf::consts::EM_MIPS;

/// What a page has names for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Has {
    /// ARMv5 alone: a plain `arm` is a later one.
    LowArm,
    /// Later ones: a plain `arm` is for the older ones.
    HighArm,
    /// `amd64-compatible`: a plain `amd64` is x86-64-v3.
    FirstX86,
    Mips,
    /// MIPS with soft float: without a word it is hard float.
    SoftMips,
    HardMips,
    Musl,
    Glibc,
}

/// The names of a release page, and what those of programs for Linux say of each other.
pub(super) struct Page<'a> {
    pub(super) names: Vec<Name<'a>>,
    /// A bit for each.
    has: u16,
}

impl<'a> Page<'a> {
    pub(super) fn of(names: impl Iterator<Item = &'a [u8]>) -> Page<'a> {
        let mut page = Page { names: Vec::new(), has: 0 };
        for name in names {
            let name = Name::read(name);
            if name.other.is_empty() && !name.says(ANDROID) {
                page.learn(&name);
            }
            page.names.push(name);
        }
        page
    }

    pub(super) fn has(&self, what: Has) -> bool {
        self.has & (1 << what as u16) != 0
    }

    fn learn(&mut self, name: &Name) {
        let is_mips = name.processor.is_some_and(|known| known.e_machine == EM_MIPS);
        let level = name.processor.map(|known| known.level);
        let learnt = [
            (Has::LowArm, matches!(level, Some(Level::Arm(5)))),
            (Has::HighArm, matches!(level, Some(Level::Arm(6..) | Level::Armhf))),
            (Has::FirstX86, matches!(level, Some(Level::X86(1)))),
            (Has::Mips, is_mips),
            (Has::SoftMips, is_mips && name.says(SOFT)),
            (Has::HardMips, is_mips && name.says(HARD)),
            (Has::Musl, name.says(MUSL)),
            (Has::Glibc, name.says(GLIBC)),
        ];
        for (what, is_so) in learnt {
            self.has |= u16::from(is_so) << what as u16;
        }
    }
}
