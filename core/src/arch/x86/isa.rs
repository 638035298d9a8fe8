//! The levels of x86-64 (x86-64 psABI, "Micro-Architecture Levels").

use alloc::format;

use crate::arch::Lack;
#[cfg(feature = "every-machine")]
use crate::arch::important::is_taken;
use crate::candidate::{Image, Program, Toolchain};
use crate::machine::{Machine, Words};

/// GNU_PROPERTY_X86_ISA_1_BASELINE, V2, V3 and V4; the level; what it adds, as /proc/cpuinfo calls it (glibc's
/// sysdeps/x86/get-isa-level.h).
const LEVELS: [(u32, &str, &[&str]); 4] = [
    (1, "x86-64-baseline", &["cmov", "cx8", "fpu", "fxsr", "mmx", "sse", "sse2"]),
    (2, "x86-64-v2", &["cx16", "popcnt", "sse4_1", "sse4_2", "ssse3"]),
    (4, "x86-64-v3", &["avx2", "bmi1", "bmi2", "fma", "movbe"]),
    (8, "x86-64-v4", &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]),
];

/// The first level of GNU_PROPERTY_X86_ISA_1_NEEDED that a processor lacks, and a feature of it. What lies beyond v4 no
/// processor has. None where its features are not known.
pub(super) fn lacks_level(machine: &Machine, needed: u32) -> Option<(&'static str, &'static str)> {
    let features = machine.cpu().features.get()?;
    let lacking = needed & !machine.x86_levels.get_or_init(|| levels(features));
    for (_, level, names) in LEVELS.iter().filter(|(bit, ..)| lacking & bit != 0) {
        if let Some(name) = names.iter().find(|name| !features.has(name)) {
            return Some((level, name));
        }
    }
    (lacking > 15).then_some(("a level beyond x86-64-v4", "what it adds"))
}

/// The levels of which a processor has all features.
fn levels(features: &Words) -> u32 {
    // They are many: each is looked at once.
    let mut missing = LEVELS.map(|(_, _, names)| names.len());
    for feature in features.iter() {
        for ((_, _, names), missing) in LEVELS.iter().zip(&mut missing) {
            *missing = missing.saturating_sub(usize::from(names.contains(&feature)));
        }
    }
    LEVELS
        .iter()
        .zip(missing)
        .fold(0, |levels, ((bit, ..), missing)| if missing == 0 { levels | bit } else { levels })
}

/// Whether a processor has a level and those below (sysdeps/x86_64/dl-hwcaps-subdirs.c).
pub(in crate::arch) fn has_level(machine: &Machine, name: &[u8]) -> bool {
    let Some(at) = LEVELS.iter().position(|(_, level, _)| level.as_bytes() == name) else { return false };
    let needed = LEVELS.iter().take(at.saturating_add(1)).fold(0, |bits, (bit, ..)| bits | bit);
    machine.cpu().features.value.is_some() && lacks_level(machine, needed).is_none()
}

/// Features that glibc.cpu.hwcaps can take away, and the first level that is not there without one (sysdeps/x86/cpu-tunables.c;
/// tried with 2.36, 2.41 and 2.43). Other names do not count.
#[cfg(feature = "every-machine")]
const MASKS: [(&str, &[&str]); 3] = [
    ("x86-64-v2", &["CMOV", "CX8", "POPCNT", "SSE2", "SSE4_1", "SSE4_2", "SSSE3"]),
    ("x86-64-v3", &["AVX", "AVX2", "BMI1", "BMI2", "FMA", "LZCNT", "MOVBE", "OSXSAVE"]),
    ("x86-64-v4", &["AVX512F", "AVX512BW", "AVX512CD", "AVX512DQ", "AVX512VL"]),
];

/// Whether a level is not there for want of a feature that is taken away.
#[cfg(feature = "every-machine")]
pub(in crate::arch) fn is_masked(level: &[u8], hwcaps: &[u8]) -> bool {
    MASKS.iter().any(|(first, names)| level >= first.as_bytes() && is_taken(hwcaps, names))
}

pub(super) fn lack(machine: &Machine, program: &Program, image: &Image) -> Option<Lack> {
    by_mark(machine, image).or_else(|| by_code(machine, program, image))
}

/// What this processor lacks of GNU_PROPERTY_X86_ISA_1_NEEDED.
fn by_mark(machine: &Machine, image: &Image) -> Option<Lack> {
    let (level, lacks) = lacks_level(machine, image.x86_isa_needed?)?;
    Some(Lack {
        text: format!(
            "\
is built for {level}, this processor lacks {lacks}
program: GNU_PROPERTY_X86_ISA_1_NEEDED={level}
machine: flags=without {lacks}"
        ),
        dies: true,
        fix: START_FILES,
        ..Lack::default()
    })
}

/// The linker merges the marks of all objects.
const START_FILES: &str = "where its sources ask for no level, the mark comes from the start files (crt1.o) of the \
                           distribution that it was linked on: built elsewhere it has none";

/// What this processor lacks of what the code of a 32-bit program is made of.
fn by_code(machine: &Machine, program: &Program, image: &Image) -> Option<Lack> {
    // Go says itself what it was built for.
    let code = image.x86_code.filter(|_| program.go.is_none())?;
    // AT_HWCAP is EDX of CPUID's leaf 1 (arch/x86/include/asm/elf.h `ELF_HWCAP`).
    let lacks = |name: &str, bit: u64| match (machine.cpu().features.get(), machine.hwcap().value) {
        (Some(features), _) => !features.has(name),
        (None, hwcap) => hwcap.is_some_and(|hwcap| hwcap & bit == 0),
    };
    let (lacks, level, count) = if code.uses_sse2() && lacks("sse2", 1 << 26) {
        ("sse2", "SSE2", code.sse2)
    } else if code.uses_cmov() && lacks("cmov", 1 << 15) {
        ("cmov", "i686 (cmov)", code.cmov)
    } else {
        return None;
    };
    let field = if machine.cpu().features.get().is_some() { "flags" } else { "AT_HWCAP" };
    let is_rust = program.origin().toolchain == Toolchain::Rust;
    let target = if is_rust { "; Rust's i686 targets have SSE2" } else { "" };
    Some(Lack {
        text: format!(
            "\
is built for {level}, this processor lacks {lacks}
program: code={count} instructions of {level} in {} bytes{target}
machine: {field}=without {lacks}",
            code.bytes
        ),
        dies: true,
        ..Lack::default()
    })
}
