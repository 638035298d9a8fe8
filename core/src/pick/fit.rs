//! Whether a file fits a machine, by its name and by those of the files beside it.

use alloc::string::String;

use super::name::Name;
use super::page::{Has, Page};
use super::words::{ANDROID, GLIBC, HARD, MUSL, Manager, OPENWRT, Processor, SOFT, STATIC, UCLIBC};
use super::{Choice, Fit};
use crate::arch;
use crate::elf::Class;
use crate::elf::consts::{
    EF_ARM_ABI_FLOAT_HARD, EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC, EM_PPC64, EM_X86_64, machine_name,
};
use crate::machine::gather::{self, distribution};
use crate::machine::{Abi, Fpu, Libc, Machine, decimal};
use crate::target::{Answer, Capability};

/// Whether a file fits, and why.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    fit: Fit,
    /// A sentence, in which `%` stands for the words.
    why: &'static str,
    words: [&'a str; 2],
}

const fn said<'a>(fit: Fit, why: &'static str, words: [&'a str; 2]) -> Said<'a> {
    Said { fit, why, words }
}

pub(super) const fn no<'a>(why: &'static str, words: [&'a str; 2]) -> Said<'a> {
    said(Fit::No, why, words)
}

pub(super) const fn unsure<'a>(why: &'static str) -> Said<'a> {
    said(Fit::Unsure, why, NONE)
}

/// For a sentence without words.
pub(super) const NONE: [&str; 2] = [""; 2];

impl Said<'_> {
    fn sentence(&self) -> String {
        let mut words = self.words.iter();
        let mut sentence = String::new();
        for part in self.why.split('%') {
            sentence.push_str(part);
            sentence.push_str(words.next().copied().unwrap_or_default());
        }
        sentence
    }
}

/// How near a file comes to what is best for the machine; the least is the best, that of a package for its own architecture
/// of OpenWrt.
#[derive(Default)]
struct Distance {
    processor: u8,
    libc: u8,
    is_package: bool,
}

/// What the machine takes.
pub(super) struct Wanted<'a, 'b> {
    pub(super) machine: &'a Machine<'b>,
    manager: Option<Manager>,
}

impl<'a, 'b> Wanted<'a, 'b> {
    /// Asks its kernel what decides about programs of its narrower architecture, where one of the page is of that.
    pub(super) fn new(machine: &'a mut Machine<'b>, page: &Page) -> Wanted<'a, 'b> {
        let (kernel, class) = (machine.e_machine(), machine.kernel().class.value);
        for processor in page.names.iter().filter_map(|name| name.processor) {
            if class == Some(Class::Elf64) && processor.class == Class::Elf32 {
                if let Some(question) = narrower(kernel, processor.e_machine) {
                    gather::ask(machine, question);
                }
            }
        }
        if const { arch::is_judged(EM_MIPS) } && kernel == Some(EM_MIPS) && page.has(Has::Mips) {
            gather::ask(machine, Capability::FpInstruction);
        }
        let manager = manager(machine);
        Wanted { machine, manager }
    }

