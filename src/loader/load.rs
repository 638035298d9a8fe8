//! What the stages behind the ELF header share.

use crate::candidate::{Candidate, Image, Program};
use crate::machine::Machine;

/// A file that is being loaded, in one of the kernel's decodings.
pub(super) struct Load<'a> {
    pub(super) machine: &'a Machine,
    /// The file, for its size.
    pub(super) candidate: &'a Candidate,
    pub(super) program: &'a Program,
    pub(super) image: &'a Image,
}

/// Whole pages as the kernel counts them: by masks, since a division of 64 bits is dear on a router.
#[derive(Clone, Copy)]
pub(super) struct Pages {
    within: u64,
}

impl Pages {
    pub(super) fn of(machine: &Machine) -> Pages {
        Pages { within: machine.kernel.page().get().wrapping_sub(1) }
    }

    /// The bits of an address within its page.
    pub(super) fn within(self) -> u64 {
        self.within
    }

    /// The start of the page.
    pub(super) fn down(self, address: u64) -> u64 {
        address & !self.within
    }

    /// The end of the last page that is touched.
    pub(super) fn up(self, size: u64) -> u64 {
        self.down(size.saturating_add(self.within))
    }
}
