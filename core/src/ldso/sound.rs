//! Whether the tables of an object are as linkers make them: what is not has to be rehearsed.

mod layout;

use super::{Library, Linker};
use crate::candidate::reader::Reader;
use crate::candidate::{Image, last_name};
use crate::elf::consts::{
    DT_DEBUG, DT_FINI, DT_FINI_ARRAY, DT_FINI_ARRAYSZ, DT_GNU_HASH, DT_HASH, DT_INIT, DT_INIT_ARRAY,
    DT_INIT_ARRAYSZ, DT_JMPREL, DT_NEEDED, DT_PLTGOT, DT_PLTREL, DT_PLTRELSZ, DT_PREINIT_ARRAY,
    DT_PREINIT_ARRAYSZ, DT_REL, DT_RELA, DT_RELACOUNT, DT_RELASZ, DT_RELR, DT_RELRSZ, DT_RELSZ, DT_STRSZ,
    DT_STRTAB, DT_SYMTAB, DT_VERDEF, DT_VERNEED, DT_VERSYM, PF_W, PF_X,
};
use crate::elf::offset;

/// Tables, and what tells their sizes.
const TABLES: [(u32, u32); 8] = [
    (DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ),
    (DT_STRTAB, DT_STRSZ),
    (DT_RELA, DT_RELASZ),
    (DT_REL, DT_RELSZ),
    (DT_RELR, DT_RELRSZ),
    (DT_JMPREL, DT_PLTRELSZ),
    (DT_INIT_ARRAY, DT_INIT_ARRAYSZ),
    (DT_FINI_ARRAY, DT_FINI_ARRAYSZ),
];

/// The first of GNU's tags that count.
const OF_GNU: u32 = 0x6fff_fec0;
/// glibc's own library.
pub(super) const C_LIBRARY: &[u8] = b"libc.so.6";
/// Buckets of a table that is looked at.
const BUCKETS_AT_MOST: usize = 16;

