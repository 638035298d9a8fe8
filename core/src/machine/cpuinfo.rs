//! /proc/cpuinfo as text. Every architecture writes its own; keys are padded with tabs or blanks.
//!
//! The first line of each key counts: that is the first processor's, and the lines that stand once before or after
//! the processors. (procfs' `CpuInfo` starts at the line `processor` and cuts values at a second colon, which
//! loses just the lines that tell a router's chip.) Serial numbers are not looked at.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Cpu, Fact, Fpu, Words, parts, word};
use crate::arch::{self, ARCHES};

pub(crate) const UNTOLD: &str = "not in /proc/cpuinfo";

impl Cpu {
    /// A processor of which nothing is known, and where that was looked for.
    pub fn unknown(source: &'static str) -> Self {
        let list = || Fact::new(None, source);
        Cpu {
            system_type: Fact::new(None, source),
            machine: Fact::new(None, source),
            model: Fact::new(None, source),
            isa: list(),
            ases: list(),
            options: list(),
            features: list(),
            arm_architecture: Fact::new(None, source),
            part: Fact::new(None, source),
        }
    }
}

/// What a key tells.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // Some are of one architecture.
pub(crate) enum Field {
    SystemType,
    Machine,
    Model,
    Isa,
    Ases,
    Options,
    Features,
    /// "CPU architecture", "CPU implementer", "CPU part" of ARM.
    Architecture,
    Implementer,
    Part,
}

impl Field {
    /// Words, of which none is an answer too; an empty text is none.
    const fn is_list(self) -> bool {
        matches!(self, Field::Isa | Field::Ases | Field::Options | Field::Features)
    }
}

/// A key of /proc/cpuinfo, what it tells, and the name of the source.
pub(crate) type Key = (&'static str, Field, &'static str);

/// The first value of each field, and its source.
#[derive(Default)]
pub(crate) struct Found<'a>(Vec<(Field, &'a [u8], &'static str)>);

impl<'a> Found<'a> {
    pub(crate) fn get(&self, field: Field) -> Option<(&'a [u8], &'static str)> {
        self.0.iter().find(|(known, ..)| *known == field).map(|(_, value, source)| (*value, *source))
    }

    fn add(&mut self, field: Field, value: &'a [u8], source: &'static str) {
        if self.get(field).is_none() && (field.is_list() || !value.is_empty()) {
            self.0.push((field, value, source));
        }
    }

    fn text(&self, field: Field) -> Fact<String> {
        match self.get(field) {
            Some((value, source)) => Fact::new(Some(word(value)), source),
            None => Fact::new(None, UNTOLD),
        }
    }

    fn list(&self, field: Field) -> Fact<Words> {
        match self.get(field) {
            Some((value, source)) => Fact::new(Some(Words(word(value))), source),
            None => Fact::new(None, UNTOLD),
        }
    }
}

/// What the text tells of the processor. Machines of one architecture never write another's keys.
pub fn parse(text: &[u8]) -> Box<Cpu> {
    let mut found = Found::default();
    for line in parts(text, b'\n') {
        let Some((key, value)) = halves(line) else { continue };
        let Some((name, field, source)) = of_key(key) else { continue };
        // The board on PowerPC, a number on x86.
        if *name != "model" || !value.iter().all(u8::is_ascii_digit) {
            found.add(*field, value, source);
        }
    }
    let mut cpu = Box::new(Cpu {
        system_type: found.text(Field::SystemType),
        machine: found.text(Field::Machine),
        model: found.text(Field::Model),
        isa: found.list(Field::Isa),
        ases: found.list(Field::Ases),
        options: found.list(Field::Options),
        features: found.list(Field::Features),
        arm_architecture: Fact::new(None, UNTOLD),
        part: found.text(Field::Part),
    });
    for arch in ARCHES {
        (arch.complete_cpu)(&found, &mut cpu);
    }
    cpu
}

/// Nothing has to be worked out of several lines.
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // ARM has its own.
pub(crate) fn is_complete(_: &Found<'_>, _: &mut Cpu) {}

/// What a key stands for.
fn of_key(key: &[u8]) -> Option<&'static Key> {
    arch::cpuinfo().find(|(name, ..)| name.as_bytes() == key)
}

/// A key and its value.
fn halves(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
    Some((key.trim_ascii(), value.get(1..)?.trim_ascii()))
}

/// Whether a list has one of some words.
pub(crate) fn any(list: &Words, wanted: &[&str]) -> bool {
    list.iter().any(|word| wanted.contains(&word))
}

