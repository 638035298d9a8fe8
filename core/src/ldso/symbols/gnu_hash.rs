//! DT_GNU_HASH: a filter, buckets, and chains of hashes.

// What is looked up a thousand times for each program takes 3 % fewer instructions of /bin/ls so.
#![allow(clippy::inline_always)]

use crate::candidate::Image;
use crate::candidate::reader::{Contents, Reader};
use crate::elf::Encoding;
use crate::elf::consts::DT_GNU_HASH;

/// Buckets that are looked at in a step of [`crate::budget`].
const BUCKETS_OF_A_STEP: usize = 8;

/// Bytes of a chain that are read at once: most have fewer than 8 symbols.
const LINKS: usize = 32;

/// DT_GNU_HASH. It has the defined symbols only, which stand behind the others.
pub(super) struct Gnu<'a> {
    /// Its Bloom filter, its buckets and its chains.
    table: Reader<'a>,
    encoding: Encoding,
    /// Words of the filter.
    words: usize,
    /// By how much the hash is shifted for the second bit.
    shift: u32,
    buckets: usize,
    /// Where they are, in the table.
    buckets_at: usize,
    /// Where the hashes are, that of the first symbol first.
    hashes_at: usize,
    pub(super) first: usize,
}

impl<'a> Gnu<'a> {
    pub(super) fn open(file: &'a Contents, image: &Image) -> Option<Gnu<'a>> {
        let mut table = Reader::dynamic(file, image, DT_GNU_HASH, usize::MAX);
        let buckets = table.number_at(0, 4)?;
        let first = table.number_at(4, 4)?;
        let words = table.number_at(8, 4)?;
        let shift = u32::try_from(table.number_at(12, 4)?).ok()?;
        let encoding = image.encoding;
        // Nothing is where a sum ends that is too large.
        let buckets_at = words.saturating_mul(encoding.word()).saturating_add(16);
        let hashes_at = buckets.saturating_mul(4).saturating_add(buckets_at);
        Some(Gnu { table, encoding, words, shift, buckets, buckets_at, hashes_at, first })
    }

    /// Where the buckets are, each with the first symbol of its chain.
    #[cfg_attr(feature = "every-machine", inline(always))]
    fn bucket(&mut self, index: usize) -> Option<usize> {
        self.table.number_at(self.buckets_at.checked_add(index.checked_mul(4)?)?, 4)
    }

    /// The hash of a symbol; its lowest bit says that the chain ends.
    #[cfg_attr(feature = "every-machine", inline(always))]
    pub(super) fn hash(&mut self, index: usize) -> Option<u32> {
        let place = index.checked_sub(self.first)?.checked_mul(4)?;
        u32::try_from(self.table.number_at(self.hashes_at.checked_add(place)?, 4)?).ok()
    }

    /// Whether the filter lets a hash through: one of its words has both bits that belong to it.
    #[cfg_attr(feature = "every-machine", inline(always))]
    fn may_have(&mut self, hash: u32) -> Option<bool> {
        let word = self.encoding.word();
        let bits = if word == 8 { 64 } else { 32 };
        let index = usize::try_from(hash.checked_div(bits)?).ok()?.checked_rem(self.words)?;
        let filter = self.table.bytes_at(index.checked_mul(word)?.checked_add(16)?, word)?;
        let filter = self.encoding.order.uint(filter, 0, word);
        let has_bit =
            |hash: u32| filter.checked_shr(hash & bits.wrapping_sub(1)).is_some_and(|bit| bit & 1 != 0);
        Some(has_bit(hash) && has_bit(hash.checked_shr(self.shift).unwrap_or(0)))
    }

    /// The first symbol of the chain in which a hash would be; None where it is in none. elf/dl-lookup.c `do_lookup_x`.
    #[cfg_attr(feature = "every-machine", inline(always))]
    pub(super) fn chain(&mut self, hash: u32) -> Option<usize> {
        if !self.may_have(hash)? {
            return None;
        }
        let bucket = usize::try_from(hash).ok()?.checked_rem(self.buckets)?;
        self.bucket(bucket).filter(|first| *first != 0)
    }

    /// The next symbol of a chain that has a hash, from a symbol on, and the one behind it where the chain goes on; None where
    /// the table ends before. Asks `goes_on` for each piece of the chain.
    pub(super) fn find(
        &mut self,
        hash: u32,
        from: usize,
        goes_on: &dyn Fn() -> bool,
    ) -> Option<(Option<usize>, Option<usize>)> {
        let order = self.encoding.order;
        let mut place = from.checked_sub(self.first)?.checked_mul(4)?.checked_add(self.hashes_at)?;
        let mut symbol = from;
        while goes_on() {
            let links = self.table.up_to(place, LINKS);
            if links.len() < 4 {
                return None;
            }
            for link in links.chunks_exact(4) {
                let found = order.u32(link, 0);
                let next = symbol.wrapping_add(1);
                let rest = (found & 1 == 0).then_some(next);
                if found | 1 == hash | 1 {
                    return Some((Some(symbol), rest));
                }
                if rest.is_none() {
                    return Some((None, None));
                }
                symbol = next;
            }
            place = place.wrapping_add(LINKS);
        }
        Some((None, None))
    }

    /// Whether what is looked up by a hash passes a symbol.
    pub(super) fn leads_to(&mut self, hash: u32, symbol: usize) -> Option<bool> {
        let Some(first) = self.chain(hash) else { return Some(false) };
        if first > symbol || self.hash(symbol)? | 1 != hash | 1 {
            return Some(false);
        }
        for before in first..symbol {
            if self.hash(before)? & 1 != 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    /// A table without symbols has any number as its first.
    pub(super) fn is_empty(&mut self) -> bool {
        let first = self.first.max(1);
        for index in 0..self.buckets {
            let goes_on = index % BUCKETS_OF_A_STEP != 0 || self.table.steps(1);
            let Some(bucket) = self.bucket(index).filter(|_| goes_on) else { break };
            if bucket >= first {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::candidate::reader::tests::contents;
    use crate::elf::{ByteOrder, Class};

    const FIRST: usize = 5;

    /// Every symbol of the chain that has a hash.
    fn found(links: &[u32], hash: u32, pieces: usize) -> Option<Vec<usize>> {
        let bytes = links.iter().flat_map(|link| link.to_le_bytes()).collect();
        let (file, _) = contents(bytes);
        let encoding = Encoding { order: ByteOrder::Little, class: Class::Elf64 };
        let table = Reader::new(&file, ByteOrder::Little, 0, links.len() * 4);
        let mut gnu = Gnu {
            table,
            encoding,
            words: 0,
            shift: 0,
            buckets: 1,
            buckets_at: 0,
            hashes_at: 0,
            first: FIRST,
        };
        let asked = core::cell::Cell::new(0);
        let goes_on = || asked.replace(asked.get() + 1) < pieces;
        let (mut rest, mut all) = (Some(FIRST), Vec::new());
        while let Some(from) = rest {
            let (symbol, behind) = gnu.find(hash, from, &goes_on)?;
            all.extend(symbol);
            rest = behind;
        }
        Some(all)
    }

    #[test]
    fn a_chain_is_followed_from_piece_to_piece_up_to_its_end() {
        // The lowest bit of the last one is set; that of the one that is looked for does not count.
        let mut links = [0x20; 21];
        for at in [0, 7, 8, 19] {
            links[at] = 0x40;
        }
        links[20] = 0x41;
        let all = [0, 7, 8, 19, 20].map(|at| at + FIRST);
        assert_eq!(found(&links, 0x41, usize::MAX).as_deref(), Some(&all[..]));
        assert_eq!(found(&links, 0x60, usize::MAX).as_deref(), Some(&[][..]));
        // What stands behind its end is another's.
        links[8] = 0x21;
        assert_eq!(found(&links, 0x40, usize::MAX).as_deref(), Some(&all[..2]));
    }

    #[test]
    fn a_chain_without_an_end_is_none_and_the_budget_ends_any() {
        let links = [0x20; 20];
        assert_eq!(found(&links, 0x40, usize::MAX), None);
        assert_eq!(found(&links, 0x40, 2).as_deref(), Some(&[][..]));
    }
}
