//! What lies beside an object in memory: others, or nothing.

use super::{Access, Memory};

/// Where it is not known how large the others are.
pub(super) const NEAR: (u64, u64) = (4 << 20, 4 << 20);
/// The last one loaded ends with what can be written right before the one that was loaded before it.
const WRITABLE_BEFORE: u64 = 64 << 10;

impl Memory<'_> {
    /// That object lies right behind it.
    pub(in super::super) fn lies_before(&mut self, next: &Memory<'_>) {
        let first = next.first();
        if let Some(part) = next.parts.iter().find(|part| part.is_writable) {
            self.readable_behind = part.from.wrapping_sub(first);
        }
    }

    /// Bytes behind it where others may be.
    pub(in super::super) const fn behind(&self) -> u64 {
        self.beside.1
    }

    /// Objects may be so many bytes before it, and behind it.
    pub(in super::super) const fn lies_among(&mut self, beside: (u64, u64)) {
        self.beside = beside;
    }

    /// Of the first part.
    fn first(&self) -> u64 {
        self.parts.iter().map(|part| part.from).min().unwrap_or_default()
    }

    /// Bytes that it takes.
    pub(in super::super) fn span(&self) -> u64 {
        self.end().saturating_sub(self.first())
    }

    /// Behind the last part.
    pub(in super::super) fn end(&self) -> u64 {
        self.parts.iter().map(|part| part.to).max().unwrap_or_default()
    }

    /// What is where the object is not.
    pub(super) fn outside(&self, address: u64) -> Access {
        let (first, end) = (self.first(), self.end());
        let (before, behind) = self.beside;
        let is_within = (first..end).contains(&address);
        let is_near = self.wrapped(first.wrapping_sub(address).wrapping_sub(1)) < before
            || self.wrapped(address.wrapping_sub(end)) < behind;
        if is_near && !is_within { Access::Anothers } else { Access::Nothing }
    }

    /// What lies right behind an object, if it is another one, begins with what cannot be written.
    pub(in super::super) fn where_written(&self, address: u64, access: Access) -> Access {
        let is_before = self.wrapped(self.first().wrapping_sub(address)) <= WRITABLE_BEFORE;
        let behind = self.wrapped(address.wrapping_sub(self.end()));
        let is_behind = (self.readable_behind..self.beside.1).contains(&behind);
        if is_before || is_behind { access } else { Access::Nothing }
    }
}
