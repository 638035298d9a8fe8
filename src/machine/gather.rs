//! Gathers the facts of a machine from any [`System`]. Nothing here fails: what cannot be read is unknown.

mod firmware;
pub(super) mod mounts;
mod userland;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use procfs::KernelVersion;

use super::family::{self, rows};
use super::misc::MiscRule;
use super::{
    Cpu, Fact, Fpu, Kernel, Limits, Machine, Memory, OpenWrt, Release, after, cpuinfo, decimal, parts, word,
};
use crate::elf::consts::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_S390, EM_SH, EM_SPARC,
    EM_SPARCV9, EM_X86_64,
};
use crate::elf::{ByteOrder, Class};
use crate::system::{Answer, Question, System};

/// A machine of which nothing is known yet: each fact names where it is looked for.
const UNKNOWN: Machine = Machine {
    cpu: Cpu::unknown(cpuinfo::UNTOLD),
    kernel: Kernel {
        release: Fact::new(None, "uname -r"),
        machine: Fact::new(None, "uname -m"),
        e_machine: Fact::new(None, "uname -m"),
        class: Fact::new(None, "uname -m"),
        byte_order: Fact::new(None, "uname -m"),
        page_size: Fact::new(None, "AT_PAGESZ"),
        mmap_min_addr: Fact::new(None, "/proc/sys/vm/mmap_min_addr"),
    },
    userland: Fact::new(None, "no ELF header in /bin/busybox, /bin/sh, /proc/self/exe"),
    hwcap: Fact::new(None, "AT_HWCAP"),
    hwcap2: Fact::new(None, "AT_HWCAP2"),
    platform: Fact::new(None, "AT_PLATFORM"),
    fpu: Fact::new(None, cpuinfo::UNTOLD),
    answers: Vec::new(),
    misc: Fact::new(None, "/proc/sys/fs/binfmt_misc"),
    memory: Memory {
        total: Fact::new(None, "/proc/meminfo: MemTotal"),
        available: Fact::new(None, "/proc/meminfo: MemAvailable"),
        swap: Fact::new(None, "/proc/meminfo: SwapTotal"),
        overcommit: Fact::new(None, "/proc/sys/vm/overcommit_memory"),
        commit: Fact::new(None, "/proc/meminfo: CommitLimit - Committed_AS"),
    },
    limits: Limits {
        address_space: Fact::new(None, "RLIMIT_AS"),
        data: Fact::new(None, "RLIMIT_DATA"),
        stack: Fact::new(None, "RLIMIT_STACK"),
    },
    mounts: Fact::new(None, "/proc/mounts"),
    libc: Fact::new(None, "names of the dynamic loaders"),
    loaders: Fact::new(None, "the names in /lib, /lib64, /opt/lib, /system/bin"),
    openwrt: OpenWrt {
        release: Fact::new(None, "not in /etc/openwrt_release, /etc/os-release"),
        target: Fact::new(None, "not in /etc/openwrt_release, /etc/os-release"),
        arch: Fact::new(None, "not in /etc/openwrt_release, /etc/os-release"),
        board: Fact::new(None, "/tmp/sysinfo/board_name"),
        model: Fact::new(None, "/tmp/sysinfo/model"),
    },
};

/// All that can be told of a machine without starting anything on it.
pub fn machine(system: &dyn System) -> Machine {
    let mut found = UNKNOWN;
    processor(system, &mut found.cpu);
    let auxv = system.auxv();
    found.hwcap.value = auxv.hwcap;
    found.hwcap2.value = auxv.hwcap2;
    found.platform.value = auxv.platform;
    found.kernel.page_size.value = auxv.page_size;
    found.kernel.mmap_min_addr.value = number(system, "/proc/sys/vm/mmap_min_addr");
    if let Some(uname) = system.uname() {
        found.kernel.release.value = release(&uname.release);
        let told = of_uname(&uname.machine);
        found.kernel.e_machine.value = told.map(|(e_machine, _)| e_machine);
        found.kernel.class.value = told.map(|(_, class)| class);
        found.kernel.machine.value = Some(uname.machine);
    }
    found.fpu = fpu(&found);
    userland::look(system, &mut found);
    by_userland(system, &mut found);
    if let Some(text) = text(system, "/proc/meminfo") {
        memory(&text, &mut found.memory);
    }
    found.memory.overcommit.value = number(system, "/proc/sys/vm/overcommit_memory");
    let limits = system.limits();
    found.limits.address_space.value = limits.address_space;
    found.limits.data.value = limits.data;
    found.limits.stack.value = limits.stack;
    found.misc.value = misc(system);
    found.mounts.value = mounts::mounts(system);
    openwrt(system, &mut found.openwrt);
    found
}

