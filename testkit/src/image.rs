//! The bytes of an ELF file, read and written by the names of fields.

use std::ops::Range;

use crate::abi::Abi;
use crate::elf_h::{PT_DYNAMIC, PT_LOAD};
use crate::layout::{Encoding, Field, HEADER, SEGMENT, find};

/// Where a number lies in a file, and its size in bytes.
pub type Place = (usize, usize);

/// An ELF file. What reads or writes gives None where the file has no such field, or ends before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// All of it.
    pub bytes: Vec<u8>,
    /// How its numbers are read and written, whatever EI_CLASS and EI_DATA come to say.
    pub encoding: Encoding,
}

/// A program header.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[allow(missing_docs)]
pub struct Segment {
    pub p_type: u64,
    pub p_flags: u64,
    pub p_offset: u64,
    pub p_vaddr: u64,
    pub p_paddr: u64,
    pub p_filesz: u64,
    pub p_memsz: u64,
    pub p_align: u64,
}

impl Segment {
    /// Where in the file it ends.
    pub fn file_end(&self) -> u64 {
        self.p_offset.saturating_add(self.p_filesz)
    }

    fn fields(&self) -> [(&'static str, u64); 8] {
        [
            ("p_type", self.p_type),
            ("p_flags", self.p_flags),
            ("p_offset", self.p_offset),
            ("p_vaddr", self.p_vaddr),
            ("p_paddr", self.p_paddr),
            ("p_filesz", self.p_filesz),
            ("p_memsz", self.p_memsz),
            ("p_align", self.p_align),
        ]
    }
}

impl Image {
    /// A file of the class and byte order that it declares; None where it declares none.
    pub fn parse(bytes: Vec<u8>) -> Option<Image> {
        let encoding = match *bytes.strip_prefix(b"\x7fELF")?.first_chunk()? {
            [class @ 1..=2, data @ 1..=2] => Encoding { wide: class == 2, big: data == 2 },
            _ => return None,
        };
        (bytes.len() >= encoding.header_size()).then_some(Image { bytes, encoding })
    }

    /// Writes an ELF header over the first bytes: of a file whose program headers lie right behind it.
    ///
    /// # Panics
    ///
    /// If there are fewer bytes than it has.
    pub fn write_header(&mut self, abi: &Abi, e_type: u64, e_entry: u64, e_phnum: usize) {
        let encoding = self.encoding;
        self.write(0, b"\x7fELF").expect("room for the magic bytes");
        for (field, value) in [
            ("EI_CLASS", 1 + u64::from(encoding.wide)),
            ("EI_DATA", 1 + u64::from(encoding.big)),
            ("EI_VERSION", 1),
            ("e_type", e_type),
            ("e_machine", u64::from(abi.e_machine)),
            ("e_version", 1),
            ("e_entry", e_entry),
            ("e_phoff", encoding.header_size() as u64),
            ("e_flags", u64::from(abi.e_flags)),
            ("e_ehsize", encoding.header_size() as u64),
            ("e_phentsize", encoding.segment_size() as u64),
            ("e_phnum", e_phnum as u64),
        ] {
            self.set(field, value).expect("room for the ELF header");
        }
    }

    /// A number at a place.
    pub fn number(&self, (at, size): Place) -> Option<u64> {
        Some(self.encoding.number(self.bytes.get(at..at.checked_add(size)?)?))
    }

    /// Writes a number, cut to its size.
    pub fn put(&mut self, (at, size): Place, value: u64) -> Option<()> {
        let bytes = self.encoding.uint(value, size);
        self.write(at, &bytes)
    }

    /// Writes bytes over others.
    pub fn write(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        self.bytes.get_mut(at..at.checked_add(bytes.len())?)?.copy_from_slice(bytes);
        Some(())
    }

    /// Where a field of the ELF header lies.
    pub fn place(&self, field: &str) -> Option<Place> {
        find(HEADER, field, self.encoding)
    }

    /// Where a field of a program header lies, if all headers before it are of the usual size.
    pub fn place_in(&self, segment: usize, field: &str) -> Option<Place> {
        let (at, size) = find(SEGMENT, field, self.encoding)?;
        let header = self.segment_table()?.checked_add(segment.checked_mul(self.encoding.segment_size())?)?;
        Some((header.checked_add(at)?, size))
    }

    /// A field of the ELF header.
    pub fn get(&self, field: &str) -> Option<u64> {
        self.number(self.place(field)?)
    }

    /// Writes a field of the ELF header.
    pub fn set(&mut self, field: &str, value: u64) -> Option<()> {
        self.put(self.place(field)?, value)
    }

    /// Adds to a field of the ELF header.
    pub fn add(&mut self, field: &str, more: u64) -> Option<()> {
        self.set(field, self.get(field)?.wrapping_add(more))
    }

    /// A field of a program header.
    pub fn get_in(&self, segment: usize, field: &str) -> Option<u64> {
        self.number(self.place_in(segment, field)?)
    }

    /// Writes a field of a program header.
    pub fn set_in(&mut self, segment: usize, field: &str, value: u64) -> Option<()> {
        self.put(self.place_in(segment, field)?, value)
    }

