//! Operating systems other than Linux, as an ELF file's marks name them. Linux looks at none of these marks.

use super::{Image, Interp, Program};
use crate::ROUTER;
use crate::elf::consts::{
    EI_OSABI, EM_386, EM_486, EM_AARCH64, EM_RISCV, EM_SPARC, EM_SPARC32PLUS, EM_SPARCV9, EM_X86_64, name_in,
};
use crate::machine::{Libc, system_of_loader};

/// The systems whose notes a file has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Noted(u8);

/// A note of type 1, the system whose kernel goes by it, and the EI_OSABI that may stand beside it. FreeBSD
/// sys/kern/imgact_elf.c `check_note`, NetBSD and OpenBSD sys/kern/exec_elf.c, DragonFly sys/kern/imgact_elf.c. The last
/// is Cosmopolitan's (libc/elf, ape/ape.S), whose programs run on all of them and on Linux.
const NOTES: [(&str, &str, u8); 6] = [
    ("FreeBSD", "FreeBSD", 9),
    ("NetBSD", "NetBSD", 2),
    ("OpenBSD", "OpenBSD", 12),
    ("DragonFly", "DragonFly BSD", 9),
    ("Minix", "Minix", 2),
    ("APE", "", 0),
];

/// The operating system of NT_GNU_ABI_TAG; 0 is Linux.
const TAGS: [(u32, &str); 4] = [(1, "GNU Hurd"), (2, "Solaris"), (3, "FreeBSD"), (4, "NetBSD")];

/// EI_OSABI; 0 System V, 3 GNU, 64, 65 and 97 ARM and 255 standalone are used on Linux too.
const OSABIS: [(u32, &str); 13] = [
    (1, "HP-UX"),
    (2, "NetBSD"),
    (6, "Solaris"),
    (7, "AIX"),
    (8, "IRIX"),
    (9, "FreeBSD"),
    (10, "Tru64 UNIX"),
    (12, "OpenBSD"),
    (13, "OpenVMS"),
    (14, "NonStop"),
    (15, "AROS"),
    (17, "CloudABI"),
    (18, "OpenVOS"),
];

/// By what another system is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark<'a> {
    /// Its loader, in PT_INTERP.
    Loader,
    /// The note that its kernel goes by.
    Note(&'static str),
    /// NT_GNU_ABI_TAG.
    AbiTag(u32),
    /// EI_OSABI, which is often left as it is, or set for another system to take the file.
    Osabi(u8),
    /// GOOS, which Go writes down. For DragonFly BSD its linker leaves no other mark.
    Goos(&'a str),
}

impl Noted {
    /// Takes a note of type 1 for what it is.
    pub(super) fn add(&mut self, name: &[u8]) {
        let name = name.trim_ascii_end().split(|byte| *byte == 0).next().unwrap_or_default();
        for (place, (known, ..)) in NOTES.iter().enumerate() {
            if known.as_bytes() == name {
                self.0 |= 1 << place;
            }
        }
    }

    /// The place in [`NOTES`] of the only one.
    fn only(self) -> Option<&'static (&'static str, &'static str, u8)> {
        if self.0.is_power_of_two() {
            NOTES.get(usize::try_from(self.0.trailing_zeros()).ok()?)
        } else {
            None
        }
    }
}

