use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};

use super::shown::Shown;
use super::{Case, words};
use crate::candidate::Image;
use crate::elf::consts::{EM_386, EM_ARM, EM_MIPS, EM_X86_64};
use crate::elf::mips::Isa;
use crate::finding::{Finding, Severity};
use crate::ldso::LoaderRefusal;
use crate::machine::{Fact, Machine, Words, family, lists};

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
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/r6 elf mipsel gcc e_flags=0x90001407 abiflags=32,6,3,0
    /// $ diag /tmp/r6
    /// cannot tell whether /tmp/r6 starts; not known: whether its code is as its header
    ///   says: then this machine does not run it
    /// warning[isa-above-cpu]: /tmp/r6 is built for MIPS32r6, this processor is
    ///   MIPS32r2
    ///   program: built for MIPS32r6, o32, soft float, C
    ///   machine: isa mips1 mips2 mips32r1 mips32r2; cpu model MIPS 24KEc V5.0
    ///   kernel:  does not compare; the first instruction that this CPU lacks kills it:
    ///            SIGILL
    ///   you see: Illegal instruction
    ///   fix:     rebuild it for this machine, or take the build for mipsel_24kc
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [2]
    /// ```
    IsaAboveCpu, check
}

/// What the processor lacks.
struct Lack {
    /// "is built for ARMv7, this processor is ARMv5".
    title: String,
    /// The evidence of the program, where it is more than what it was built for.
    program: String,
    /// The evidence of the machine.
    machine: String,
    /// MIPS release 6 took instructions away: neither runs the other's programs.
    is_anew: bool,
}

fn check(case: &Case<'_>) -> Option<Finding> {
    let image = case.image?;
    if case.foreign || words::bits(image) > case.machine.kernel().class.value?.bits() {
        return None;
    }
    let Lack { title, program, machine, is_anew } = match image.header.e_machine {
        EM_MIPS if family::MIPS => mips(case.machine, image)?,
        EM_ARM if family::ARM => arm(case.machine, image)?,
        EM_X86_64 | EM_386 if family::X86 => x86(case.machine, image)?,
        _ => return None,
    };
    let ends = case.refused_by_loader() == Some(LoaderRefusal::IsaLevel);
    let severity = if ends { Severity::Error } else { Severity::Warning };
    let (file, built_for, rebuild) = (case.file(), case.built_for(), case.rebuild());
    let kernel = if ends {
        let loader_ends = case.loader_ends();
        format!("{loader_ends}, status 127\nyou see: {file}: CPU ISA level is lower than required")
    } else if case.starts() || (is_anew && words::step(case.content).is_none()) {
        "does not compare; the first instruction that this CPU lacks kills it: SIGILL\nyou see: Illegal instruction".to_owned()
    } else {
        String::new()
    };
    let model = Shown(case.machine.cpu().model.get().map_or("not known", String::as_str));
    Some(case.finding(
        severity,
        format_args!(
            "\
{file} {title}
program: {program}
machine: {machine}
program: built for={built_for}
machine: cpu model={model}
fix:     {rebuild}
kernel:  {kernel}"
        ),
    ))
}

fn mips(machine: &Machine, image: &Image) -> Option<Lack> {
    let needs = image.mips_isa()?;
    let listed = &machine.cpu().isa;
    let all = listed.get()?;
    if all.iter().any(|isa| runs(needs, isa.as_bytes())) {
        return None;
    }
    let last = all.iter().last()?;
    // As ISAs are written elsewhere.
    let (mips, level) = last.strip_prefix("mips").map_or(("", last), |level| ("MIPS", level));
    let (name, level, isa) = (needs.name(), Shown(level), list(listed));
    Some(Lack {
        title: format!("is built for {name}, this processor is {mips}{level}"),
        program: String::new(),
        machine: format!("isa={isa}"),
        is_anew: (needs.revision == 6) != last.ends_with("r6"),
    })
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
fn arm(machine: &Machine, image: &Image) -> Option<Lack> {
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
            title: format!("is built for {needs}, this processor is {has}"),
            program: format!("Tag_CPU_arch={arch}"),
            machine: format!("CPU architecture={has}"),
            is_anew: false,
        });
    }
    let listed = &machine.cpu().features;
    let lacks = |names: &[&str]| listed.value.is_some() && !names.iter().any(|name| lists(listed, name));
    let lack = |unit: &str, tag: &str, value: u32| {
        let features = list(listed);
        Some(Lack {
            title: format!("uses {unit}, this processor has none"),
            program: format!("{tag}={value}"),
            machine: format!("Features={features}"),
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

fn x86(machine: &Machine, image: &Image) -> Option<Lack> {
    let (level, lacks) = crate::machine::x86::lacks(machine.cpu(), image.x86_isa_needed?)?;
    Some(Lack {
        title: format!("is built for {level}, this processor lacks {lacks}"),
        program: format!("GNU_PROPERTY_X86_ISA_1_NEEDED={level}"),
        machine: format!("flags=without {lacks}"),
        is_anew: false,
    })
}

fn list(fact: &Fact<Words>) -> String {
    fact.get().map_or_else(String::new, |list| Shown(&list.to_string()).to_string())
}
