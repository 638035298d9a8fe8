//! What comes of a program's start under its loader.

use alloc::vec::Vec;

use super::fault::Fault;
use super::{Library, Rights, Setting, Unusable};
use crate::arch;
use crate::errno::Errno;
use crate::exec::{Missing, Outcome, Signal, Step, When};
use crate::machine::Libc;
use crate::target::Capability;

/// The libraries of a program, and what they lack.
#[derive(Debug, Default)]
pub struct LinkResult {
    /// The C library whose loader it is; None where nobody knows it. The libraries are looked for by the rules of musl and
    /// of glibc.
    pub libc: Option<Libc>,
    /// The program, its interpreter, then what is loaded, in that order, with what cannot be.
    pub objects: Vec<Library>,
    /// Versions that a library should define, and does not. Only glibc asks for them.
    pub versions: Vec<Undefined>,
    /// Symbols that nothing defines.
    pub symbols: Vec<Undefined>,
    /// What it does not stand of a file's tables.
    pub fault: Option<Fault>,
    /// The loader refuses the machine or the program before it loads anything.
    pub refuses: Option<LoaderRefusal>,
    /// Its words for it, where they are in its file.
    pub words: Vec<u8>,
    /// An auditing library of LD_AUDIT or DT_AUDIT that glibc asks where it finds libraries; empty where there is none.
    pub auditor: Vec<u8>,
    /// What the kernel has to be asked before it is clear that all is loaded.
    pub asks: Option<Capability>,
    /// Those that it is loaded with.
    pub rights: Rights,
    /// What alone makes it fail: without it, it starts.
    pub blamed: Option<Setting>,
    /// Why a file that decides is not read: it is one of the kernel's own, or nobody knows it.
    pub unread: Option<Missing>,
    /// The C library's release: glibc's where a version is missing or its loader tells it ("2.36"), musl's where a symbol is
    /// missing.
    pub release: Vec<u8>,
    /// The file that lists the folders of musl's loader.
    pub path_file: Vec<u8>,
    /// The program has a loader, and no PT_DYNAMIC for it.
    pub lacks_dynamic: bool,
    /// It is none of the loaders whose rules are known, or a glibc's whose folders could not be read. Of bionic's it is taken
    /// for granted that it finds the system's libraries.
    pub is_strange: bool,
}

/// Files between a program and a library that are told.
const LONGEST_CHAIN: usize = 16;

/// What a loader looks at first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoaderRefusal {
    /// glibc: the kernel's release (up to 2.36).
    KernelTooOld,
    /// glibc: the level of an x86-64 (since 2.33).
    IsaLevel,
    /// glibc: an executable stack, where glibc.rtld.execstack is 0 (since 2.41).
    StackForbidden,
    /// The same where it is 2, and the kernel gives none.
    NoStack,
    /// bionic: ET_EXEC (since Android 5.0).
    NotPie,
    /// bionic: the alignment of PT_TLS (since Android 10, ARM).
    TlsAlignment,
}

/// What becomes of a library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LibraryState {
    /// It is loaded.
    Found,
    /// There is no such file in any of the folders.
    Missing(Errno),
    /// There is a file, which the loader refuses.
    Unusable(Unusable),
    /// There is a file of the kernel's own, which is not read.
    Unread,
}

/// A version or a symbol that is asked for and that nothing defines.
#[derive(Clone, Debug)]
pub struct Undefined {
    /// Its name.
    pub name: Vec<u8>,
    /// The version of a symbol; empty where it has none. Of a version the file that should define it.
    pub of: Vec<u8>,
    /// It is asked for by a version, be its name empty.
    pub is_versioned: bool,
    /// The file that asks for it.
    pub needed_by: Vec<u8>,
    /// It is bound when it is first called, not at the start.
    pub lazy: bool,
}

impl Undefined {
    pub(super) fn new(name: Vec<u8>, of: Vec<u8>, by: &Library, lazy: bool) -> Undefined {
        let is_versioned = !crate::ROUTER && !of.is_empty();
        Undefined { name, of, is_versioned, needed_by: by.path.clone(), lazy }
    }

    /// Bytes of it in memory.
    pub(super) fn size(&self) -> usize {
        let texts = [&self.name, &self.of, &self.needed_by].map(Vec::len);
        texts.into_iter().fold(size_of::<Undefined>(), usize::saturating_add)
    }
}

impl LibraryState {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            LibraryState::Found => "found",
            LibraryState::Missing(_) => "missing",
            LibraryState::Unusable(_) => "unusable",
            LibraryState::Unread => "unread",
        }
    }
}

impl LinkResult {
    /// What is loaded with the program, the interpreter first.
    pub fn libraries(&self) -> impl Iterator<Item = &Library> {
        self.objects.get(1..).unwrap_or_default().iter()
    }

    /// What is loaded because a DT_NEEDED asks for it.
    pub fn needed(&self) -> impl Iterator<Item = &Library> {
        self.objects.get(2..).unwrap_or_default().iter()
    }

