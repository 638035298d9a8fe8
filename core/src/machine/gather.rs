//! Gathers the facts of a machine from any target. Nothing here fails: what cannot be read is unknown.

mod firmware;
pub mod mounts;
mod userland;

use alloc::string::String;
use alloc::vec::Vec;

use crate::path::{Path, join};

use super::binfmt_misc::BinfmtRule;
use super::family::{self, rows};
use super::{
    Cpu, Fact, Fpu, KernelFacts, Limits, Machine, Memory, OpenWrt, Release, after, cpuinfo, decimal, parts,
    word,
};
use crate::elf::consts::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_S390, EM_SH, EM_SPARC,
    EM_SPARCV9, EM_X86_64,
};
use crate::elf::{ByteOrder, Class};
use crate::target::{Answer, Kernel, Question, Root};
pub(super) use userland::{Program, abi, libc, loaders};

pub(super) fn processor(root: &dyn Root) -> Cpu {
    match text(root, "/proc/cpuinfo") {
        Some(text) => cpuinfo::parse(&text),
        None => Cpu::unknown("/proc/cpuinfo cannot be read"),
    }
}

/// The first program that the kernel could run.
pub(super) fn program(machine: &Machine) -> Option<Program> {
    let told = machine.uname().and_then(|uname| of_uname(&uname.machine));
    userland::program(machine.target.root, told.map(|(e_machine, _)| e_machine))
}

/// What the kernel tells of itself, and what diag and the machine's own programs tell of the kernel that runs them.
pub(super) fn kernel(machine: &Machine) -> KernelFacts {
    let (uname, program) = (machine.uname(), machine.program());
    let told = uname.and_then(|uname| of_uname(&uname.machine));
    let e_machine = Fact::new(told.map(|(e_machine, _)| e_machine), "uname -m");
    let mut class = Fact::new(told.map(|(_, class)| class), "uname -m");
    if class.value.is_none() {
        // A 64-bit program shows a 64-bit kernel; a 32-bit one shows nothing.
        if let Some(program) = program.filter(|program| program.abi.encoding.class == Class::Elf64) {
            class = Fact::new(Some(Class::Elf64), program.source);
        }
    }
    let byte_order = if let Some(order) = machine.target.kernel.own_byte_order() {
        Fact::new(Some(order), "this build of diag, which runs here")
    } else if let Some(program) = program {
        Fact::new(Some(program.abi.encoding.order), program.source)
    } else {
        // uname tells it for some.
        Fact::new(uname.and_then(|uname| order_of_uname(&uname.machine)), "uname -m")
    };
    KernelFacts {
        release: Fact::new(uname.and_then(|uname| release(&uname.release)), "uname -r"),
        machine: Fact::new(uname.map(|uname| uname.machine.clone()), "uname -m"),
        e_machine,
        class,
        byte_order,
        page_size: Fact::new(machine.auxv().page_size, "AT_PAGESZ"),
    }
}

pub(super) fn limits(kernel: &dyn Kernel) -> Limits {
    let limits = kernel.limits();
    Limits {
        address_space: Fact::new(limits.address_space, "RLIMIT_AS"),
        data: Fact::new(limits.data, "RLIMIT_DATA"),
        stack: Fact::new(limits.stack, "RLIMIT_STACK"),
    }
}

/// Puts a question to the kernel, once, and keeps the answer.
pub fn ask(machine: &mut Machine, question: Question) {
    if machine.answer(question).is_some() {
        return;
    }
    let kernel = machine.target.kernel;
    let answer = if kernel.is_itself(question) {
        Fact::new(Some(Answer::Works), "this build of diag, which runs here")
    } else {
        match kernel.ask(question) {
            None => Fact::new(None, "no tiny program of diag's own tells"),
            answer => Fact::new(answer, "started a tiny program of diag's own"),
        }
    };
    machine.answers.push((question, answer));
}

