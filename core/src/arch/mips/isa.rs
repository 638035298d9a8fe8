//! What a MIPS program says of its ISA against "isa" of /proc/cpuinfo.

use alloc::format;
use alloc::string::ToString as _;

use crate::arch::Lack;
use crate::candidate::Image;
use crate::elf::mips::Isa;
use crate::machine::Machine;
use crate::rules::shown::Shown;

/// What this processor lacks of the ISA that the program is marked with.
pub(super) fn lack(machine: &Machine, image: &Image) -> Option<Lack> {
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
