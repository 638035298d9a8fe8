//! /proc/cpuinfo as text. Every architecture writes its own; keys are padded with tabs or blanks.
//!
//! The first line of each key counts: that is the first processor's, and the lines that stand once before or after
//! the processors. (procfs' `CpuInfo` starts at the line `processor` and cuts values at a second colon, which
//! loses just the lines that tell a router's chip.) Serial numbers are not looked at.

use alloc::string::String;
use alloc::vec::Vec;

use super::family::{self, rows};
use super::{Cpu, Fact, Fpu, Release, Words, holds, parts, word};

pub(super) const UNTOLD: &str = "not in /proc/cpuinfo";

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
        }
    }
}

/// What a key tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    SystemType,
    Machine,
    Model,
    Isa,
    Ases,
    Options,
    Features,
}

impl Field {
    /// Words, of which none is an answer too; an empty text is none.
    const fn is_list(self) -> bool {
        matches!(self, Field::Isa | Field::Ases | Field::Options | Field::Features)
    }
}

/// A key of /proc/cpuinfo that is taken as it is.
type Key = (&'static str, Field, &'static str);

/// Who writes which. Machines of one family never write another's.
static KEYS: [&[Key]; 4] = [
    rows(family::MIPS || family::LOONGARCH || family::RISCV, &MIPS),
    rows(family::ARM || family::X86 || family::LOONGARCH || family::RISCV, &ARM_AND_X86),
    rows(family::POWERPC, &POWERPC),
    rows(family::POWERPC || family::X86, &BOARD),
];

/// LoongArch too, and of RISC-V the isa.
static MIPS: [Key; 7] = [
    ("system type", Field::SystemType, "/proc/cpuinfo: system type"),
    ("machine", Field::Machine, "/proc/cpuinfo: machine"),
    ("cpu model", Field::Model, "/proc/cpuinfo: cpu model"),
    ("isa", Field::Isa, "/proc/cpuinfo: isa"),
    ("ISA", Field::Isa, "/proc/cpuinfo: isa"),
    ("ASEs implemented", Field::Ases, "/proc/cpuinfo: ASEs implemented"),
    ("Options implemented", Field::Options, "/proc/cpuinfo: Options implemented"),
];

static ARM_AND_X86: [Key; 7] = [
    // ARM, its old kernels too (`Processor` is the model there, `processor` a number).
    ("Processor", Field::Model, "/proc/cpuinfo: Processor"),
    ("Hardware", Field::SystemType, "/proc/cpuinfo: Hardware"),
    ("Features", Field::Features, "/proc/cpuinfo: Features"),
    // x86, ARM since Linux 3.8, LoongArch.
    ("model name", Field::Model, "/proc/cpuinfo: model name"),
    ("Model Name", Field::Model, "/proc/cpuinfo: model name"),
    ("flags", Field::Features, "/proc/cpuinfo: flags"),
    ("uarch", Field::Model, "/proc/cpuinfo: uarch"),
];

static POWERPC: [Key; 2] =
    [("cpu", Field::Model, "/proc/cpuinfo: cpu"), ("platform", Field::SystemType, "/proc/cpuinfo: platform")];

/// The board on PowerPC; a number on x86.
static BOARD: [Key; 1] = [("model", Field::Machine, "/proc/cpuinfo: model")];

/// The first value of each field, and its source.
#[derive(Default)]
struct Found<'a>(Vec<(Field, &'a [u8], &'static str)>);

