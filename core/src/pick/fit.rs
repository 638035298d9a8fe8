//! Whether a file fits a machine, by its name and by those of the files beside it.

use alloc::format;
use alloc::string::String;

use super::name::Name;
use super::page::{Has, Page};
use super::words::{Container, Level, Manager, Processor, Sense};
use super::{Choice, Fit};
use crate::arch;
use crate::elf::Class;
use crate::elf::consts::{
    EF_ARM_ABI_FLOAT_HARD, EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC, EM_PPC64, EM_X86_64, machine_name,
};
use crate::machine::gather::{self, distribution};
use crate::machine::{Abi, Fpu, Libc, Machine, decimal, lists};
use crate::target::{Answer, Capability};

/// Why a file does not fit, or may not.
enum But {
    /// It does not.
    No(String),
    /// The name does not tell, or the machine does not.
    Unsure(String),
}

/// How near a file comes to what is best for the machine; the least is the best.
pub(super) type Distance = [u64; 5];

/// What the machine takes.
pub(super) struct Wanted<'a, 'b> {
    machine: &'a Machine<'b>,
    manager: Option<Manager>,
}

impl<'a, 'b> Wanted<'a, 'b> {
    /// Asks its kernel what decides about programs of its narrower architecture, where one of the page is of that.
    pub(super) fn new(machine: &'a mut Machine<'b>, page: &Page) -> Wanted<'a, 'b> {
        let kernel = machine.e_machine();
        let of = |e_machine| {
            page.names
                .iter()
                .filter_map(|name| name.processor)
                .any(|known| known.e_machine == e_machine && known.class == Class::Elf32)
        };
        for (wide, narrow, question) in NARROWER {
            if kernel == Some(*wide) && machine.kernel().class.value == Some(Class::Elf64) && of(*narrow) {
                gather::ask(machine, *question);
            }
        }
        if kernel == Some(EM_MIPS) && page.has(Has::Mips) {
            gather::ask(machine, Capability::FpInstruction);
        }
        let manager = manager(machine);
        Wanted { machine, manager }
    }

