//! Builds small ELF files that are good but for what a test changes. Each exits with status 42 where its
//! architecture is at home.
#![allow(dead_code, unreachable_pub)]

pub mod files;

/// Name, e_machine, bits, big-endian, e_flags, and the code of `exit(42)` as 32-bit words (bytes for x86).
type Abi = (&'static str, u16, u32, bool, u32, &'static [u32]);

const ALIGN: u64 = 0x1_0000;

/// A table that PT_DYNAMIC leads to: its tag, its bytes, and the entry that tells its size or number.
type Table = (u64, Vec<u8>, Option<(u64, u64)>);

/// All that can be built.
pub const ABIS: [Abi; 20] = [
    ("mips", 8, 32, true, 0x5000_1004, &[0x2404_002a, 0x2402_0fa1, 0xc]),
    ("mipsel", 8, 32, false, 0x5000_1004, &[0x2404_002a, 0x2402_0fa1, 0xc]),
    ("n64", 8, 64, true, 0x8000_0006, &[0x2404_002a, 0x2402_13c2, 0xc]),
    ("n64el", 8, 64, false, 0x8000_0006, &[0x2404_002a, 0x2402_13c2, 0xc]),
    ("n32", 8, 32, true, 0x8000_0026, &[0x2404_002a, 0x2402_17aa, 0xc]),
    ("arm", 40, 32, false, 0x0500_0200, &[0xe3a0_002a, 0xe3a0_7001, 0xef00_0000]),
    ("armhf", 40, 32, false, 0x0500_0400, &[0xe3a0_002a, 0xe3a0_7001, 0xef00_0000]),
    ("armeb", 40, 32, true, 0x0580_0200, &[0xe3a0_002a, 0xe3a0_7001, 0xef00_0000]),
    ("aarch64", 183, 64, false, 0, &[0xd280_0540, 0xd280_0ba8, 0xd400_0001]),
    ("aarch64_be", 183, 64, true, 0, &[0xd280_0540, 0xd280_0ba8, 0xd400_0001]),
    ("i386", 3, 32, false, 0, &[0x2abb, 0x0001_b800, 0x80cd_0000]),
    ("x86-64", 62, 64, false, 0, &[0x2abf, 0x003c_b800, 0x050f_0000]),
    ("x32", 62, 32, false, 0, &[0x2abf, 0x003c_b800, 0x050f_4000]),
    ("riscv64", 243, 64, false, 5, &[0x02a0_0513, 0x05d0_0893, 0x73]),
    ("riscv32", 243, 32, false, 5, &[0x02a0_0513, 0x05d0_0893, 0x73]),
    ("powerpc", 20, 32, true, 0, &[0x3800_0001, 0x3860_002a, 0x4400_0002]),
    ("powerpc64", 21, 64, true, 2, &[0x3800_0001, 0x3860_002a, 0x4400_0002]),
    ("powerpc64le", 21, 64, false, 2, &[0x3800_0001, 0x3860_002a, 0x4400_0002]),
    ("loongarch64", 258, 64, false, 0x43, &[0x0280_a804, 0x0281_740b, 0x002b_0000]),
    ("sh4", 42, 32, false, 9, &[0, 0, 0]),
];