impl<'a> Found<'a> {
    fn get(&self, field: Field) -> Option<(&'a [u8], &'static str)> {
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

/// What the text tells of the processor.
pub fn parse(text: &[u8]) -> Cpu {
    let mut found = Found::default();
    let mut architecture: Option<&[u8]> = None;
    let (mut implementer, mut part): (&[u8], &[u8]) = (b"", b"");
    for line in parts(text, b'\n') {
        let Some((key, value)) = halves(line) else { continue };
        let known = KEYS.iter().find_map(|keys| keys.iter().find(|(name, ..)| name.as_bytes() == key));
        if let Some((name, field, source)) = known {
            if *name != "model" || !value.iter().all(u8::is_ascii_digit) {
                found.add(*field, value, source);
            }
        } else if family::ARM {
            match key {
                b"CPU implementer" => implementer = value,
                b"CPU part" => part = value,
                b"CPU architecture" => architecture = architecture.or(Some(value)),
                _ => {}
            }
        }
    }
    let mut arm_architecture = match architecture {
        Some(value) => Fact::new(arm_architecture(value), "/proc/cpuinfo: CPU architecture"),
        None => Fact::new(None, UNTOLD),
    };
    if family::ARM {
        // An ARM1176 says "CPU architecture: 7" for its register layout, and is ARMv6: "... rev 7 (v6l)".
        if let Some((model, source)) = found.get(Field::Model) {
            if let Some(version) = parenthesised_version(model) {
                arm_architecture = Fact::new(Some(version), source);
            }
        }
        if implementer == b"0x41" {
            if let Some((_, name)) = ARM_PARTS.iter().find(|(number, _)| number.as_bytes() == part) {
                found.add(Field::Model, name.as_bytes(), "/proc/cpuinfo: CPU part");
            }
        }
    }
    Cpu {
        system_type: found.text(Field::SystemType),
        machine: found.text(Field::Machine),
        model: found.text(Field::Model),
        isa: found.list(Field::Isa),
        ases: found.list(Field::Ases),
        options: found.list(Field::Options),
        features: found.list(Field::Features),
        arm_architecture,
    }
}

/// A key and its value.
fn halves(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
    Some((key.trim_ascii(), value.get(1..)?.trim_ascii()))
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

/// Of "Options implemented".
static NANS: [&str; 2] = ["nan_legacy", "nan_2008"];

fn any(list: &Words, wanted: &[&str]) -> bool {
    list.iter().any(|word| wanted.contains(&word))
}

/// Whether floating-point instructions work, as far as the text tells: on MIPS before Linux 5.17 it often does not.
pub fn fpu(cpu: &Cpu) -> Fact<Fpu> {
    let (told, source) = told(cpu);
    Fact::new(told, source)
}

fn told(cpu: &Cpu) -> (Option<Fpu>, &'static str) {
    let shown = |is: bool| Some(if is { Fpu::Hardware } else { Fpu::Absent });
    // Only MIPS prints "FPU V1.0" after its model, and only where the kernel uses that FPU.
    if cpu.model.get().is_some_and(|model| holds(model.as_bytes(), b"FPU V")) {
        return (Some(Fpu::Hardware), "/proc/cpuinfo: FPU in cpu model");
    }
    if let Some(options) = cpu.options.get() {
        // Both words are printed by kernels with CONFIG_MIPS_FP_SUPPORT only, which emulate what is not there.
        let told = any(options, &NANS).then_some(Fpu::Emulated);
        return (told, "/proc/cpuinfo: nan_legacy, nan_2008 in Options implemented");
    }
    if !(family::ARM || family::X86 || family::LOONGARCH || family::RISCV) {
        return (None, UNTOLD);
    }
    if let Some(features) = cpu.features.get() {
        // One list for ARM (vfp...), arm64 (fp), x86 and LoongArch (fpu).
        const WORDS: [&str; 10] =
            ["fpu", "fp", "vfp", "vfpv3", "vfpv3d16", "vfpv4", "vfpd32", "neon", "asimd", "lsx"];
        return (shown(any(features, &WORDS)), cpu.features.source);
    }
    match cpu.isa.get().and_then(|isa| isa.iter().next()).and_then(|isa| isa.as_bytes().strip_prefix(b"rv")) {
        Some(isa) => {
            // Single letters come before the first underscore; g is imafd.
            let mut letters = isa.iter().take_while(|&&letter| letter != b'_');
            (shown(letters.any(|letter| matches!(letter, b'f' | b'd' | b'g'))), cpu.isa.source)
        }
        None => (None, UNTOLD),
    }
}

/// What may be deduced for MIPS where the kernel cannot be asked: Linux 5.17 and later prints `nan_legacy` or
/// `nan_2008` wherever floating point is supported on a processor before Release 6.
pub fn fpu_deduced(cpu: &Cpu, release: Option<&Release>) -> Fact<Fpu> {
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

/// Of every architecture's kernels.
#[cfg(all(test, feature = "every-machine"))]
mod tests {
    use alloc::format;

    use super::*;

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

    fn of(text: &str) -> (Cpu, Option<Fpu>) {
        let cpu = parse(text.as_bytes());
        let fpu = fpu(&cpu).value;
        (cpu, fpu)
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
        assert_eq!(parse(b""), Cpu::unknown(UNTOLD));
        assert_eq!(parse(b":\n::\n:x\nmodel:\nCPU architecture:\nisa:\n").isa.value, Some(Words::default()));
    }
}
