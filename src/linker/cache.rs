//! /etc/ld.so.cache: glibc's elf/dl-cache.h and elf/dl-cache.c.

use super::{Linker, path};
use crate::candidate::table::{Handle, Table};
use crate::elf::consts::{
    EF_ARM_ABI_FLOAT_HARD, EF_MIPS_ABI2, EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC64, EM_RISCV, EM_X86_64,
};
use crate::elf::{Class, View};

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// `struct cache_file_new`, and each of its entries.
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// An older table may stand before it: its magic, its header and its entries.
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0";
const OLD_HEADER: usize = 16;
const OLD_ENTRY: usize = 12;
/// The extension that names the folders in glibc-hwcaps.
const EXTENSION_MAGIC: u64 = 0xeaa4_2174;
const TAG_HWCAPS: u64 = 1;
/// DL_CACHE_HWCAP_EXTENSION, in the upper half of an entry's hwcap.
const HWCAP_EXTENSION: u64 = 1 << 30;

/// The file that the cache names for a library.
pub(super) fn find(linker: &Linker<'_>, cache: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let cache = path(cache);
    let size = usize::try_from(linker.system.stat(cache).ok()?.size).ok()?;
    let mut table = Table::new(&Handle::open(linker.system, cache)?, 0, size);
    let view = linker.view;
    let mut start = 0;
    if table.bytes(0, OLD_MAGIC.len())? == OLD_MAGIC {
        let old = at(table.uint(12, 4, view)?);
        let end = old.wrapping_mul(OLD_ENTRY).wrapping_add(OLD_HEADER);
        start = end.wrapping_add(7) & !7;
    }
    if table.bytes(start, MAGIC.len())? != MAGIC {
        return None;
    }
    let count = at(table.uint(start.wrapping_add(20), 4, view)?);
    let entry = |index: usize| start.wrapping_add(HEADER).wrapping_add(index.wrapping_mul(ENTRY));
    let string = |table: &mut Table, index: usize, field: usize| -> Option<Vec<u8>> {
        let offset = at(table.uint(entry(index).wrapping_add(field), 4, view)?);
        table.string(start.wrapping_add(offset)).map(<[u8]>::to_vec)
    };
    // Sorted, the last name first.
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        let key = string(&mut table, middle, 4)?;
        if compare(&key, name) > 0 { low = middle.wrapping_add(1) } else { high = middle }
    }
    let wanted = flags(linker);
    let extension = extension(&mut table, start, view);
    let mut best: Option<(usize, Vec<u8>)> = None;
    while low < count && string(&mut table, low, 4)? == name {
        let offset = entry(low);
        let fits = table.uint(offset, 4, view)? == wanted;
        // Whichever half is the upper one.
        let hwcap = [16, 20].map(|field| table.uint(offset.wrapping_add(field), 4, view).unwrap_or(0));
        let [index, upper] =
            if view.order == crate::elf::ByteOrder::Little { hwcap } else { [hwcap[1], hwcap[0]] };
        let rank = if upper & HWCAP_EXTENSION != 0 {
            level(linker, &mut table, start, extension, at(index), view)
        } else {
            (index == 0 && upper == 0).then_some(usize::MAX)
        };
        if let Some(rank) = rank.filter(|_| fits) {
            if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                best = Some((rank, string(&mut table, low, 8)?));
            }
        }
        low = low.wrapping_add(1);
    }
    best.map(|(_, file)| file)
}

fn at(value: u64) -> usize {
    crate::elf::offset(value)
}

/// Where the names of the folders in glibc-hwcaps are listed.
fn extension(table: &mut Table, start: usize, view: View) -> Option<usize> {
    let offset = at(table.uint(start.wrapping_add(32), 4, view)?);
    let directory = start.wrapping_add(offset);
    if offset == 0 || table.uint(directory, 4, view)? != EXTENSION_MAGIC {
        return None;
    }
    let count = at(table.uint(directory.wrapping_add(4), 4, view)?).min(16);
    for index in 0..count {
        let section = directory.wrapping_add(8).wrapping_add(index.wrapping_mul(16));
        if table.uint(section, 4, view)? == TAG_HWCAPS {
            return Some(start.wrapping_add(at(table.uint(section.wrapping_add(8), 4, view)?)));
        }
    }
    None
}

/// How good a folder of glibc-hwcaps is, 0 the best; None where this processor has no use for it.
fn level(
    linker: &Linker<'_>,
    table: &mut Table,
    start: usize,
    list: Option<usize>,
    index: usize,
    view: View,
) -> Option<usize> {
    let offset = at(table.uint(list?.wrapping_add(index.wrapping_mul(4)), 4, view)?);
    let name = table.string(start.wrapping_add(offset))?;
    linker.levels().position(|folder| folder.ends_with(name))
}

/// elf/dl-cache.c `_dl_cache_libcmp`: numbers by their value.
fn compare(one: &[u8], other: &[u8]) -> i64 {
    let (mut one, mut other) = (one, other);
    loop {
        let digits = [one, other].map(|text| text.iter().take_while(|byte| byte.is_ascii_digit()).count());
        match digits {
            [0, 0] => {
                let [a, b] = [one, other].map(|text| text.first().copied().map_or(0, i64::from));
                if a != b || a == 0 {
                    return a.wrapping_sub(b);
                }
                (one, other) = (one.get(1..).unwrap_or_default(), other.get(1..).unwrap_or_default());
            }
            [0, _] => return -1,
            [_, 0] => return 1,
            [m, n] => {
                let [a, b] = [(one, m), (other, n)].map(|(text, len)| number(text.get(..len)));
                if a != b {
                    return a.wrapping_sub(b);
                }
                (one, other) = (one.get(m..).unwrap_or_default(), other.get(n..).unwrap_or_default());
            }
        }
    }
}

fn number(digits: Option<&[u8]>) -> i64 {
    let value = |sum: i64, digit: &u8| sum.wrapping_mul(10).wrapping_add(i64::from(*digit & 15));
    digits.unwrap_or_default().iter().fold(0, value)
}

/// `_DL_CACHE_DEFAULT_ID` (sysdeps/*/dl-cache.h): FLAG_ELF_LIBC6 and the ABI.
fn flags(linker: &Linker<'_>) -> u64 {
    let Some(program) = linker.object(0).and_then(|program| program.image.as_ref()) else { return 3 };
    let header = &program.header;
    let wide = linker.view.class == Class::Elf64;
    let abi = match header.e_machine {
        EM_X86_64 if wide => 0x300,
        EM_X86_64 => 0x800,
        EM_AARCH64 => 0xa00,
        EM_ARM if header.e_flags & EF_ARM_ABI_FLOAT_HARD != 0 => 0x900,
        EM_ARM => 0xb00,
        EM_PPC64 => 0x500,
        EM_MIPS => {
            let nan2008 = header.e_flags & crate::elf::consts::EF_MIPS_NAN2008 != 0;
            match (wide, header.e_flags & EF_MIPS_ABI2 != 0, nan2008) {
                (true, _, false) => 0x700,
                (false, true, false) => 0x600,
                (false, false, false) => 0,
                (false, false, true) => 0xc00,
                (false, true, true) => 0xd00,
                (true, _, true) => 0xe00,
            }
        }
        EM_RISCV => match header.e_flags & 6 {
            4 => 0x1000,
            _ => 0xf00,
        },
        _ => 0,
    };
    abi | 3
}
