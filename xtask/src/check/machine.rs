//! A processor that programs run on: this computer's, or one of qemu-user. It runs programs, and tells what diag has to
//! know of it, which becomes a recorded machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::{debian, sh, toolchain};

/// The release whose QEMU is taken: static, and with /proc/cpuinfo of ARM, RISC-V and s390x as their kernels write it.
const SUITE: &str = "trixie";
/// What `uname -r` says in QEMU. RISC-V's kernel tells all extensions since 6.5.
const KERNEL: &str = "6.12.0";

const FACTS: &str = include_str!("machine/facts.c");
/// Nothing but the program: no C library, no start files.
const FREESTANDING: [&str; 10] = [
    "-Os",
    "-s",
    "-static",
    "-no-pie",
    "-fno-pic",
    "-nostdlib",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fno-sanitize=all",
    "-Wl,-e,_start",
];

/// zig's words for MIPS without PIC, which a program without a C library need not have.
pub(super) const NO_PIC: &str = "-mno-abicalls";
/// And without a global pointer.
pub(super) const NO_GP: &str = "-mno-gpopt";

/// A processor.
pub(super) struct Machine {
    /// QEMU's word, behind `qemu-`.
    arch: &'static str,
    /// `-cpu` of QEMU; None for this computer's processor.
    cpu: Option<&'static str>,
    qemu: PathBuf,
    facts: PathBuf,
}

impl Machine {
    /// One of QEMU's; `zig` is what its compiler takes for the weakest processor of that architecture.
    pub(super) fn emulated(arch: &'static str, cpu: &'static str, zig: &[&str]) -> Result<Self> {
        let qemu = debian::fetch_from(SUITE, &["qemu-user"])?.join("usr/bin").join(format!("qemu-{arch}"));
        Ok(Machine { arch, cpu: Some(cpu), qemu, facts: facts(arch, zig)? })
    }

    /// This computer's, which runs programs of that architecture by itself.
    pub(super) fn native(arch: &'static str, zig: &[&str]) -> Result<Self> {
        Ok(Machine { arch, cpu: None, qemu: PathBuf::new(), facts: facts(arch, zig)? })
    }

    /// QEMU's static program and its options, which the path of a program and its arguments follow; None where none is
    /// needed.
    pub(super) fn emulator(&self) -> Option<(&Path, [&'static str; 4])> {
        Some((&self.qemu, ["-r", KERNEL, "-cpu", self.cpu?]))
    }

    /// Starts a program.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = match self.emulator() {
            Some((qemu, options)) => {
                let mut command = Command::new(qemu);
                command.args(options).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.stdin(Stdio::null());
        command
    }

    /// The static program that tells the facts.
    pub(super) fn facts(&self) -> &Path {
        &self.facts
    }

    /// Writes the facts into a folder, as a recorded machine has them.
    pub(super) fn record(&self, folder: &Path) -> Result<()> {
        let output = self.command(&self.facts).output().context("start the program that tells the facts")?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "{} {}: no facts: {} {}",
            self.arch,
            self.cpu.unwrap_or_default(),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let (told, cpuinfo) = said.split_once("cpuinfo\n").context("facts without cpuinfo")?;
        let told = Told(told);
        fs::create_dir_all(folder.join("proc/sys/vm"))?;
        let machine = told.text("uname").context("no uname")?;
        let release = match self.cpu {
            Some(_) => KERNEL.to_owned(),
            None => fs::read_to_string("/proc/sys/kernel/osrelease").context("this kernel's release")?,
        };
        let release = release.trim();
        fs::write(folder.join("uname"), format!("Linux host {release} #1 SMP {machine} GNU/Linux\n"))?;
        let is_auxv = |line: &&str| line.starts_with("AT_");
        fs::write(
            folder.join("auxv"),
            told.0.lines().filter(is_auxv).map(|line| format!("{line}\n")).collect::<String>(),
        )?;
        let is_mips = self.arch.starts_with("mips");
        let has_fpu = is_mips && self.command(&self.facts).arg("fp").output()?.status.success();
        let cpuinfo = match self.arch {
            _ if self.cpu.is_none() => cpuinfo.to_owned(),
            "i386" | "x86_64" => x86(&told),
            _ if is_mips => mips(&told, self.cpu.unwrap_or_default(), has_fpu)?,
            "arm" | "aarch64" | "riscv64" | "s390x" => cpuinfo.to_owned(),
            // This computer's, which QEMU leaves as it is.
            _ => String::new(),
        };
        fs::write(folder.join("proc/cpuinfo"), cpuinfo)?;
        fs::write(folder.join("proc/mounts"), "/dev/root / ext4 rw 0 0\nproc /proc proc rw 0 0\n")?;
        fs::write(folder.join("proc/sys/vm/mmap_min_addr"), "65536\n")?;
        let fp = if has_fpu { "works" } else { "killed" };
        let fp =
            if is_mips { format!("fp-instruction {fp}\nmips-nan-legacy works\n") } else { String::new() };
        fs::write(folder.join("answers"), format!("{fp}page-4k works\n"))?;
        Ok(())
    }
}

/// The program that tells the facts.
fn facts(arch: &str, zig: &[&str]) -> Result<PathBuf> {
    let made_of = format!("{} {zig:?} {FACTS}", toolchain::zig_release());
    let folder = sh::target("machines")?.join(format!("{arch}-{}", sh::digest(made_of)));
    let folder = sh::build_dir(&folder, |new| {
        let source = new.join("facts.c");
        fs::write(&source, FACTS)?;
        let mut compiler = toolchain::zig()?;
        sh::run(compiler.arg("cc").args(zig).args(FREESTANDING).arg("-o").arg(new.join("facts")).arg(source))
    })?;
    Ok(folder.join("facts"))
}

/// Lines of a name and a value.
struct Told<'a>(&'a str);