    /// Whether a file fits, why, and how well.
    pub(super) fn choose<'c>(&self, name: &Name<'c>, page: &Page) -> (Choice<'c>, Distance) {
        // Of several for glibc the one for the oldest runs on the most machines.
        let mut distance = [0, 0, 0, name.glibc.unwrap_or(0), name.len() as u64];
        let (fit, reason) = self.weigh(name, page, &mut distance);
        (Choice { name: name.text, fit, reason }, distance)
    }

    fn weigh(&self, name: &Name, page: &Page, distance: &mut Distance) -> (Fit, String) {
        if let Some((is, what)) = name.foreign() {
            return (Fit::No, [is, what].concat());
        }
        let is_android = self.machine.libc().value == Some(Libc::Bionic);
        if name.says(Sense::Android) && !is_android {
            return (Fit::No, String::from("is for Android"));
        }
        let Some(processor) = name.processor else {
            return (Fit::Unreadable, String::from("its name has no word for a processor"));
        };
        // opkg and apk take what is for their own architecture, by its whole name, and that says all.
        if self.is_for_own_openwrt(name) {
            *distance = [0; 5];
            return (Fit::Fits, String::from("is a package for this machine's architecture of OpenWrt"));
        }
        let but = [
            self.container(name, &mut distance[2]),
            self.processor(processor, name, page, &mut distance[0]),
            self.float(processor, name, page),
            self.libc(name, page, &mut distance[1]),
        ];
        let mut unsure = None;
        for but in but.into_iter().flatten() {
            match but {
                But::No(why) => return (Fit::No, why),
                But::Unsure(why) => unsure = unsure.or(Some(why)),
            }
        }
        match unsure {
            Some(why) => (Fit::Unsure, why),
            None => (Fit::Fits, format!("is for {}, which this machine runs", processor.word)),
        }
    }

    fn is_for_own_openwrt(&self, name: &Name) -> bool {
        let is_package = self.manager.is_some_and(|manager| name.container == Container::Package(manager));
        is_package && self.machine.openwrt().arch.get().is_some_and(|arch| name.is_for_arch(arch))
    }

    /// Who would unpack it.
    fn container(&self, name: &Name, distance: &mut u64) -> Option<But> {
        let Container::Package(manager) = name.container else { return None };
        *distance = 1;
        match self.manager {
            None => Some(But::Unsure(format!("is a package for {}", manager.name()))),
            Some(own) if own != manager => Some(But::No(format!("is a package for {}", manager.name()))),
            Some(_) if name.says(Sense::OpenWrt) => {
                let own = self.machine.openwrt().arch.get().map_or("not known", String::as_str);
                Some(But::No(format!(
                    "is a package for another architecture of OpenWrt, this machine's is {own}"
                )))
            }
            Some(_) => None,
        }
    }

    fn processor(&self, processor: &Processor, name: &Name, page: &Page, distance: &mut u64) -> Option<But> {
        let machine = self.machine;
        let called = || machine_name(processor.e_machine).unwrap_or_default();
        let (Some(kernel), Some(class)) = (machine.e_machine(), machine.kernel().class.value) else {
            return Some(But::Unsure(String::from("this machine's processor is not known")));
        };
        let is_own = (kernel, class) == (processor.e_machine, processor.class);
        let is_narrow = class == Class::Elf64
            && processor.class == Class::Elf32
            && arch::runs(kernel, processor.e_machine);
        if !is_own && !is_narrow {
            let own = machine_name(kernel).unwrap_or_default();
            let bits = |class| if class == Class::Elf64 { "64-bit" } else { "32-bit" };
            return Some(But::No(format!(
                "is for {} {}, this machine is {} {own}",
                bits(processor.class),
                called(),
                bits(class),
            )));
        }
        match machine.byte_order() {
            None => return Some(But::Unsure(String::from("this machine's byte order is not known"))),
            Some(order) if order != processor.order => {
                let wanted = processor.order.name();
                return Some(But::No(format!(
                    "is for {wanted} {}, this machine is {}",
                    called(),
                    order.name()
                )));
            }
            Some(_) => {}
        }
        // What the machine's own programs are is the nearest.
        let userland = machine.userland().get().map_or(class, |abi| abi.encoding.class);
        *distance = if userland == processor.class { 0 } else { 100 };
        if is_narrow && !is_own {
            let question =
                NARROWER.iter().find(|(wide, narrow, _)| (*wide, *narrow) == (kernel, processor.e_machine));
            match question.and_then(|(.., question)| machine.answer(*question)).and_then(|fact| fact.value) {
                Some(Answer::Works) => {}
                Some(_) => {
                    return Some(But::No(format!(
                        "is for {}, whose 32-bit programs this kernel does not run",
                        called()
                    )));
                }
                None => {
                    return Some(But::Unsure(String::from(
                        "is 32-bit: not every 64-bit kernel runs such programs",
                    )));
                }
            }
        }
        let (further, but) = self.level(processor, name, page);
        *distance = distance.saturating_add(further);
        but
    }

    /// What a word asks of the processor beyond its architecture, and how far that is from its best.
    fn level(&self, processor: &Processor, name: &Name, page: &Page) -> (u64, Option<But>) {
        match processor.level {
            // No machine of this build gets that far.
            Level::X86(_) | Level::AnyX86 | Level::OldX86 if !arch::is_judged(EM_X86_64) => (0, None),
            Level::AnyArm | Level::Arm(_) | Level::Core(_) | Level::Armel | Level::Armhf
                if !arch::is_judged(EM_ARM) =>
            {
                (0, None)
            }
            Level::AnyArm if name.is_triple() => self.arm(6, name),
            // Without words for others beside it, it may be for any of them.
            Level::AnyArm => match (page.has(Has::LowArm), page.has(Has::HighArm)) {
                (true, false) => self.arm(7, name),
                (false, true) => (4, None),
                _ => (4, self.arm(7, name).1.map(|_| unsaid("which ARM version it is for"))),
            },
            Level::Arm(version) => self.arm(version, name),
            Level::Core(version) => self.vfp(version),
            Level::Armel if page.has(Has::LowArm) => {
                (4, self.arm(6, name).1.map(|_| unsaid("whether it is for ARMv5 or ARMv6")))
            }
            Level::Armel => (4, None),
            Level::Armhf => match self.arm(7, name) {
                (further, None) => (further, None),
                (further, Some(_)) => (
                    further,
                    Some(self.arm(6, name).1.unwrap_or_else(|| unsaid("whether it is for ARMv6 or ARMv7"))),
                ),
            },
            Level::X86(0) if page.has(Has::FirstX86) => self.x86(3, 0),
            Level::Any | Level::X86(0) => (0, None),
            Level::X86(1) => (3, None),
            Level::X86(level) => self.x86(level, u64::from(5_u8.saturating_sub(level))),
            Level::AnyX86 if name.says(Sense::Soft) => (1, None),
            Level::AnyX86 => {
                let cpu = self.machine.cpu();
                let has_sse2 =
                    self.machine.kernel().class.value == Some(Class::Elf64) || lists(&cpu.features, "sse2");
                (
                    0,
                    (!has_sse2)
                        .then(|| unsaid("whether it wants SSE2, which this processor is not known to have")),
                )
            }
            Level::OldX86 => (1, None),
            Level::Mips16 => (1, Some(unsaid("whether this processor has MIPS16"))),
            Level::OldLoongArch => {
                (0, Some(But::No(String::from("is for the old world of LoongArch (ABI 1.0)"))))
            }
        }
    }

    /// ARM of a version, with VFP from 6 on unless the name says soft float.
    fn arm(&self, version: u8, name: &Name) -> (u64, Option<But>) {
        if version <= 5 || !name.says(Sense::Soft) {
            return self.vfp(version);
        }
        let (further, but) = self.armv(version);
        // What uses an FPU is nearer to a machine that has one.
        (further.saturating_add(1), but)
    }

    fn armv(&self, version: u8) -> (u64, Option<But>) {
        let further = u64::from(7_u8.saturating_sub(version)).saturating_mul(2);
        let but = match self.machine.cpu().arm_architecture.value {
            _ if version <= 5 || self.machine.e_machine() == Some(EM_AARCH64) => None,
            None => Some(unsaid("which ARM version this processor is")),
            Some(own) if own < version.into() => {
                Some(But::No(format!("is for ARMv{version}, this processor is ARMv{own}")))
            }
            Some(_) => None,
        };
        (further, but)
    }

    /// The same, and the VFP that goes with it.
    fn vfp(&self, version: u8) -> (u64, Option<But>) {
        let (further, but) = self.armv(version);
        let features = &self.machine.cpu().features;
        let wanted: &[&str] = match version {
            ..=5 => &[],
            6 => &["vfp"],
            _ => &["vfpv3", "vfpv3d16", "vfpv4", "neon"],
        };
        let has_it = wanted.is_empty()
            || self.machine.e_machine() == Some(EM_AARCH64)
            || wanted.iter().any(|feature| lists(features, feature));
        if but.is_some() || has_it {
            return (further, but);
        }
        let but = match features.get() {
            Some(_) => But::No(format!("is for ARMv{version} with VFP, which this processor lacks")),
            None => unsaid("whether this processor has VFP"),
        };
        (further, Some(but))
    }

    fn x86(&self, level: u8, further: u64) -> (u64, Option<But>) {
        let has = |level: u8| arch::has_level(self.machine, format!("x86-64-v{level}").as_bytes());
        let but = match self.machine.cpu().features.get() {
            None => Some(unsaid("whether this processor has that level of x86-64")),
            Some(_) if has(level) => None,
            Some(_) => Some(But::No(format!("is for x86-64-v{level}, which this processor is not"))),
        };
        (further, but)
    }

    /// The float ABI, of architectures with processors that have no FPU.
    fn float(&self, processor: &Processor, name: &Name, page: &Page) -> Option<But> {
        if ![EM_MIPS, EM_PPC].contains(&processor.e_machine) || name.says(Sense::Soft) {
            return None;
        }
        match self.machine.fpu().value {
            Some(Fpu::Hardware | Fpu::Emulated) => return None,
            Some(Fpu::Absent)
                if name.says(Sense::Hard) || page.has(Has::SoftMips) && !page.has(Has::HardMips) =>
            {
                return Some(But::No(String::from("is hard-float, this machine has no FPU")));
            }
            _ => {}
        }
        Some(unsaid("whether it is soft-float, and this machine is not known to have an FPU"))
    }

    /// glibc's loader and libraries are those of the machine's own float ABI.
    fn is_other_arm_abi(&self, name: &Name) -> bool {
        let is_hard = |abi: &Abi| abi.e_flags & EF_ARM_ABI_FLOAT_HARD != 0;
        let own = self.machine.userland().get().filter(|abi| abi.e_machine == EM_ARM).map(is_hard);
        let wanted = name.processor.filter(|known| known.e_machine == EM_ARM).map(|_| name.says(Sense::Hard));
        own.zip(wanted).is_some_and(|(own, wanted)| own != wanted && (name.says(Sense::Soft) || wanted))
    }

    fn libc(&self, name: &Name, page: &Page, distance: &mut u64) -> Option<But> {
        let own = self.machine.libc().value;
        let (musl, glibc) = (name.says(Sense::Musl), name.says(Sense::Glibc));
        // Nearest is what was built for the C library itself, then what has none.
        *distance = match own {
            Some(Libc::Musl) if musl => 0,
            Some(Libc::Glibc) if glibc => 0,
            _ if musl || name.says(Sense::Uclibc) => 3,
            _ => 2,
        };
        if name.says(Sense::Static) {
            return None;
        }
        let is_else = |libc: Libc| match own {
            Some(own) if own == libc => None,
            Some(own) => Some(But::No(format!("is for {}, this machine has {}", libc.name(), own.name()))),
            None => Some(unsaid("which C library this machine has")),
        };
        match own {
            _ if glibc && self.is_other_arm_abi(name) => Some(But::No(String::from(
                "is dynamic, and of another float ABI than this machine's programs",
            ))),
            _ if glibc => {
                let version = name.glibc.filter(|_| own == Some(Libc::Glibc));
                let version = version.map(|version| {
                    unsaid(&format!(
                        "whether this machine's glibc is {}.{:02} or later",
                        version / 100,
                        version % 100
                    ))
                });
                is_else(Libc::Glibc).or(version)
            }
            _ if name.says(Sense::Uclibc) => is_else(Libc::Uclibc),
            // musl's targets of Rust, Zig and musl-cross-make are static unless asked otherwise.
            _ if musl => None,
            Some(Libc::Musl) if page.has(Has::Musl) && !page.has(Has::Glibc) => {
                Some(unsaid("whether it wants glibc: those for musl are named so here"))
            }
            _ => None,
        }
    }
}