fn processor(system: &dyn System, cpu: &mut Cpu) {
    if let Some(text) = text(system, "/proc/cpuinfo") {
        cpuinfo::read(&text, cpu);
    } else {
        *cpu = Cpu::unknown("/proc/cpuinfo cannot be read");
    }
}

/// What the machine's programs, and diag itself, tell of the kernel that runs them.
fn by_userland(system: &dyn System, found: &mut Machine) {
    let kernel = &mut found.kernel;
    if let Some(abi) = &found.userland.value {
        kernel.byte_order = Fact::new(Some(abi.view.order), found.userland.source);
        // A 64-bit program shows a 64-bit kernel; a 32-bit one shows nothing.
        if kernel.class.value.is_none() && abi.view.class == Class::Elf64 {
            kernel.class = Fact::new(Some(Class::Elf64), found.userland.source);
        }
    } else if let Some(order) = system.own_byte_order() {
        kernel.byte_order = Fact::new(Some(order), "this build of diag, which runs here");
    } else {
        // uname tells it for some.
        kernel.byte_order.value = kernel.machine.get().and_then(|machine| order_of_uname(machine));
    }
}

/// Puts a question to the kernel, once, and keeps the answer. On MIPS the answer to
/// [`Question::FpInstruction`] also says whether there is an FPU.
pub fn ask(system: &dyn System, machine: &mut Machine, question: Question) {
    if machine.answer(question).is_some() {
        return;
    }
    let answer = if system.is_itself(question) {
        Fact::new(Some(Answer::Works), "this build of diag, which runs here")
    } else {
        match system.ask(question) {
            None => Fact::new(None, "no tiny program of diag's own tells"),
            answer => Fact::new(answer, "started a tiny program of diag's own"),
        }
    };
    if family::MIPS && question == Question::FpInstruction && machine.e_machine() == Some(EM_MIPS) {
        let source = "started a tiny program that executes mtc1";
        // A kernel without floating-point support brings SIGILL even on a processor that has an FPU, and
        // then does not print the FPU either.
        let shown = machine.fpu.value == Some(Fpu::Hardware);
        match answer.value {
            Some(Answer::Works) if !shown => {
                let told = machine.cpu.model.value.is_some();
                let unsure =
                    "a tiny program's mtc1 works; by the kernel, for all that can be told without cpu model";
                machine.fpu = Fact::new(Some(Fpu::Emulated), if told { source } else { unsure });
            }
            Some(Answer::Killed) => machine.fpu = Fact::new(Some(Fpu::Absent), source),
            None if machine.fpu.value.is_none() => {
                machine.fpu = cpuinfo::fpu_deduced(&machine.cpu, machine.kernel.release.get());
            }
            _ => {}
        }
    }
    machine.answers.push((question, answer));
}

/// A text file, whatever its bytes.
fn text(system: &dyn System, path: &str) -> Option<Vec<u8>> {
    system.read(Path::new(path)).ok()
}

/// A number alone in a file.
fn number(system: &dyn System, path: &str) -> Option<u64> {
    decimal(&text(system, path)?)
}

