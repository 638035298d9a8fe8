//! GOPPC64 against the processor. Go's runtime asks nothing.

use crate::candidate::go::Code;
use crate::candidate::{Go, Image};
use crate::exec::go::{GoEnd, GoLacks};
use crate::machine::Machine;

/// Go 1.9 on is for POWER8 at least, whatever the byte order.
pub(super) fn lacks(machine: &Machine, _: &Image, go: &Go) -> Option<GoLacks> {
    let (needs, what) = match go.level.as_deref() {
        None | Some("power8") => (8, "POWER8"),
        Some("power9") => (9, "POWER9"),
        Some("power10") => (10, "POWER10"),
        _ => return None,
    };
    let (has, source) = version(machine);
    let end = match has {
        Some(has) if has >= needs => return None,
        Some(_) => GoEnd::Killed,
        None if needs == 8 => return None,
        None => GoEnd::Unknown,
    };
    let instead = match (machine.byte_order()?, has) {
        (_, Some(..=7)) => "",
        (crate::elf::ByteOrder::Big, _) => "GOARCH=ppc64 GOPPC64=power8",
        _ => "GOARCH=ppc64le GOPPC64=power8",
    };
    Some(GoLacks { what, source, end, instead })
}

/// The version of POWER: PPC_FEATURE2_ARCH_2_07, _3_00, _3_1 (arch/powerpc/include/uapi/asm/cputable.h), else what the
/// kernel calls the processor ("POWER9 (architected)").
fn version(machine: &Machine) -> (Option<u8>, &'static str) {
    if let Some(hwcap2) = machine.hwcap2().value {
        const VERSIONS: [(u64, u8); 3] = [(0x0004_0000, 10), (0x0080_0000, 9), (0x8000_0000, 8)];
        let found = VERSIONS.iter().find(|(bit, _)| hwcap2 & bit != 0);
        return (Some(found.map_or(7, |(_, version)| *version)), "AT_HWCAP2");
    }
    let model = machine.cpu().model.get().and_then(|model| model.strip_prefix("POWER"));
    let digits =
        model.map(|model| model.split(|byte: char| !byte.is_ascii_digit()).next().unwrap_or_default());
    (digits.and_then(|digits| digits.parse().ok()), "cpu")
}

/// GOPPC64=power9 of a program that does not tell it, by the functions that `rt0_go` calls: lxv and stxv, which
/// runtime.newproc has. The entry point jumps to `main`, and that to `rt0_go` by an address in the count register.
pub(super) fn level_of_code(code: &mut Code<'_, '_>, entry: u64) -> Option<&'static str> {
    const BCTR: u32 = 0x4e80_0420;
    const BLR: u32 = 0x4e80_0020;
    let branch = |at: u64, word: u32| {
        let distance = i64::from(i32::from_ne_bytes(((word & !3) << 6).to_ne_bytes()) >> 6);
        at.wrapping_add_signed(distance)
    };
    let (mut at, mut high, mut count) = (code.descriptor().unwrap_or(entry), 0_u64, 0);
    for _ in 0..128 {
        let word = code.word(at)?;
        let here = at;
        at = at.wrapping_add(4);
        let low = u64::from(word & 0xffff);
        match (word >> 26, word >> 16) {
            (18, _) if word & 1 == 0 => at = branch(here, word),
            (18, _) => {
                let is_power9 = |word: u32| word >> 26 == 61 && matches!(word & 7, 1 | 5);
                if code.any(branch(here, word), BLR, is_power9) {
                    return Some("power9");
                }
            }
            // lis 31; addi 12, 31
            (_, 0x3fe0) => high = low << 16,
            (_, 0x399f) => count = high.wrapping_add(low).wrapping_sub((low & 0x8000) << 1),
            _ if word == BCTR => at = count,
            _ => {}
        }
    }
    None
}