impl<'a> Told<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    }

    /// A register of a leaf of CPUID; 0 where there is no such leaf.
    fn register(&self, leaf: u32, name: &str) -> u32 {
        let head = format!("leaf {leaf:#x}\n");
        let behind = self.0.split_once(&head).map_or("", |(_, behind)| behind);
        let leaf = behind.split("leaf ").next().unwrap_or_default();
        let digits = Told(leaf).text(name).and_then(|value| value.strip_prefix("0x"));
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default()
    }
}

type Bits = &'static [(u32, &'static str)];

/// What a leaf's register has a bit for, as the kernel calls it (arch/x86/include/asm/cpufeatures.h).
const FLAGS: [(u32, &str, Bits); 5] = [
    (
        1,
        "edx",
        &[
            (0, "fpu"),
            (4, "tsc"),
            (8, "cx8"),
            (15, "cmov"),
            (23, "mmx"),
            (24, "fxsr"),
            (25, "sse"),
            (26, "sse2"),
        ],
    ),
    (0x8000_0001, "edx", &[(11, "syscall"), (20, "nx"), (29, "lm")]),
    (
        1,
        "ecx",
        &[
            (0, "pni"),
            (9, "ssse3"),
            (12, "fma"),
            (13, "cx16"),
            (19, "sse4_1"),
            (20, "sse4_2"),
            (22, "movbe"),
            (23, "popcnt"),
            (26, "xsave"),
            (28, "avx"),
            (29, "f16c"),
        ],
    ),
    (0x8000_0001, "ecx", &[(0, "lahf_lm"), (5, "abm")]),
    (
        7,
        "ebx",
        &[
            (3, "bmi1"),
            (5, "avx2"),
            (8, "bmi2"),
            (16, "avx512f"),
            (17, "avx512dq"),
            (28, "avx512cd"),
            (30, "avx512bw"),
            (31, "avx512vl"),
        ],
    ),
];

/// /proc/cpuinfo, as far as CPUID tells.
fn x86(told: &Told<'_>) -> String {
    let mut text = String::from("processor\t: 0\nflags\t\t:");
    for (leaf, register, flags) in FLAGS {
        let value = told.register(leaf, register);
        flags
            .iter()
            .filter(|(bit, _)| value >> bit & 1 == 1)
            .for_each(|(_, name)| text += &format!(" {name}"));
    }
    text + "\n"
}

/// /proc/cpuinfo: QEMU tells the ISA by AT_BASE_PLATFORM, and the FPU by an instruction.
fn mips(told: &Told<'_>, cpu: &str, has_fpu: bool) -> Result<String> {
    let isa = match told.text("AT_BASE_PLATFORM") {
        Some("mips32") => "mips1 mips2 mips32r1",
        Some("mips32r2") => "mips1 mips2 mips32r1 mips32r2",
        Some("mips64") => "mips1 mips2 mips3 mips4 mips5 mips32r1 mips64r1",
        Some("mips64r2") => "mips1 mips2 mips3 mips4 mips5 mips32r1 mips32r2 mips64r1 mips64r2",
        other => bail!("AT_BASE_PLATFORM {other:?}"),
    };
    let fpu = if has_fpu { "  FPU V0.0" } else { "" };
    Ok(format!(
        "system type\t\t: qemu-user\nprocessor\t\t: 0\ncpu model\t\t: MIPS {cpu}{fpu}\nisa\t\t\t: {isa}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_those_of_their_leaf() {
        let told = Told(
            "uname i686\nleaf 0x1\nebx 0x0\necx 0x1\nedx 0x800000\nleaf 0x7\nebx 0x20\necx 0x0\nedx 0x0\n",
        );
        assert_eq!(x86(&told), "processor\t: 0\nflags\t\t: mmx pni avx2\n");
    }

    #[test]
    fn a_processor_is_told_by_its_isa_and_its_fpu() {
        let told = Told("AT_BASE_PLATFORM mips32r2\n");
        let text = mips(&told, "24Kf", true).unwrap();
        assert!(
            text.contains(": MIPS 24Kf  FPU V0.0\n") && text.ends_with(": mips1 mips2 mips32r1 mips32r2\n")
        );
        assert!(mips(&Told(""), "24Kf", true).is_err());
    }
}
