//! What an ARM program says of its ISA (ARM IHI 0045, "Addenda to the ABI: Build Attributes") against what
//! /proc/cpuinfo and the auxiliary vector do.
//!
//! The attributes are the most that any object of the program asks for: one that looks at AT_HWCAP before it uses NEON, as
//! in libjpeg and FFmpeg, marks the whole program. Tag_CPU_arch is what the compiler was told: no such object raises it in
//! Debian 12's armel.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::hard_float;
use crate::arch::Lack;
use crate::candidate::{Image, Program};
use crate::elf::Attributes;
use crate::elf::consts::EM_AARCH64;
use crate::machine::Machine;
use crate::rules::shown::Shown;

const TAG_CPU_ARCH: u32 = 6;
const TAG_CPU_ARCH_PROFILE: u32 = 7;
const TAG_THUMB_ISA_USE: u32 = 9;
const TAG_FP_ARCH: u32 = 10;
const TAG_WMMX_ARCH: u32 = 11;
const TAG_ADVANCED_SIMD_ARCH: u32 = 12;
const TAG_DIV_USE: u32 = 44;

/// HWCAP_* of arch/arm/include/uapi/asm/hwcap.h by their bits, as `hwcap_str` of arch/arm/kernel/setup.c has them.
const HWCAPS: [&str; 20] = [
    "swp", "half", "thumb", "26bit", "fastmult", "fpa", "vfp", "edsp", "java", "iwmmxt", "crunch", "thumbee",
    "neon", "vfpv3", "vfpv3d16", "tls", "vfpv4", "idiva", "idivt", "vfpd32",
];

pub(super) fn lack(machine: &Machine, _: &Program, image: &Image) -> Option<Lack> {
    let attributes = image.attributes.as_ref()?;
    let (has, source) = architecture(machine)?;
    let arch = attributes.get(TAG_CPU_ARCH);
    let needs = arch.map_or(0, level);
    let is_soft = hard_float(image).is_none();
    if needs > has {
        let (needs, has, arch) = (name(needs), name(has), arch.unwrap_or_default());
        return Some(Lack {
            text: format!(
                "\
is built for {needs}, this processor is {has}
program: Tag_CPU_arch={arch}
machine: {source}={has}"
            ),
            dies: true,
            ..Lack::default()
        });
    }
    // AArch32 of ARMv8 has all of them.
    if has >= 8 {
        return None;
    }
    let units = Processor { machine, level: has }.units(attributes, is_soft);
    let none = match units.names.len() {
        0 => return None,
        1 => "none",
        2 => "neither",
        _ => "none of them",
    };
    let (field, features) = match (machine.cpu().features.get(), machine.hwcap().value) {
        (Some(features), _) => ("Features", features.to_string()),
        (None, hwcap) => ("AT_HWCAP", format!("{:#x}", hwcap.unwrap_or_default())),
    };
    Some(Lack {
        text: format!(
            "uses {}, this processor has {none}{}\nmachine: {field}={}",
            units.told(),
            units.evidence,
            Shown(&features)
        ),
        dies: units.dies,
        ..Lack::default()
    })
}

/// Tag_CPU_arch counts from 0 (pre-v4): 3 is v5T, 6 v6, 10 v7, 14 v8. Those of microcontrollers have numbers between.
const fn level(arch: u32) -> u32 {
    match arch {
        0..=2 => 4,
        3..=5 => 5,
        6..=9 | 11 | 12 => 6,
        10 | 13 => 7,
        _ => 8,
    }
}

fn name(level: u32) -> &'static str {
    const NAMES: [&str; 5] = ["ARMv4", "ARMv5", "ARMv6", "ARMv7", "ARMv8"];
    NAMES.get(level.saturating_sub(4) as usize).copied().unwrap_or("ARM")
}

/// The processor's, and who tells it: AT_PLATFORM is "v7l", of `elf_platform` in arch/arm/kernel/setup.c.
fn architecture(machine: &Machine) -> Option<(u32, &'static str)> {
    if let Some(told) = machine.cpu().arm_architecture.value {
        return Some((told, "CPU architecture"));
    }
    if machine.kernel().e_machine.value == Some(EM_AARCH64) {
        return Some((8, "uname -m"));
    }
    let digit = machine.platform().value?.strip_prefix('v')?.chars().next()?.to_digit(10)?;
    Some((digit, "AT_PLATFORM"))
}

/// A processor before ARMv8.
struct Processor<'a> {
    machine: &'a Machine<'a>,
    /// Its architecture.
    level: u32,
}

/// What a program uses that the processor lacks.
#[derive(Default)]
struct Units {
    names: Vec<&'static str>,
    evidence: String,
    dies: bool,
}

