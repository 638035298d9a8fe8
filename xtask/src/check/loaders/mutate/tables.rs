//! The tables of a file, by what PT_DYNAMIC says of them.

use oracle::random::Random;
use testkit::Image;
use testkit::elf_h::{
    DT_GNU_HASH, DT_HASH, DT_JMPREL, DT_NEEDED, DT_NULL, DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ,
    DT_RELSZ, DT_STRSZ, DT_STRTAB, DT_SYMTAB, DT_VERDEF, DT_VERNEED, DT_VERSYM, EM_MIPS, EM_S390, PT_DYNAMIC,
};

/// Where a number lies in the file, and its size in bytes.
type Place = (usize, usize);

const DT_INIT: u64 = 12;
const DT_FINI: u64 = 13;
/// A tag that no loader knows.
const NO_TAG: u64 = 0x6000_0123;

/// A field of a record: where it lies there, its size in bytes, its name.
type Field = (usize, usize, &'static str);

/// DT_VERNEED or DT_VERDEF: records, to each of which others belong.
struct Records {
    own: &'static [Field],
    of_aux: &'static [Field],
    /// Where a record tells how far the first that belongs to it is, how far the next one is, and where that one does.
    aux: usize,
    next: usize,
    next_aux: usize,
}

const NEEDS: Records = Records {
    own: &[(0, 2, "vn_version"), (2, 2, "vn_cnt"), (4, 4, "vn_file"), (8, 4, "vn_aux"), (12, 4, "vn_next")],
    of_aux: &[
        (0, 4, "vna_hash"),
        (4, 2, "vna_flags"),
        (6, 2, "vna_other"),
        (8, 4, "vna_name"),
        (12, 4, "vna_next"),
    ],
    aux: 8,
    next: 12,
    next_aux: 12,
};

const DEFINITIONS: Records = Records {
    own: &[
        (0, 2, "vd_version"),
        (2, 2, "vd_flags"),
        (4, 2, "vd_ndx"),
        (6, 2, "vd_cnt"),
        (8, 4, "vd_hash"),
        (12, 4, "vd_aux"),
        (16, 4, "vd_next"),
    ],
    of_aux: &[(0, 4, "vda_name"), (4, 4, "vda_next")],
    aux: 12,
    next: 16,
    next_aux: 4,
};

pub(super) struct Tables {
    pub(super) image: Image,
    /// The entries of PT_DYNAMIC up to DT_NULL: where the tag lies, and the value.
    entries: Vec<(Place, Place)>,
}

impl Tables {
    pub(super) fn of(image: Image) -> Option<Tables> {
        let segment = image.segment(PT_DYNAMIC)?;
        let from = usize::try_from(image.get_in(segment, "p_offset")?).ok()?;
        let size = usize::try_from(image.get_in(segment, "p_filesz")?).ok()?;
        let word = image.encoding.word();
        let places = (from..from + size).step_by(2 * word).map(|at| ((at, word), (at + word, word)));
        let entries = places.take_while(|(tag, _)| image.number(*tag) != Some(DT_NULL)).collect();
        Some(Tables { image, entries })
    }

    fn word(&self) -> usize {
        self.image.encoding.word()
    }

    fn number(&self, place: Place) -> u64 {
        self.image.number(place).unwrap_or_default()
    }

    fn value(&self, tag: u64) -> Option<u64> {
        Some(self.number(self.image.dynamic(tag)?.1))
    }

    fn table(&self, tag: u64) -> Option<usize> {
        self.image.points_to(tag)
    }

    fn put(&mut self, what: &str, place: Place, value: u64) -> Option<String> {
        let old = self.number(place);
        self.image.put(place, value)?;
        Some(format!("{what}: {old:#x} -> {:#x}", self.number(place)))
    }

    /// How far the next record is.
    fn distance(&self, at: usize) -> usize {
        usize::try_from(self.number((at, 4))).unwrap_or_default()
    }

    /// Another number, near or far.
    fn other(&self, random: &mut Random, old: u64, size: usize) -> u64 {
        let bits = 8 * u32::try_from(size).unwrap_or(8);
        let most = u64::MAX >> (64 - bits);
        let number = match random.below(10) {
            0 => 0,
            1 => 1,
            2 => old.wrapping_add(1),
            3 => old.wrapping_sub(1),
            4 => old.wrapping_add(self.word() as u64),
            5 => old ^ (1 << random.below(bits as usize)),
            6 => most,
            7 => random.number() % 64,
            8 => old.wrapping_mul(2),
            _ => most >> 1,
        };
        number & most
    }

    /// An entry that is not there, is another, ends the table, or stands elsewhere.
    pub(super) fn change_entry(&mut self, random: &mut Random) -> Option<String> {
        let (tag, value) = *self.entries.get(random.below(self.entries.len()))?;
        let name = format!("tag {:#x}", self.number(tag));
        match random.below(4) {
            0 => self.put(&name, tag, NO_TAG),
            1 => self.put(&name, tag, DT_NULL),
            2 => {
                let (other, _) = *self.entries.get(random.below(self.entries.len()))?;
                let other = self.number(other);
                self.put(&name, tag, other)
            }
            _ => {
                let (tag2, value2) = *self.entries.get(random.below(self.entries.len()))?;
                let of = |tables: &Self, place| tables.number(place);
                let (a, b, c, d) = (of(self, tag), of(self, value), of(self, tag2), of(self, value2));
                self.image.put(tag, c)?;
                self.image.put(value, d)?;
                self.image.put(tag2, a)?;
                self.image.put(value2, b)?;
                Some(format!("{name}: changes places with tag {c:#x}"))
            }
        }
    }

    /// A value that is another.
    pub(super) fn change_value(&mut self, random: &mut Random) -> Option<String> {
        let (tag, place) = *self.entries.get(random.below(self.entries.len()))?;
        // Where code begins is no matter of tables.
        if matches!(self.number(tag), DT_INIT | DT_FINI) {
            return None;
        }
        let name = format!("value of tag {:#x}", self.number(tag));
        let old = self.number(place);
        let value = if random.once_in(4) {
            let (_, other) = *self.entries.get(random.below(self.entries.len()))?;
            self.number(other)
        } else {
            self.other(random, old, self.word())
        };
        self.put(&name, place, value)
    }

    /// A number of DT_HASH or DT_GNU_HASH.
    pub(super) fn change_hash(&mut self, random: &mut Random) -> Option<String> {
        let tag = random.pick(&[DT_HASH, DT_GNU_HASH]);
        let at = self.table(tag)?;
        let size = if tag == DT_HASH { self.hash_word() } else { 4 };
        let head = if tag == DT_HASH { 2 } else { 4 };
        let words = if tag == DT_HASH {
            2 + usize::try_from(self.number((at, size)) + self.number((at + size, size))).ok()?
        } else {
            let filter = self.number((at + 8, 4)) * self.word() as u64 / 4;
            let hashed = self.symbols()?.checked_sub(self.number((at + 4, 4)))?;
            4 + usize::try_from(filter + self.number((at, 4)) + hashed).ok()?
        };
        // Half of the changes are to what the rest is read by.
        let index = if random.once_in(2) { random.below(head) } else { random.below(words) };
        let place = (at + size * index, size);
        let value = self.other(random, self.number(place), size);
        self.put(&format!("word {index} of tag {tag:#x}"), place, value)
    }

    /// A field of a record of DT_VERNEED or DT_VERDEF, or an index of DT_VERSYM.
    pub(super) fn change_version(&mut self, random: &mut Random) -> Option<String> {
        let tag = random.pick(&[DT_VERNEED, DT_VERDEF, DT_VERSYM]);
        let at = self.table(tag)?;
        if tag == DT_VERSYM {
            let index = 1 + random.below(usize::try_from(self.symbols()?).ok()?.checked_sub(1)?);
            let place = (at + 2 * index, 2);
            let value = match random.below(5) {
                0 => self.number(place) ^ 0x8000,
                1 => random.number() % 8,
                _ => self.other(random, self.number(place), 2),
            };
            return self.put(&format!("DT_VERSYM of symbol {index}"), place, value);
        }
        let records = if tag == DT_VERNEED { &NEEDS } else { &DEFINITIONS };
        let mut places = Vec::new();
        let mut record = at;
        loop {
            places.extend(records.own.iter().map(|(at, size, name)| ((record + at, *size), *name)));
            let mut aux = record + self.distance(record + records.aux);
            loop {
                places.extend(records.of_aux.iter().map(|(at, size, name)| ((aux + at, *size), *name)));
                match self.distance(aux + records.next_aux) {
                    0 => break,
                    next => aux += next,
                }
            }
            match self.distance(record + records.next) {
                0 => break,
                next => record += next,
            }
        }
        let (place, name) = random.pick(&places);
        let value = self.other(random, self.number(place), place.1);
        self.put(name, place, value)
    }

    /// A field of a relocation.
    pub(super) fn change_relocation(&mut self, random: &mut Random) -> Option<String> {
        let (tag, size) = random.pick(&[(DT_RELA, DT_RELASZ), (DT_REL, DT_RELSZ), (DT_JMPREL, DT_PLTRELSZ)]);
        let (at, bytes) = (self.table(tag)?, usize::try_from(self.value(size)?).ok()?);
        let has_addend = tag == DT_RELA || (tag == DT_JMPREL && self.value(DT_PLTREL) == Some(DT_RELA));
        let word = self.word();
        let entry = word * if has_addend { 3 } else { 2 };
        let index = random.below(bytes.checked_div(entry).filter(|count| *count > 0)?);
        let at = at + index * entry;
        let name = |what: &str| format!("{what} of relocation {index} of tag {tag:#x}");
        match random.below(if has_addend { 8 } else { 6 }) {
            0 | 1 => {
                let old = self.number((at, word));
                let value = match random.below(4) {
                    0 => old.wrapping_add(word as u64),
                    1 => old.wrapping_add(0x10_0000),
                    _ => self.other(random, old, word),
                };
                self.put(&name("r_offset"), (at, word), value)
            }
            2 | 3 => {
                let (kind, size) = self.kind_of(at + word);
                let value = if random.once_in(2) {
                    random.number() % 48
                } else {
                    self.other(random, self.number((kind, size)), size)
                };
                self.put(&name("type"), (kind, size), value)
            }
            4 | 5 => {
                let (place, shift) = self.symbol_of(at + word);
                let info = self.number(place);
                let value = match random.below(3) {
                    0 => 0,
                    1 => random.number() % self.symbols()?,
                    _ => self.other(random, info >> shift, 4),
                };
                let kept = info & ((1_u64 << shift) - 1);
                self.put(&name("symbol"), place, kept | (value << shift))
            }
            _ => {
                let place = (at + 2 * word, word);
                let value = self.other(random, self.number(place), word);
                self.put(&name("r_addend"), place, value)
            }
        }
    }

    /// Where r_info has the kind.
    fn kind_of(&self, info: usize) -> Place {
        let is_mips = self.image.get("e_machine") == Some(u64::from(EM_MIPS));
        match (self.image.encoding.wide, self.image.encoding.big) {
            (false, false) => (info, 1),
            (false, true) => (info + 3, 1),
            (true, false) if is_mips => (info + 7, 1),
            (true, false) => (info, 4),
            (true, true) => (info + 4, 4),
        }
    }

    /// Where it has the symbol, and by how many bits it is shifted there.
    fn symbol_of(&self, info: usize) -> (Place, u32) {
        let is_mips = self.image.get("e_machine") == Some(u64::from(EM_MIPS));
        match (self.image.encoding.wide, self.image.encoding.big) {
            (false, _) => ((info, 4), 8),
            (true, false) if !is_mips => ((info + 4, 4), 0),
            (true, _) => ((info, 4), 0),
        }
    }

    /// Bytes of a number of DT_HASH.
    fn hash_word(&self) -> usize {
        if self.image.get("e_machine") == Some(u64::from(EM_S390)) { self.word() } else { 4 }
    }

    /// How many symbols there are: DT_HASH tells, else what lies between DT_SYMTAB and DT_STRTAB.
    fn symbols(&self) -> Option<u64> {
        if let Some(at) = self.table(DT_HASH) {
            return Some(self.number((at + self.hash_word(), self.hash_word())));
        }
        let size = self.value(DT_STRTAB)?.checked_sub(self.value(DT_SYMTAB)?)?;
        Some(size / if self.image.encoding.wide { 24 } else { 16 })
    }

    /// A field of a symbol.
    pub(super) fn change_symbol(&mut self, random: &mut Random) -> Option<String> {
        let wide = self.image.encoding.wide;
        let index = 1 + random.below(usize::try_from(self.symbols()?).ok()?.checked_sub(1)?);
        let at = self.table(DT_SYMTAB)? + index * if wide { 24 } else { 16 };
        let fields = if wide {
            [
                ("st_name", 0, 4),
                ("st_info", 4, 1),
                ("st_other", 5, 1),
                ("st_shndx", 6, 2),
                ("st_value", 8, 8),
                ("st_size", 16, 8),
            ]
        } else {
            [
                ("st_name", 0, 4),
                ("st_info", 12, 1),
                ("st_other", 13, 1),
                ("st_shndx", 14, 2),
                ("st_value", 4, 4),
                ("st_size", 8, 4),
            ]
        };
        let (name, within, size) = random.pick(&fields);
        let place = (at + within, size);
        let value = self.other(random, self.number(place), size);
        self.put(&format!("{name} of symbol {index}"), place, value)
    }

    /// A byte of DT_STRTAB: of a symbol, a version, a library.
    pub(super) fn change_string(&mut self, random: &mut Random) -> Option<String> {
        let (at, size) = (self.table(DT_STRTAB)?, usize::try_from(self.value(DT_STRSZ)?).ok()?);
        // Names of libraries are few, and matter.
        let within = if random.once_in(4) {
            let needed = self.entries.iter().filter(|(tag, _)| self.number(*tag) == DT_NEEDED);
            let needed: Vec<u64> = needed.map(|(_, value)| self.number(*value)).collect();
            if needed.is_empty() {
                return None;
            }
            usize::try_from(random.pick(&needed)).ok()? + random.below(8)
        } else {
            random.below(size)
        };
        let value = random.pick(&[0, u64::from(b'/'), u64::from(b'x'), u64::from(b'$'), 0x80, 0xff]);
        self.put(&format!("byte {within}"), (at + within, 1), value)
    }
}
