//! The words of release pages: what the files are called that projects offer for a machine.
//!
//! The names themselves stand in each architecture's room, in the rows of what is built for it. They were counted on the
//! pages of some thirty projects and are those of GoReleaser (`armv6`, `mipsle_softfloat`), of Rust's targets, of Debian
//! (`armhf`, `armel`, `ppc64el`) and of `uname -m`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Build, builds, is_android, wider};
use crate::machine::{Libc, Machine};

/// The names of all builds that the machine runs, best first: those for its own programs' architecture, then those for
/// its kernel's where that is wider. A page that has several of them has the best one first in this list.
pub fn names(machine: &Machine) -> Vec<&'static str> {
    let mut found = Vec::new();
    for build in builds(machine).chain(wider(machine)) {
        for name in build.names {
            if !found.contains(name) {
                found.push(*name);
            }
        }
    }
    found
}

/// The word for the machine's C library, in a dynamic program's name.
pub fn libc(machine: &Machine) -> Option<&'static str> {
    Some(match machine.libc().get()? {
        Libc::Musl => "musl",
        Libc::Glibc => "gnu",
        Libc::Uclibc => "uclibc",
        Libc::Bionic => "android",
    })
}

/// Which names a file would have, in words: "linux-armv7 (also named armhf, arm-v7)".
pub(crate) struct Wanted<'a> {
    /// What it is built for.
    pub(crate) build: &'a Build,
    /// The word for a C library, where it matters which one.
    pub(crate) libc: &'static str,
    /// More of its names.
    pub(crate) more: [Option<&'a str>; 3],
}

impl Wanted<'_> {
    /// The names, most usual first: the first is whole, and a few others follow.
    pub(crate) fn words(&self, machine: &Machine) -> String {
        let system = if is_android(machine) && self.libc != "static" { "android" } else { "linux" };
        let (hyphen, libc) =
            if matches!(self.libc, "" | "static" | "android") { ("", "") } else { ("-", self.libc) };
        let Some((first, others)) = self.build.names.split_first() else { return String::new() };
        let mut out = format!("{system}-{first}{hyphen}{libc}");
        let mut before = " (also named ";
        let mut after = "";
        let mut also = |name| {
            if name != *first {
                out.push_str(before);
                out.push_str(name);
                (before, after) = (", ", ")");
            }
        };
        others.iter().take(3).for_each(|name| also(name));
        self.more.iter().flatten().for_each(|name| also(name));
        out.push_str(after);
        out
    }
}
