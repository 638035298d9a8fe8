//! What glibc up to 2.36 has called processors, in the names of folders that only they use: HWCAP_IMPORTANT and
//! `_dl_hwcap_string` of sysdeps/*/dl-procinfo.h, and AT_PLATFORM. Seen with LD_DEBUG=libs of Debian's 2.31 and 2.36.

use alloc::vec::Vec;

use crate::elf::consts::{EM_386, EM_AARCH64, EM_ARM, EM_PPC, EM_PPC64, EM_S390, EM_X86_64};
use crate::machine::{Machine, parts};

/// A name, and its bit in an entry of ld.so.cache; 0 where that cannot tell it.
pub(crate) type Important<'a> = (u64, &'a str);

/// All names that there are on x86-64, whatever the processor: mostly there is no such folder, which is known for less than
/// what the processor has.
pub(crate) const OF_X86_64: [&str; 5] = ["tls", "haswell", "x86_64", "avx512_1", "xeon_phi"];

/// By /proc/cpuinfo, of x86; and what of it glibc.cpu.hwcaps can take away.
const AVX512_1: [&str; 4] = ["avx512cd", "avx512bw", "avx512dq", "avx512vl"];
const NAMES_OF_AVX512_1: [&str; 4] = ["AVX512CD", "AVX512BW", "AVX512DQ", "AVX512VL"];
/// What can be taken from `haswell`: others from 2.33 on, when OSXSAVE counts as well.
const NAMES_OF_HASWELL: [&str; 5] = ["BMI1", "BMI2", "LZCNT", "MOVBE", "POPCNT"];

/// Whether what is set as glibc.cpu.hwcaps takes away one of these: `-AVX2,-ERMS`. What has no `-` before it does not count.
pub(crate) fn is_taken(hwcaps: &[u8], names: &[&str]) -> bool {
    let is_gone = |word: &[u8]| names.iter().any(|name| word == name.as_bytes());
    parts(hwcaps, b',').filter_map(|word| word.strip_prefix(b"-")).any(is_gone)
}

/// Whether it takes away what makes a `haswell`.
pub(crate) fn is_haswell_taken(hwcaps: &[u8], is_old: bool) -> bool {
    let others: &[&str] = if is_old { &["AVX2_Usable"] } else { &["AVX2", "FMA", "OSXSAVE"] };
    is_taken(hwcaps, &NAMES_OF_HASWELL) || is_taken(hwcaps, others)
}

/// What a processor has, but for what is taken away, the least important first.
pub(crate) fn important(
    machine: &Machine,
    e_machine: u16,
    (hwcaps, is_old): (&[u8], bool),
) -> Vec<Important<'static>> {
    let features = machine.cpu().features.get();
    let has = |name: &&str| features.is_some_and(|features| features.has(name));
    let hwcap = machine.hwcap().value.unwrap_or_default();
    let mut names = Vec::new();
    let mut add = |bit: u32, name, is: bool| {
        if is {
            names.push((1 << bit, name));
        }
    };
    match e_machine {
        EM_386 => add(0, "sse2", has(&"sse2")),
        EM_X86_64 => {
            let is_intel = machine.cpu().model.get().is_some_and(|model| model.contains("Intel"));
            add(1, "x86_64", true);
            let has_all = AVX512_1.iter().all(has) && !has(&"avx512er");
            let is_gone = is_taken(hwcaps, &NAMES_OF_AVX512_1) || !is_old && is_taken(hwcaps, &["OSXSAVE"]);
            add(2, "avx512_1", is_intel && has_all && !is_gone);
        }
        EM_ARM => {
            // Of 64 bits every processor has them.
            let is_wide = machine.e_machine() == Some(EM_AARCH64);
            add(6, "vfp", is_wide || has(&"vfp") || hwcap & 1 << 6 != 0);
            add(12, "neon", is_wide || has(&"neon") || hwcap & 1 << 12 != 0);
        }
        EM_AARCH64 => add(8, "atomics", hwcap & 1 << 8 != 0),
        EM_PPC | EM_PPC64 => {
            add(10, "dfp", hwcap & 1 << 10 != 0);
            add(28, "altivec", hwcap & 1 << 28 != 0);
        }
        EM_S390 => {
            for (bit, name) in [(1, "zarch"), (4, "ldisp"), (5, "eimm"), (6, "dfp"), (11, "vx"), (13, "vxe")]
            {
                add(bit, name, hwcap & 1 << bit != 0);
            }
        }
        _ => {}
    }
    names
}

/// What a program's processor is called, where the kernel calls its own so.
pub(crate) fn platform(e_machine: u16, of_kernel: &str) -> Important<'_> {
    match (e_machine, of_kernel) {
        (EM_386, _) => (1 << 49, "i686"),
        (EM_ARM, "aarch64") => (0, "v8l"),
        (EM_X86_64, "haswell") => (1 << 50, "haswell"),
        (_, other) => (0, other),
    }
}
