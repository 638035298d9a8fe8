//! The levels of x86-64 (x86-64 psABI, "Micro-Architecture Levels").

use alloc::format;

use crate::arch::Lack;
use crate::candidate::Image;
use crate::machine::{Cpu, Machine, lists};

/// GNU_PROPERTY_X86_ISA_1_V2, V3 and V4; the level; what it adds, as /proc/cpuinfo calls it.
const LEVELS: [(u32, &str, &[&str]); 3] = [
    (2, "x86-64-v2", &["cx16", "popcnt", "sse4_1", "sse4_2", "ssse3"]),
    (4, "x86-64-v3", &["avx2", "bmi1", "bmi2", "fma", "movbe"]),
    (8, "x86-64-v4", &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]),
];

/// The first level of GNU_PROPERTY_X86_ISA_1_NEEDED that a processor lacks, and a feature of it. What lies beyond v4 no
/// processor has. None where its features are not known.
pub(super) fn lacks_level(cpu: &Cpu, needed: u32) -> Option<(&'static str, &'static str)> {
    cpu.features.get()?;
    for (bit, level, names) in LEVELS {
        let missing = names.iter().find(|name| needed & bit != 0 && !lists(&cpu.features, name));
        if let Some(name) = missing {
            return Some((level, name));
        }
    }
    (needed > 15).then_some(("a level beyond x86-64-v4", "what it adds"))
}

/// What this processor lacks of GNU_PROPERTY_X86_ISA_1_NEEDED.
pub(super) fn lack(machine: &Machine, image: &Image) -> Option<Lack> {
    let (level, lacks) = lacks_level(machine.cpu(), image.x86_isa_needed?)?;
    Some(Lack {
        text: format!(
            "\
is built for {level}, this processor lacks {lacks}
program: GNU_PROPERTY_X86_ISA_1_NEEDED={level}
machine: flags=without {lacks}"
        ),
        is_anew: false,
    })
}
