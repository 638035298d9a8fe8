//! PT_DYNAMIC and the tables that it leads to.

use super::Body;
use crate::abi::Abi;
use crate::elf_h::{
    DT_HASH, DT_INIT_ARRAY, DT_INIT_ARRAYSZ, DT_NULL, DT_REL, DT_RELA, DT_RELAENT, DT_RELASZ, DT_RELENT,
    DT_RELR, DT_RELRENT, DT_RELRSZ, DT_RELSZ, DT_STRSZ, DT_STRTAB, DT_SYMTAB, DT_TEXTREL, DT_VERDEF,
    DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM, DT_VERSYM, EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS,
    EM_PPC64, EM_RISCV,
};

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
    /// Entries as they are, in place of those that it would have.
    pub(super) entries: Vec<(u64, u64)>,
    /// Entries that it does not have.
    pub(super) without: Vec<u64>,
    /// The kinds of relocations without a symbol.
    pub(super) relocations: Vec<u64>,
    /// Whether DT_RELR relocates what DT_INIT_ARRAY leads to.
    pub(super) packed: bool,
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
    pub(super) fn write(&self, abi: &Abi, body: &mut Body) -> Vec<u8> {
        let encoding = abi.encoding;
        let mut strings = Strings(vec![0]);
        let mut entries: Vec<(u64, u64)> =
            self.texts.iter().map(|(d_tag, text)| (*d_tag, strings.add(text))).collect();
        let word = |value: u64| encoding.uint(value, encoding.word());
        // A constructor, which is any of the code.
        let constructors = body.base + if self.packed { body.add(&word(body.base)) } else { 0 };
        let tables = self.tables(abi, body.base, constructors, &mut strings);
        let strtab = body.base + body.add(&strings.0);
        entries.extend([(DT_STRTAB, strtab), (DT_STRSZ, strings.0.len() as u64)]);
        for (d_tag, bytes, size) in tables {
            if !bytes.is_empty() {
                entries.push((d_tag, body.base + body.add(&bytes)));
            }
            entries.extend(size);
        }
        if self.packed {
            let size = encoding.word() as u64;
            entries.extend([(DT_RELRENT, size), (DT_INIT_ARRAY, constructors), (DT_INIT_ARRAYSZ, size)]);
        }
        for (d_tag, value) in &self.entries {
            match entries.iter_mut().find(|(known, _)| known == d_tag) {
                Some((_, known)) => *known = *value,
                None => entries.push((*d_tag, *value)),
            }
        }
        entries.retain(|(d_tag, _)| !self.without.contains(d_tag));
        entries.push((DT_NULL, 0));
        entries.iter().flat_map(|(d_tag, value)| [word(*d_tag), word(*value)].concat()).collect()
    }

    fn tables(&self, abi: &Abi, base: u64, constructors: u64, strings: &mut Strings) -> Vec<Table> {
        let encoding = abi.encoding;
        let mut tables = self.symbol_tables(abi, base, strings);
        if self.packed {
            let word = encoding.word();
            tables.push((DT_RELR, encoding.uint(constructors, word), Some((DT_RELRSZ, word as u64))));
            tables.push((DT_TEXTREL, Vec::new(), Some((DT_TEXTREL, 0))));
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

    /// DT_SYMTAB, DT_HASH of one bucket, and DT_REL or DT_RELA with a relocation for each symbol that is not defined.
    fn symbol_tables(&self, abi: &Abi, base: u64, strings: &mut Strings) -> Vec<Table> {
        let encoding = abi.encoding;
        let word = |value: u64| encoding.uint(value, 4);
        let address = |value: u64| encoding.uint(value, encoding.word());
        let count = self.symbols.len() as u64;
        let mut symbols = vec![0; if encoding.wide { 24 } else { 16 }];
        // nbucket, nchain, the bucket, and the chain's first
        let mut hash = [1, count + 1, u64::from(count > 0), 0].map(word).concat();
        let (absolute, has_addend) = relocations(abi.e_machine);
        let mut relocated: Vec<(u64, u64)> = Vec::new();
        for (index, (name, is_defined)) in (1_u64..).zip(&self.symbols) {
            let (value, section) = if *is_defined { (base + 0x40, 1) } else { (0, 0) };
            let info = [vec![GLOBAL_FUNCTION, 0], encoding.uint(section, 2)].concat();
            let name = word(strings.add(name.trim_end_matches('@')));
            let (value, size) = (address(value), address(8));
            let symbol = if encoding.wide { [name, info, value, size] } else { [name, value, size, info] };
            symbols.extend(symbol.concat());
            hash.extend(word(if index == count { 0 } else { index + 1 }));
            if !is_defined {
                relocated.push((index, absolute));
            }
        }
        relocated.extend(self.relocations.iter().map(|kind| (0, *kind)));
        let mut bytes = Vec::new();
        for (symbol, kind) in relocated {
            let r_info = match (encoding.wide, abi.e_machine) {
                // r_sym, r_ssym, r_type3, r_type2, r_type
                (true, EM_MIPS) => {
                    [word(symbol), vec![0, 0, 0, u8::try_from(kind).expect("a small one")]].concat()
                }
                (true, _) => address(symbol << 32 | kind),
                (false, _) => address(symbol << 8 | kind),
            };
            bytes.extend([address(base), r_info].concat());
            if has_addend {
                bytes.extend(address(base));
            }
        }
        let mut tables = vec![(DT_SYMTAB, symbols, None), (DT_HASH, hash, None)];
        if !bytes.is_empty() {
            let size = bytes.len() as u64;
            let (tag, size_tag, entry) =
                if has_addend { (DT_RELA, DT_RELASZ, DT_RELAENT) } else { (DT_REL, DT_RELSZ, DT_RELENT) };
            tables.push((tag, bytes, Some((size_tag, size))));
            let words = if has_addend { 3 } else { 2 };
            tables.push((entry, Vec::new(), Some((entry, words * encoding.word() as u64))));
            // What they change lies where nothing may be written otherwise.
            tables.push((DT_TEXTREL, Vec::new(), Some((DT_TEXTREL, 0))));
        }
        tables
    }
}

/// The kind of relocation that writes a symbol's address, and whether its tables are DT_RELA.
const fn relocations(e_machine: u16) -> (u64, bool) {
    match e_machine {
        EM_MIPS => (3, false),
        EM_ARM => (2, false),
        EM_386 => (1, false),
        EM_AARCH64 => (257, true),
        EM_PPC64 => (38, true),
        EM_RISCV | EM_LOONGARCH => (2, true),
        _ => (1, true),
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
