//! Tables that are as large, as long or as alike as a file can make them: what the guards of a judgement are for. Each is
//! laid out as the loaders read it, and its sizes are any.

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use testkit::{Elf, Encoding};

use super::{KINDS, Kind, PROGRAM};
use crate::hold;
use crate::memory::File;

/// Where programs are linked for.
pub(super) const BASE: u64 = 0x40_0000;
/// Where the first table lies, and how far the next one is from it.
const FIRST: u64 = 1 << 20;
const APART: u64 = 1 << 26;

pub(super) const DT_HASH: u64 = 4;
pub(super) const DT_STRTAB: u64 = 5;
pub(super) const DT_SYMTAB: u64 = 6;
pub(super) const DT_RELA: u64 = 7;
pub(super) const DT_RELASZ: u64 = 8;
pub(super) const DT_STRSZ: u64 = 10;
pub(super) const DT_REL: u64 = 17;
pub(super) const DT_RELSZ: u64 = 18;
const DT_JMPREL: u64 = 23;
const DT_PLTRELSZ: u64 = 2;
pub(super) const DT_RUNPATH: u64 = 29;
pub(super) const DT_GNU_HASH: u64 = 0x6fff_fef5;
const DT_VERSYM: u64 = 0x6fff_fff0;
const DT_VERDEF: u64 = 0x6fff_fffc;
const DT_VERNEED: u64 = 0x6fff_fffe;
/// R_*_COPY of x86, s390, PowerPC, ARM, MIPS and AArch64.
const COPIES: [u64; 6] = [5, 9, 19, 20, 126, 1024];

/// The library that the program needs.
pub(super) const LIBRARY: &str = "libt.so";
const VERSION: &str = "V";

/// A file in the making.
pub(super) struct Hostile {
    pub(super) elf: Elf,
    base: u64,
    parts: Vec<(u64, u64, Vec<u8>)>,
    /// PT_LOADs behind those that it has.
    pub(super) loads: u64,
}

impl Hostile {
    pub(super) fn new(elf: Elf, base: u64) -> Hostile {
        Hostile { elf, base, parts: Vec::new(), loads: 0 }
    }

    fn encoding(&self) -> Encoding {
        self.elf.abi().encoding
    }

    pub(super) fn words(&self, values: &[u64], size: usize) -> Vec<u8> {
        values.iter().flat_map(|value| self.encoding().uint(*value, size)).collect()
    }

    /// Puts a table there: what it begins with, and what is repeated behind that so often that it has that many bytes. Its
    /// address.
    pub(super) fn put(&mut self, begin: Vec<u8>, again: Vec<u8>, len: u64) -> u64 {
        let start = FIRST + APART * self.parts.len() as u64;
        let behind = start + begin.len() as u64;
        self.parts.push((start, behind, begin));
        self.parts.push((behind, behind + len, again));
        self.base + start
    }

    pub(super) fn entry(&mut self, tag: u64, value: u64) {
        self.elf = self.elf.clone().entry(tag, value);
    }

    /// Relocations of one symbol and place, as many as there is room for; or of one symbol and place after the other.
    fn relocations(&mut self, from: &mut Unstructured<'_>) -> Result<()> {
        let word = self.encoding().word();
        let (table, size) =
            *from.choose(&[(DT_RELA, DT_RELASZ), (DT_REL, DT_RELSZ), (DT_JMPREL, DT_PLTRELSZ)])?;
        let kind = if from.arbitrary()? { *from.choose(&COPIES)? } else { from.int_in_range(0..=31)? };
        let symbol = u64::from(from.arbitrary::<u8>()?);
        let place = if from.ratio(1, 4)? { 0 } else { self.base + FIRST };
        let fields = if table == DT_REL { 2 } else { 3 };
        let entry = |place, symbol| {
            let info = if word == 8 { symbol << 32 | kind } else { symbol << 8 | kind & 0xff };
            [place, info, 0].into_iter().take(fields)
        };
        let (again, len) = if from.arbitrary()? {
            let (count, apart) = (length(from, 12)?, length(from, 12)?);
            let entries = (0..count).flat_map(|index| entry(place + index * apart, symbol + index));
            (entries.collect::<Vec<_>>(), count * (fields * word) as u64)
        } else {
            (entry(place, symbol).collect(), length(from, 40)?)
        };
        let again = self.words(&again, word);
        let at = self.put(Vec::new(), again, len);
        self.entry(table, at);
        self.entry(size, len);
        Ok(())
    }

