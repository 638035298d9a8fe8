//! The address space that execve(2) fills: which pages of which file lie where.

use alloc::vec::Vec;

use super::binprm::Pages;
use crate::elf::consts::PF_W;

/// A mapping; in whole pages, but where a part of a page was cleared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vma {
    /// The first address.
    pub(super) start: u64,
    /// The address behind the last one.
    pub(super) end: u64,
    /// PF_*.
    pub(super) flags: u32,
    /// What is added to an address for its offset in the file, modulo 2^64; None: zeros.
    pub(super) shift: Option<u64>,
    /// Its file is the interpreter.
    pub(super) of_interpreter: bool,
}

impl Vma {
    /// The offset in its file of an address; None where there are zeros.
    pub(super) fn offset_of(&self, address: u64) -> Option<u64> {
        Some(address.wrapping_add(self.shift?))
    }

    /// Whether the page of an address lies behind the last one of its file, which has that size.
    pub(super) fn is_lost(&self, address: u64, size: u64, pages: Pages) -> bool {
        self.offset_of(address).is_some_and(|offset| pages.down(offset) >= size)
    }

    /// Whether its pages count as memory that somebody must have (mm/vma.h `accountable_mapping`).
    pub(super) fn is_accounted(&self) -> bool {
        self.shift.is_none() || self.flags & PF_W != 0
    }
}

/// All that is mapped. AddressSpace do not overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct AddressSpace {
    vmas: Vec<Vma>,
}

impl AddressSpace {
    /// What lies at an address.
    pub(super) fn at(&self, address: u64) -> Option<&Vma> {
        self.vmas.iter().find(|vma| vma.start <= address && address < vma.end)
    }

    /// Whether anything lies in a range.
    pub(super) fn is_taken(&self, start: u64, end: u64) -> bool {
        self.highest_start(start, end).is_some()
    }

    /// The highest start of what lies in a range.
    pub(super) fn highest_start(&self, start: u64, end: u64) -> Option<u64> {
        let mut highest = None;
        for vma in &self.vmas {
            if vma.start < end && start < vma.end && highest.is_none_or(|highest| highest < vma.start) {
                highest = Some(vma.start);
            }
        }
        highest
    }

    /// Bytes that are mapped outside a range (mm/mmap.c `count_vma_pages_range`): all, and of them what is accounted.
    pub(super) fn sizes_beside(&self, start: u64, end: u64) -> (u64, u64) {
        let (mut all, mut accounted) = (0_u64, 0_u64);
        for vma in &self.vmas {
            let within = vma.end.min(end).saturating_sub(vma.start.max(start));
            let size = vma.end.saturating_sub(vma.start).saturating_sub(within);
            all = all.saturating_add(size);
            if vma.is_accounted() {
                accounted = accounted.saturating_add(size);
            }
        }
        (all, accounted)
    }

    /// MAP_FIXED: what was there gives way.
    pub(super) fn map(&mut self, vma: Vma) {
        self.unmap(vma.start, vma.end);
        self.push(vma);
    }

    fn push(&mut self, vma: Vma) {
        if vma.start < vma.end {
            self.vmas.push(vma);
        }
    }

    /// munmap(2).
    pub(super) fn unmap(&mut self, start: u64, end: u64) {
        let mut at = 0_usize;
        while let Some(vma) = self.vmas.get(at) {
            if vma.end <= start || end <= vma.start {
                at = at.saturating_add(1);
                continue;
            }
            let vma = self.vmas.swap_remove(at);
            self.push(Vma { end: start, ..vma });
            self.push(Vma { start: end, ..vma });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vma(start: u64, end: u64, offset: u64) -> Vma {
        Vma { start, end, flags: 5, shift: Some(offset.wrapping_sub(start)), of_interpreter: false }
    }

    #[test]
    fn what_is_mapped_later_wins() {
        let mut layout = AddressSpace::default();
        layout.map(vma(0x1000, 0x5000, 0));
        layout.map(vma(0x2000, 0x3000, 0x9000));
        let offset = |address| layout.at(address).and_then(|vma| vma.offset_of(address));
        assert_eq!(
            [0x1fff, 0x2000, 0x3010, 0x4fff, 0x5000].map(offset),
            [Some(0xfff), Some(0x9000), Some(0x2010), Some(0x3fff), None]
        );
        assert!(layout.is_taken(0x4fff, 0x6000) && !layout.is_taken(0x5000, 0x6000));
        layout.unmap(0, 0x2800);
        assert!(layout.at(0x27ff).is_none());
        assert_eq!(layout.at(0x2800).and_then(|vma| vma.offset_of(0x2800)), Some(0x9800));
    }
}
