//! Gathers the facts of a machine from any target. Nothing here fails: what cannot be read is unknown.

mod firmware;
pub mod mounts;
mod userland;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::path::{Path, join};

use super::binfmt_misc::BinfmtRule;
use super::{
    Cpu, Fact, Fpu, KernelFacts, Limits, Machine, Memory, OpenWrt, Release, Words, after, cpuinfo, decimal,
    parts, word,
};
use crate::arch;
use crate::elf::Class;
use crate::elf::consts::EM_X86_64;
use crate::target::{Answer, Capability, Kernel, Root};
pub(crate) use userland::OF_ITSELF;
pub(super) use userland::{Program, abi, libc, loaders};

pub(super) fn processor(root: &dyn Root) -> Box<Cpu> {
    match text(root, "/proc/cpuinfo") {
        Some(text) => cpuinfo::parse(&text),
        None => Box::new(Cpu::unknown("/proc/cpuinfo cannot be read")),
    }
}

/// The first program that the kernel could run.
pub(super) fn program(machine: &Machine) -> Option<Program> {
    let told = machine.uname().and_then(|uname| arch::of_uname(&uname.machine));
    let loaders = || machine.loaders().get().cloned().unwrap_or_default();
    userland::program(machine.target.root, told.map(|(e_machine, _)| e_machine), &loaders)
}

