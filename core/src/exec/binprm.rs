//! What the stages behind the ELF header share.

use crate::candidate::{Candidate, Image, Program};
use crate::elf::Class;
use crate::machine::{KernelFacts, Machine};

/// A file that is being loaded, in one of the kernel's decodings.
#[derive(Clone, Copy)]
pub(crate) struct Binprm<'a> {
    pub(crate) machine: &'a Machine<'a>,
    pub(crate) kernel: &'a KernelFacts,
    /// The file, for its size.
    pub(crate) candidate: &'a Candidate,
    pub(crate) program: &'a Program,
    pub(crate) image: &'a Image,
}

impl<'a> Binprm<'a> {
    pub(crate) fn new(
        machine: &'a Machine<'a>,
        candidate: &'a Candidate,
        program: &'a Program,
        image: &'a Image,
    ) -> Self {
        Binprm { machine, kernel: machine.kernel(), candidate, program, image }
    }

    /// The size of the file; without end where it is not known.
    pub(crate) fn size(&self) -> u64 {
        self.candidate.size().unwrap_or(u64::MAX)
    }

    /// Whether the kernel counts addresses in 64 bits.
    pub(crate) fn is_wide_kernel(&self) -> bool {
        self.kernel.class.value != Some(Class::Elf32)
    }
}

/// Whole pages as the kernel counts them: by masks, since a division of 64 bits is dear on a router.
#[derive(Clone, Copy)]
pub(crate) struct Pages {
    /// The bits of an address within a page; no kernel has pages of 4 GiB.
    within: u32,
}

impl Pages {
    pub(crate) fn of(machine: &Machine) -> Pages {
        Pages { within: u32::try_from(machine.kernel().page().get().wrapping_sub(1)).unwrap_or(u32::MAX) }
    }

    /// Bytes in a page.
    pub(crate) fn size(self) -> u64 {
        self.within().wrapping_add(1)
    }

    /// The bits of an address within its page.
    pub(crate) fn within(self) -> u64 {
        self.within.into()
    }

    /// The start of the page.
    pub(crate) fn down(self, address: u64) -> u64 {
        address & !self.within()
    }

    /// The bytes from an address to the end of its page; none at the start of one.
    pub(crate) fn rest(self, address: u64) -> u64 {
        address.wrapping_neg() & self.within()
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