    /// The file that asks for a library.
    pub fn needed_by(&self, library: &Library) -> &[u8] {
        library.parent.and_then(|parent| self.objects.get(parent)).map_or(b"", |object| &object.path)
    }

    /// Who asks for a library: the files from the program's own library on, down to the one that names it; empty where the
    /// program does.
    pub fn chain(&self, library: &Library) -> Vec<&Library> {
        let mut chain = Vec::new();
        let mut at = library.parent;
        while let Some(object) = at.filter(|index| *index > 0).and_then(|index| self.objects.get(index)) {
            chain.insert(0, object);
            at = object.parent.filter(|_| chain.len() < LONGEST_CHAIN);
        }
        chain
    }

    /// Addresses that the program takes with all that is loaded, at least.
    pub(crate) fn addresses(&self) -> u64 {
        let mut all = 0_u64;
        for image in self.objects.iter().filter_map(|object| object.image.as_ref()) {
            let (mut least, mut most) = (u64::MAX, 0);
            for load in image.loads() {
                least = load.p_vaddr.min(least);
                most = load.p_vaddr.saturating_add(load.p_memsz).max(most);
            }
            all = all.saturating_add(most.saturating_sub(least));
        }
        all
    }

    /// The program needs libraries.
    pub(crate) fn needs_any(&self) -> bool {
        let program = self.objects.first().and_then(Library::dynamic);
        program.is_some_and(|dynamic| !dynamic.needed.is_empty())
    }

    /// How the loader ends the program; None where it starts it.
    pub fn outcome(&self) -> Option<Outcome> {
        let killed = |signal, step| Some(Outcome::Killed { signal, when: When::Start, step });
        let exits = |status, step| Some(Outcome::Exits { status, step });
        if self.lacks_dynamic {
            return killed(Signal::SIGSEGV, Step::NoDynamic);
        }
        match self.refuses {
            Some(LoaderRefusal::TlsAlignment) if arch::HAS_BIONIC => {
                return killed(Signal::SIGABRT, Step::LoaderRefuses);
            }
            Some(LoaderRefusal::NotPie) if arch::HAS_BIONIC => return exits(1, Step::LoaderRefuses),
            Some(_) => return exits(127, Step::LoaderRefuses),
            None => {}
        }
        if self.is_strange && self.needs_any() {
            return Some(Outcome::Unknown { missing: Missing::LoaderRules });
        }
        if !crate::ROUTER && self.rights == Rights::Undecided {
            return Some(Outcome::Unknown { missing: Missing::Rights });
        }
        if let Some(missing) = self.unread {
            return Some(Outcome::Unknown { missing });
        }
        if !crate::ROUTER && !self.auditor.is_empty() {
            return Some(Outcome::Unknown { missing: Missing::Auditor });
        }
        // glibc gives up at the first, and looks at the level once all are loaded; musl goes on, and tells of all.
        let gives_up = self.libc == Some(Libc::Glibc);
        let (mut first, mut level) = (None, None);
        let fault_at = |index| {
            let fault = self.fault.as_ref().filter(|fault| !crate::ROUTER && fault.at == Some(index))?;
            fault.outcome()
        };
        if let Some(outcome) = fault_at(0) {
            return Some(outcome);
        }
        if !crate::ROUTER && !gives_up {
            if let Some(fault) = self.fault.as_ref().filter(|fault| fault.is_deadly()) {
                return fault.outcome();
            }
        }
        for (index, library) in self.objects.iter().enumerate().skip(2) {
            if let Some(outcome) = fault_at(index) {
                return Some(outcome);
            }
            let step = match library.state {
                LibraryState::Found | LibraryState::Unread => continue,
                LibraryState::Missing(_) => Step::LibraryMissing,
                LibraryState::Unusable(Unusable::Cut) => {
                    return killed(Signal::SIGBUS, Step::LibraryUnusable);
                }
                LibraryState::Unusable(Unusable::NotPageAligned) if arch::PAGES_DIFFER && !gives_up => {
                    return killed(Signal::SIGSEGV, Step::LibraryUnusable);
                }
                LibraryState::Unusable(Unusable::Level) => {
                    level = Some(Step::LibraryUnusable);
                    continue;
                }
                LibraryState::Unusable(_) => Step::LibraryUnusable,
            };
            first = first.or(Some(step));
            if gives_up {
                break;
            }
        }
        if let Some(step) = first.or(level) {
            exits(127, step)
        } else if let Some(outcome) = self.fault.as_ref().filter(|_| !crate::ROUTER).and_then(Fault::outcome)
        {
            Some(outcome)
        } else if !self.versions.is_empty() {
            exits(1, Step::VersionMissing)
        } else if self.symbols.iter().any(|symbol| !symbol.lazy) {
            exits(127, Step::SymbolMissing)
        } else {
            let asks = self.asks.filter(|_| arch::HAS_LEVELS);
            asks.map(|question| Outcome::Unknown { missing: Missing::Answer(question) })
        }
    }
}
