//! What is written to the memory of an object.

use core::ops::Range;

use super::{Access, MOVED, Marked, Memory, place};
use crate::budget::Guard;
use crate::elf::{ByteOrder, offset};

/// The mark of a byte that is another one at each start: whatever the byte order, one of the midst of an address.
const RANDOM: u8 = 4;

impl Memory<'_> {
    /// Writes a number, as a relocation does. `anywhere`: DT_TEXTREL has made all of it writable.
    pub(in super::super) fn write(
        &self,
        address: u64,
        value: u64,
        size: u64,
        anywhere: bool,
    ) -> Result<(), Access> {
        let mut bytes = value.to_le_bytes();
        let bytes = bytes.get_mut(..offset(size)).unwrap_or_default();
        if self.encoding.order == ByteOrder::Big {
            bytes.reverse();
        }
        let is_address = value >= MOVED && size == self.encoding.word() as u64;
        self.may_write_all(address, size, anywhere)?;
        for (index, byte) in (0_u8..).zip(&*bytes) {
            let mark = if is_address { index.wrapping_add(2) } else { 1 };
            self.put(self.wrapped(address.wrapping_add(index.into())), (*byte, mark))?;
        }
        Ok(())
    }

    /// Writes a number that is another one at each start.
    pub(in super::super) fn scatter(&self, address: u64, size: u64, anywhere: bool) -> Result<(), Access> {
        self.may_write_all(address, size, anywhere)?;
        self.scatter_all(address, 0..size)
    }

    /// Adds an address to one of which it is not known what it is. All begin at a page, so that the lowest byte stays as it is.
    pub(in super::super) fn scatter_above(
        &self,
        address: u64,
        size: u64,
        anywhere: bool,
    ) -> Result<(), Access> {
        self.may_write_all(address, size, anywhere)?;
        let is_big = self.encoding.order == ByteOrder::Big;
        self.scatter_all(address, if is_big { 0..size.saturating_sub(1) } else { 1..size })
    }

    fn scatter_all(&self, address: u64, mut bytes: Range<u64>) -> Result<(), Access> {
        bytes.try_for_each(|at| self.put(self.wrapped(address.wrapping_add(at)), (0, RANDOM)))
    }

    /// Whether so many bytes can be written to. One that cannot ends it, whatever the others are.
    pub(in super::super) fn may_write_all(
        &self,
        address: u64,
        size: u64,
        anywhere: bool,
    ) -> Result<(), Access> {
        let mut refused = Ok(());
        for at in 0..size {
            match self.may_write(self.wrapped(address.wrapping_add(at)), anywhere) {
                Err(Access::Nothing) => return Err(Access::Nothing),
                access => refused = refused.and(access),
            }
        }
        refused
    }

    fn may_write(&self, address: u64, anywhere: bool) -> Result<(), Access> {
        let part = self.part(address).map_err(|access| self.where_written(address, access))?;
        match part {
            _ if !(part.is_writable || anywhere) => Err(Access::Nothing),
            _ if part.loses(address) => Err(Access::BehindFile),
            // It has found where each entry is before.
            _ if self.is_kept(address) && !self.is_tag(address) => Err(Access::Anothers),
            _ => Ok(()),
        }
    }

    fn put(&self, address: u64, byte: Marked) -> Result<(), Access> {
        let (chunk, at) = place(address);
        let mut written = self.written.borrow_mut();
        if !written.contains_key(&chunk) && !Guard::Rehearsal.is_out() {
            let Some(left) = self.chunks.get().checked_sub(1) else { return self.too_much() };
            self.chunks.set(left);
        }
        written.entry(chunk).or_default().put(at, byte);
        Ok(())
    }

    /// Writes a byte of another object.
    pub(in super::super) fn take(
        &self,
        address: u64,
        (byte, mark): Marked,
        anywhere: bool,
    ) -> Result<(), Access> {
        let address = self.wrapped(address);
        self.may_write(address, anywhere)?;
        self.put(address, (byte, mark.max(1)))
    }
}