    /// A filter that lets everything through, one bucket, and a chain of hashes that does not end.
    fn chain(&mut self, from: &mut Unstructured<'_>) -> Result<()> {
        let first = u64::from(from.int_in_range(0..=2_u8)?);
        let mut begin = self.words(&[1, first, 1, 0], 4);
        begin.extend(self.words(&[u64::MAX], self.encoding().word()));
        begin.extend(self.words(&[first.max(1)], 4));
        let hash = u64::from(from.arbitrary::<u32>()? & !1);
        let len = length(from, 36)?;
        let again = self.words(&[hash], 4);
        let at = self.put(begin, again, len);
        self.entry(DT_GNU_HASH, at);
        self.elf = self.elf.clone().symbol("puts", false);
        Ok(())
    }

    /// As many undefined symbols as there is room for, all of one name, with DT_VERSYM.
    fn symbols(&mut self, from: &mut Unstructured<'_>) -> Result<()> {
        let name = u64::from(from.int_in_range(0..=64_u8)?);
        let info = 0x10 | u64::from(from.int_in_range(0..=2_u8)?);
        let section = u64::from(from.ratio(1, 4)?);
        let encoding = self.encoding();
        let symbol = if encoding.wide {
            [self.words(&[name], 4), vec![info.to_le_bytes()[0], 0], self.words(&[section], 2), vec![1; 16]]
        } else {
            let info = vec![info.to_le_bytes()[0], 0];
            [self.words(&[name], 4), vec![1; 8], info, self.words(&[section], 2)]
        };
        let symbol = symbol.concat();
        let count = length(from, 24)?;
        let len = count * symbol.len() as u64;
        let at = self.put(vec![0; symbol.len()], symbol, len);
        self.entry(DT_SYMTAB, at);
        let hash = self.words(&[1, count, 1], 4);
        let at = self.put(hash, vec![0; 4], count * 4);
        self.entry(DT_HASH, at);
        let mark = self.words(&[u64::from(from.arbitrary::<u16>()?)], 2);
        let at = self.put(Vec::new(), mark, count * 2);
        self.entry(DT_VERSYM, at);
        Ok(())
    }

    /// DT_VERNEED with a file that is to define very many versions, or DT_VERDEF.
    fn versions(&mut self, from: &mut Unstructured<'_>) -> Result<()> {
        let len = length(from, 21)?;
        // DT_NEEDED's string is the first.
        let (name, file) = (u64::from(from.arbitrary::<u8>()?), u64::from(from.int_in_range(1..=8_u8)?));
        if from.ratio(1, 4)? {
            let begin = [self.words(&[1, 0, 2, 1], 2), self.words(&[7, 20, 20], 4)].concat();
            let at = self.put(Vec::new(), begin, len);
            self.entry(DT_VERDEF, at);
            return Ok(());
        }
        let begin = [self.words(&[1, 1], 2), self.words(&[file, 16, 0], 4)].concat();
        let again = [self.words(&[name + 1], 4), self.words(&[0, 3], 2), self.words(&[name, 16], 4)].concat();
        let at = self.put(begin, again, len);
        self.entry(DT_VERNEED, at);
        Ok(())
    }

