//! What surrounds a start and decides how it goes: variables of the environment, the system's own lists, the rights of the
//! program. Where one of them ends the start, it is tried again without it.

use alloc::vec::Vec;
use core::ffi::CStr;

use super::{Kept, LinkResult, Linker, load_in, secure};
use crate::candidate::{Candidate, Content};
use crate::exec::Outcome;
use crate::machine::Machine;

/// What can be taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// LD_LIBRARY_PATH.
    LibraryPath,
    /// LD_PRELOAD.
    Preload,
    /// LD_BIND_NOW, of glibc.
    BindNow,
    /// LD_AUDIT, of glibc.
    Audit,
    /// GLIBC_TUNABLES.
    Tunables,
    /// /etc/ld.so.preload, of glibc.
    PreloadFile,
    /// /etc/ld-musl-ARCH.path.
    PathFile,
}

impl Setting {
    /// In the order in which they are tried.
    const ALL: &[Setting] = if crate::ROUTER {
        &[Setting::LibraryPath]
    } else {
        &[
            Setting::LibraryPath,
            Setting::Preload,
            Setting::BindNow,
            Setting::Audit,
            Setting::Tunables,
            Setting::PreloadFile,
            Setting::PathFile,
        ]
    };

    /// The variable; None where it is a file.
    pub const fn variable(self) -> Option<&'static CStr> {
        match self {
            Setting::LibraryPath => Some(c"LD_LIBRARY_PATH"),
            Setting::Preload => Some(c"LD_PRELOAD"),
            Setting::BindNow => Some(c"LD_BIND_NOW"),
            Setting::Audit => Some(c"LD_AUDIT"),
            Setting::Tunables => Some(c"GLIBC_TUNABLES"),
            Setting::PreloadFile | Setting::PathFile => None,
        }
    }
}

/// The rights of a program that is started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Rights {
    /// Those of who starts it.
    #[default]
    Callers,
    /// Other ones (AT_SECURE): no variable that names a folder counts, and not every $ORIGIN.
    Others,
    /// Which, is not known, and decides.
    Undecided,
}

/// How a program is loaded.
#[derive(Clone, Copy)]
pub(super) struct Surroundings {
    /// It has other rights than who starts it (AT_SECURE).
    pub(super) secure: bool,
    /// As if this were not there.
    pub(super) without: Option<Setting>,
}

/// Follows a program that the kernel starts; None where it is no dynamic one.
pub fn load(machine: &Machine, kept: &Kept, candidate: &Candidate) -> Option<LinkResult> {
    let mut candidate = candidate;
    // A script's interpreter is the program, and so is that of a rule of binfmt_misc.
    while candidate.binfmt_misc.is_some() || !matches!(candidate.content, Content::Elf(_)) {
        candidate = candidate.interpreter.as_ref()?;
    }
    let secure = secure::of(machine, candidate);
    let around = Surroundings { secure: secure.unwrap_or(true), without: None };
    let mut link = load_in(machine, kept, candidate, around)?;
    let outcome = link.outcome();
    // A router's own diag knows who starts it.
    if !crate::ROUTER && secure.is_none() {
        let other = load_in(machine, kept, candidate, Surroundings { secure: false, ..around })?;
        link.rights = if other.outcome() == outcome { Rights::Others } else { Rights::Undecided };
        return Some(link);
    }
    if !crate::ROUTER && around.secure {
        link.rights = Rights::Others;
    }
    let fails = match outcome {
        None => false,
        Some(Outcome::Unknown { .. }) => !crate::ROUTER,
        Some(_) => true,
    };
    // A symbol that is bound when it is first called ends it then.
    let calls_all = |link: &LinkResult| link.symbols.is_empty() && link.fault.is_none();
    let lacks = !crate::ROUTER && outcome.is_none() && !calls_all(&link);
    if fails || lacks {
        let is_whole = |link: &LinkResult| link.outcome().is_none() && (fails || calls_all(link));
        let starts_without = |setting: &&Setting| {
            let is_set = match setting.variable() {
                Some(name) => machine.target.kernel.variable(name).is_some_and(|value| !value.is_empty()),
                None => true,
            };
            let around = Surroundings { without: Some(**setting), ..around };
            is_set && load_in(machine, kept, candidate, around).as_ref().is_some_and(is_whole)
        };
        link.blamed = Setting::ALL.iter().find(starts_without).copied();
    }
    Some(link)
}

impl Linker<'_> {
    /// The value of a variable; empty where it is not set, or not heeded.
    pub(super) fn heeded(&self, setting: Setting) -> Vec<u8> {
        let is_heeded = !self.around.secure && self.around.without != Some(setting);
        let name = setting.variable().filter(|_| is_heeded);
        name.and_then(|name| self.machine.target.kernel.variable(name)).unwrap_or_default()
    }

    /// Notes what names the folders that are looked in next.
    pub(super) fn looks_by(&self, place: &'static str) {
        if !crate::ROUTER {
            self.place.set(place);
        }
    }

    /// LD_BIND_NOW: no function is bound when it is first called. musl never does that. Programs with other rights heed it
    /// too (elf/dl-support.c, sysdeps/generic/unsecvars.h).
    pub(super) fn binds_now(&self) -> bool {
        let variable = || self.machine.target.kernel.variable(c"LD_BIND_NOW");
        self.around.without != Some(Setting::BindNow) && variable().is_some_and(|value| !value.is_empty())
    }
}
