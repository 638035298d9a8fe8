//! What ends a loader while it works with the tables of a file: a table of conditions, each with what comes of it.

use alloc::vec::Vec;

use super::Library;
use crate::exec::{Outcome, Signal, Step, When};

/// What is wrong with a file's tables.
#[derive(Debug)]
pub struct Fault {
    /// The condition.
    pub kind: FaultKind,
    /// The file whose tables they are.
    pub of: Vec<u8>,
    /// What they name: another file, a symbol.
    pub name: Vec<u8>,
    /// The number that they hold.
    pub number: u64,
    /// It shows when a function is first called, not at the start.
    pub lazy: bool,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, of: &Library) -> Fault {
        Fault { kind, of: of.path.clone(), name: Vec::new(), number: 0, lazy: false }
    }

    /// How the loader ends the program; None where it goes on until a function is called.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let (ends, step) = self.kind.row();
        if self.lazy {
            return None;
        }
        Some(match ends {
            Ends::Asserts(_) | Ends::Says(_) => Outcome::Exits { status: 127, step },
            Ends::Goes => Outcome::Exits { status: 1, step },
            Ends::Dies => Outcome::Killed { signal: Signal::SIGSEGV, when: When::Start, step },
        })
    }
}

/// What a loader does of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ends {
    /// glibc: an assertion of its own fails, which has this place and these words. Status 127.
    Asserts([&'static str; 2]),
    /// These words, and status 127.
    Says(&'static str),
    /// glibc's words of a version that is not there, and status 1.
    Goes,
    /// It reads where nothing is, or jumps there.
    Dies,
}

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident $ends:expr, $step:ident;)*) => {
        /// What is wrong.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum FaultKind {
            $($(#[doc = $doc])+ $name,)*
        }

        impl FaultKind {
            /// What comes of it, and the step that ends it.
            pub const fn row(self) -> (Ends, Step) {
                match self { $(FaultKind::$name => ($ends, Step::$step),)* }
            }
        }
    };
}

faults! {
    /// elf/dl-version.c `_dl_check_map_versions`: the first record of DT_VERNEED is of a version that it does not know.
    VerneedRecord Ends::Says("unsupported version {} of Verneed record"), VersionMissing;
    /// The same: DT_VERNEED names a file that no object which is loaded answers to.
    VersionsOfNoFile Ends::Asserts(["dl-version.c: _dl_check_map_versions", "needed != NULL"]), VersionMissing;
    /// The same, `match_symbol`: a record of DT_VERDEF is of a version that it does not know.
    VerdefRecord Ends::Goes, VersionMissing;
    /// The same: there are versions, and no DT_VERSYM that tells which symbol has which.
    NoVersym Ends::Dies, VersionMissing;
    /// elf/dl-lookup.c `check_match`: a symbol is in the very library that its version names, and that library has no
    /// versions.
    NoVersions Ends::Asserts([
        "dl-lookup.c: check_match",
        "version->filename == NULL || ! _dl_name_match_p (version->filename, map)",
    ]), VersionMissing;
}