/// Whether floating-point instructions work. On MIPS the answer to [`Question::FpInstruction`] counts more than what is
/// printed.
pub(super) fn fpu(machine: &Machine) -> Fact<Fpu> {
    let told = fpu_told(machine);
    let answer = machine.answer(Question::FpInstruction).filter(|_| family::MIPS);
    let Some(answer) = answer.filter(|_| machine.e_machine() == Some(EM_MIPS)) else { return told };
    let source = "started a tiny program that executes mtc1";
    match answer.value {
        // A kernel without floating-point support brings SIGILL even on a processor that has an FPU, and
        // then does not print the FPU either.
        Some(Answer::Works) if told.value != Some(Fpu::Hardware) => {
            let is_told = machine.cpu().model.value.is_some();
            let unsure =
                "a tiny program's mtc1 works; by the kernel, for all that can be told without cpu model";
            Fact::new(Some(Fpu::Emulated), if is_told { source } else { unsure })
        }
        Some(Answer::Killed) => Fact::new(Some(Fpu::Absent), source),
        None if told.value.is_none() => cpuinfo::fpu_deduced(machine.cpu(), machine.kernel().release.get()),
        _ => told,
    }
}

/// A text file, whatever its bytes.
fn text(root: &dyn Root, path: &str) -> Option<Vec<u8>> {
    root.read(Path::new(path))?.ok()
}

/// A number alone in a file.
pub(super) fn number(root: &dyn Root, path: &'static str) -> Fact<u64> {
    Fact::new(text(root, path).and_then(|text| decimal(&text)), path)
}

/// The enabled rules of binfmt_misc; none where it is not mounted, which is also how one turns it off.
pub(super) fn binfmt_misc(root: &dyn Root) -> Fact<Vec<BinfmtRule>> {
    const FOLDER: &str = "/proc/sys/fs/binfmt_misc";
    Fact::new(binfmt_rules(root, Path::new(FOLDER)), FOLDER)
}

fn binfmt_rules(root: &dyn Root, folder: &Path) -> Option<Vec<BinfmtRule>> {
    let is_rule = |name: &[u8]| !matches!(name, b"register" | b"status");
    let names = root.list(folder, is_rule)?.ok()?;
    let read =
        |name: &[u8]| root.read(&join(folder, Path::new(name))).and_then(Result::ok).unwrap_or_default();
    if names.is_empty() || !read(b"status").starts_with(b"enabled") {
        return Some(Vec::new());
    }
    Some(names.iter().filter_map(|name| BinfmtRule::parse(name, &read(name))).collect())
}

