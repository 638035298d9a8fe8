//! Systems that are no OpenWrt: `debian:11/armhf`, by release and architecture.

use std::fmt::Write as _;

use memchr::memmem;

use super::musl::Libcs;
use super::rows::Architecture;
use super::{Entry, elf, is_release, text, words};
use crate::recorded::{Body, Told};

const SYSTEMS: &str = include_str!("../../catalogue/systems.tsv");

/// A release of a system for an architecture: a row of `systems.tsv`.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// "debian".
    pub name: &'static str,
    /// "11".
    pub release: &'static str,
    /// "raspbian", and those that are made from it.
    others: &'static str,
    /// "bullseye".
    codename: &'static str,
    /// As its packages have it: "armhf".
    pub architecture: &'static str,
    /// The processor, the ABI and the loader.
    of: Architecture,
    page: &'static str,
    libc: &'static str,
    libc_release: &'static str,
    kernel: &'static str,
}

/// All of them.
pub fn systems() -> impl Iterator<Item = System> {
    SYSTEMS.lines().skip(1).map(|line| {
        let [name, release, others, codename, architecture, rest @ ..]: [&str; 15] =
            super::rows::columns(line);
        let [uname, order, bits, float, processor, page, loader, libc, libc_release, kernel] = rest;
        let of = Architecture::of_system(architecture, uname, order, bits, float, processor, loader);
        System { name, release, others, codename, architecture, of, page, libc, libc_release, kernel }
    })
}

/// The names of the systems, each once.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = systems().map(|system| system.name).collect();
    names.dedup();
    names
}

/// The system that a word stands for.
pub(super) fn named(word: &str) -> Option<&'static str> {
    let is_it = |system: &System| {
        system.name.eq_ignore_ascii_case(word)
            || system.others.split(' ').any(|other| other.eq_ignore_ascii_case(word))
    };
    // Most words are no system's, which is seen without taking the rows apart: they are all in small letters.
    let is_there =
        !word.is_empty() && memmem::find(SYSTEMS.as_bytes(), word.to_ascii_lowercase().as_bytes()).is_some();
    if is_there { systems().find(is_it).map(|system| system.name) } else { None }
}

/// What an architecture is called elsewhere.
const ARCHITECTURES: [&[&str]; 5] = [
    &["amd64", "x86_64", "x86-64", "x64"],
    &["arm64", "aarch64"],
    &["i386", "x86", "i686"],
    &["armhf", "armv7", "armv7l", "armv7hl", "armv6l", "armv6"],
    &["ppc64el", "ppc64le"],
];

impl System {
    /// "debian:11/armhf".
    pub fn whole_name(&self) -> String {
        format!("{}:{}/{}", self.name, self.release, self.architecture)
    }

    /// The C library and the kernel, as far as they are known.
    pub fn title(&self) -> String {
        let mut title = format!("{} {}", self.libc, self.libc_release);
        if !self.kernel.is_empty() {
            let _ = write!(title, ", Linux {}", self.kernel);
        }
        title
    }

    fn is_of(&self, release: &str) -> bool {
        is_release(release, self.release) || release.eq_ignore_ascii_case(self.codename)
    }

    fn is_for(&self, architecture: &str) -> bool {
        self.architecture.eq_ignore_ascii_case(architecture)
    }

    /// The same by what others call it, where the system has none of that very name.
    fn is_like(&self, architecture: &str) -> bool {
        let has = |names: &&[&str], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        ARCHITECTURES.iter().any(|names| has(names, self.architecture) && has(names, architecture))
    }

    /// Whether all of these words are in its names.
    pub(super) fn has(&self, wanted: &[String]) -> bool {
        let own =
            words(&format!("{} {} {} {}", self.whole_name(), self.others, self.codename, self.of.uname));
        wanted.iter().all(|word| own.contains(word))
    }