fn unsaid(what: &str) -> But {
    But::Unsure(format!("it is not said {what}"))
}

/// Kernels, the programs of 32 bits that they may run, and the question which tells.
const NARROWER: &[(u16, u16, Capability)] = &[
    (EM_AARCH64, EM_ARM, Capability::Arm32),
    (EM_X86_64, EM_386, Capability::Ia32),
    (EM_MIPS, EM_MIPS, Capability::MipsO32),
    (EM_PPC64, EM_PPC, Capability::Ppc32),
];

/// Who installs packages there; None where that is not known.
fn manager(machine: &Machine) -> Option<Manager> {
    if let Some(release) = machine.openwrt().release.get() {
        // 25.12 has apk; of a snapshot nothing is known, but it is later.
        let major = decimal(release.split('.').next().unwrap_or_default().as_bytes());
        return Some(if major.is_some_and(|major| major < 25) { Manager::Ipk } else { Manager::Apk });
    }
    if crate::ROUTER {
        return None;
    }
    let ids = distribution(machine.target.root)?.ids;
    let is = |names: &[&str]| names.iter().any(|name| ids.has(name));
    Some(match () {
        () if is(&["debian", "ubuntu"]) => Manager::Deb,
        () if is(&["alpine"]) => Manager::Apk,
        () if is(&["arch"]) => Manager::Pacman,
        () if is(&["fedora", "rhel", "centos", "suse", "opensuse"]) => Manager::Rpm,
        () => return None,
    })
}

impl Manager {
    const fn name(self) -> &'static str {
        match self {
            Manager::Ipk => "opkg",
            Manager::Apk => "apk",
            Manager::Deb => "dpkg",
            Manager::Rpm => "rpm",
            Manager::Pacman => "pacman",
        }
    }
}
