//! What a MIPS program says of its ISA against "isa" of /proc/cpuinfo.

use alloc::format;
use alloc::string::ToString as _;

use crate::arch::Lack;
use crate::candidate::{Image, Program};
use crate::elf::mips::{Isa, mach_name};
use crate::machine::{Machine, holds};
use crate::rules::shown::Shown;

/// What this processor lacks of the ISA that the program is marked with.
pub(super) fn lack(machine: &Machine, _: &Program, image: &Image) -> Option<Lack> {
    by_level(machine, image).or_else(|| by_processor(machine, image))
}

fn by_level(machine: &Machine, image: &Image) -> Option<Lack> {
    let needs = image.mips_isa()?;
    let listed = &machine.cpu().isa;
    let all = listed.get()?;
    let mut last = None;
    for isa in all.iter() {
        if runs(needs, isa.as_bytes()) {
            return None;
        }
        last = Some(isa);
    }
    let last = last?;
    // As ISAs are written elsewhere.
    let (mips, level) = last.strip_prefix("mips").map_or(("", last), |level| ("MIPS", level));
    let (name, level) = (needs.name(), Shown(level));
    Some(Lack {
        text: format!(
            "is built for {name}, this processor is {mips}{level}\nmachine: isa={}",
            Shown(&all.to_string())
        ),
        is_anew: (needs.revision == 6) != last.ends_with("r6"),
        dies: true,
        ..Lack::default()
    })
}

/// EF_MIPS_MACH against "cpu model" (arch/mips/kernel/cpu-probe.c `cpu_probe`): instructions of one maker's processors.
fn by_processor(machine: &Machine, image: &Image) -> Option<Lack> {
    /// What models are called whose own instructions are those of another: the newer ones have the older ones' as well.
    const ALSO: [(&str, &[&str]); 6] = [
        ("Octeon", &["Cavium Octeon"]),
        ("Octeon 2", &["Cavium Octeon II"]),
        ("Octeon 3", &["Cavium Octeon III"]),
        ("XLR", &["Netlogic XL", "RMI XL"]),
        ("SB-1", &["SiByte SB1"]),
        ("TX3900", &["TX39"]),
    ];
    let name = mach_name(image.header.e_flags)?;
    let model = machine.cpu().model.get()?;
    let own = ALSO.iter().find(|(known, _)| *known == name);
    let is_own = match own {
        Some((_, models)) => models.iter().any(|own| model.starts_with(own)),
        // "ICT Loongson-3A V0.8": GS464 and its successors.
        None if name.starts_with("Loongson") => holds(model.as_bytes(), b"Loongson"),
        // "NEC VR5500 V1.1", "R5900 V3.1".
        None => holds(model.as_bytes(), name.strip_prefix("VR").unwrap_or(name).as_bytes()),
    };
    if is_own {
        return None;
    }
    Some(Lack {
        text: format!(
            "is built for the {name}'s own instructions, this processor is another\nprogram: e_flags={:#x}",
            image.header.e_flags
        ),
        dies: true,
        ..Lack::default()
    })
}

/// Whether a level goes with one of those that /proc/cpuinfo lists ("mips1 mips2 mips32r1 mips32r2"; release 6 alone).
/// R3 and R5 add to R2 what only kernels use.
fn runs(needs: Isa, listed: &[u8]) -> bool {
    let digit = |byte: u8| byte.wrapping_sub(b'0');
    match listed.strip_prefix(b"mips") {
        Some([level]) => digit(*level) == needs.level,
        Some([width, _, b'r', revision]) => {
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