    pub(super) fn entry(self) -> Entry {
        Entry { architecture: self.of, target: "", release: self.release, device: None, system: Some(self) }
    }

    /// What is known of it.
    pub(super) fn files(&self, libcs: &Libcs) -> Vec<Told> {
        let mut files = Vec::new();
        let arch = &self.of;
        let mut file = |name: &str, content: &str| files.push(text::told(name, content));
        let kernel = if self.kernel.is_empty() { "?" } else { self.kernel };
        file("uname", &format!("Linux {} {kernel} #1 SMP {} GNU/Linux", self.name, arch.uname));
        file("/proc/cpuinfo", &text::cpuinfo(arch, None));
        let mut answers = String::from("page-4k works\n");
        if self.page != "4096" {
            answers.clear();
        }
        if arch.uname == "x86_64" && matches!(self.name, "debian" | "ubuntu") {
            answers.push_str("ia32 works\n");
        }
        if arch.uname.starts_with("mips") {
            answers.push_str("fp-instruction works\nmips-before-r6 works\n");
        }
        file("answers", &answers);
        if !self.page.is_empty() {
            file("auxv", &format!("AT_PAGESZ {}", self.page));
        }
        let id = if self.name == "amazon" { "amzn" } else { self.name };
        let id = if id == "raspios" { "raspbian\nID_LIKE=debian" } else { id };
        let codename =
            if self.codename.is_empty() { "" } else { &format!("\nVERSION_CODENAME={}", self.codename) };
        file("/etc/os-release", &format!("ID={id}\nVERSION_ID=\"{}\"{codename}", self.release));
        let mut known = String::from("absent /etc/ld.so.preload\nfolder /proc/sys/fs/binfmt_misc\n");
        text::no_other_loaders(&mut known, arch);
        if self.libc == "glibc" && !self.libc_release.is_empty() {
            file("glibc", self.libc_release);
            files.push((arch.loader.into(), Body::Beginning(elf::loader(arch))));
        } else if let Some(libc) = libcs.of(arch, self.libc_release) {
            files.push((arch.loader.into(), Body::Made(libc)));
        } else {
            let _ = writeln!(known, "unknown {}", arch.loader);
        }
        files.push(text::busybox(arch));
        files.push(text::told("known", &known));
        files
    }
}

/// The machine of a name whose first word is a system's; None where it is none. One sentence, which begins with "it", on one
/// that stands for none or for several.
pub(super) fn find(name: &str) -> Option<Result<Entry, String>> {
    let separates = |letter: char| matches!(letter, ':' | '/' | ' ');
    let (first, rest) = name.split_once(separates).unwrap_or((name, ""));
    let system = named(first)?;
    let rows = || systems().filter(|row| row.name == system);
    let asked: Vec<&str> = rest.split(separates).filter(|word| !word.is_empty()).collect();
    let mut found: Vec<System> = rows().collect();
    for word in asked {
        let narrowed = [System::is_of, System::is_for, System::is_like]
            .into_iter()
            .map(|is: fn(&System, &str) -> bool| found.iter().copied().filter(|row| is(row, word)).collect())
            .find(|rows: &Vec<System>| !rows.is_empty());
        let Some(narrowed) = narrowed else {
            let listed = list(&found);
            return Some(Err(format!("it has no {word}: there are {listed}")));
        };
        found = narrowed;
    }
    Some(match found.as_slice() {
        [one] => Ok(one.entry()),
        several => Err(format!("it stands for {} machines: {}", several.len(), list(several))),
    })
}

/// The releases, and the architectures of each: "debian:11/amd64, arm64; debian:12/amd64".
fn list(rows: &[System]) -> String {
    let mut text = String::new();
    let mut last = "";
    for row in rows {
        if row.release == last {
            let _ = write!(text, ", {}", row.architecture);
        } else {
            let _ = write!(text, "{}{}", if text.is_empty() { "" } else { "; " }, row.whole_name());
        }
        last = row.release;
    }
    text
}
