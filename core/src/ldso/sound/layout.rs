//! Where the tables of an object lie. Linkers (GNU's, gold, lld, mold) put them side by side in one segment, so that where one
//! ends the next begins, and each tells how large the one before is.

use crate::candidate::reader::Reader;
use crate::candidate::{File, Image};
use crate::elf::consts::{
    DT_FINI_ARRAY, DT_FINI_ARRAYSZ, DT_GNU_HASH, DT_HASH, DT_INIT, DT_INIT_ARRAY, DT_INIT_ARRAYSZ, DT_JMPREL,
    DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELR, DT_RELRSZ, DT_RELSZ, DT_STRSZ, DT_STRTAB, DT_SYMTAB,
    DT_VERDEF, DT_VERNEED, DT_VERSYM, PF_W, PF_X,
};
use crate::elf::{Class, Encoding};

use super::super::symbols::hash_word;

/// Between two tables is no more than what aligns the second.
const ALIGNED: u64 = 8;
/// The same before code.
const CODE_ALIGNED: u64 = 32;
/// More tables than a file has.
const TABLES: usize = 16;
/// Where the segment ends.
const END: u32 = 0;

/// A table.
#[derive(Clone, Copy, Default)]
struct Table {
    at: u64,
    /// What it has at least.
    size: u64,
    tag: u32,
}

impl Table {
    const fn end(&self) -> u64 {
        self.at.saturating_add(self.size)
    }
}

/// Those of an object, in the order in which they lie.
#[derive(Default)]
struct Tables {
    all: [Table; TABLES],
    len: usize,
}

impl Tables {
    fn add(&mut self, tag: u32, at: u64, size: u64) {
        let mut place = self.len.min(TABLES.wrapping_sub(1));
        while let Some(before) = place.checked_sub(1).and_then(|before| self.all.get(before)) {
            if before.at <= at {
                break;
            }
            let moved = *before;
            if let Some(to) = self.all.get_mut(place) {
                *to = moved;
            }
            place = place.wrapping_sub(1);
        }
        if let Some(to) = self.all.get_mut(place) {
            *to = Table { at, size, tag };
        }
        self.len = self.len.saturating_add(1);
    }
}

/// Whether what lies behind a table of relocations looks like one more of them: a place that is written to, and a kind.
fn goes_on(file: &File, image: &Image, behind: u64) -> bool {
    let Encoding { order, .. } = image.encoding;
    let (word, Some(start)) = (image.encoding.word(), image.offset_of(behind)) else { return true };
    let mut next = Reader::new(&file.contents, order, start, word.wrapping_mul(2));
    let is_one = |bytes: &[u8]| {
        order.uint(bytes, word, word) != 0 && image.load_with(PF_W, order.uint(bytes, 0, word)).is_some()
    };
    next.bytes_at(0, word.wrapping_mul(2)).is_none_or(is_one)
}

/// What the head of DT_GNU_HASH says: bytes of it without its chains, and its first symbol.
pub(super) type GnuHash = (u64, u64);

