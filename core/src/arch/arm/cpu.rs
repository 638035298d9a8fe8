//! What /proc/cpuinfo and AT_HWCAP tell of an ARM processor.

use crate::machine::cpuinfo::{Field, Found, Key, fpu_of_features};
use crate::machine::{Cpu, Fact, Fpu, Machine, word};

/// `Processor` is the model in old kernels (`processor` is a number), `model name` since Linux 3.8.
pub(super) const KEYS: &[Key] = &[
    ("Processor", Field::Model, "/proc/cpuinfo: Processor"),
    ("Hardware", Field::SystemType, "/proc/cpuinfo: Hardware"),
    ("Features", Field::Features, "/proc/cpuinfo: Features"),
    ("model name", Field::Model, "/proc/cpuinfo: model name"),
    ("CPU architecture", Field::Architecture, "/proc/cpuinfo: CPU architecture"),
    ("CPU implementer", Field::Implementer, "/proc/cpuinfo: CPU implementer"),
    ("CPU part", Field::Part, "/proc/cpuinfo: CPU part"),
];

/// The architecture, and the name of one of ARM's own cores.
pub(super) fn complete_cpu(found: &Found<'_>, cpu: &mut Cpu) {
    if let Some((value, source)) = found.get(Field::Architecture) {
        cpu.arm_architecture = Fact::new(arm_architecture(value), source);
    }
    // An ARM1176 says "CPU architecture: 7" for its register layout, and is ARMv6: "... rev 7 (v6l)".
    if let Some((model, source)) = found.get(Field::Model) {
        if let Some(version) = parenthesised_version(model) {
            cpu.arm_architecture = Fact::new(Some(version), source);
        }
    } else if found.get(Field::Implementer).is_some_and(|(value, _)| value == b"0x41") {
        let part = found.get(Field::Part).map_or(&b""[..], |(value, _)| value);
        if let Some((_, name)) = ARM_PARTS.iter().find(|(number, _)| number.as_bytes() == part) {
            cpu.model = Fact::new(Some(word(name.as_bytes())), "/proc/cpuinfo: CPU part");
        }
    }
}

/// HWCAP_VFP of 32-bit kernels.
pub(super) fn fpu(machine: &Machine) -> Fact<Fpu> {
    let told = fpu_of_features(machine.cpu());
    match machine.hwcap().value.filter(|_| told.value.is_none()) {
        Some(hwcap) => {
            Fact::new(Some(if hwcap & 1 << 6 == 0 { Fpu::Absent } else { Fpu::Hardware }), "AT_HWCAP")
        }
        None => told,
    }
}

/// "7", "5TE", "AArch64".
fn arm_architecture(value: &[u8]) -> Option<u32> {
    match value {
        [digit @ b'3'..=b'9', ..] => Some(u32::from(digit.wrapping_sub(b'0'))),
        _ => (value == b"AArch64").then_some(8),
    }
}

/// The 6 of "ARMv6-compatible processor rev 7 (v6l)".
fn parenthesised_version(model: &[u8]) -> Option<u32> {
    let (_, rest) = model.split_at_checked(model.iter().rposition(|&byte| byte == b'(')?)?;
    arm_architecture(rest.strip_prefix(b"(v")?)
}

/// MIDR part numbers of ARM's own cores (arch/arm64/include/asm/cputype.h and arch/arm's).
static ARM_PARTS: [(&str, &str); 13] = [
    ("0x926", "ARM926EJ-S"),
    ("0xb76", "ARM1176"),
    ("0xc05", "Cortex-A5"),
    ("0xc07", "Cortex-A7"),
    ("0xc08", "Cortex-A8"),
    ("0xc09", "Cortex-A9"),
    ("0xc0f", "Cortex-A15"),
    ("0xd03", "Cortex-A53"),
    ("0xd04", "Cortex-A35"),
    ("0xd05", "Cortex-A55"),
    ("0xd08", "Cortex-A72"),
    ("0xd09", "Cortex-A73"),
    ("0xd0b", "Cortex-A76"),
];
