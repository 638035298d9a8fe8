//! Builds small ELF files that are good but for what a test changes. Each exits with status 42 where its
//! architecture is at home.
#![allow(dead_code, unreachable_pub)]

pub mod files;

/// Name, e_machine, bits, big-endian, e_flags, and the code of `exit(42)` as 32-bit words (bytes for x86).
type Abi = (&'static str, u16, u32, bool, u32, &'static [u32]);

const BASE: u64 = 0x40_0000;
const ALIGN: u64 = 0x1_0000;

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
    notes: Vec<(Vec<u8>, u32, Vec<u8>)>,
    changes: Vec<(String, u64)>,
}

impl Elf {
    /// A static program for one of [`ABIS`].
    pub fn of(name: &str) -> Elf {
        let abi = *ABIS.iter().find(|abi| abi.0 == name).unwrap_or_else(|| panic!("no ABI {name}"));
        let (interp, abiflags) = (None, None);
        Elf { abi, interp, abiflags, dynamic: Vec::new(), notes: Vec::new(), changes: Vec::new() }
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

    /// With a note; the name has its NUL.
    pub fn note(mut self, name: &[u8], kind: u32, desc: &[u8]) -> Elf {
        self.notes.push((name.to_vec(), kind, desc.to_vec()));
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
        let count = 1 + parts.iter().filter(|part| **part).count();
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
            let at = put(&mut body, &strings) as u64;
            entries.extend([(5, BASE + at), (10, strings.len() as u64), (0, 0)]);
            let bytes: Vec<u8> = entries
                .iter()
                .flat_map(|(tag, value)| [self.uint(*tag, word), self.uint(*value, word)].concat())
                .collect();
            segments.push(("PT_DYNAMIC", 2, 6, put(&mut body, &bytes), bytes.len()));
        }
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
            ("e_entry", BASE + entry, word),
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
                p("p_vaddr", BASE + at, word),
                p("p_paddr", BASE + at, word),
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
}
