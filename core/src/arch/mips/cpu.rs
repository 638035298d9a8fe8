//! What /proc/cpuinfo, and the kernel when it is asked, tell of a MIPS processor.

use crate::machine::cpuinfo::{Field, Key, UNTOLD, any};
use crate::machine::gather::BY_NAME;
use crate::machine::{Cpu, Fact, Fpu, Machine, Release, holds};
use crate::target::{Answer, Capability};

pub(super) const KEYS: &[Key] = &[
    ("system type", Field::SystemType, "/proc/cpuinfo: system type"),
    ("machine", Field::Machine, "/proc/cpuinfo: machine"),
    ("cpu model", Field::Model, "/proc/cpuinfo: cpu model"),
    ("isa", Field::Isa, "/proc/cpuinfo: isa"),
    ("ASEs implemented", Field::Ases, "/proc/cpuinfo: ASEs implemented"),
    ("Options implemented", Field::Options, "/proc/cpuinfo: Options implemented"),
];

/// Of "Options implemented".
const NANS: [&str; 2] = ["nan_legacy", "nan_2008"];

/// Whether floating-point instructions work. The answer to [`Capability::FpInstruction`] counts more than what is printed.
pub(super) fn fpu(machine: &Machine) -> Fact<Fpu> {
    let told = fpu_of_cpuinfo(machine.cpu());
    let Some(answer) = machine.answer(Capability::FpInstruction) else { return told };
    let is_asked = machine.catalogue_name().is_none();
    let source = if is_asked { "started a tiny program that executes mtc1" } else { BY_NAME };
    match answer.value {
        // A kernel without floating-point support brings SIGILL even on a processor that has an FPU, and
        // then does not print the FPU either.
        Some(Answer::Works) if told.value != Some(Fpu::Hardware) => {
            let is_told = machine.cpu().model.value.is_some();
            let unsure =
                "a tiny program's mtc1 works; by the kernel, for all that can be told without cpu model";
            Fact::new(Some(Fpu::Emulated), if is_told || !is_asked { source } else { unsure })
        }
        Some(Answer::Killed) => Fact::new(Some(Fpu::Absent), source),
        None if told.value.is_none() => fpu_deduced(machine.cpu(), machine.kernel().release.get()),
        _ => told,
    }
}

/// As far as the text tells; before Linux 5.17 it often does not.
pub(crate) fn fpu_of_cpuinfo(cpu: &Cpu) -> Fact<Fpu> {
    // "FPU V1.0" is printed after the model only where the kernel uses that FPU.
    if cpu.model.get().is_some_and(|model| holds(model.as_bytes(), b"FPU V")) {
        return Fact::new(Some(Fpu::Hardware), "/proc/cpuinfo: FPU in cpu model");
    }
    match cpu.options.get() {
        // Both words are printed by kernels with CONFIG_MIPS_FP_SUPPORT only, which emulate what is not there.
        Some(options) => Fact::new(
            any(options, &NANS).then_some(Fpu::Emulated),
            "/proc/cpuinfo: nan_legacy, nan_2008 in Options implemented",
        ),
        None => Fact::new(None, UNTOLD),
    }
}

/// What may be deduced where the kernel cannot be asked: Linux 5.17 and later prints `nan_legacy` or `nan_2008` wherever
/// floating point is supported on a processor before Release 6.
pub(crate) fn fpu_deduced(cpu: &Cpu, release: Option<&Release>) -> Fact<Fpu> {
    let release_6 = cpu.isa.get().is_none_or(|isa| isa.iter().any(|word| word.ends_with("r6")));
    let since_5_17 = release.is_some_and(|release| release.version >= (5, 17, 0));
    match cpu.options.get() {
        Some(options) if since_5_17 && !release_6 && !any(options, &NANS) => Fact::new(
            Some(Fpu::Absent),
            "deduced: no nan_legacy, nan_2008 in Options implemented (Linux 5.17 on)",
        ),
        _ => Fact::new(None, "the kernel could not be asked"),
    }
}