/// How many symbols the tables have, if they lie side by side, and all have as many.
pub(super) fn usual(file: &File, image: &Image, (gnu_size, first_symbol): GnuHash) -> Option<u64> {
    let dynamic = image.dynamic.as_ref()?;
    let hash_word = hash_word(image) as u64;
    let mut tables = Tables::default();
    let [mut strings, mut rela, mut rel, mut calls, mut packed] = [0_u64; 5];
    let [mut first, mut first_size, mut last, mut last_size] = [0_u64; 4];
    for (tag, value) in &dynamic.entries {
        match *tag {
            DT_STRSZ => strings = *value,
            DT_RELASZ => rela = *value,
            DT_RELSZ => rel = *value,
            DT_PLTRELSZ => calls = *value,
            DT_RELRSZ => packed = *value,
            DT_INIT_ARRAY => first = *value,
            DT_INIT_ARRAYSZ => first_size = *value,
            DT_FINI_ARRAY => last = *value,
            DT_FINI_ARRAYSZ => last_size = *value,
            _ => {}
        }
    }
    let mut symbols_of_hash = None;
    let mut relocations = 0;
    for (tag, value) in &dynamic.entries {
        let size = match *tag {
            DT_STRTAB => strings,
            DT_RELA => rela,
            DT_REL => rel,
            DT_JMPREL => calls,
            DT_RELR => packed,
            DT_GNU_HASH => gnu_size,
            DT_HASH => {
                let mut head = Reader::dynamic(&file.contents, image, DT_HASH, 16);
                let mut field =
                    |at: u64| head.number_at(crate::elf::offset(at), crate::elf::offset(hash_word));
                let (buckets, symbols) = (field(0)? as u64, field(hash_word)? as u64);
                symbols_of_hash = Some(symbols);
                buckets.checked_add(symbols)?.checked_add(2)?.checked_mul(hash_word)?
            }
            DT_SYMTAB | DT_VERSYM | DT_VERDEF | DT_VERNEED => 1,
            DT_INIT if *value != 0 => 1,
            _ => continue,
        };
        if matches!(*tag, DT_RELA | DT_REL | DT_JMPREL) {
            relocations = *value;
        }
        tables.add(*tag, *value, size);
    }
    let holds = |at: u64, size: u64| relocations.wrapping_sub(at) < size;
    if let Some(load) = image.loads().find(|load| holds(load.p_vaddr, load.p_filesz)) {
        if load.p_flags & PF_X == 0 {
            tables.add(END, load.p_vaddr.saturating_add(load.p_filesz), 0);
        }
    }
    // One array follows the other.
    let follows = first.wrapping_add(first_size) == last || last.wrapping_add(last_size) == first;
    if (first != 0 && last != 0 && !follows) || tables.len > TABLES {
        return None;
    }
    let entry = if image.encoding.class == Class::Elf64 { 24 } else { 16 };
    let tables = tables.all.get(..tables.len)?;
    let mut symbols = None;
    let (mut marks, mut hashed) = (None, None);
    for pair in tables.windows(2) {
        let &[table, next] = pair else { break };
        if table.tag == END || table.tag == DT_INIT {
            break;
        }
        // On RISC-V DT_RELA has the relocations of the PLT as well.
        let has_both = matches!(table.tag, DT_RELA | DT_REL) && next.tag == DT_JMPREL;
        if has_both && table.end() == next.end() {
            continue;
        }
        let behind = next.at.checked_sub(table.end())?;
        let slack = if next.tag == DT_INIT { CODE_ALIGNED } else { ALIGNED };
        match table.tag {
            DT_SYMTAB => {
                let size = next.at.wrapping_sub(table.at);
                if size.checked_rem(entry) != Some(0) {
                    return None;
                }
                symbols = size.checked_div(entry);
            }
            DT_VERSYM => marks = Some((next.at.wrapping_sub(table.at), slack)),
            DT_GNU_HASH => hashed = Some(behind / 4),
            DT_VERDEF | DT_VERNEED => {}
            // lld has constants there.
            DT_RELA | DT_REL | DT_JMPREL if next.tag == END && !goes_on(file, image, table.end()) => {}
            _ if behind >= slack => return None,
            _ => {}
        }
    }
    let count = symbols?;
    let has_marks = marks.is_none_or(|(size, slack)| size.wrapping_sub(count.wrapping_mul(2)) < slack);
    // One that is empty begins with the first symbol.
    let has_chains = hashed.is_none_or(|chains: u64| {
        (chains <= 1 && first_symbol <= 1) || first_symbol.wrapping_add(chains).wrapping_sub(count) <= 1
    });
    (has_marks && has_chains && symbols_of_hash.is_none_or(|of_hash| of_hash == count)).then_some(count)
}
