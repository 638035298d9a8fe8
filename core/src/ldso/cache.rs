//! /etc/ld.so.cache: glibc's elf/dl-cache.h and elf/dl-cache.c.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{Linker, path};
use crate::arch;
use crate::candidate::library;
use crate::candidate::reader::Reader;
use crate::elf::{ByteOrder, offset};
use crate::exec::Missing;

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// `struct cache_file_new`, and each of its entries.
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// An older table may stand before it: its magic, its header and its entries.
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0";
const OLD_HEADER: usize = 16;
const OLD_ENTRY: usize = 12;
/// The extension that names the folders in glibc-hwcaps.
const EXTENSION_MAGIC: usize = 0xeaa4_2174;
const TAG_HWCAPS: usize = 1;
/// DL_CACHE_HWCAP_EXTENSION, in the upper half of an entry's hwcap.
const HWCAP_EXTENSION: usize = 1 << 30;

/// The file that the cache names for a library.
pub(super) fn find(linker: &Linker<'_>, cache: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    if !linker.reaches(cache) {
        return None;
    }
    let file = match library::open(linker.root, linker.files, path(cache)) {
        Some(Ok(file)) => file,
        Some(Err(_)) => {
            linker.leaves_alone(cache);
            return None;
        }
        None => {
            linker.unread.set(Some(Missing::LeftOut));
            return None;
        }
    };
    let mut table = Reader::new(&file.contents, linker.encoding.order, 0, offset(file.stat.size));
    table.at_once();
    Cache { table, start: 0 }.find(linker, name)
}

/// The file, and where its newer format begins.
struct Cache<'a> {
    table: Reader<'a>,
    start: usize,
}

impl Cache<'_> {
    /// The file that it names for a library.
    fn find(&mut self, linker: &Linker<'_>, name: &[u8]) -> Option<Vec<u8>> {
        if self.table.bytes_at(0, OLD_MAGIC.len())? == OLD_MAGIC {
            let end = self.number(12)?.wrapping_mul(OLD_ENTRY).wrapping_add(OLD_HEADER);
            self.start = end.wrapping_add(7) & !7;
        }
        if self.table.bytes_at(self.start, MAGIC.len())? != MAGIC {
            return None;
        }
        let wanted = flags(linker);
        let folders = if arch::HAS_LEVELS { self.folders() } else { None };
        let mut best = (usize::MAX, None);
        let count = self.number(20)?;
        // A router's has few, which are all looked at.
        let first = if crate::ROUTER { 0 } else { self.first(name, count)? };
        for at in first..count {
            if !linker.goes_on(1) {
                return None;
            }
            if crate::ROUTER {
                let key = self.field(at, 4)?;
                if self.string(key)? != name {
                    continue;
                }
            } else if self.compare(name, at)? != Ordering::Equal {
                break;
            }
            // The lower half of hwcap is the place in a list where the upper one says so, else nothing that anybody
            // uses.
            let flags = self.field(at, 0)?;
            let value = self.field(at, 8)?;
            let (mut low, mut high) = (self.field(at, 16)?, self.field(at, 20)?);
            if !crate::ROUTER && linker.encoding.order == ByteOrder::Big {
                (low, high) = (high, low);
            }
            if flags != wanted {
                continue;
            }
            let rank = if arch::HAS_LEVELS && high & HWCAP_EXTENSION != 0 {
                self.level(linker, folders, low)
            } else {
                // After all that are in glibc-hwcaps, the first.
                let is_old = || linker.takes_old((high as u64) << 32 | low as u64);
                (high | low == 0 || !crate::ROUTER && is_old()).then_some(usize::MAX - 1)
            };
            if let Some(rank) = rank.filter(|rank| *rank < best.0) {
                best = (rank, Some(value));
            }
        }
        Some(self.string(best.1?)?.to_vec())
    }

    fn number(&mut self, at: usize) -> Option<usize> {
        self.table.number_at(self.start.wrapping_add(at), 4)
    }

    /// A field of a `struct file_entry_new`: flags, key, value, osversion, and the halves of hwcap.
    fn field(&mut self, index: usize, place: usize) -> Option<usize> {
        let at = index.checked_mul(ENTRY)?.checked_add(HEADER)?;
        self.table.number_at(self.start.checked_add(at)?.checked_add(place)?, 4)
    }

    /// The first of the entries for a name (`search_cache`): the name that sorts last stands first.
    fn first(&mut self, name: &[u8], count: usize) -> Option<usize> {
        let (mut left, mut right) = (0, count);
        while left < right {
            let middle = left.saturating_add(right.saturating_sub(left) / 2);
            if self.compare(name, middle)? == Ordering::Less {
                left = middle.saturating_add(1);
            } else {
                right = middle;
            }
        }
        Some(left)
    }

    /// A name against that of an entry.
    fn compare(&mut self, name: &[u8], index: usize) -> Option<Ordering> {
        let key = self.field(index, 4)?;
        Some(libcmp(name, self.string(key)?))
    }

    fn string(&mut self, at: usize) -> Option<&[u8]> {
        self.table.string_at(self.start.wrapping_add(at))
    }

    /// Where the names of the folders in glibc-hwcaps are listed.
    fn folders(&mut self) -> Option<usize> {
        let directory = self.number(32).filter(|offset| *offset != 0)?;
        if self.number(directory)? != EXTENSION_MAGIC {
            return None;
        }
        let count = self.number(directory.wrapping_add(4))?.min(16);
        let mut section = directory.wrapping_add(8);
        for _ in 0..count {
            if self.number(section)? == TAG_HWCAPS {
                return self.number(section.wrapping_add(8));
            }
            section = section.wrapping_add(16);
        }
        None
    }

    /// How good a folder of glibc-hwcaps is, 0 the best; None where this processor has no use for it.
    fn level(&mut self, linker: &Linker<'_>, list: Option<usize>, index: usize) -> Option<usize> {
        let name = self.number(list?.wrapping_add(index.wrapping_mul(4)))?;
        let name = self.string(name)?;
        linker.levels().position(|level| level == name)
    }
}

