//! What a word asks of the processor beyond its architecture: an ARM version, a level of x86-64.

use super::fit::{NONE, Said, Wanted, no, unsure};
use super::name::Name;
use super::page::{Has, Page};
use super::words::{Level, Processor, SOFT, TRIPLE};
use crate::arch;
use crate::elf::Class;
use crate::elf::consts::{EM_386, EM_AARCH64, EM_ARM, EM_X86_64};
use crate::machine::lists;

impl Wanted<'_, '_> {
    /// What a word asks of the processor beyond its architecture, and how far that is from its best.
    pub(super) fn level(&self, processor: &Processor, name: &Name, page: &Page) -> (u8, Option<Said<'_>>) {
        match processor.e_machine {
            EM_ARM if const { arch::is_judged(EM_ARM) } => self.arm_level(processor.level, name, page),
            EM_386 | EM_X86_64 if const { arch::is_judged(EM_X86_64) || arch::is_judged(EM_386) } => {
                self.x86_level(processor.level, name, page)
            }
            _ => match processor.level {
                Level::Mips16 => (1, Some(unsure("it is not said whether this processor has MIPS16"))),
                Level::OldLoongArch => (0, Some(no("is for the old world of LoongArch (ABI 1.0)", NONE))),
                _ => (0, None),
            },
        }
    }

    fn arm_level(&self, level: Level, name: &Name, page: &Page) -> (u8, Option<Said<'_>>) {
        let unless_six = |why| self.arm(6, name).1.map(|_| unsure(why));
        match level {
            Level::AnyArm if name.says(TRIPLE) => self.arm(6, name),
            // Without words for others beside it, it may be for any of them.
            Level::AnyArm => match (page.has(Has::LowArm), page.has(Has::HighArm)) {
                (true, false) => self.arm(7, name),
                (false, true) => (4, None),
                _ => (4, self.arm(7, name).1.map(|_| unsure("it is not said which ARM version it is for"))),
            },
            Level::Arm(version) => self.arm(version, name),
            Level::Core(version) => self.vfp(version),
            Level::Armel if page.has(Has::LowArm) => {
                (4, unless_six("it is not said whether it is for ARMv5 or ARMv6"))
            }
            Level::Armhf => match self.arm(7, name) {
                (further, None) => (further, None),
                (further, Some(_)) => {
                    let but = self.arm(6, name).1;
                    (further, but.or(Some(unsure("it is not said whether it is for ARMv6 or ARMv7"))))
                }
            },
            _ => (4, None),
        }
    }

    fn x86_level(&self, level: Level, name: &Name, page: &Page) -> (u8, Option<Said<'_>>) {
        match level {
            Level::X86(0) if page.has(Has::FirstX86) => self.x86(3, 0),
            Level::X86(0) => (0, None),
            Level::X86(1) => (3, None),
            Level::X86(level) => self.x86(level, 5_u8.saturating_sub(level)),
            Level::AnyX86 if !name.says(SOFT) => {
                let has_sse2 = self.machine.kernel().class.value == Some(Class::Elf64)
                    || lists(&self.machine.cpu().features, "sse2");
                let why = "it is not said whether it wants SSE2, which this processor is not known to have";
                (0, (!has_sse2).then(|| unsure(why)))
            }
            _ => (1, None),
        }
    }

    /// ARM of a version, with VFP from 6 on unless the name says soft float.
    fn arm(&self, version: u8, name: &Name) -> (u8, Option<Said<'_>>) {
        if version <= 5 || !name.says(SOFT) {
            return self.vfp(version);
        }
        let (further, but) = self.armv(version);
        // What uses an FPU is nearer to a machine that has one.
        (further.saturating_add(1), but)
    }

    fn armv(&self, version: u8) -> (u8, Option<Said<'_>>) {
        let further = 7_u8.saturating_sub(version).saturating_mul(2);
        let but = match self.machine.cpu().arm_architecture.value {
            _ if version <= 5 || self.machine.e_machine() == Some(EM_AARCH64) => None,
            None => Some(unsure("it is not said which ARM version this processor is")),
            Some(own) if own < version.into() => {
                let own = usize::try_from(own).ok().and_then(|own| ARM.get(own)).unwrap_or(&"older");
                Some(no("is for %, this processor is %", [arm_name(version), own]))
            }
            Some(_) => None,
        };
        (further, but)
    }

    /// The same, and the VFP that goes with it.
    fn vfp(&self, version: u8) -> (u8, Option<Said<'_>>) {
        let (further, but) = self.armv(version);
        let features = &self.machine.cpu().features;
        let wanted: &[&str] = match version {
            ..=5 => &[],
            6 => &["vfp"],
            _ => &["vfpv3", "vfpv3d16", "vfpv4", "neon"],
        };
        let has_it = wanted.is_empty()
            || self.machine.e_machine() == Some(EM_AARCH64)
            || wanted.iter().any(|feature| lists(features, feature));
        if but.is_some() || has_it {
            return (further, but);
        }
        let but = match features.get() {
            Some(_) => no("is for % with VFP, which this processor lacks", [arm_name(version), ""]),
            None => unsure("it is not said whether this processor has VFP"),
        };
        (further, Some(but))
    }

    fn x86(&self, level: u8, further: u8) -> (u8, Option<Said<'_>>) {
        let name = match level {
            2 => "x86-64-v2",
            3 => "x86-64-v3",
            _ => "x86-64-v4",
        };
        let but = match self.machine.cpu().features.get() {
            None => Some(unsure("it is not said whether this processor has that level of x86-64")),
            Some(_) if arch::has_level(self.machine, name.as_bytes()) => None,
            Some(_) => Some(no("is for %, which this processor is not", [name, ""])),
        };
        (further, but)
    }
}

/// By their numbers.
const ARM: [&str; 9] = ["ARM", "ARMv1", "ARMv2", "ARMv3", "ARMv4", "ARMv5", "ARMv6", "ARMv7", "ARMv8"];

fn arm_name(version: u8) -> &'static str {
    ARM.get(usize::from(version)).copied().unwrap_or_default()
}