/// The enabled rules of binfmt_misc; none where it is not mounted, which is also how one turns it off.
fn misc(system: &dyn System) -> Option<Vec<MiscRule>> {
    let folder = Path::new("/proc/sys/fs/binfmt_misc");
    let is_rule = |name: &[u8]| !matches!(name, b"." | b".." | b"register" | b"status");
    let names = system.entries(folder, is_rule)?;
    let read = |name: &OsStr| system.read(&folder.join(name)).unwrap_or_default();
    if names.is_empty() || !read(OsStr::new("status")).starts_with(b"enabled") {
        return Some(Vec::new());
    }
    Some(names.iter().filter_map(|name| MiscRule::parse(name.as_bytes(), &read(name))).collect())
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

/// "4.14.151", "6.18.44-fc-v657"; procfs' own parser wants three numbers, "6.18-rc3" has two.
fn release(text: &str) -> Option<Release> {
    let numbers = text.as_bytes().split(|byte| *byte != b'.' && !byte.is_ascii_digit()).next()?;
    let mut numbers = parts(numbers, b'.');
    let (major, minor) = (decimal(numbers.next()?)?, decimal(numbers.next()?)?);
    let patch = numbers.next().map_or(Some(0), decimal)?;
    let found = KernelVersion::new(major.try_into().ok()?, minor.try_into().ok()?, patch.try_into().ok()?);
    let version = (u32::from(found.major), u32::from(found.minor), u32::from(found.patch));
    Some(Release { text: String::from(text), version })
}

/// By /proc/cpuinfo, else by AT_HWCAP where that has a bit for it.
fn fpu(found: &Machine) -> Fact<Fpu> {
    let told = cpuinfo::fpu(&found.cpu);
    let Some(hwcap) = found.hwcap.value.filter(|_| told.value.is_none()) else { return told };
    let has = |bit: u64| hwcap & bit != 0;
    match found.kernel.e_machine.value {
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

/// procfs' `Meminfo` wants two dozen lines to be there; these few are all that is needed.
fn memory(meminfo: &[u8], found: &mut Memory) {
    let value = |name: &str| decimal(after(meminfo, name)?)?.checked_mul(1024);
    found.total.value = value("MemTotal:");
    found.swap.value = value("SwapTotal:");
    found.available.value = value("MemAvailable:");
    if let (Some(limit), Some(used)) = (value("CommitLimit:"), value("Committed_AS:")) {
        found.commit.value = Some(limit.saturating_sub(used));
    }
    if found.available.value.is_none() {
        // Linux 3.14 brought MemAvailable.
        if let (Some(free), Some(cached)) = (value("MemFree:"), value("Cached:")) {
            let bytes = free.saturating_add(cached);
            found.available = Fact::new(Some(bytes), "/proc/meminfo: MemFree + Cached");
        }
    }
}

/// Forks rename ID and NAME, and keep these.
static RELEASES: [(&str, [&str; 3]); 2] = [
    ("/etc/openwrt_release", ["DISTRIB_RELEASE=", "DISTRIB_TARGET=", "DISTRIB_ARCH="]),
    ("/etc/os-release", ["OPENWRT_RELEASE=", "OPENWRT_BOARD=", "OPENWRT_ARCH="]),
];

fn openwrt(system: &dyn System, found: &mut OpenWrt) {
    for (path, names) in &RELEASES {
        let Some(text) = text(system, path) else { continue };
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
        if let Some(arch) = line(system, "/etc/apk/arch") {
            found.arch = Fact::new(Some(arch), "/etc/apk/arch");
        }
    }
    // The device tree is what the first of the two is made from.
    found.board = either(system, "/tmp/sysinfo/board_name", "/proc/device-tree/compatible");
    found.model = either(system, "/tmp/sysinfo/model", "/proc/device-tree/model");
    // On a PC they are made of what its firmware says (OpenWrt's target/linux/x86: lib/preinit/01_sysinfo).
    found.model.value = found.model.value.take().as_deref().and_then(firmware::name);
    // An identifier stays whole.
    found.board.value = found.board.value.take().filter(|board| firmware::name(board).is_some());
}

fn either(system: &dyn System, first: &'static str, second: &'static str) -> Fact<String> {
    match line(system, first) {
        None => Fact::new(line(system, second), second),
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
fn line(system: &dyn System, path: &str) -> Option<String> {
    let text = text(system, path).unwrap_or_default();
    let first = text.split(|byte| matches!(byte, b'\n' | 0)).next().unwrap_or_default().trim_ascii();
    (!first.is_empty()).then(|| word(first))
}

#[cfg(test)]
mod tests;
