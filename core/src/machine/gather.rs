//! Gathers the facts of a machine from any [`System`]. Nothing here fails: what cannot be read is unknown.

mod firmware;
pub mod mounts;
mod userland;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::rc::Rc;

use procfs::KernelVersion;

use super::binfmt_misc::BinfmtRule;
use super::family::{self, rows};
use super::{
    Cpu, Fact, Fpu, Kernel, Lazy, Limits, Machine, Memory, OpenWrt, Release, after, cpuinfo, decimal, parts,
    word,
};
use crate::elf::consts::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_S390, EM_SH, EM_SPARC,
    EM_SPARCV9, EM_X86_64,
};
use crate::elf::{ByteOrder, Class};
use crate::system::{Answer, Auxv, Question, System, Uname};
use userland::Program;

/// The facts of a machine, each gathered when it is first looked at. Nothing is started for them.
pub fn machine(system: &(impl System + Clone + 'static)) -> Machine {
    let system: Rc<dyn System> = Rc::new(system.clone());
    let Auxv { hwcap, hwcap2, platform, page_size } = system.auxv();
    let uname = system.uname();
    let told = uname.as_ref().and_then(|uname| of_uname(&uname.machine));
    let e_machine = told.map(|(e_machine, _)| e_machine);

    let cpu = gathered(&system, processor);
    let program = gathered(&system, move |system| userland::program(system, e_machine));
    let loaders = gathered(&system, userland::loaders);
    let kernel = {
        let (system, program) = (Rc::clone(&system), program.clone());
        Lazy::new(move || kernel(&system, uname, page_size, &program))
    };
    let fpu = {
        let cpu = cpu.clone();
        Lazy::new(move || fpu(&cpu, hwcap, e_machine))
    };
    let libc = {
        let (program, loaders) = (program.clone(), loaders.clone());
        Lazy::new(move || userland::libc(program.as_ref(), &loaders))
    };
    Machine {
        cpu,
        kernel,
        userland: Lazy::new(move || userland::abi(program.as_ref())),
        hwcap: Fact::new(hwcap, "AT_HWCAP"),
        hwcap2: Fact::new(hwcap2, "AT_HWCAP2"),
        platform: Fact::new(platform, "AT_PLATFORM"),
        fpu,
        answers: Vec::new(),
        binfmt_misc: gathered(&system, |system| Fact::new(misc(system), "/proc/sys/fs/binfmt_misc")),
        memory: gathered(&system, memory),
        limits: gathered(&system, limits),
        mounts: {
            let system = Rc::clone(&system);
            Lazy::new(move || Fact::new(mounts::mounts(&system), "/proc/mounts"))
        },
        libc,
        loaders,
        openwrt: gathered(&system, openwrt),
    }
}

fn gathered<T>(system: &Rc<dyn System>, gather: impl FnOnce(&dyn System) -> T + 'static) -> Lazy<T> {
    let system = Rc::clone(system);
    Lazy::new(move || gather(&*system))
}

fn processor(system: &dyn System) -> Cpu {
    match text(system, "/proc/cpuinfo") {
        Some(text) => cpuinfo::parse(&text),
        None => Cpu::unknown("/proc/cpuinfo cannot be read"),
    }
}

/// What the kernel tells of itself, and what diag and the machine's own programs tell of the kernel that runs them.
fn kernel(
    system: &Rc<dyn System>,
    uname: Option<Uname>,
    page_size: Option<u64>,
    program: &Lazy<Option<Program>>,
) -> Kernel {
    let told = uname.as_ref().and_then(|uname| of_uname(&uname.machine));
    let e_machine = Fact::new(told.map(|(e_machine, _)| e_machine), "uname -m");
    let mut class = Fact::new(told.map(|(_, class)| class), "uname -m");
    if class.value.is_none() {
        // A 64-bit program shows a 64-bit kernel; a 32-bit one shows nothing.
        if let Some(program) = program.as_ref().filter(|program| program.abi.encoding.class == Class::Elf64) {
            class = Fact::new(Some(Class::Elf64), program.source);
        }
    }
    let byte_order = if let Some(order) = system.own_byte_order() {
        Fact::new(Some(order), "this build of diag, which runs here")
    } else if let Some(program) = program.as_ref() {
        Fact::new(Some(program.abi.encoding.order), program.source)
    } else {
        // uname tells it for some.
        Fact::new(uname.as_ref().and_then(|uname| order_of_uname(&uname.machine)), "uname -m")
    };
    let (release, machine) = uname.map(|uname| (self::release(&uname.release), uname.machine)).unzip();
    Kernel {
        release: Fact::new(release.flatten(), "uname -r"),
        machine: Fact::new(machine, "uname -m"),
        e_machine,
        class,
        byte_order,
        page_size: Fact::new(page_size, "AT_PAGESZ"),
        mmap_min_addr: gathered(system, |system| number_fact(system, "/proc/sys/vm/mmap_min_addr")),
    }
}

fn limits(system: &dyn System) -> Limits {
    let limits = system.limits();
    Limits {
        address_space: Fact::new(limits.address_space, "RLIMIT_AS"),
        data: Fact::new(limits.data, "RLIMIT_DATA"),
        stack: Fact::new(limits.stack, "RLIMIT_STACK"),
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
                *machine.fpu = Fact::new(Some(Fpu::Emulated), if told { source } else { unsure });
            }
            Some(Answer::Killed) => *machine.fpu = Fact::new(Some(Fpu::Absent), source),
            None if machine.fpu.value.is_none() => {
                *machine.fpu = cpuinfo::fpu_deduced(&machine.cpu, machine.kernel.release.get());
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

fn number_fact(system: &dyn System, path: &'static str) -> Fact<u64> {
    Fact::new(number(system, path), path)
}

/// The enabled rules of binfmt_misc; none where it is not mounted, which is also how one turns it off.
fn misc(system: &dyn System) -> Option<Vec<BinfmtRule>> {
    let folder = Path::new("/proc/sys/fs/binfmt_misc");
    let is_rule = |name: &[u8]| !matches!(name, b"register" | b"status");
    let names = system.entries(folder, is_rule)?;
    let read = |name: &OsStr| system.read(&folder.join(name)).unwrap_or_default();
    if names.is_empty() || !read(OsStr::new("status")).starts_with(b"enabled") {
        return Some(Vec::new());
    }
    Some(names.iter().filter_map(|name| BinfmtRule::parse(name.as_bytes(), &read(name))).collect())
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
fn fpu(cpu: &Cpu, hwcap: Option<u64>, e_machine: Option<u16>) -> Fact<Fpu> {
    let told = cpuinfo::fpu(cpu);
    let Some(hwcap) = hwcap.filter(|_| told.value.is_none()) else { return told };
    let has = |bit: u64| hwcap & bit != 0;
    match e_machine {
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

fn memory(system: &dyn System) -> Memory {
    let meminfo = text(system, "/proc/meminfo").unwrap_or_default();
    Memory { overcommit: number_fact(system, "/proc/sys/vm/overcommit_memory"), ..meminfo_of(&meminfo) }
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

fn openwrt(system: &dyn System) -> OpenWrt {
    let unknown = || Fact::new(None, "not in /etc/openwrt_release, /etc/os-release");
    // The device tree is what the first of the two is made from.
    let mut found = OpenWrt {
        release: unknown(),
        target: unknown(),
        arch: unknown(),
        board: either(system, "/tmp/sysinfo/board_name", "/proc/device-tree/compatible"),
        model: either(system, "/tmp/sysinfo/model", "/proc/device-tree/model"),
    };
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
    // On a PC they are made of what its firmware says (OpenWrt's target/linux/x86: lib/preinit/01_sysinfo).
    found.model.value = found.model.value.take().as_deref().and_then(firmware::name);
    // An identifier stays whole.
    found.board.value = found.board.value.take().filter(|board| firmware::name(board).is_some());
    found
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