/// A beginning of what `uname -m` prints, and the kernel's e_machine and word size.
type Name = (&'static str, u16, Class);

static NAMES: [&[Name]; 7] = [
    rows(family::MIPS, &[("mips64", EM_MIPS, Class::Elf64), ("mips", EM_MIPS, Class::Elf32)]),
    rows(
        family::ARM,
        &[
            ("aarch64", EM_AARCH64, Class::Elf64),
            ("armv8", EM_AARCH64, Class::Elf64),
            ("arm", EM_ARM, Class::Elf32),
        ],
    ),
    rows(
        family::X86,
        &[
            ("x86_64", EM_X86_64, Class::Elf64),
            ("i386", EM_386, Class::Elf32),
            ("i486", EM_386, Class::Elf32),
            ("i586", EM_386, Class::Elf32),
            ("i686", EM_386, Class::Elf32),
        ],
    ),
    rows(family::RISCV, &[("riscv64", EM_RISCV, Class::Elf64), ("riscv32", EM_RISCV, Class::Elf32)]),
    rows(family::POWERPC, &[("ppc64", EM_PPC64, Class::Elf64), ("ppc", EM_PPC, Class::Elf32)]),
    rows(
        family::LOONGARCH,
        &[("loongarch64", EM_LOONGARCH, Class::Elf64), ("loongarch32", EM_LOONGARCH, Class::Elf32)],
    ),
    rows(
        family::OTHER,
        &[
            ("s390x", EM_S390, Class::Elf64),
            ("sparc64", EM_SPARCV9, Class::Elf64),
            ("sparc", EM_SPARC, Class::Elf32),
            ("sh4", EM_SH, Class::Elf32),
        ],
    ),
];

/// e_machine and word size of a kernel, by `uname -m`. A 64-bit kernel that shows a 32-bit name to a process
/// under PER_LINUX32 is told apart on ARM only (armv8l).
fn of_uname(machine: &str) -> Option<(u16, Class)> {
    let (_, e_machine, class) =
        NAMES.iter().find_map(|names| names.iter().find(|(name, ..)| machine.starts_with(name)))?;
    Some((*e_machine, *class))
}

/// The byte order of those whose name tells it; "mips", "ppc" and "sh4" stand for one or both. Where diag runs it
/// knows its own.
fn order_of_uname(machine: &str) -> Option<ByteOrder> {
    let (e_machine, _) = if family::OTHER { of_uname(machine)? } else { return None };
    match e_machine {
        EM_386 | EM_X86_64 | EM_RISCV | EM_LOONGARCH => Some(ByteOrder::Little),
        // aarch64_be, armv5teb, armv7b.
        EM_AARCH64 | EM_ARM => Some(if machine.ends_with('b') || machine.ends_with("_be") {
            ByteOrder::Big
        } else {
            ByteOrder::Little
        }),
        EM_PPC64 | EM_PPC if machine.ends_with("le") => Some(ByteOrder::Little),
        EM_PPC64 | EM_PPC | EM_S390 | EM_SPARCV9 | EM_SPARC => Some(ByteOrder::Big),
        _ => None,
    }
}

/// "4.14.151", "6.18.44-fc-v657", "6.18-rc3".
fn release(text: &str) -> Option<Release> {
    let numbers = text.as_bytes().split(|byte| *byte != b'.' && !byte.is_ascii_digit()).next()?;
    let mut numbers = parts(numbers, b'.');
    let number = |text| decimal(text)?.try_into().ok();
    let (major, minor) = (number(numbers.next()?)?, number(numbers.next()?)?);
    let patch = numbers.next().map_or(Some(0), number)?;
    Some(Release { text: String::from(text), version: (major, minor, patch) })
}

/// By /proc/cpuinfo, else by AT_HWCAP where that has a bit for it.
fn fpu_told(machine: &Machine) -> Fact<Fpu> {
    let told = cpuinfo::fpu(machine.cpu());
    let Some(hwcap) = machine.auxv().hwcap.filter(|_| told.value.is_none()) else { return told };
    let has = |bit: u64| hwcap & bit != 0;
    match machine.kernel().e_machine.value {
        // HWCAP_VFP
        Some(EM_ARM) if family::ARM => {
            Fact::new(Some(if has(1 << 6) { Fpu::Hardware } else { Fpu::Absent }), "AT_HWCAP")
        }
        // PPC_FEATURE_HAS_FPU; without it the kernel may still emulate.
        Some(EM_PPC | EM_PPC64) if family::POWERPC => {
            Fact::new(has(0x0800_0000).then_some(Fpu::Hardware), "AT_HWCAP")
        }
        _ => told,
    }
}

pub(super) fn memory(root: &dyn Root) -> Memory {
    let meminfo = text(root, "/proc/meminfo").unwrap_or_default();
    Memory { overcommit: number(root, "/proc/sys/vm/overcommit_memory"), ..meminfo_of(&meminfo) }
}

/// procfs' `Meminfo` wants two dozen lines to be there; these few are all that is needed.
fn meminfo_of(meminfo: &[u8]) -> Memory {
    let value = |name: &str| decimal(after(meminfo, name)?)?.checked_mul(1024);
    let mut available = Fact::new(value("MemAvailable:"), "/proc/meminfo: MemAvailable");
    if let (None, Some(free), Some(cached)) = (available.value, value("MemFree:"), value("Cached:")) {
        // Linux 3.14 brought MemAvailable.
        available = Fact::new(Some(free.saturating_add(cached)), "/proc/meminfo: MemFree + Cached");
    }
    let commit = value("CommitLimit:").zip(value("Committed_AS:"));
    Memory {
        total: Fact::new(value("MemTotal:"), "/proc/meminfo: MemTotal"),
        available,
        swap: Fact::new(value("SwapTotal:"), "/proc/meminfo: SwapTotal"),
        overcommit: Fact::new(None, "/proc/sys/vm/overcommit_memory"),
        commit: Fact::new(
            commit.map(|(limit, used)| limit.saturating_sub(used)),
            "/proc/meminfo: CommitLimit - Committed_AS",
        ),
    }
}

/// Forks rename ID and NAME, and keep these.
static RELEASES: [(&str, [&str; 3]); 2] = [
    ("/etc/openwrt_release", ["DISTRIB_RELEASE=", "DISTRIB_TARGET=", "DISTRIB_ARCH="]),
    ("/etc/os-release", ["OPENWRT_RELEASE=", "OPENWRT_BOARD=", "OPENWRT_ARCH="]),
];

pub(super) fn openwrt(root: &dyn Root) -> OpenWrt {
    let unknown = || Fact::new(None, "not in /etc/openwrt_release, /etc/os-release");
    // The device tree is what the first of the two is made from.
    let mut found = OpenWrt {
        release: unknown(),
        target: unknown(),
        arch: unknown(),
        board: either(root, "/tmp/sysinfo/board_name", "/proc/device-tree/compatible"),
        model: either(root, "/tmp/sysinfo/model", "/proc/device-tree/model"),
    };
    for (path, names) in &RELEASES {
        let Some(text) = text(root, path) else { continue };
        let facts = [&mut found.release, &mut found.target, &mut found.arch];
        for (fact, name) in facts.into_iter().zip(names) {
            if fact.value.is_none() {
                if let Some(value) = assigned(&text, name) {
                    *fact = Fact::new(Some(value), path);
                }
            }
        }
    }
    // /etc/apk/arch may list several, one a line; Alpine has the file too, with names of its own.
    if found.arch.value.is_none() && found.target.value.is_some() {
        if let Some(arch) = line(root, "/etc/apk/arch") {
            found.arch = Fact::new(Some(arch), "/etc/apk/arch");
        }
    }
    // On a PC they are made of what its firmware says (OpenWrt's target/linux/x86: lib/preinit/01_sysinfo).
    found.model.value = found.model.value.take().as_deref().and_then(firmware::name);
    // An identifier stays whole.
    found.board.value = found.board.value.take().filter(|board| firmware::name(board).is_some());
    found
}

fn either(root: &dyn Root, first: &'static str, second: &'static str) -> Fact<String> {
    match line(root, first) {
        None => Fact::new(line(root, second), second),
        known => Fact::new(known, first),
    }
}

/// The value of a shell assignment at the start of a line, without its quotes.
fn assigned(text: &[u8], name: &str) -> Option<String> {
    let mut value = after(text, name)?.trim_ascii();
    while let [b'\'' | b'"', rest @ ..] | [rest @ .., b'\'' | b'"'] = value {
        value = rest;
    }
    (!value.is_empty()).then(|| word(value))
}

/// The first line of a file; device tree strings end in NUL.
fn line(root: &dyn Root, path: &str) -> Option<String> {
    let text = text(root, path).unwrap_or_default();
    let first = text.split(|byte| matches!(byte, b'\n' | 0)).next().unwrap_or_default().trim_ascii();
    (!first.is_empty()).then(|| word(first))
}

#[cfg(test)]
mod tests;