impl Units {
    fn add(&mut self, name: &'static str, tag: &str, value: u32, dies: bool) {
        self.names.push(name);
        self.evidence.push_str(&format!("\nprogram: {tag}={value}"));
        self.dies |= dies;
    }

    /// "VFPv4 and hardware division".
    fn told(&self) -> String {
        match self.names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => self.names.concat(),
        }
    }
}

impl Processor<'_> {
    /// Whether it is known to lack all of these. Before Linux 3.10 not every kernel listed what came with the Cortex-A7
    /// and A15 (vfpv4, idiva, idivt) and vfpd32; of some cores it is known.
    fn lacks(&self, names: &[&str]) -> bool {
        const LATE: [&str; 4] = ["vfpv4", "idiva", "idivt", "vfpd32"];
        /// Cortex-A5, A8 and A9.
        const WITHOUT: [&str; 3] = ["0xc05", "0xc08", "0xc09"];
        let part = self.machine.cpu().part.get();
        let is_listed = |name: &&str| {
            !LATE.contains(name)
                || !self.machine.kernel().older_than((3, 10, 0))
                || (*name != "vfpd32" && part.is_some_and(|part| WITHOUT.contains(&part.as_str())))
        };
        let (features, hwcap) = (self.machine.cpu().features.get(), self.machine.hwcap().value);
        let has = |name: &str| match (features, hwcap) {
            (Some(features), _) => features.has(name),
            (None, Some(mut bits)) => HWCAPS.iter().any(|known| {
                let is_set = bits & 1 != 0;
                bits >>= 1;
                is_set && *known == name
            }),
            (None, None) => true,
        };
        names.iter().all(is_listed) && !names.iter().any(|name| has(name))
    }

    fn units(&self, attributes: &Attributes, is_soft: bool) -> Units {
        let mut units = Units::default();
        let arch = attributes.get(TAG_CPU_ARCH);
        let (mut fp, mut simd) = (attributes.value(TAG_FP_ARCH), attributes.value(TAG_ADVANCED_SIMD_ARCH));
        // What is compiled for less than ARMv7 has them in parts that look at AT_HWCAP first (ruff for ARMv6, Debian's
        // libjpeg for ARMv5).
        if arch < Some(10) && arch.is_some() && fp > 2 {
            (fp, simd) = (if is_soft { 0 } else { 2 }, 0);
        }
        let (fp_tag, simd_tag) = ("Tag_FP_arch", "Tag_Advanced_SIMD_arch");
        if simd > 0 && self.lacks(&["neon", "asimd"]) {
            units.add("NEON", simd_tag, simd, false);
        } else if fp > 0 && self.lacks(&["vfp", "vfpv3", "vfpv3d16", "vfpv4", "fp"]) {
            units.add("VFP", fp_tag, fp, !is_soft);
        } else if fp > 2 && self.lacks(&["vfpv3", "vfpv3d16", "vfpv4", "neon"]) {
            units.add("VFPv3", fp_tag, fp, !is_soft);
        } else if matches!(fp, 3 | 5 | 7) && self.lacks(&["vfpd32", "neon"]) && !self.lacks(&["vfpv3d16"]) {
            units.add("the registers d16 to d31", fp_tag, fp, false);
        }
        if fp > 6 || simd > 2 {
            let (tag, value) = if fp > 6 { (fp_tag, fp) } else { (simd_tag, simd) };
            units.add("floating point of ARMv8", tag, value, !is_soft);
        } else if (fp > 4 || simd == 2) && self.lacks(&["vfpv4"]) {
            let (tag, value) = if fp > 4 { (fp_tag, fp) } else { (simd_tag, simd) };
            units.add("VFPv4", tag, value, !is_soft);
        }
        let wmmx = attributes.value(TAG_WMMX_ARCH);
        if wmmx > 0 && self.lacks(&["iwmmxt"]) {
            units.add("iWMMXt", "Tag_WMMX_arch", wmmx, true);
        }
        // 0 leaves it to the architecture: those of real-time cores and microcontrollers have it in Thumb.
        let div = attributes.value(TAG_DIV_USE);
        let by_profile =
            div == 0 && arch >= Some(10) && matches!(attributes.value(TAG_CPU_ARCH_PROFILE), 0x4d | 0x52);
        if (div == 2 || by_profile) && self.lacks(&["idiva", "idivt"]) {
            units.add("hardware division", "Tag_DIV_use", div, true);
        }
        let thumb = attributes.value(TAG_THUMB_ISA_USE);
        // An ARM1156 has Thumb-2, and no router has one.
        if arch == Some(8) && thumb == 2 && self.level == 6 {
            units.add("Thumb-2", "Tag_THUMB_ISA_use", thumb, true);
        } else if thumb > 0 && self.level == 4 && self.lacks(&["thumb"]) {
            units.add("Thumb", "Tag_THUMB_ISA_use", thumb, true);
        }
        units
    }
}