impl Linker<'_> {
    /// What is not as a linker makes it has to be rehearsed.
    pub(super) fn doubt(&self) {
        self.doubts.set(true);
    }

    /// glibc's own library is of the loader's release: nobody doubts it.
    pub(super) fn is_c_library(&self, object: &Library) -> bool {
        // Any file may have its DT_SONAME.
        self.is_glibc() && last_name(&object.path).1 == C_LIBRARY
    }

    /// Whether all objects have sound tables, but for the loader itself.
    pub(super) fn is_sound(&self) -> bool {
        let objects = self.link.objects.iter().enumerate();
        let mut others = objects.filter(|(index, object)| *index != 1 && !self.is_c_library(object));
        others.all(|(_, object)| self.has_sound_tables(object).unwrap_or(false))
    }

    fn has_sound_tables(&self, object: &Library) -> Option<bool> {
        let image = object.image.as_ref()?;
        let dynamic = image.dynamic.as_ref()?;
        let word = image.encoding.word() as u64;
        // Of the tags that count all are below 64, but for those of GNU.
        let (mut seen, mut seen_of_gnu) = (0_u64, 0_u64);
        let mut sizes = [(None, None); TABLES.len()];
        for (tag, value) in &dynamic.entries {
            let bit = 1_u64.checked_shl(*tag).unwrap_or_default();
            let may_repeat = matches!(*tag, DT_NEEDED | DT_DEBUG);
            let bit_of_gnu = if *tag < OF_GNU { 0 } else { 1_u64.wrapping_shl(*tag) };
            if (seen & bit | seen_of_gnu & bit_of_gnu) != 0 && !may_repeat {
                return Some(false);
            }
            seen |= bit;
            seen_of_gnu |= bit_of_gnu;
            match *tag {
                DT_STRTAB | DT_SYMTAB | DT_HASH | DT_RELA | DT_REL | DT_JMPREL | DT_RELR | DT_VERSYM
                | DT_VERDEF | DT_VERNEED | DT_GNU_HASH | DT_INIT_ARRAY | DT_FINI_ARRAY | DT_PREINIT_ARRAY => {
                    let left = image.left_of(*value)?;
                    let unit = match *tag {
                        DT_STRTAB => 1,
                        DT_VERSYM => 2,
                        DT_HASH | DT_VERDEF | DT_VERNEED => 4,
                        _ => word,
                    };
                    let is_array = matches!(*tag, DT_INIT_ARRAY | DT_FINI_ARRAY | DT_PREINIT_ARRAY);
                    if value.checked_rem(unit) != Some(0)
                        || (is_array && image.load_with(PF_W, *value).is_none())
                    {
                        return Some(false);
                    }
                    if let Some(at) = TABLES.iter().position(|(table, _)| table == tag) {
                        sizes.get_mut(at)?.0 = Some(left);
                    }
                }
                DT_PLTGOT
                    if value.checked_rem(word) != Some(0) || image.load_with(PF_W, *value).is_none() =>
                {
                    return Some(false);
                }
                DT_INIT | DT_FINI if *value != 0 && image.load_with(PF_X, *value).is_none() => {
                    return Some(false);
                }
                _ => {
                    if let Some(at) = TABLES.iter().position(|(_, size)| size == tag) {
                        sizes.get_mut(at)?.1 = Some(*value);
                    }
                }
            }
        }
        let fits = |(left, size): &(Option<u64>, Option<u64>)| match (left, size) {
            (Some(left), Some(size)) => size <= left,
            (left, size) => left.is_none() && size.is_none_or(|size| size == 0),
        };
        let entries = [(DT_RELASZ, 3), (DT_RELSZ, 2), (DT_PLTRELSZ, 1), (DT_INIT_ARRAYSZ, 1), (DT_RELRSZ, 1)];
        let is_whole =
            |(tag, words): &(u32, u64)| dynamic.flags(*tag).checked_rem(word.wrapping_mul(*words)) == Some(0);
        let has = |tag: u32| seen >> tag & 1 != 0;
        if dynamic.goes_on
            || !sizes.iter().all(fits)
            || !entries.iter().all(is_whole)
            || !has(DT_STRTAB)
            || !has(DT_SYMTAB)
        {
            return Some(false);
        }
        let kind = if has(DT_RELA) || !has(DT_REL) { DT_RELA } else { DT_REL };
        let is_of_kind = |tag: u64| tag == kind.into();
        let lacks_table = dynamic.get(DT_RELACOUNT).is_some() && !has(DT_RELA);
        let of_calls = if kind == DT_RELA { 3 } else { 2 };
        let has_versions = [DT_VERNEED, DT_VERDEF].into_iter().any(|tag| dynamic.get(tag).is_some());
        let is_called = dynamic.get(DT_PLTREL).is_some_and(is_of_kind)
            && has(DT_PLTGOT)
            && is_whole(&(DT_PLTRELSZ, of_calls));
        let lacks_versions = dynamic.get(DT_VERSYM).is_some() && !has_versions;
        if lacks_table || lacks_versions || (has(DT_JMPREL) && !is_called) {
            return Some(false);
        }
        self.has_sound_hash(object, image)
    }

    /// A file without DT_GNU_HASH is looked up in by DT_HASH, of which it is not known that it leads to all symbols.
    fn has_sound_hash(&self, object: &Library, image: &Image) -> Option<bool> {
        let file = self.open(object)?;
        // Pages that a file does not have are looked for in a rehearsal.
        if image.loads().any(|segment| segment.file_end() > file.stat.size) {
            return Some(false);
        }
        // Of MIPS, whose files have none, neither is the GOT, for which there are no relocations.
        if image.dynamic.as_ref()?.get(DT_GNU_HASH).is_none() {
            return Some(false);
        }
        let mut head = Reader::dynamic(&file.contents, image, DT_GNU_HASH, 16);
        let mut field = |at| head.number_at(at, 4);
        let (buckets, first, words, shift) = (field(0)?, field(4)?, field(8)?, field(12)?);
        if !(buckets > 0 && words.is_power_of_two() && shift < 32) {
            return Some(false);
        }
        let filter = words.checked_mul(image.encoding.word())?;
        let size = buckets.checked_mul(4)?.checked_add(filter)?.checked_add(16)?;
        if image.dynamic_part(DT_GNU_HASH)?.1 < size {
            return Some(false);
        }
        let symbols = offset(layout::usual(&file, image, (size as u64, first as u64))?);
        // Of a large one no bucket is looked at.
        if buckets > BUCKETS_AT_MOST {
            return Some(true);
        }
        let mut table = Reader::dynamic(&file.contents, image, DT_GNU_HASH, usize::MAX);
        let mut all = (0..buckets)
            .map(|bucket| table.number_at(filter.wrapping_add(16).wrapping_add(bucket.wrapping_mul(4)), 4));
        Some(all.all(|symbol| symbol.is_some_and(|symbol| symbol == 0 || (first..symbols).contains(&symbol))))
    }
}
