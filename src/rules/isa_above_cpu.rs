use super::{Case, words};
use crate::candidate::Image;
use crate::elf::consts::{EM_386, EM_ARM, EM_MIPS, EM_X86_64};
use crate::elf::mips::Isa;
use crate::finding::{Finding, Severity};
use crate::linker::Refusal;
use crate::machine::lists;
use crate::machine::{Fact, Machine, family};
use crate::text;

rule! {
    /// # What it means
    /// The program is marked as made for a newer processor than this one.
    /// # How it looks
    /// `Illegal instruction`, at once or much later; a glibc loader: `CPU ISA level is lower than required`.
    /// # Why
    /// The kernel does not compare ISA levels. The first instruction that the processor lacks raises SIGILL. The mark
    /// promises more than the code may use, so this is a warning. MIPS release 6 encodes many instructions anew: such a
    /// program hardly runs on an earlier one, so that diag does not say that it starts (exit status 2).
    /// # Fix
    /// Build for the level that the machine lists: `-march=mips32` (MIPS32 R1), GOARM=5, `-march=x86-64`.
    /// # Kernel source
    /// None: `elf_check_arch` looks at no ISA level. /proc/cpuinfo `isa`, `CPU architecture`, `flags`.
    "isa-above-cpu", check
}

const WORDS: &str = "\
p built for=%b
m cpu model=%2
rebuild";
const KERNEL: &str = "k does not compare; an instruction that is absent is SIGILL: Illegal instruction";
const LOADER: &str = "k %l, status 127: %n: CPU ISA level is lower than required";
const MIPS: &str = "\
%n is built for %0, this processor is %1
m isa=%3";
const ARM: &str = "\
%n is built for %0, this processor is %1
p Tag_CPU_arch=%4
m CPU architecture=%1";
const NEON: &str = "\
%n uses %0, this processor has none
p Tag_Advanced_SIMD_arch=%4
m Features=%3";
const VFP: &str = "\
%n uses %0, this processor has none
p Tag_FP_arch=%4
m Features=%3";
const X86: &str = "\
%n is built for %0, this processor lacks %1
p GNU_PROPERTY_X86_ISA_1_NEEDED=%0
m flags=no %1";

/// What the processor lacks.
struct Lack<'a> {
    words: &'static str,
    /// What the program needs.
    needs: &'a str,
    /// What the processor is, or lacks.
    has: String,
    /// What /proc/cpuinfo lists of it.
    listed: &'a Fact<Vec<String>>,
    /// The number of the mark.
    mark: u32,
    /// The instructions are encoded anew: hardly a program of the one runs on the other.
    is_anew: bool,
}

fn check(case: &Case<'_>) -> Option<Finding> {
    let image = case.image?;
    if case.foreign || words::bits(image) > case.machine.kernel.class.value?.bits() {
        return None;
    }
    let lack = match image.header.e_machine {
        EM_MIPS if family::MIPS => mips(case.machine, image)?,
        EM_ARM if family::ARM => arm(case.machine, image)?,
        EM_X86_64 | EM_386 if family::X86 => x86(case.machine, image)?,
        _ => return None,
    };
    let ends = case.refused_by_loader() == Some(Refusal::Level);
    let severity = if ends { Severity::Error } else { Severity::Warning };
    let kernel = if ends {
        LOADER
    } else if case.starts() || (lack.is_anew && words::step(case.content).is_none()) {
        KERNEL
    } else {
        ""
    };
    let model = case.machine.cpu.model.get().map_or("not known", String::as_str);
    let list = lack.listed.get().map_or_else(String::new, |list| text::join(list, " "));
    Some(case.tell(
        severity,
        &[lack.words, WORDS, kernel],
        &[&lack.needs, &lack.has, &model, &list, &u64::from(lack.mark)],
    ))
}

fn mips<'a>(machine: &'a Machine, image: &Image) -> Option<Lack<'a>> {
    let needs = image.mips_isa()?;
    let listed = &machine.cpu.isa;
    let all = listed.get()?;
    if all.iter().any(|isa| runs(needs, isa.as_bytes())) {
        return None;
    }
    let last = all.last()?.as_str();
    // As ISAs are written elsewhere.
    let has = last.strip_prefix("mips").map_or_else(|| last.to_owned(), |rest| text::concat(&["MIPS", rest]));
    let is_anew = (needs.revision == 6) != last.ends_with("r6");
    Some(Lack { words: MIPS, needs: needs.name(), has, listed, mark: 0, is_anew })
}

/// Whether a level goes with one of those that /proc/cpuinfo lists ("mips1 mips2 mips32r1 mips32r2"; release 6 alone).
/// R3 and R5 add to R2 what only kernels use.
fn runs(needs: Isa, listed: &[u8]) -> bool {
    let digit = |byte: u8| byte.wrapping_sub(b'0');
    match listed {
        [b'm', b'i', b'p', b's', level] => u32::from(digit(*level)) == u32::from(needs.level),
        [b'm', b'i', b'p', b's', width, _, b'r', revision] => {
            let wide = needs.level < 64 || *width == b'6';
            let fits = match needs.revision {
                0 | 1 => matches!(digit(*revision), 1 | 2),
                2 | 3 | 5 => *revision == b'2',
                other => digit(*revision) == other,
            };
            wide && fits && needs.level > 5
        }
        _ => false,
    }
}

/// Tag_CPU_arch counts from 0 (pre-v4): 3 is v5T, 6 v6, 10 v7, 14 v8.
fn arm<'a>(machine: &'a Machine, image: &Image) -> Option<Lack<'a>> {
    const NAMES: [&str; 5] = ["ARMv4", "ARMv5", "ARMv6", "ARMv7", "ARMv8"];
    let name = |level: u32| NAMES.get(level.saturating_sub(4) as usize).copied().unwrap_or("ARM");
    let attributes = image.arm_attributes?;
    let has = machine.cpu.arm_architecture.value?;
    let arch = attributes.cpu_arch?;
    let needs = match arch {
        0..=2 => 4,
        3..=5 => 5,
        6..=9 | 11 | 12 => 6,
        10 | 13 => 7,
        _ => 8,
    };
    let listed = &machine.cpu.features;
    let lack = |words, needs, has: &str, mark| {
        Some(Lack { words, needs, has: has.to_owned(), listed, mark, is_anew: false })
    };
    if needs > has {
        return lack(ARM, name(needs), name(has), arch);
    }
    let lacks = |names: &[&str]| listed.value.is_some() && !names.iter().any(|name| lists(listed, name));
    if attributes.simd_arch > Some(0) && lacks(&["neon", "asimd"]) {
        return lack(NEON, "NEON", "", attributes.simd_arch?);
    }
    if attributes.fp_arch > Some(0) && lacks(&["vfp", "vfpv3", "vfpv3d16", "vfpv4", "fp"]) {
        return lack(VFP, "VFP", "", attributes.fp_arch?);
    }
    None
}

fn x86<'a>(machine: &'a Machine, image: &Image) -> Option<Lack<'a>> {
    let (level, lacks) = crate::machine::x86::lacks(&machine.cpu, image.x86_isa_needed?)?;
    let listed = &machine.cpu.features;
    Some(Lack { words: X86, needs: level, has: lacks.to_owned(), listed, mark: 0, is_anew: false })
}
