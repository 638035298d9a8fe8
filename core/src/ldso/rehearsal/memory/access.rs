//! What comes of an address.

use super::super::super::fault::FaultKind;

/// Why an address cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Access {
    /// Nothing is there, or it is not to be written: SIGSEGV.
    Nothing,
    /// It lies so near that it may be another object's.
    Anothers,
    /// It is of a page behind the end of the file: SIGBUS (mm/filemap.c `filemap_fault`).
    BehindFile,
    /// More was read than a rehearsal may.
    TooMuch,
}

impl Access {
    /// What is wrong with a table that leads there.
    pub(in super::super) const fn fault(self) -> FaultKind {
        match self {
            Access::Nothing => FaultKind::Unmapped,
            Access::BehindFile => FaultKind::BehindFile,
            Access::Anothers | Access::TooMuch => FaultKind::AnothersMemory,
        }
    }
}
