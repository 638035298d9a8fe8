//! What DT_HASH does not lead to. DT_GNU_HASH has a filter for that; here one is made, once an object is asked often.

use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, OnceCell};

use super::super::{Object, gnu_hash, sysv_hash};
use crate::budget::Guard;
use crate::elf::consts::{DT_STRTAB, DT_SYMTAB, DT_TEXTREL};
use crate::elf::offset;

/// So many look-ups take as much as all symbols of most objects.
const LOOKS: usize = if cfg!(diag_fuzz) { 4 } else { 256 };
/// Of more symbols there is no filter: their names are more than is read of an object.
const SYMBOLS_AT_MOST: u64 = 1 << 14;
/// Of each symbol: of what is not there it lets through one in twenty.
const BITS: u64 = 8;
const WORD: u64 = 64;

/// DT_HASH of an object, in numbers of so many bytes.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub(super) buckets: u64,
    pub(super) count: u64,
    pub(super) chain: u64,
    pub(super) size: u64,
}

/// The names of all symbols that one leads to.
#[derive(Default)]
pub(super) struct Filter {
    looks: Cell<usize>,
    words: OnceCell<Option<Vec<u64>>>,
}

impl Filter {
    /// Whether a look-up of a name surely ends without any found, and in no other way.
    pub(super) fn lacks(&self, of: &Object<'_>, table: Table, gnu: u64, sysv: u64) -> bool {
        let looks = self.looks.get().saturating_add(1);
        self.looks.set(looks);
        if looks < LOOKS || Guard::Rehearsal.is_out() {
            return false;
        }
        let words = self.words.get_or_init(|| names(of, table));
        words.as_ref().is_some_and(|words| {
            let has = |bit: (usize, u64)| words.get(bit.0).is_some_and(|word| word >> bit.1 & 1 != 0);
            !places(words.len(), gnu, sysv).into_iter().all(has)
        })
    }
}

/// The two bits of a name: which word, and which of its bits.
fn places(words: usize, gnu: u64, sysv: u64) -> [(usize, u64); 2] {
    let bits = (words as u64).wrapping_mul(WORD);
    [gnu, gnu.wrapping_mul(0x9e37_79b1).wrapping_add(sysv) >> 7].map(|hash| {
        let bit = hash.checked_rem(bits).unwrap_or_default();
        (offset(bit / WORD), bit % WORD)
    })
}

/// None where some look-up could end in another way than by finding nothing: where a chain has no end or what it leads to
/// cannot be read, and where relocations may change any of it.
fn names(of: &Object<'_>, table: Table) -> Option<Vec<u64>> {
    const WHAT: &str = "DT_HASH";
    let Table { buckets, count, chain, size } = table;
    let (symbols, strings) = (of.get(DT_SYMTAB)?, of.get(DT_STRTAB)?);
    let number =
        |from: u64, index: u64| of.number(from.wrapping_add(index.wrapping_mul(size)), size, WHAT).ok();
    of.memory.is_fixed.set(true);
    // Behind the number of buckets.
    let mut left = number(buckets.wrapping_sub(size), 0)?;
    if of.get(DT_TEXTREL).is_some() || left.max(count) > SYMBOLS_AT_MOST {
        return None;
    }
    let words = offset(left.wrapping_mul(BITS) / WORD).saturating_add(1);
    of.keep(words.wrapping_mul(8)).ok()?;
    let mut filter = vec![0_u64; words];
    for bucket in 0..count {
        let mut index = number(buckets, bucket)?;
        while index != 0 {
            // Each symbol is in one chain.
            left = left.checked_sub(1)?;
            let name = of.memory.string(strings.wrapping_add(of.symbol(symbols, index).ok()?.name)).ok()?;
            for (word, bit) in places(words, gnu_hash(&name), sysv_hash(&name).into()) {
                *filter.get_mut(word)? |= 1 << bit;
            }
            index = number(chain, index)?;
        }
    }
    of.memory.is_fixed.get().then_some(filter)
}