/// Whether "Features" or "flags" name a unit for floating point.
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // MIPS and RISC-V have neither.
pub(crate) fn fpu_of_features(cpu: &Cpu) -> Fact<Fpu> {
    // One list for ARM (vfp...), arm64 (fp), x86 and LoongArch (fpu).
    const WORDS: [&str; 10] =
        ["fpu", "fp", "vfp", "vfpv3", "vfpv3d16", "vfpv4", "vfpd32", "neon", "asimd", "lsx"];
    match cpu.features.get() {
        Some(features) => {
            let fpu = if any(features, &WORDS) { Fpu::Hardware } else { Fpu::Absent };
            Fact::new(Some(fpu), cpu.features.source)
        }
        None => Fact::new(None, UNTOLD),
    }
}

/// Of every architecture's kernels.
#[cfg(all(test, feature = "every-machine"))]
mod tests {
    use alloc::format;

    use super::*;
    use crate::arch::mips::cpu::{fpu_deduced, fpu_of_cpuinfo};
    use crate::arch::riscv;
    use crate::machine::Release;

    /// The seed's text, to the letter.
    const SEED: &str = include_str!("../../../machines/lenovo-y1/proc/cpuinfo");

    #[allow(clippy::unnecessary_wraps)] // It is compared with the value of a fact.
    fn list(text: &str) -> Option<Words> {
        Some(text.into())
    }

    #[test]
    fn the_seed() {
        let cpu = parse(SEED.as_bytes());
        assert_eq!(cpu.system_type.value.as_deref(), Some("MediaTek MT7620A ver:2 eco:6"));
        assert_eq!(cpu.system_type.source, "/proc/cpuinfo: system type");
        assert_eq!(cpu.machine.value.as_deref(), Some("Lenovo Y1"));
        assert_eq!(cpu.model.value.as_deref(), Some("MIPS 24KEc V5.0"));
        assert_eq!(cpu.isa.value, list("mips1 mips2 mips32r1 mips32r2"));
        assert_eq!(cpu.ases.value, list("mips16 dsp"));
        assert_eq!(cpu.options.value, None);
        assert_eq!(cpu.features.value, None);
        assert_eq!(cpu.arm_architecture.value, None);
        assert_eq!(fpu(&cpu).value, None);
    }

    /// What each way to tell says.
    fn fpu(cpu: &Cpu) -> Fact<Fpu> {
        let ways = [fpu_of_cpuinfo(cpu), fpu_of_features(cpu), riscv::fpu(cpu)];
        ways.into_iter().find(|told| told.value.is_some()).unwrap_or(Fact::new(None, UNTOLD))
    }

    fn of(text: &str) -> (Cpu, Option<Fpu>) {
        let cpu = parse(text.as_bytes());
        let fpu = fpu(&cpu).value;
        (*cpu, fpu)
    }

    #[test]
    fn mips_with_options() {
        let nofp = "system type\t\t: MediaTek MT7621 ver:1 eco:3\nmachine\t\t\t: Ubiquiti EdgeRouter X\n\
                    processor\t\t: 0\ncpu model\t\t: MIPS 1004Kc V2.15\nisa\t\t\t: mips1 mips2 mips32r1 mips32r2\n\
                    ASEs implemented\t: mips16 dsp mt\nOptions implemented\t: tlb 4kex 4k_cache prefetch mcheck\n";
        let (cpu, told) = of(nofp);
        assert_eq!(told, None);
        let release = |minor| Release { text: String::new(), version: (5, minor, 0) };
        assert_eq!(fpu_deduced(&cpu, Some(&release(17))).value, Some(Fpu::Absent));
        assert_eq!(fpu_deduced(&cpu, Some(&release(16))).value, None);
        assert_eq!(fpu_deduced(&cpu, None).value, None);
        let (_, told) = of(&format!("{nofp}x\n").replace("mcheck", "mcheck nan_legacy nan_2008"));
        assert_eq!(told, Some(Fpu::Emulated));
        let (_, told) = of("cpu model : MIPS 24Kc V0.0  FPU V0.0\nOptions implemented : nan_legacy\n");
        assert_eq!(told, Some(Fpu::Hardware));
        let r6 = parse(b"isa : mips32r6\nOptions implemented : tlb\n");
        assert_eq!(fpu_deduced(&r6, Some(&release(17))).value, None);
        assert_eq!(fpu_deduced(&parse(SEED.as_bytes()), Some(&release(17))).value, None);
    }

    #[test]
    fn arm_old_kernel() {
        let (cpu, told) = of("Processor\t: Feroceon 88FR131 rev 1 (v5l)\nBogoMIPS\t: 1191.11\n\
             Features\t: swp half thumb fastmult edsp \nCPU implementer\t: 0x56\nCPU architecture: 5TE\n\
             CPU variant\t: 0x2\nCPU part\t: 0x131\nCPU revision\t: 1\n\nHardware\t: Marvell Kirkwood\n\
             Revision\t: 0000\nSerial\t\t: 0000000012345678\n");
        assert_eq!(cpu.model.value.as_deref(), Some("Feroceon 88FR131 rev 1 (v5l)"));
        assert_eq!(cpu.system_type.value.as_deref(), Some("Marvell Kirkwood"));
        assert_eq!(cpu.arm_architecture.value, Some(5));
        assert_eq!(cpu.features.value, list("swp half thumb fastmult edsp"));
        assert_eq!(told, Some(Fpu::Absent));
    }

