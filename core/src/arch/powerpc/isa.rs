//! What a PowerPC program says of its ISA against "cpu" of /proc/cpuinfo, AT_HWCAP and AT_HWCAP2.

use alloc::format;
use alloc::string::String;

use crate::arch::Lack;
use crate::candidate::{Image, Program};
use crate::elf::ByteOrder;
use crate::elf::consts::EM_PPC64;
use crate::machine::Machine;
use crate::rules::shown::Shown;

/// Power's attributes (GNU ld's and gas' manuals, "GNU Object Attributes"): 1 double and 3 single float in registers, 2
/// in software; in the bits above those of long double.
pub(super) const TAG_GNU_POWER_ABI_FP: u32 = 4;
/// 1 any, 2 AltiVec, 3 SPE.
const TAG_GNU_POWER_ABI_VECTOR: u32 = 8;

/// Units that gas noted in .PPC.EMB.apuinfo because an instruction of them is there (gas/config/tc-ppc.c
/// `PPC_APUINFO_*`).
const SPE: [u16; 2] = [0x100, 0x101];
const VLE: u16 = 0x104;

/// arch/powerpc/include/uapi/asm/cputable.h
const PPC_FEATURE_HAS_ALTIVEC: u64 = 0x1000_0000;
const PPC_FEATURE_HAS_SPE: u64 = 0x0080_0000;
const PPC_FEATURE2_ARCH_2_07: u64 = 0x8000_0000;

/// sysdeps/powerpc/powerpc64/le/dl-hwcaps-subdirs.c
#[cfg(feature = "every-machine")]
pub(in crate::arch) fn has_level(machine: &Machine, name: &[u8]) -> bool {
    /// PPC_FEATURE2_ARCH_3_00 and PPC_FEATURE2_HAS_IEEE128.
    const POWER9: u64 = 0x00c0_0000;
    /// PPC_FEATURE2_ARCH_3_1 and PPC_FEATURE2_MMA.
    const POWER10: u64 = POWER9 | 0x0006_0000;
    let needed = match name {
        b"power9" => POWER9,
        b"power10" => POWER10,
        _ => return false,
    };
    machine.hwcap2().value.is_some_and(|hwcap2| hwcap2 & needed == needed)
}

pub(super) fn lack(machine: &Machine, _: &Program, image: &Image) -> Option<Lack> {
    let vector = image.attributes.as_ref().map_or(0, |attributes| attributes.value(TAG_GNU_POWER_ABI_VECTOR));
    let apu = |ids: &[u16]| image.apus.iter().find(|id| ids.contains(id)).copied();
    let (hwcap, model) = (machine.hwcap().value, machine.cpu().model.get());
    let has = |bit: u64, by_model: fn(&str) -> bool| match hwcap {
        Some(hwcap) => Some(hwcap & bit != 0),
        None => model.map(|model| by_model(model)),
    };
    let told = match (hwcap, model) {
        (Some(hwcap), _) => format!("AT_HWCAP={hwcap:#x}"),
        (None, model) => format!("cpu={}", Shown(model.map_or("", String::as_str))),
    };
    let lack = |unit: &str, mark: &str, value: u32, dies| {
        Some(Lack {
            text: format!(
                "uses {unit}, this processor has none\nprogram: {mark}={value:#x}\nmachine: {told}"
            ),
            dies,
            ..Lack::default()
        })
    };
    let spe = apu(&SPE);
    if (spe.is_some() || vector == 3)
        && has(PPC_FEATURE_HAS_SPE, |model| model.starts_with("e500v")) == Some(false)
    {
        return match spe {
            Some(id) => lack("SPE", "APUinfo", id.into(), true),
            None => lack("SPE", "Tag_GNU_Power_ABI_Vector", vector, true),
        };
    }
    if vector == 2 && has(PPC_FEATURE_HAS_ALTIVEC, |model| model.contains("altivec supported")) == Some(false)
    {
        return lack("AltiVec", "Tag_GNU_Power_ABI_Vector", vector, false);
    }
    // VLE has encodings of its own, which no Linux runs.
    if let Some(id) = apu(&[VLE]) {
        return lack("VLE", "APUinfo", id.into(), true);
    }
    // OpenPOWER ELFv2 for little-endian: POWER8 is the first (Linux' arch/powerpc/Kconfig, CPU_LITTLE_ENDIAN).
    let is_little = image.header.e_machine == EM_PPC64 && image.encoding.order == ByteOrder::Little;
    let hwcap2 = machine.hwcap2().value?;
    (is_little && hwcap2 & PPC_FEATURE2_ARCH_2_07 == 0).then(|| Lack {
        text: format!(
            "is built for POWER8 or newer, this processor is older\nprogram: ABI=ELFv2, little-endian\nmachine: AT_HWCAP2={hwcap2:#x}"
        ),
        dies: true,
        ..Lack::default()
    })
}
