//! What the stages behind the ELF header share.

use crate::candidate::{Candidate, Image, Program};
use crate::elf::Class;
use crate::machine::Machine;

/// A file that is being loaded, in one of the kernel's decodings.
#[derive(Clone, Copy)]
pub(super) struct Binprm<'a> {
    pub(super) machine: &'a Machine<'a>,
    /// The file, for its size.
    pub(super) candidate: &'a Candidate,
    pub(super) program: &'a Program,
    pub(super) image: &'a Image,
}

impl Binprm<'_> {
    /// Whether the kernel counts addresses in 64 bits.
    pub(super) fn is_wide_kernel(&self) -> bool {
        self.machine.kernel().class.value != Some(Class::Elf32)
    }
}

/// Whole pages as the kernel counts them: by masks, since a division of 64 bits is dear on a router.
#[derive(Clone, Copy)]
pub(crate) struct Pages {
    within: u64,
}

impl Pages {
    pub(crate) fn of(machine: &Machine) -> Pages {
        Pages { within: machine.kernel().page().get().wrapping_sub(1) }
    }

    /// Bytes in a page.
    pub(crate) fn size(self) -> u64 {
        self.within().saturating_add(1)
    }

    /// The bits of an address within its page.
    pub(crate) fn within(self) -> u64 {
        self.within
    }

    /// The start of the page.
    pub(crate) fn down(self, address: u64) -> u64 {
        address & !self.within()
    }

    /// The end of the last page that is touched.
    pub(crate) fn up(self, size: u64) -> u64 {
        self.down(size.saturating_add(self.within()))
    }

    /// The same as the kernel counts it: PAGE_ALIGN.
    pub(crate) fn wrapping_up(self, size: u64) -> u64 {
        self.down(size.wrapping_add(self.within()))
    }
}