impl Image {
    /// The operating system, other than Linux, whose loader PT_INTERP names.
    pub fn interp_system(&self) -> Option<&'static str> {
        let Some(Interp::Path(path)) = &self.interp else { return None };
        let known = system_of_loader(path);
        if ROUTER { known } else { known.or_else(|| self.system_of_shared_name(path)) }
    }

    /// The same of names that are glibc's where it runs on other processors.
    fn system_of_shared_name(&self, path: &[u8]) -> Option<&'static str> {
        let is_hurd = self.abi_tag.is_some_and(|(os, ..)| os == 1);
        let of = |machines: &[u16]| machines.contains(&self.header.e_machine);
        if path == b"ld.so.1" {
            return Some("Fuchsia");
        }
        if path.ends_with(b"/ld.so.1")
            && of(&[EM_386, EM_486, EM_X86_64, EM_SPARC, EM_SPARC32PLUS, EM_SPARCV9])
        {
            return Some(if is_hurd { "GNU Hurd" } else { "Solaris or illumos" });
        }
        if path == b"/lib/ld64.so.1" && of(&[EM_X86_64, EM_AARCH64, EM_RISCV]) {
            return Some("Redox");
        }
        (is_hurd && path == b"/lib/ld.so").then_some("GNU Hurd")
    }
}

impl Program {
    /// The operating system, other than Linux, that a decoding of it is built for, and the mark that says so.
    pub fn other_system(&self, image: &Image) -> Option<(&'static str, Mark<'_>)> {
        if let Some(system) = image.interp_system() {
            return Some((system, Mark::Loader));
        }
        let osabi = *self.ident.get(EI_OSABI)?;
        if let Some((note, system, own)) = image.noted.only().filter(|(_, system, _)| !system.is_empty()) {
            if osabi == 0 || osabi == *own {
                return Some((system, Mark::Note(note)));
            }
        }
        if let Some((number, ..)) = image.abi_tag {
            // Of one that glibc was linked into, the tag says it.
            return name_in(&TAGS, number).map(|system| (system, Mark::AbiTag(number)));
        }
        // What is marked for several runs on all of them.
        if image.noted != Noted::default() || image.interp_libc().is_some() {
            return None;
        }
        if let Some(system) = name_in(&OSABIS, osabi.into()) {
            return Some((system, Mark::Osabi(osabi)));
        }
        // The name of its note is the same.
        let goos = self.go.as_ref()?.system.as_deref()?;
        let (_, system, _) = NOTES.iter().find(|(note, ..)| note.eq_ignore_ascii_case(goos))?;
        Some((system, Mark::Goos(goos)))
    }

    /// Whether nothing but this kernel starts it, and it calls another system's: whose note it has, its first calls have
    /// that system's numbers. Go's linker sets EI_OSABI by GOOS alone (cmd/link/internal/ld/elf.go `asmbElf`). Observed of
    /// programs of Go for FreeBSD, NetBSD and DragonFly (x86, ARM, AArch64): dead before main, by SIGSEGV but for one of
    /// NetBSD's on ARM (SIGILL).
    pub fn calls_another_system(&self, image: &Image) -> bool {
        image.interp.is_none()
            && match self.other_system(image) {
                Some((_, Mark::Note(_) | Mark::AbiTag(_) | Mark::Goos(_))) => true,
                Some((_, Mark::Osabi(_))) => self.go.is_some(),
                _ => false,
            }
    }
}

impl Image {
    /// Whether it is built for Android, which is Linux with a loader and libraries of its own.
    pub fn is_for_android(&self) -> bool {
        self.interp_libc() == Some(Libc::Bionic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(names: &[&[u8]]) -> Option<&'static str> {
        let mut noted = Noted::default();
        for name in names {
            noted.add(name);
        }
        noted.only().map(|(_, system, _)| *system)
    }

    #[test]
    fn one_note_tells_the_system() {
        assert_eq!(noted(&[b"FreeBSD\0"]), Some("FreeBSD"));
        assert_eq!(noted(&[b"NetBSD\0\0", b"NetBSD\0"]), Some("NetBSD"));
        assert_eq!(noted(&[b"DragonFly\0"]), Some("DragonFly BSD"));
        assert_eq!(noted(&[b"OpenBSD\0", b"NetBSD\0", b"APE\0"]), None, "Cosmopolitan");
        assert_eq!(noted(&[b"APE\0"]), Some(""));
        assert_eq!(noted(&[b"GNU\0", b"Android\0", b"", b"FreeBSD-like"]), None);
    }
}
