//! PT_DYNAMIC and the tables that it leads to.

use super::Body;
use crate::elf_h::{
    DT_HASH, DT_NULL, DT_REL, DT_RELSZ, DT_STRSZ, DT_STRTAB, DT_SYMTAB, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED,
    DT_VERNEEDNUM, DT_VERSYM,
};
use crate::layout::Encoding;

/// STB_GLOBAL and STT_FUNC.
const GLOBAL_FUNCTION: u8 = 0x12;

/// What a file has of dynamic linking.
#[derive(Clone, Default, Debug)]
pub(super) struct Dynamic {
    /// Entries that hold a string: d_tag and the string.
    pub(super) texts: Vec<(u64, String)>,
    /// Names, and whether the file defines them. One that ends with `@` is of the version that the file needs.
    pub(super) symbols: Vec<(String, bool)>,
    /// DT_VERNEED: the file that is to define it, and the version.
    pub(super) needs_version: Option<(String, String)>,
    /// DT_VERDEF.
    pub(super) versions: Vec<String>,
}

/// A table that PT_DYNAMIC leads to: its d_tag, its bytes, and the entry that tells its size or number.
type Table = (u64, Vec<u8>, Option<(u64, u64)>);

/// DT_STRTAB in the making.
struct Strings(Vec<u8>);

impl Strings {
    fn add(&mut self, text: &str) -> u64 {
        let at = self.0.len() as u64;
        self.0.extend(text.bytes().chain([0]));
        at
    }
}

impl Dynamic {
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Adds the tables to the file; the entries that lead to them.
    pub(super) fn write(&self, encoding: Encoding, body: &mut Body) -> Vec<u8> {
        let mut strings = Strings(vec![0]);
        let mut entries: Vec<(u64, u64)> =
            self.texts.iter().map(|(d_tag, text)| (*d_tag, strings.add(text))).collect();
        let tables = self.tables(encoding, body.base, &mut strings);
        let strtab = body.base + body.add(&strings.0);
        entries.extend([(DT_STRTAB, strtab), (DT_STRSZ, strings.0.len() as u64)]);
        for (d_tag, bytes, size) in tables {
            entries.push((d_tag, body.base + body.add(&bytes)));
            entries.extend(size);
        }
        entries.push((DT_NULL, 0));
        let word = |value: u64| encoding.uint(value, encoding.word());
        entries.iter().flat_map(|(d_tag, value)| [word(*d_tag), word(*value)].concat()).collect()
    }

    fn tables(&self, encoding: Encoding, base: u64, strings: &mut Strings) -> Vec<Table> {
        let mut tables = Vec::new();
        if !self.symbols.is_empty() {
            tables.extend(self.symbol_tables(encoding, base, strings));
        }
        let word = |value: u64| encoding.uint(value, 4);
        let half = |value: u64| encoding.uint(value, 2);
        if let Some((file, version)) = &self.needs_version {
            let (file, name) = (strings.add(file), strings.add(version));
            // vn_version, vn_cnt, vn_file, vn_aux, vn_next; vna_hash, vna_flags, vna_other, vna_name, vna_next
            let need = [half(1), half(1), word(file), word(16), word(0)];
            let aux = [word(elf_hash(version)), half(0), half(2), word(name), word(0)];
            tables.push((DT_VERNEED, [need.concat(), aux.concat()].concat(), Some((DT_VERNEEDNUM, 1))));
        }
        if !self.versions.is_empty() {
            let mut bytes = Vec::new();
            for (index, version) in (2_u64..).zip(&self.versions) {
                let next = if index == self.versions.len() as u64 + 1 { 0 } else { 28 };
                // vd_version, vd_flags, vd_ndx, vd_cnt, vd_hash, vd_aux, vd_next; vda_name, vda_next
                let definition =
                    [half(1), half(0), half(index), half(1), word(elf_hash(version)), word(20), word(next)];
                bytes.extend(definition.concat());
                bytes.extend([word(strings.add(version)), word(0)].concat());
            }
            tables.push((DT_VERDEF, bytes, Some((DT_VERDEFNUM, self.versions.len() as u64))));
        }
        if self.needs_version.is_some() || !self.versions.is_empty() {
            let mark = |(name, _): &(String, bool)| half(if name.ends_with('@') { 2 } else { 1 });
            let marks = self.symbols.iter().flat_map(mark);
            tables.push((DT_VERSYM, half(0).into_iter().chain(marks).collect(), None));
        }
        tables
    }

    /// DT_SYMTAB, DT_HASH of one bucket, and DT_REL with a relocation for each symbol that is not defined.
    fn symbol_tables(&self, encoding: Encoding, base: u64, strings: &mut Strings) -> [Table; 3] {
        let word = |value: u64| encoding.uint(value, 4);
        let address = |value: u64| encoding.uint(value, encoding.word());
        let count = self.symbols.len() as u64;
        let mut symbols = vec![0; if encoding.wide { 24 } else { 16 }];
        // nbucket, nchain, the bucket, and the chain's first
        let mut hash = [1, count + 1, 1, 0].map(word).concat();
        let mut relocations = Vec::new();
        for (index, (name, is_defined)) in (1_u64..).zip(&self.symbols) {
            let (value, section) = if *is_defined { (base + 0x40, 1) } else { (0, 0) };
            let info = [vec![GLOBAL_FUNCTION, 0], encoding.uint(section, 2)].concat();
            let (name, value, size) =
                (word(strings.add(name.trim_end_matches('@'))), address(value), address(8));
            let symbol = if encoding.wide { [name, info, value, size] } else { [name, value, size, info] };
            symbols.extend(symbol.concat());
            hash.extend(word(if index == count { 0 } else { index + 1 }));
            if !is_defined {
                let r_info = if encoding.wide { index << 32 | 1 } else { index << 8 | 2 };
                relocations.extend([address(base), address(r_info)].concat());
            }
        }
        let size = relocations.len() as u64;
        [(DT_SYMTAB, symbols, None), (DT_HASH, hash, None), (DT_REL, relocations, Some((DT_RELSZ, size)))]
    }
}

/// The hash of the System V ABI.
fn elf_hash(name: &str) -> u64 {
    name.bytes().fold(0, |hash: u64, byte| {
        let hash = (hash << 4) + u64::from(byte);
        let high = hash & 0xf000_0000;
        (hash ^ (high >> 24)) & !high
    })
}