    /// Names of symbols, all others, that meet wherever a hash table puts them.
    fn meeting(&mut self, from: &mut Unstructured<'_>) -> Result<()> {
        static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| testkit::meeting(12, 14));
        let (count, is_defined) = (1 << from.int_in_range(0..=12)?, from.ratio(1, 4)?);
        let elf = self.elf.clone();
        self.elf = NAMES.iter().take(count).fold(elf, |elf, name| elf.symbol(name, is_defined));
        Ok(())
    }

    /// Names of libraries, and folders to look for each of them in.
    fn needed(&mut self, from: &mut Unstructured<'_>) -> Result<()> {
        let (names, length) = (length(from, 10)?, from.int_in_range(1..=250_usize)?);
        let (folders, depth) = (from.int_in_range(0..=1023_u16)?, from.int_in_range(1..=64_usize)?);
        let mut elf = self.elf.clone();
        for index in 0..names {
            elf = elf.needed(&format!("l{index:0>length$}.so"));
        }
        let kind = from.int_in_range(0..=3)?;
        let folder = |index| match kind {
            0 => ":".repeat(depth),
            1 => format!("/$ORIGIN/{index}:"),
            _ => format!("/{index:0>depth$}:"),
        };
        let list: String = (0..folders).map(folder).collect();
        self.elf = elf.dynamic(DT_RUNPATH, &list);
        Ok(())
    }

    /// Strings without an end.
    fn strings(&mut self, from: &mut Unstructured<'_>) -> Result<()> {
        let len = length(from, 36)?;
        let begin = format!("\0{LIBRARY}\0{VERSION}\0").into_bytes();
        let gap = if from.arbitrary()? { vec![b'x'; 4000] } else { b"x".to_vec() };
        let again = if from.arbitrary()? { gap } else { [gap, vec![0]].concat() };
        let at = self.put(begin, again, len);
        self.entry(DT_STRTAB, at);
        self.entry(DT_STRSZ, len);
        Ok(())
    }

    fn attack(&mut self, from: &mut Unstructured<'_>) -> Result<()> {
        match from.int_in_range(0..=7)? {
            0 => self.relocations(from)?,
            1 => self.chain(from)?,
            2 => self.symbols(from)?,
            3 => self.versions(from)?,
            4 => self.meeting(from)?,
            5 => self.needed(from)?,
            6 => self.loads = length(from, 10)?,
            _ => self.strings(from)?,
        }
        Ok(())
    }

    pub(super) fn file(mut self) -> File {
        // Another table of program headers, whose last one is repeated.
        let headers = self.elf.build();
        let (start, size) = (self.encoding().header_size(), self.encoding().segment_size());
        let count = self.elf.segments();
        if let Some(headers) = headers.get(start..start + count * size).filter(|_| self.loads > 0) {
            let again = headers[(count - 1) * size..].to_vec();
            let at = self.put(headers.to_vec(), again, self.loads * size as u64) - self.base;
            self.elf = self.elf.set("e_phoff", at).set("e_phnum", count as u64 + self.loads);
        }
        let end = self.parts.iter().map(|part| part.1).max();
        let elf = end.map_or(self.elf.clone(), |end| self.elf.set("p_filesz", end).set("p_memsz", end));
        File { head: elf.build(), parts: self.parts }
    }
}

/// Any number below a power of two, of each size alike.
fn length(from: &mut Unstructured<'_>, bits: u32) -> Result<u64> {
    let bit = from.int_in_range(0..=bits)?;
    Ok((1 << bit) + (u64::from(from.arbitrary::<u8>()?) << bit >> 8))
}

/// A program, and the library that it needs.
pub(super) fn run(from: &mut Unstructured<'_>) -> Result<()> {
    let kind = from.choose(&KINDS)?;
    let mut machine = kind.machine();
    machine.put(kind.loader, kind.loader().build().into());
    let is_its_own = from.ratio(1, 16)?;
    let loader = if is_its_own { PROGRAM } else { kind.loader };
    let elf = own(kind, is_its_own).interp(loader).needed(LIBRARY).needs_version(LIBRARY, VERSION);
    let mut program = Hostile::new(elf, BASE);
    for _ in 0..from.int_in_range(1..=3)? {
        program.attack(from)?;
    }
    let has_other_rights = from.ratio(1, 4)?;
    let elf = Elf::of(kind.abi).base(0).set("e_type", 3).dynamic(14, LIBRARY).version("OTHER");
    let mut library = Hostile::new(elf.symbol("puts", true), 0);
    for _ in 0..from.int_in_range(0..=2)? {
        library.attack(from)?;
    }
    together(from, &mut program, &mut library)?;
    machine.put(PROGRAM, program.file());
    if has_other_rights {
        machine.set_user_id(PROGRAM);
    }
    machine.put(&format!("/lib/{LIBRARY}"), library.file());
    let [took] = hold::judge(&machine, [PROGRAM]);
    assert!(!is_its_own || took.libc.is_none(), "a program that is its own loader has one: {:?}", took.libc);
    Ok(())
}

/// What takes two tables: many names and a chain that each of them walks, names and their copies, segments and relocations
/// that may lie in each.
fn together(from: &mut Unstructured<'_>, program: &mut Hostile, library: &mut Hostile) -> Result<()> {
    match from.int_in_range(0..=7)? {
        1 => {
            program.meeting(from)?;
            library.chain(from)
        }
        2 => {
            program.meeting(from)?;
            program.relocations(from)
        }
        3 => {
            library.loads = 600 + length(from, 8)?;
            library.relocations(from)
        }
        _ => Ok(()),
    }
}

/// A program; where it is its own loader, it says what a loader does.
pub(super) fn own(kind: &Kind, is_its_own: bool) -> Elf {
    let elf = Elf::of(kind.abi);
    if !is_its_own {
        return elf;
    }
    let soname = kind.loader.rsplit('/').next().unwrap_or_default();
    elf.dynamic(14, soname).data(b"\0/etc/ld.so.cache\0/lib/\0/usr/lib/\0")
}
