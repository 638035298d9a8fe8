//! What an ARM program says of its ISA against what /proc/cpuinfo does.

use alloc::format;
use alloc::string::{String, ToString};

use crate::arch::Lack;
use crate::candidate::Image;
use crate::machine::{Machine, lists};
use crate::rules::shown::Shown;

/// Tag_CPU_arch counts from 0 (pre-v4): 3 is v5T, 6 v6, 10 v7, 14 v8.
pub(super) fn lack(machine: &Machine, image: &Image) -> Option<Lack> {
    const NAMES: [&str; 5] = ["ARMv4", "ARMv5", "ARMv6", "ARMv7", "ARMv8"];
    let name = |level: u32| NAMES.get(level.saturating_sub(4) as usize).copied().unwrap_or("ARM");
    let attributes = image.arm_attributes?;
    let has = machine.cpu().arm_architecture.value?;
    let arch = attributes.cpu_arch?;
    let needs = match arch {
        0..=2 => 4,
        3..=5 => 5,
        6..=9 | 11 | 12 => 6,
        10 | 13 => 7,
        _ => 8,
    };
    if needs > has {
        let (needs, has) = (name(needs), name(has));
        return Some(Lack {
            text: format!(
                "\
is built for {needs}, this processor is {has}
program: Tag_CPU_arch={arch}
machine: CPU architecture={has}"
            ),
            is_anew: false,
        });
    }
    let listed = &machine.cpu().features;
    let lacks = |names: &[&str]| listed.value.is_some() && !names.iter().any(|name| lists(listed, name));
    let lack = |unit: &str, tag: &str, value: u32| {
        let features = listed.get().map_or_else(String::new, ToString::to_string);
        let features = Shown(&features);
        Some(Lack {
            text: format!(
                "\
uses {unit}, this processor has none
program: {tag}={value}
machine: Features={features}"
            ),
            is_anew: false,
        })
    };
    if attributes.simd_arch > Some(0) && lacks(&["neon", "asimd"]) {
        return lack("NEON", "Tag_Advanced_SIMD_arch", attributes.simd_arch?);
    }
    if attributes.fp_arch > Some(0) && lacks(&["vfp", "vfpv3", "vfpv3d16", "vfpv4", "fp"]) {
        return lack("VFP", "Tag_FP_arch", attributes.fp_arch?);
    }
    None
}