/// elf/dl-cache.c `_dl_cache_libcmp`: digits count as the number that they make.
fn libcmp(one: &[u8], other: &[u8]) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        match (one.split_first(), other.split_first()) {
            (Some((b'0'..=b'9', _)), Some((b'0'..=b'9', _))) => {
                let (a, b) = (leading_number(&mut one), leading_number(&mut other));
                if a != b {
                    return a.cmp(&b);
                }
            }
            (Some((b'0'..=b'9', _)), _) => return Ordering::Greater,
            (_, Some((b'0'..=b'9', _))) => return Ordering::Less,
            (Some((a, after_one)), Some((b, after_other))) if a == b => {
                (one, other) = (after_one, after_other);
            }
            (a, b) => return a.map(|(byte, _)| byte).cmp(&b.map(|(byte, _)| byte)),
        }
    }
}

/// Takes off the digits at the front; an `int`, as in glibc.
fn leading_number(text: &mut &[u8]) -> i32 {
    let mut number = 0_i32;
    while let Some((digit @ b'0'..=b'9', rest)) = text.split_first() {
        number = number.wrapping_mul(10).wrapping_add(i32::from(digit.wrapping_sub(b'0')));
        *text = rest;
    }
    number
}

/// `_DL_CACHE_DEFAULT_ID` (sysdeps/*/dl-cache.h): FLAG_ELF_LIBC6 and the ABI.
fn flags(linker: &Linker<'_>) -> usize {
    let Some(program) = linker.object(0).and_then(|program| program.image.as_ref()) else { return 3 };
    arch::cache_id(program.header.e_machine, linker.encoding.class, program.header.e_flags) | 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_ldconfig() {
        let cases = [
            ("libc.so.6", "libc.so.6", Ordering::Equal),
            ("libm.so.10", "libm.so.9", Ordering::Greater),
            ("libm.so.09", "libm.so.9", Ordering::Equal),
            ("liba.so", "liba.so.1", Ordering::Less),
            ("lib9.so", "libx.so", Ordering::Greater),
            ("", "", Ordering::Equal),
        ];
        for (one, other, order) in cases {
            assert_eq!(libcmp(one.as_bytes(), other.as_bytes()), order, "{one} {other}");
            assert_eq!(libcmp(other.as_bytes(), one.as_bytes()), order.reverse(), "{other} {one}");
        }
    }
}