    /// Adds to a field of a program header.
    pub fn add_in(&mut self, segment: usize, field: &str, more: u64) -> Option<()> {
        self.set_in(segment, field, self.get_in(segment, field)?.wrapping_add(more))
    }

    /// e_phoff.
    pub fn segment_table(&self) -> Option<usize> {
        index(self.get("e_phoff")?)
    }

    /// e_phnum.
    pub fn segment_count(&self) -> usize {
        self.get("e_phnum").and_then(index).unwrap_or(0)
    }

    /// The program headers of a type, by their index.
    pub fn segments_of(&self, p_type: u64) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.segment_count()).filter(move |segment| self.get_in(*segment, "p_type") == Some(p_type))
    }

    /// The first program header of a type.
    pub fn segment(&self, p_type: u64) -> Option<usize> {
        self.segments_of(p_type).next()
    }

    /// The last one.
    pub fn last_segment(&self, p_type: u64) -> Option<usize> {
        self.segments_of(p_type).next_back()
    }

    /// The PT_LOAD that an address lies in: in memory, zeros behind the file's bytes included.
    pub fn load_of(&self, address: u64) -> Option<usize> {
        self.segments_of(PT_LOAD).find(|segment| {
            let field = |name| self.get_in(*segment, name).unwrap_or(0);
            address.wrapping_sub(field("p_vaddr")) < field("p_memsz")
        })
    }

    /// All program headers; None where the file ends before the last of them.
    pub fn segments(&self) -> Option<Vec<Segment>> {
        let one = |segment: usize| {
            let field = |name| self.get_in(segment, name);
            Some(Segment {
                p_type: field("p_type")?,
                p_flags: field("p_flags")?,
                p_offset: field("p_offset")?,
                p_vaddr: field("p_vaddr")?,
                p_paddr: field("p_paddr")?,
                p_filesz: field("p_filesz")?,
                p_memsz: field("p_memsz")?,
                p_align: field("p_align")?,
            })
        };
        (0..self.segment_count()).map(one).collect()
    }

    /// Writes a program header.
    pub fn write_segment(&mut self, segment: usize, header: &Segment) -> Option<()> {
        header.fields().into_iter().try_for_each(|(field, value)| self.set_in(segment, field, value))
    }

    /// The bytes that a program header leads to.
    pub fn content(&self, segment: usize) -> Option<&[u8]> {
        let from = index(self.get_in(segment, "p_offset")?)?;
        self.bytes.get(from..from.checked_add(index(self.get_in(segment, "p_filesz")?)?)?)
    }

    /// What PT_INTERP holds, up to its NUL.
    pub fn interpreter(&self) -> Option<&[u8]> {
        self.content(self.segment(crate::elf_h::PT_INTERP)?)?.split(|byte| *byte == 0).next()
    }

    /// Where an address lies in the file.
    pub fn offset(&self, address: u64) -> Option<usize> {
        self.segments_of(PT_LOAD).find_map(|segment| {
            let within = address.checked_sub(self.get_in(segment, "p_vaddr")?)?;
            let is_stored = within < self.get_in(segment, "p_filesz")?;
            index(self.get_in(segment, "p_offset")?.checked_add(within)?).filter(|_| is_stored)
        })
    }

    fn entries(&self) -> Option<Range<usize>> {
        let dynamic = self.segment(PT_DYNAMIC)?;
        let from = index(self.get_in(dynamic, "p_offset")?)?;
        Some(from..from.checked_add(index(self.get_in(dynamic, "p_filesz")?)?)?)
    }

    /// Where the first entry of PT_DYNAMIC with that d_tag lies: its d_tag, and its d_val or d_ptr.
    pub fn dynamic(&self, d_tag: u64) -> Option<(Place, Place)> {
        let word = self.encoding.word();
        let mut entries = self.entries()?.step_by(2 * word).map(|at| ((at, word), (at + word, word)));
        entries.find(|(tag, _)| self.number(*tag) == Some(d_tag))
    }

    /// Where the d_ptr of such an entry leads in the file.
    pub fn points_to(&self, d_tag: u64) -> Option<usize> {
        self.offset(self.number(self.dynamic(d_tag)?.1)?)
    }

    /// Where these bytes lie first.
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        self.bytes.windows(bytes.len()).position(|part| part == bytes)
    }

    /// Replaces bytes everywhere, as many by as many; None where there are none.
    pub fn replace(&mut self, from: &[u8], to: &[u8]) -> Option<()> {
        if from.len() != to.len() {
            return None;
        }
        let mut at = self.find(from)?;
        loop {
            self.write(at, to)?;
            let behind = at + to.len();
            match self.bytes[behind..].windows(from.len()).position(|part| part == from) {
                Some(next) => at = behind + next,
                None => return Some(()),
            }
        }
    }

    /// All fields of the ELF header in the other byte order, EI_DATA included; the rest of the file stays.
    pub fn swap_header(&mut self) -> Option<()> {
        let fields: Vec<(&Field, u64)> =
            HEADER.iter().map(|field| Some((field, self.get(field.0)?))).collect::<Option<_>>()?;
        self.encoding.big = !self.encoding.big;
        for ((name, ..), value) in fields {
            self.set(name, value)?;
        }
        self.set("EI_DATA", if self.encoding.big { 2 } else { 1 })
    }
}

fn index(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}
