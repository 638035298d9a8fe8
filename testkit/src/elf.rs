//! Builds small ELF files that are good but for what a test changes. Each exits with status 42 where its architecture
//! is at home.

mod dynamic;

use crate::abi::{ABIS, Abi};
use crate::elf_h::{
    ET_EXEC, PF_R, PF_W, PF_X, PT_DYNAMIC, PT_INTERP, PT_LOAD, PT_MIPS_ABIFLAGS, PT_NOTE, SHT_STRTAB,
};
use crate::image::{Image, Segment};
use dynamic::Dynamic;

const STATUS: u8 = 42;
/// p_align of the PT_LOAD: the largest page of any kernel.
const ALIGN: u64 = 0x1_0000;

/// A file to be.
#[derive(Clone, Debug)]
pub struct Elf {
    abi: Abi,
    interp: Option<Vec<u8>>,
    abiflags: Option<Vec<u8>>,
    dynamic: Dynamic,
    data: Vec<u8>,
    base: u64,
    notes: Vec<u8>,
    empty: Vec<(&'static str, u64)>,
    sections: Vec<Section>,
    changes: Vec<(String, u64)>,
}

#[derive(Clone, Debug)]
struct Section {
    name: String,
    sh_type: u64,
    sh_flags: u64,
    content: Vec<u8>,
}

impl Elf {
    /// A static program for the ABI of this name in [`ABIS`].
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn of(name: &str) -> Elf {
        Elf::new(*ABIS.iter().find(|abi| abi.name == name).unwrap_or_else(|| panic!("no ABI {name}")))
    }

