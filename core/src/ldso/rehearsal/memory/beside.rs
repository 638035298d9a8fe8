//! What lies beside an object in memory: others, or nothing.

use super::{Access, Memory};

/// Where it is not known how large the others are.
pub(super) const NEAR: (u64, u64) = (4 << 20, 4 << 20);
/// The last one loaded ends with what can be written right before the one that was loaded before it.
const WRITABLE_BEFORE: u64 = 64 << 10;

impl Memory<'_> {
    /// Bytes behind it where others may be.
    pub(in super::super) const fn behind(&self) -> u64 {
        self.beside.1
    }

    /// Objects may be so many bytes before it, and behind it, where these can be written, counted from its end.
    pub(in super::super) fn lies_among(&mut self, beside: (u64, u64), writable: &[(u64, u64)]) {
        self.beside = beside;
        self.writable_behind = writable.to_vec();
    }

    /// What of it can be written, counted from the first part.
    pub(in super::super) fn writable(&self) -> impl Iterator<Item = (u64, u64)> {
        let first = self.first();
        let parts = self.parts.iter().filter(|part| part.is_writable);
        parts.map(move |part| (part.from.wrapping_sub(first), part.to.wrapping_sub(first)))
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

    /// The same of what is to be written.
    pub(in super::super) fn where_written(&self, address: u64, access: Access) -> Access {
        let is_before = self.wrapped(self.first().wrapping_sub(address)) <= WRITABLE_BEFORE;
        let behind = self.wrapped(address.wrapping_sub(self.end()));
        let is_writable = |(from, to): &(u64, u64)| (*from..*to).contains(&behind);
        let is_behind = behind < self.beside.1 && self.writable_behind.iter().any(is_writable);
        if is_before || is_behind { access } else { Access::Nothing }
    }
}