/// What the kernel tells of itself, and what diag and the machine's own programs tell of the kernel that runs them.
pub(super) fn kernel(machine: &Machine) -> KernelFacts {
    let uname = machine.uname();
    let told = uname.and_then(|uname| arch::of_uname(&uname.machine));
    let e_machine = Fact::new(told.map(|(e_machine, _)| e_machine), "uname -m");
    let mut class = Fact::new(told.map(|(_, class)| class), "uname -m");
    if class.value.is_none() {
        // A 64-bit program shows a 64-bit kernel; a 32-bit one shows nothing.
        if let Some(program) = machine.program().filter(|program| program.abi.encoding.class == Class::Elf64)
        {
            class = Fact::new(Some(Class::Elf64), program.source);
        }
    }
    let byte_order = if let Some(order) = machine.target.kernel.own_byte_order() {
        Fact::new(Some(order), "this build of diag, which runs here")
    } else if let Some(program) = machine.program() {
        Fact::new(Some(program.abi.encoding.order), program.source)
    } else {
        // uname tells it for some.
        Fact::new(uname.and_then(|uname| arch::order_of_uname(&uname.machine)), "uname -m")
    };
    KernelFacts {
        release: Fact::new(uname.and_then(|uname| release(&uname.release)), "uname -r"),
        told: uname.and_then(|uname| release(uname.told.as_ref()?)),
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

/// The source of what a machine of the catalogue answers: nobody asked its kernel.
pub(crate) const BY_NAME: &str = "known of machines by this name";

/// Puts a question to the kernel, once, and keeps the answer.
pub fn ask(machine: &mut Machine, question: Capability) {
    if machine.answer(question).is_some() {
        return;
    }
    let kernel = machine.target.kernel;
    let answer = if kernel.proven_by_own_build(question) {
        Fact::new(Some(Answer::Works), "this build of diag, which runs here")
    } else {
        match kernel.ask(question) {
            None if machine.catalogue_name().is_some() => {
                Fact::new(None, "not known of machines by this name")
            }
            None => Fact::new(None, "no tiny program of diag's own tells"),
            answer if machine.catalogue_name().is_some() => Fact::new(answer, BY_NAME),
            answer => Fact::new(answer, "started a tiny program of diag's own"),
        }
    };
    machine.answers.push((question, answer));
}

/// Whether floating-point instructions work.
pub(super) fn fpu(machine: &Machine) -> Fact<Fpu> {
    match arch::of_machine(machine) {
        Some(arch) => (arch.fpu)(machine),
        None => Fact::new(None, cpuinfo::UNTOLD),
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
    let is_rule = |name: &[u8]| ![&b"register"[..], b"status"].contains(&name);
    let names = root.list(folder, is_rule)?.ok()?;
    let mut rules = Vec::new();
    let read = |name: &[u8]| root.read(&join(folder, Path::new(name)))?.ok();
    if !names.is_empty() && read(b"status").is_some_and(|status| status.starts_with(b"enabled")) {
        for name in &names {
            if let Some(rule) = read(name).and_then(|text| BinfmtRule::parse(name, &text)) {
                rules.push(rule);
            }
        }
    }
    Some(rules)
}

/// "4.14.151", "6.18.44-fc-v657", "6.18-rc3".
fn release(text: &str) -> Option<Release> {
    let numbers = text.as_bytes().split(|byte| *byte != b'.' && !byte.is_ascii_digit()).next()?;
    let mut numbers = parts(numbers, b'.');
    let (major, minor) = (decimal(numbers.next()?)?, decimal(numbers.next()?)?);
    let patch = numbers.next().map_or(Some(0), decimal)?;
    // Some vendors put a date there.
    let patch = patch.try_into().unwrap_or(u16::MAX);
    let version = (major.try_into().ok()?, minor.try_into().ok()?, patch);
    Some(Release { text: String::from(text), version })
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
        commit_limit: Fact::new(value("CommitLimit:"), "/proc/meminfo: CommitLimit"),
        commit: Fact::new(
            commit.map(|(limit, used)| limit.saturating_sub(used)),
            "/proc/meminfo: CommitLimit - Committed_AS",
        ),
    }
}

/// The least of the memory limits of this process' control group and those above it (memory.max of version 2,
/// memory.limit_in_bytes of version 1, without their `max` and 2^63).
pub(crate) fn cgroup_limit(root: &dyn Root) -> Option<u64> {
    const NO_LIMIT: u64 = 1 << 62;
    let text = text(root, "/proc/self/cgroup")?;
    let mut least = None;
    for line in parts(&text, b'\n') {
        // "0::/user.slice", "4:memory:/docker/1".
        let mut fields = line.splitn(3, |byte| *byte == b':');
        let (Some(_), Some(controllers), Some(group)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let (mount, file): (&[u8], &[u8]) = match controllers {
            b"" => (b"/sys/fs/cgroup", b"memory.max"),
            _ if parts(controllers, b',').any(|name| name == b"memory") => {
                (b"/sys/fs/cgroup/memory", b"memory.limit_in_bytes")
            }
            _ => continue,
        };
        // In a namespace of its own a group is shown as the root, and in a container mounted as it.
        let mut group = group;
        loop {
            let place = [mount, group.strip_suffix(b"/").unwrap_or(group), b"/", file].concat();
            let limit = root.read(Path::new(&place)).and_then(Result::ok).as_deref().and_then(decimal);
            if let Some(limit) = limit.filter(|limit| *limit < NO_LIMIT) {
                least = Some(least.unwrap_or(limit).min(limit));
            }
            let Some(slash) = group.iter().rposition(|byte| *byte == b'/') else { break };
            group = group.get(..slash).unwrap_or_default();
        }
    }
    least
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
    if const { arch::is_judged(EM_X86_64) } {
        found.model.value = found.model.value.take().as_deref().and_then(firmware::name);
        // An identifier stays whole.
        found.board.value = found.board.value.take().filter(|board| firmware::name(board).is_some());
    }
    found
}

/// What a distribution calls itself, os-release(5).
pub(crate) struct Distribution {
    /// ID and ID_LIKE: "ubuntu debian".
    pub(crate) ids: Words,
    /// UBUNTU_CODENAME, which derivatives keep, else VERSION_CODENAME: "bookworm".
    pub(crate) codename: Option<String>,
    /// VERSION_ID: "12".
    pub(crate) version: Option<String>,
}

/// /etc/os-release; None where there is none.
pub(crate) fn distribution(root: &dyn Root) -> Option<Distribution> {
    let text = text(root, "/etc/os-release")?;
    let value = |name| assigned(&text, name);
    let ids = format!("{} {}", value("ID=").unwrap_or_default(), value("ID_LIKE=").unwrap_or_default());
    Some(Distribution {
        ids: Words::from(ids.as_str()),
        codename: value("UBUNTU_CODENAME=").or_else(|| value("VERSION_CODENAME=")),
        version: value("VERSION_ID="),
    })
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