    /// A static program.
    pub fn new(abi: Abi) -> Elf {
        Elf {
            abi,
            interp: None,
            abiflags: None,
            dynamic: Dynamic::default(),
            data: Vec::new(),
            base: 0x40_0000,
            notes: Vec::new(),
            empty: Vec::new(),
            sections: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// What it is built for.
    pub fn abi(&self) -> &Abi {
        &self.abi
    }

    /// With PT_INTERP; a NUL is added.
    #[must_use]
    pub fn interp(mut self, path: &str) -> Elf {
        self.interp = Some([path.as_bytes(), b"\0"].concat());
        self
    }

    /// With PT_MIPS_ABIFLAGS: an Elf_MIPS_ABIFlags_v0 of these isa_level, isa_rev, fp_abi and ases.
    #[must_use]
    pub fn abiflags(mut self, isa_level: u8, isa_rev: u8, fp_abi: u8, ases: u32) -> Elf {
        let gpr_size = if self.abi.encoding.wide { 2 } else { 1 };
        let cpr1_size = u8::from(!matches!(fp_abi, 0 | 3));
        let mut bytes = vec![0, 0, isa_level, isa_rev, gpr_size, cpr1_size, 0, fp_abi, 0, 0, 0, 0];
        // ases, flags1, flags2
        for word in [ases, 1, 0] {
            bytes.extend(self.abi.encoding.uint(u64::from(word), 4));
        }
        self.abiflags = Some(bytes);
        self
    }

    /// With DT_NEEDED.
    #[must_use]
    pub fn needed(self, name: &str) -> Elf {
        self.dynamic(crate::elf_h::DT_NEEDED, name)
    }

    /// With an entry of PT_DYNAMIC that holds a string: DT_SONAME, DT_RPATH, DT_RUNPATH.
    #[must_use]
    pub fn dynamic(mut self, d_tag: u64, text: &str) -> Elf {
        self.dynamic.texts.push((d_tag, text.to_owned()));
        self
    }

    /// With a symbol that it defines, or that a relocation of it asks for.
    #[must_use]
    pub fn symbol(mut self, name: &str, is_defined: bool) -> Elf {
        self.dynamic.symbols.push((name.to_owned(), is_defined));
        self
    }

    /// With DT_VERNEED: a version that a file is to define.
    #[must_use]
    pub fn needs_version(mut self, file: &str, version: &str) -> Elf {
        self.dynamic.needs_version = Some((file.to_owned(), version.to_owned()));
        self
    }

    /// With an entry of PT_DYNAMIC, in place of the one that it would have.
    #[must_use]
    pub fn entry(mut self, d_tag: u64, value: u64) -> Elf {
        self.dynamic.entries.push((d_tag, value));
        self
    }

    /// Without an entry of PT_DYNAMIC.
    #[must_use]
    pub fn without(mut self, d_tag: u64) -> Elf {
        self.dynamic.without.push(d_tag);
        self
    }

    /// With a relocation of some kind, without a symbol.
    #[must_use]
    pub fn relocation(mut self, kind: u64) -> Elf {
        self.dynamic.relocations.push(kind);
        self
    }

    /// With DT_RELR, which relocates what DT_INIT_ARRAY leads to.
    #[must_use]
    pub fn packed(mut self) -> Elf {
        self.dynamic.packed = true;
        self
    }

    /// With DT_VERDEF.
    #[must_use]
    pub fn version(mut self, version: &str) -> Elf {
        self.dynamic.versions.push(version.to_owned());
        self
    }

    /// Linked for another address than a program's; 0 for a library.
    #[must_use]
    pub fn base(mut self, base: u64) -> Elf {
        self.base = base;
        self
    }

    /// With bytes of no meaning to the kernel.
    #[must_use]
    pub fn data(mut self, bytes: &[u8]) -> Elf {
        self.data.extend(bytes);
        self
    }

    /// With a note; the name has its NUL.
    #[must_use]
    pub fn note(mut self, name: &[u8], n_type: u32, desc: &[u8]) -> Elf {
        for number in [name.len() as u64, desc.len() as u64, u64::from(n_type)] {
            self.notes.extend(self.abi.encoding.uint(number, 4));
        }
        for part in [name, desc] {
            self.notes.extend(part);
            self.notes.resize(self.notes.len().next_multiple_of(4), 0);
        }
        self
    }

    /// With the note of the Go linker.
    #[must_use]
    pub fn go(self) -> Elf {
        self.note(b"Go\0\0", 4, b"build/id")
    }

    /// With a program header of nothing, by name and p_type; its fields are for [`Elf::set`].
    #[must_use]
    pub fn empty_segment(mut self, name: &'static str, p_type: u64) -> Elf {
        self.empty.push((name, p_type));
        self
    }

    /// With a section, behind everything that is loaded. The table of them, and that of their names, come with the first.
    #[must_use]
    pub fn section(mut self, name: &str, sh_type: u64, sh_flags: u64, content: &[u8]) -> Elf {
        let (name, content) = (name.to_owned(), content.to_vec());
        self.sections.push(Section { name, sh_type, sh_flags, content });
        self
    }

    /// With one field changed: "e_machine", "EI_DATA", "p_vaddr" (of the PT_LOAD), "PT_INTERP.p_filesz"...
    #[must_use]
    pub fn set(mut self, field: &str, value: u64) -> Elf {
        self.changes.push((field.to_owned(), value));
        self
    }

    /// How many program headers it has; the last one is the PT_LOAD.
    pub fn segments(&self) -> usize {
        let parts = [
            self.interp.is_some(),
            self.abiflags.is_some(),
            !self.notes.is_empty(),
            !self.dynamic.is_empty(),
            true,
        ];
        self.empty.len() + parts.iter().filter(|part| **part).count()
    }

    /// The bytes of the file.
    ///
    /// # Panics
    ///
    /// If it has no field that is to be changed.
    pub fn build(&self) -> Vec<u8> {
        let (encoding, count) = (self.abi.encoding, self.segments());
        let headers = encoding.header_size() + count * encoding.segment_size();
        let mut body = Body { bytes: vec![0; headers], base: self.base, segments: Vec::new() };
        if let Some(path) = &self.interp {
            body.segment("PT_INTERP", PT_INTERP, PF_R, path);
        }
        if let Some(flags) = &self.abiflags {
            body.segment("PT_MIPS_ABIFLAGS", PT_MIPS_ABIFLAGS, PF_R, flags);
        }
        if !self.notes.is_empty() {
            body.segment("PT_NOTE", PT_NOTE, PF_R, &self.notes);
        }
        if !self.dynamic.is_empty() {
            let entries = self.dynamic.write(&self.abi, &mut body);
            body.segment("PT_DYNAMIC", PT_DYNAMIC, PF_R | PF_W, &entries);
        }
        for (name, p_type) in &self.empty {
            body.header(name, *p_type, PF_R | PF_W, 0, 0);
        }
        body.add(&self.data);
        let e_entry = body.add(&self.abi.exit(STATUS));
        body.load();
        let (segments, sections) = (body.segments, self.add_sections(&mut body.bytes));

        let mut image = Image { bytes: body.bytes, encoding };
        image.write_header(&self.abi, ET_EXEC, self.base + e_entry, count);
        for (field, value) in sections {
            image.set(field, value).expect("the header is there");
        }
        for (index, (_, segment)) in segments.iter().enumerate() {
            image.write_segment(index, segment).expect("the program headers are there");
        }
        // Before e_phoff says otherwise.
        let places: Vec<_> = self
            .changes
            .iter()
            .map(|(field, value)| {
                // Fields of the PT_LOAD go by their name alone.
                let (segment, name) = field.split_once('.').unwrap_or(("PT_LOAD", field));
                let index = segments.iter().position(|(known, _)| *known == segment);
                let place =
                    image.place(field).or_else(|| index.and_then(|index| image.place_in(index, name)));
                (place.unwrap_or_else(|| panic!("no field {field}")), *value)
            })
            .collect();
        for (place, value) in places {
            image.put(place, value).expect("the headers are there");
        }
        image.bytes
    }

    /// Behind the file: the bytes of sections, their names, the section table. With it the fields of the ELF header
    /// that lead there.
    fn add_sections(&self, bytes: &mut Vec<u8>) -> Vec<(&'static str, u64)> {
        if self.sections.is_empty() {
            return Vec::new();
        }
        let (encoding, word) = (self.abi.encoding, self.abi.encoding.word());
        // sh_name, sh_type, sh_flags, sh_offset, sh_size; the first is SHT_NULL.
        let mut headers = vec![[0; 5]];
        let mut names = vec![0];
        for Section { name, sh_type, sh_flags, content } in &self.sections {
            headers.push([names.len() as u64, *sh_type, *sh_flags, bytes.len() as u64, content.len() as u64]);
            names.extend(name.bytes().chain([0]));
            bytes.extend(content);
        }
        let (name, offset) = (names.len() as u64, bytes.len() as u64);
        names.extend(b".shstrtab\0");
        headers.push([name, SHT_STRTAB, 0, offset, names.len() as u64]);
        bytes.extend(&names);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let (table, count) = (bytes.len() as u64, headers.len() as u64);
        for [sh_name, sh_type, sh_flags, sh_offset, sh_size] in headers {
            // Behind sh_flags sh_addr; behind sh_size sh_link, sh_info, sh_addralign, sh_entsize.
            for (value, size) in [
                (sh_name, 4),
                (sh_type, 4),
                (sh_flags, word),
                (0, word),
                (sh_offset, word),
                (sh_size, word),
                (0, 4),
                (0, 4),
                (1, word),
                (0, word),
            ] {
                bytes.extend(encoding.uint(value, size));
            }
        }
        let entry = encoding.section_size() as u64;
        vec![("e_shoff", table), ("e_shentsize", entry), ("e_shnum", count), ("e_shstrndx", count - 1)]
    }
}

/// What is loaded, in the making.
struct Body {
    bytes: Vec<u8>,
    /// The address of the first byte.
    base: u64,
    segments: Vec<(&'static str, Segment)>,
}

impl Body {
    /// Behind what there is, aligned; where it begins.
    fn add(&mut self, content: &[u8]) -> u64 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let at = self.bytes.len() as u64;
        self.bytes.extend(content);
        at
    }

    fn segment(&mut self, name: &'static str, p_type: u64, p_flags: u64, content: &[u8]) {
        let at = self.add(content);
        self.header(name, p_type, p_flags, at, content.len() as u64);
    }

    fn header(&mut self, name: &'static str, p_type: u64, p_flags: u64, p_offset: u64, size: u64) {
        let address = self.base + p_offset;
        let segment = Segment {
            p_type,
            p_flags,
            p_offset,
            p_vaddr: address,
            p_paddr: address,
            p_filesz: size,
            p_memsz: size,
            p_align: 4,
        };
        self.segments.push((name, segment));
    }

    /// The PT_LOAD of all that there is.
    fn load(&mut self) {
        self.header("PT_LOAD", PT_LOAD, PF_R | PF_X, 0, self.bytes.len() as u64);
        if let Some((_, load)) = self.segments.last_mut() {
            load.p_align = ALIGN;
        }
    }
}