/// A file to be.
#[derive(Clone)]
pub struct Elf {
    abi: Abi,
    interp: Option<Vec<u8>>,
    abiflags: Option<Vec<u8>>,
    dynamic: Vec<(u64, Vec<u8>)>,
    symbols: Vec<(String, bool)>,
    needs_version: Option<(String, String)>,
    versions: Vec<String>,
    data: Vec<u8>,
    base: u64,
    notes: Vec<(Vec<u8>, u32, Vec<u8>)>,
    marks: Vec<(&'static str, u64)>,
    changes: Vec<(String, u64)>,
}

impl Elf {
    /// A static program for one of [`ABIS`].
    pub fn of(name: &str) -> Elf {
        let abi = *ABIS.iter().find(|abi| abi.0 == name).unwrap_or_else(|| panic!("no ABI {name}"));
        Elf {
            abi,
            interp: None,
            abiflags: None,
            dynamic: Vec::new(),
            symbols: Vec::new(),
            needs_version: None,
            versions: Vec::new(),
            data: Vec::new(),
            base: 0x40_0000,
            notes: Vec::new(),
            marks: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// With PT_INTERP; a NUL is added.
    pub fn interp(mut self, path: &str) -> Elf {
        self.interp = Some([path.as_bytes(), b"\0"].concat());
        self
    }

    /// With PT_MIPS_ABIFLAGS.
    pub fn abiflags(mut self, isa_level: u8, isa_rev: u8, fp_abi: u8, ases: u32) -> Elf {
        let gpr = if self.abi.2 == 64 { 2 } else { 1 };
        let cpr1 = u8::from(!matches!(fp_abi, 0 | 3));
        let mut bytes = vec![0, 0, isa_level, isa_rev, gpr, cpr1, 0, fp_abi, 0, 0, 0, 0];
        for word in [ases, 1, 0] {
            bytes.extend(self.uint(u64::from(word), 4));
        }
        self.abiflags = Some(bytes);
        self
    }

    /// With DT_NEEDED.
    pub fn needed(self, name: &str) -> Elf {
        self.dynamic(1, name)
    }

    /// With an entry of PT_DYNAMIC that holds a string: DT_SONAME 14, DT_RPATH 15, DT_RUNPATH 29.
    pub fn dynamic(mut self, tag: u64, text: &str) -> Elf {
        self.dynamic.push((tag, [text.as_bytes(), b"\0"].concat()));
        self
    }

    /// With a symbol that it defines, or that a relocation of it asks for.
    pub fn symbol(mut self, name: &str, is_defined: bool) -> Elf {
        self.symbols.push((name.to_owned(), is_defined));
        self
    }

    /// With DT_VERNEED: a version that a file is to define.
    pub fn needs_version(mut self, file: &str, version: &str) -> Elf {
        self.needs_version = Some((file.to_owned(), version.to_owned()));
        self
    }

    /// With DT_VERDEF.
    pub fn version(mut self, version: &str) -> Elf {
        self.versions.push(version.to_owned());
        self
    }

    /// Linked for another address than a program's; 0 for a library.
    pub fn base(mut self, base: u64) -> Elf {
        self.base = base;
        self
    }

    /// With bytes of no meaning to the kernel.
    pub fn data(mut self, bytes: &[u8]) -> Elf {
        self.data.extend(bytes);
        self
    }

    /// With a note; the name has its NUL.
    pub fn note(mut self, name: &[u8], kind: u32, desc: &[u8]) -> Elf {
        self.notes.push((name.to_vec(), kind, desc.to_vec()));
        self
    }

    /// With a program header of nothing, by name and p_type; what it holds, [`Elf::set`] tells.
    pub fn mark(mut self, name: &'static str, p_type: u64) -> Elf {
        self.marks.push((name, p_type));
        self
    }

    /// With the note of the Go linker.
    pub fn go(self) -> Elf {
        self.note(b"Go\0\0", 4, b"build/id")
    }

    /// With one field changed: "e_machine", "EI_DATA", "p_vaddr" (of the PT_LOAD), "PT_INTERP.p_filesz"...
    pub fn set(mut self, field: &str, value: u64) -> Elf {
        self.changes.push((field.to_string(), value));
        self
    }

    fn uint(&self, value: u64, len: usize) -> Vec<u8> {
        if self.abi.3 { value.to_be_bytes()[8 - len..].to_vec() } else { value.to_le_bytes()[..len].to_vec() }
    }

    /// The bytes of the file.
    #[allow(clippy::too_many_lines)]
    pub fn build(&self) -> Vec<u8> {
        let (_, machine, bits, big, flags, code) = self.abi;
        let word = bits as usize / 8;
        let (header_size, entry_size) = if bits == 64 { (64, 56) } else { (52, 32) };
        let parts = [
            self.interp.is_some(),
            self.abiflags.is_some(),
            !self.dynamic.is_empty(),
            !self.notes.is_empty(),
        ];
        let count = 1 + self.marks.len() + parts.iter().filter(|part| **part).count();
        let mut body = vec![0; header_size + count * entry_size];
        // Type, flags, place, size.
        let mut segments: Vec<(&str, u64, u64, usize, usize)> = Vec::new();
        let put = |body: &mut Vec<u8>, bytes: &[u8]| {
            body.resize(body.len().next_multiple_of(8), 0);
            let at = body.len();
            body.extend(bytes);
            at
        };
        if let Some(path) = &self.interp {
            segments.push(("PT_INTERP", 3, 4, put(&mut body, path), path.len()));
        }
        if let Some(bytes) = &self.abiflags {
            segments.push(("PT_MIPS_ABIFLAGS", 0x7000_0003, 4, put(&mut body, bytes), bytes.len()));
        }
        if !self.notes.is_empty() {
            let mut notes = Vec::new();
            for (name, kind, desc) in &self.notes {
                for field in [name.len() as u64, desc.len() as u64, u64::from(*kind)] {
                    notes.extend(self.uint(field, 4));
                }
                for part in [name, desc] {
                    notes.extend(part);
                    notes.resize(notes.len().next_multiple_of(4), 0);
                }
            }
            segments.push(("PT_NOTE", 4, 4, put(&mut body, &notes), notes.len()));
        }
        if !self.dynamic.is_empty() {
            let (mut strings, mut entries) = (vec![0], Vec::new());
            for (tag, text) in &self.dynamic {
                entries.push((*tag, strings.len() as u64));
                strings.extend(text);
            }
            let more = self.tables(&mut strings);
            let at = put(&mut body, &strings) as u64;
            entries.extend([(5, self.base + at), (10, strings.len() as u64)]);
            for (tag, bytes, number) in more {
                entries.push((tag, self.base + put(&mut body, &bytes) as u64));
                entries.extend(number);
            }
            entries.push((0, 0));
            let bytes: Vec<u8> = entries
                .iter()
                .flat_map(|(tag, value)| [self.uint(*tag, word), self.uint(*value, word)].concat())
                .collect();
            segments.push(("PT_DYNAMIC", 2, 6, put(&mut body, &bytes), bytes.len()));
        }
        segments.extend(self.marks.iter().map(|(name, p_type)| (*name, *p_type, 6, 0, 0)));
        put(&mut body, &self.data);
        // AArch64 and BE8 keep their code little-endian.
        let swapped = machine == 183 || (machine == 40 && flags & 0x80_0000 != 0);
        let bytes =
            |word: &u32| if swapped { word.to_le_bytes().to_vec() } else { self.uint(u64::from(*word), 4) };
        let code: Vec<u8> = code.iter().flat_map(bytes).collect();
        let entry = put(&mut body, &code) as u64;
        segments.push(("PT_LOAD", 1, 5, 0, body.len()));

        let get = |field: String, default: u64| {
            self.changes.iter().rev().find(|(name, _)| *name == field).map_or(default, |(_, value)| *value)
        };
        let e = |field: &str, default: u64| get(field.to_string(), default);
        let mut out = vec![0x7f, b'E', b'L', b'F'];
        for (field, value) in [
            ("EI_CLASS", u64::from(bits / 32)),
            ("EI_DATA", 1 + u64::from(big)),
            ("EI_VERSION", 1),
            ("EI_OSABI", 0),
        ] {
            out.extend(self.uint(e(field, value), 1));
        }
        out.resize(16, 0);
        for (field, value, len) in [
            ("e_type", 2, 2),
            ("e_machine", u64::from(machine), 2),
            ("e_version", 1, 4),
            ("e_entry", self.base + entry, word),
            ("e_phoff", header_size as u64, word),
            ("e_shoff", 0, word),
            ("e_flags", u64::from(flags), 4),
            ("e_ehsize", header_size as u64, 2),
            ("e_phentsize", entry_size as u64, 2),
            ("e_phnum", count as u64, 2),
            ("e_shentsize", 0, 2),
            ("e_shnum", 0, 2),
            ("e_shstrndx", 0, 2),
        ] {
            out.extend(self.uint(e(field, value), len));
        }
        for (name, kind, flags, at, size) in segments {
            // Fields of the PT_LOAD go by their name alone.
            let prefix = if kind == 1 { String::new() } else { format!("{name}.") };
            let p =
                |field: &str, value: u64, len: usize| self.uint(get(format!("{prefix}{field}"), value), len);
            let (kind, flags) = (p("p_type", kind, 4), p("p_flags", flags, 4));
            let (at, size) = (at as u64, size as u64);
            let align = if prefix.is_empty() { ALIGN } else { 4 };
            let words: Vec<u8> = [
                p("p_offset", at, word),
                p("p_vaddr", self.base + at, word),
                p("p_paddr", self.base + at, word),
                p("p_filesz", size, word),
                p("p_memsz", size, word),
            ]
            .concat();
            let align = p("p_align", align, word);
            out.extend(
                if bits == 64 { [kind, flags, words, align] } else { [kind, words, flags, align] }.concat(),
            );
        }
        body.splice(..out.len(), out);
        body
    }

    /// Symbols and versions: the tag of each table, its bytes, and the entry that tells its size or number.
    fn tables(&self, strings: &mut Vec<u8>) -> Vec<Table> {
        let mut add = |text: &str| {
            let at = strings.len() as u64;
            strings.extend(text.bytes().chain([0]));
            at
        };
        let word = |value: u64| self.uint(value, 4);
        let half = |value: u64| self.uint(value, 2);
        let wide = self.abi.2 == 64;
        let address = |value: u64| self.uint(value, self.abi.2 as usize / 8);
        let mut tables = Vec::new();
        if !self.symbols.is_empty() {
            let mut symbols = vec![0; if wide { 24 } else { 16 }];
            let (mut hash, mut relocations) =
                ([1, self.symbols.len() as u64 + 1, 1, 0].map(word).concat(), Vec::new());
            for (index, (name, is_defined)) in (1_u64..).zip(&self.symbols) {
                let (value, section) = if *is_defined { (self.base + 0x40, 1) } else { (0, 0) };
                // STB_GLOBAL, STT_FUNC
                let info = [vec![0x12, 0], half(section)].concat();
                let (name, value, size) = (word(add(name)), address(value), address(8));
                symbols.extend(
                    if wide { [name, info, value, size] } else { [name, value, size, info] }.concat(),
                );
                let last = index == self.symbols.len() as u64;
                hash.extend(word(if last { 0 } else { index + 1 }));
                if !is_defined {
                    let info = if wide { index << 32 | 1 } else { index << 8 | 2 };
                    relocations.extend([address(self.base), address(info)].concat());
                }
            }
            tables.push((6, symbols, None));
            tables.push((4, hash, None));
            let size = relocations.len() as u64;
            tables.push((17, relocations, Some((18, size))));
        }
        if let Some((file, version)) = &self.needs_version {
            let (file, name) = (add(file), add(version));
            let need = [half(1), half(1), word(file), word(16), word(0)];
            let aux = [word(elf_hash(version)), half(0), half(2), word(name), word(0)];
            tables.push((0x6fff_fffe, [need.concat(), aux.concat()].concat(), Some((0x6fff_ffff, 1))));
        }
        if !self.versions.is_empty() {
            let mut bytes = Vec::new();
            for (index, version) in (2_u64..).zip(&self.versions) {
                let head =
                    [half(1), half(0), half(index), half(1), word(elf_hash(version)), word(20), word(28)];
                bytes.extend(head.concat());
                bytes.extend([word(add(version)), word(0)].concat());
            }
            tables.push((0x6fff_fffc, bytes, Some((0x6fff_fffd, self.versions.len() as u64))));
        }
        tables
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