    #[test]
    fn arm1176_is_v6() {
        let (cpu, told) = of("processor\t: 0\nmodel name\t: ARMv6-compatible processor rev 7 (v6l)\n\
             Features\t: half thumb fastmult vfp edsp java tls \nCPU implementer\t: 0x41\nCPU architecture: 7\n\
             CPU part\t: 0xb76\n\nHardware\t: BCM2835\n");
        assert_eq!(cpu.arm_architecture.value, Some(6));
        assert_eq!(told, Some(Fpu::Hardware));
    }

    #[test]
    fn arm64() {
        let (cpu, told) =
            of("processor\t: 0\nBogoMIPS\t: 26.00\nFeatures\t: fp asimd evtstrm aes crc32 cpuid\n\
             CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd03\n");
        assert_eq!(cpu.model.value.as_deref(), Some("Cortex-A53"));
        assert_eq!(cpu.model.source, "/proc/cpuinfo: CPU part");
        assert_eq!(cpu.arm_architecture.value, Some(8));
        assert_eq!(told, Some(Fpu::Hardware));
        let (cpu, _) = of("Processor\t: AArch64 Processor rev 0 (aarch64)\nCPU architecture: AArch64\n");
        assert_eq!(cpu.arm_architecture.value, Some(8));
    }

    #[test]
    fn x86() {
        let (cpu, told) =
            of("processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 122\nmodel name\t: Intel(R) \
             Celeron(R) J4105 CPU @ 1.50GHz\nflags\t\t: fpu vme sse2 lm\nprocessor\t: 1\nflags\t\t: other\n");
        assert_eq!(cpu.model.value.as_deref(), Some("Intel(R) Celeron(R) J4105 CPU @ 1.50GHz"));
        assert_eq!(cpu.features.value, list("fpu vme sse2 lm"));
        assert_eq!(cpu.machine.value, None);
        assert_eq!(told, Some(Fpu::Hardware));
    }

    #[test]
    fn risc_v() {
        let (cpu, told) = of(
            "processor\t: 0\nhart\t\t: 1\nisa\t\t: rv64imafdc_zicsr_zba\nmmu\t\t: sv39\nuarch\t\t: sifive,u74-mc\n",
        );
        assert_eq!(cpu.model.value.as_deref(), Some("sifive,u74-mc"));
        assert_eq!(cpu.isa.value, list("rv64imafdc_zicsr_zba"));
        assert_eq!(told, Some(Fpu::Hardware));
        assert_eq!(of("isa : rv64imac_zfinx\n").1, Some(Fpu::Absent));
    }

    #[test]
    fn powerpc_and_loongarch() {
        let (cpu, told) = of(
            "processor\t: 0\ncpu\t\t: e500v2\nclock\t\t: 800.000000MHz\nrevision\t: 5.1\n\n\
             timebase\t: 50000000\nplatform\t: P1014 RDB\nmodel\t\t: TP-Link TL-WDR4900 v1\nMemory\t\t: 128 MB\n",
        );
        assert_eq!(cpu.model.value.as_deref(), Some("e500v2"));
        assert_eq!(cpu.system_type.value.as_deref(), Some("P1014 RDB"));
        assert_eq!(cpu.machine.value.as_deref(), Some("TP-Link TL-WDR4900 v1"));
        assert_eq!(told, None);
        let (cpu, told) = of(
            "system type\t\t: generic-loongson-machine\n\nprocessor\t\t: 0\nCPU Family\t\t: \
             Loongson-64bit\nModel Name\t\t: Loongson-3A5000\nISA\t\t\t: loongarch32 loongarch64\nFeatures\t\t: \
             cpucfg lam ual fpu lsx lasx\n",
        );
        assert_eq!(cpu.model.value.as_deref(), Some("Loongson-3A5000"));
        assert_eq!(told, Some(Fpu::Hardware));
    }

    #[test]
    fn any_beginning_of_a_text_parses() {
        for end in 0..=SEED.len() {
            if let Some(text) = SEED.get(..end) {
                fpu(&parse(text.as_bytes()));
            }
        }
        assert_eq!(*parse(b""), Cpu::unknown(UNTOLD));
        assert_eq!(parse(b":\n::\n:x\nmodel:\nCPU architecture:\nisa:\n").isa.value, Some(Words::default()));
    }
}