    /// Whether a file fits, and why.
    pub(super) fn choose<'c>(&self, name: &Name<'c>, page: &Page) -> Choice<'c> {
        let said = self.weigh(name, page, &mut Distance::default());
        Choice { name: name.text, fit: said.fit, reason: said.sentence() }
    }

    /// A number that grows with the distance, of 35 bits.
    pub(super) fn order(&self, name: &Name, page: &Page) -> u64 {
        let mut distance = Distance::default();
        let fit = self.weigh(name, page, &mut distance).fit;
        let mut order = fit as u64;
        // Of several for glibc the one for the oldest runs on the most machines.
        for (bits, part) in [
            (8, distance.processor.into()),
            (2, distance.libc.into()),
            (1, distance.is_package.into()),
            (12, name.glibc.unwrap_or(0)),
            (10, name.len),
        ] {
            let most = (1_u64 << bits).wrapping_sub(1);
            order = order << bits | if fit <= Fit::Unsure { part.min(most) } else { 0 };
        }
        order
    }

    fn weigh(&self, name: &Name, page: &Page, distance: &mut Distance) -> Said<'_> {
        if !name.other.is_empty() {
            return no("is %", [name.other, ""]);
        }
        if name.says(ANDROID) && self.machine.libc().value != Some(Libc::Bionic) {
            return no("is for Android", NONE);
        }
        let Some(processor) = name.processor else {
            return said(Fit::Unreadable, "its name has no word for a processor", NONE);
        };
        let mut package = None;
        if let Some(manager) = name.package {
            let own = self.machine.openwrt().arch.get().map(String::as_str);
            // opkg and apk take what is for their own architecture, by its whole name, and that says all.
            if self.manager == Some(manager) && own.is_some_and(|arch| name.is_for_arch(arch)) {
                return said(Fit::Fits, "is a package for this machine's architecture of OpenWrt", NONE);
            }
            distance.is_package = true;
            package = match self.manager {
                Some(known) if known == manager && name.says(OPENWRT) => Some(no(
                    "is a package for another architecture of OpenWrt, this machine's is %",
                    [own.unwrap_or("not known"), ""],
                )),
                Some(known) if known == manager => None,
                known => {
                    let fit = if known.is_some() { Fit::No } else { Fit::Unsure };
                    Some(said(fit, "is a package for %", [manager.name(), ""]))
                }
            };
        }
        let mut best = said(Fit::Fits, "is for %, which this machine runs", [name.word, ""]);
        for but in [
            package,
            self.processor(processor, name, page, &mut distance.processor),
            self.float(processor, name, page),
            self.libc(name, page, &mut distance.libc),
        ] {
            // The first of the worst.
            best = but.filter(|but| but.fit > best.fit).unwrap_or(best);
        }
        best
    }

    fn processor(
        &self,
        processor: &Processor,
        name: &Name,
        page: &Page,
        distance: &mut u8,
    ) -> Option<Said<'_>> {
        let machine = self.machine;
        let called = |e_machine| machine_name(e_machine).unwrap_or_default();
        let (Some(kernel), Some(class)) = (machine.e_machine(), machine.kernel().class.value) else {
            return Some(unsure("this machine's processor is not known"));
        };
        let (word, own) = (called(processor.e_machine), called(kernel));
        let is_own = (kernel, class) == (processor.e_machine, processor.class);
        let is_narrow = class == Class::Elf64
            && processor.class == Class::Elf32
            && arch::runs(kernel, processor.e_machine);
        if !is_own && !is_narrow {
            let why = match () {
                () if processor.e_machine != kernel => "is for %, this machine is %",
                () if class == Class::Elf32 => "is for 64-bit %, this machine is 32-bit",
                () => "is for 32-bit %, this machine is 64-bit",
            };
            return Some(no(why, [word, own]));
        }
        match machine.byte_order() {
            None => return Some(unsure("this machine's byte order is not known")),
            Some(order) if order != processor.order => {
                return Some(no("is %, this machine is %", [processor.order.name(), order.name()]));
            }
            Some(_) => {}
        }
        // What the machine's own programs are is the nearest.
        let userland = machine.userland().get().map_or(class, |abi| abi.encoding.class);
        *distance = if userland == processor.class { 1 } else { 101 };
        if is_narrow && !is_own {
            let question = narrower(Some(kernel), processor.e_machine);
            match question.and_then(|question| machine.answer(question)).and_then(|fact| fact.value) {
                Some(Answer::Works) => {}
                Some(_) => {
                    return Some(no("is for %, whose 32-bit programs this kernel does not run", [word, ""]));
                }
                None => return Some(unsure("is 32-bit: not every 64-bit kernel runs such programs")),
            }
        }
        let (further, but) = self.level(processor, name, page);
        *distance = distance.saturating_add(further);
        but
    }

    /// The float ABI, of architectures with processors that have no FPU.
    fn float(&self, processor: &Processor, name: &Name, page: &Page) -> Option<Said<'_>> {
        if ![EM_MIPS, EM_PPC].contains(&processor.e_machine) || name.says(SOFT) {
            return None;
        }
        match self.machine.fpu().value {
            Some(Fpu::Hardware | Fpu::Emulated) => None,
            Some(Fpu::Absent) if name.says(HARD) || page.has(Has::SoftMips) && !page.has(Has::HardMips) => {
                Some(no("is hard-float, this machine has no FPU", NONE))
            }
            _ => Some(unsure(
                "it is not said whether it is soft-float, and this machine is not known to have an FPU",
            )),
        }
    }

    /// glibc's loader and libraries are those of the machine's own float ABI.
    fn is_other_arm_abi(&self, name: &Name) -> bool {
        let is_hard = |abi: &Abi| abi.e_flags & EF_ARM_ABI_FLOAT_HARD != 0;
        let own = self.machine.userland().get().filter(|abi| abi.e_machine == EM_ARM).map(is_hard);
        let wanted = name.processor.filter(|known| known.e_machine == EM_ARM).map(|_| name.says(HARD));
        own.zip(wanted).is_some_and(|(own, wanted)| own != wanted && (name.says(SOFT) || wanted))
    }

    fn libc(&self, name: &Name, page: &Page, distance: &mut u8) -> Option<Said<'_>> {
        let own = self.machine.libc().value;
        let (musl, glibc) = (name.says(MUSL), name.says(GLIBC));
        // Nearest is what was built for the C library itself, then what has none.
        *distance = match own {
            Some(Libc::Musl) if musl => 0,
            Some(Libc::Glibc) if glibc => 0,
            _ if musl || name.says(UCLIBC) => 3,
            _ => 2,
        };
        if name.says(STATIC) {
            return None;
        }
        let wanted = match () {
            () if glibc => Libc::Glibc,
            () if name.says(UCLIBC) => Libc::Uclibc,
            // musl's targets of Rust, Zig and musl-cross-make are static unless asked otherwise.
            () if !musl && own == Some(Libc::Musl) && page.has(Has::Musl) && !page.has(Has::Glibc) => {
                return Some(unsure(
                    "it is not said whether it wants glibc: those for musl are named so here",
                ));
            }
            () => return None,
        };
        if glibc && const { arch::is_judged(EM_ARM) } && self.is_other_arm_abi(name) {
            let why = "is dynamic, and of another float ABI than this machine's programs";
            return Some(no(why, NONE));
        }
        match own {
            None => Some(unsure("it is not said which C library this machine has")),
            Some(own) if own != wanted => {
                Some(no("is for %, this machine has %", [wanted.name(), own.name()]))
            }
            Some(_) if name.glibc.is_some() => {
                Some(unsure("it is not said whether this machine's glibc is as new as it wants"))
            }
            Some(_) => None,
        }
    }
}

/// The question whether a 64-bit kernel runs 32-bit programs of an architecture.
fn narrower(kernel: Option<u16>, program: u16) -> Option<Capability> {
    const WIDE: [u16; 4] = [EM_AARCH64, EM_X86_64, EM_MIPS, EM_PPC64];
    if !const { any_judged(&WIDE) } {
        return None;
    }
    match (kernel?, program) {
        (EM_AARCH64, EM_ARM) => Some(Capability::Arm32),
        (EM_X86_64, EM_386) => Some(Capability::Ia32),
        (EM_MIPS, EM_MIPS) => Some(Capability::MipsO32),
        (EM_PPC64, EM_PPC) => Some(Capability::Ppc32),
        _ => None,
    }
}

/// Whether this build judges for one of these.
const fn any_judged(mut rest: &[u16]) -> bool {
    while let [first, others @ ..] = rest {
        if arch::is_judged(*first) {
            return true;
        }
        rest = others;
    }
    false
}

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
