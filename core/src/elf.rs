//! ELF structures decoded within bounds, in a byte order and layout of the caller's choice. Names are those of
//! elf.h. No section header is needed for anything; the section table is used where it is present.

pub mod abi;
pub mod consts;
pub mod mips;

pub use abi::{AbiFlags, Attributes, Vendor};

/// How the bytes of a file are read: the kernel uses its own, whatever EI_DATA and EI_CLASS say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoding {
    /// Byte order.
    pub order: ByteOrder,
    /// 32- or 64-bit structures.
    pub class: Class,
}

impl Encoding {
    /// What EI_CLASS and EI_DATA say; None where either is no valid value.
    pub fn of(ident: &[u8]) -> Option<Encoding> {
        let class = match ident.get(4)? {
            1 => Class::Elf32,
            2 => Class::Elf64,
            _ => return None,
        };
        let order = match ident.get(5)? {
            1 => ByteOrder::Little,
            2 => ByteOrder::Big,
            _ => return None,
        };
        Some(Encoding { order, class })
    }

    /// sizeof(Elf32_Ehdr) or sizeof(Elf64_Ehdr).
    pub const fn header_size(self) -> usize {
        match self.class {
            Class::Elf32 => 52,
            Class::Elf64 => 64,
        }
    }

    /// sizeof(Elf32_Phdr) or sizeof(Elf64_Phdr).
    pub const fn program_header_size(self) -> usize {
        match self.class {
            Class::Elf32 => 32,
            Class::Elf64 => 56,
        }
    }

    /// sizeof(Elf32_Shdr) or sizeof(Elf64_Shdr).
    pub const fn section_header_size(self) -> usize {
        match self.class {
            Class::Elf32 => 40,
            Class::Elf64 => 64,
        }
    }

    /// Bytes of an address.
    pub const fn word(self) -> usize {
        match self.class {
            Class::Elf32 => 4,
            Class::Elf64 => 8,
        }
    }
}

/// Byte order; EI_DATA 1 (ELFDATA2LSB) or 2 (ELFDATA2MSB).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteOrder {
    /// ELFDATA2LSB.
    Little,
    /// ELFDATA2MSB.
    Big,
}

impl ByteOrder {
    /// "little-endian" or "big-endian".
    pub const fn name(self) -> &'static str {
        match self {
            ByteOrder::Little => "little-endian",
            ByteOrder::Big => "big-endian",
        }
    }

    /// The unsigned integer of `len` bytes (1 to 8) at an offset. Bytes beyond the end read as zeros, as they do in
    /// the kernel's zero-padded buffer.
    #[inline]
    pub fn uint(self, bytes: &[u8], at: usize, len: usize) -> u64 {
        let from = bytes.get(at..).unwrap_or_default();
        let double = from.first_chunk().copied().unwrap_or_else(|| {
            let mut padded = [0; 8];
            for (to, byte) in padded.iter_mut().zip(from) {
                *to = *byte;
            }
            padded
        });
        let beyond = 64_usize.saturating_sub(len.saturating_mul(8));
        let value = match self {
            ByteOrder::Little => u64::from_le_bytes(double) << beyond,
            ByteOrder::Big => u64::from_be_bytes(double),
        };
        value >> beyond
    }

    /// The 32-bit integer at an offset.
    #[allow(clippy::cast_possible_truncation)]
    pub fn u32(self, bytes: &[u8], at: usize) -> u32 {
        self.uint(bytes, at, 4) as u32
    }
}

/// Word size; EI_CLASS 1 (ELFCLASS32) or 2 (ELFCLASS64).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// ELFCLASS32.
    Elf32,
    /// ELFCLASS64.
    Elf64,
}

impl Class {
    /// 32 or 64.
    pub const fn bits(self) -> u32 {
        match self {
            Class::Elf32 => 32,
            Class::Elf64 => 64,
        }
    }
}

/// Reads one integer after another; zeros beyond the end.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    encoding: Encoding,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize, encoding: Encoding) -> Self {
        Cursor { bytes, at, encoding }
    }

    fn take(&mut self, len: usize) -> u64 {
        let value = self.encoding.order.uint(self.bytes, self.at, len);
        self.at = self.at.saturating_add(len);
        value
    }

    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn u8(&mut self) -> u8 {
        self.take(1) as u8
    }

    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn u16(&mut self) -> u16 {
        self.take(2) as u16
    }

    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn u32(&mut self) -> u32 {
        self.take(4) as u32
    }

    /// An address or offset: 4 or 8 bytes.
    pub(crate) fn word(&mut self) -> u64 {
        self.take(self.encoding.word())
    }
}

/// Elf32_Ehdr or Elf64_Ehdr, without e_ident.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)]
pub struct Header {
    pub e_type: u16,
    pub e_machine: u16,
    pub e_version: u32,
    pub e_entry: u64,
    pub e_phoff: u64,
    pub e_shoff: u64,
    pub e_flags: u32,
    pub e_ehsize: u16,
    pub e_phentsize: u16,
    pub e_phnum: u16,
    pub e_shentsize: u16,
    pub e_shnum: u16,
    pub e_shstrndx: u16,
}

impl Header {
    /// Decodes the first bytes of a file, e_ident included. What is cut off reads as zeros.
    pub fn decode(bytes: &[u8], encoding: Encoding) -> Header {
        let mut c = Cursor::new(bytes, 16, encoding);
        // Fields of a literal are evaluated in the order written, which is the file's.
        Header {
            e_type: c.u16(),
            e_machine: c.u16(),
            e_version: c.u32(),
            e_entry: c.word(),
            e_phoff: c.word(),
            e_shoff: c.word(),
            e_flags: c.u32(),
            e_ehsize: c.u16(),
            e_phentsize: c.u16(),
            e_phnum: c.u16(),
            e_shentsize: c.u16(),
            e_shnum: c.u16(),
            e_shstrndx: c.u16(),
        }
    }
}

/// Elf32_Phdr or Elf64_Phdr.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)]
pub struct ProgramHeader {
    pub p_type: u32,
    pub p_flags: u32,
    pub p_offset: u64,
    pub p_vaddr: u64,
    pub p_filesz: u64,
    pub p_memsz: u64,
    pub p_align: u64,
}

impl ProgramHeader {
    /// Decodes one entry of the table. p_flags moved to the front in the 64-bit layout, for alignment.
    pub fn decode(bytes: &[u8], encoding: Encoding) -> ProgramHeader {
        let mut c = Cursor::new(bytes, 0, encoding);
        let p_type = c.u32();
        let front = if encoding.class == Class::Elf64 { c.u32() } else { 0 };
        let p_offset = c.word();
        let p_vaddr = c.word();
        let _p_paddr = c.word();
        let p_filesz = c.word();
        let p_memsz = c.word();
        let p_flags = if encoding.class == Class::Elf32 { c.u32() } else { front };
        ProgramHeader { p_type, p_flags, p_offset, p_vaddr, p_filesz, p_memsz, p_align: c.word() }
    }

    /// Where its part of the file ends.
    pub fn file_end(&self) -> u64 {
        self.p_offset.saturating_add(self.p_filesz)
    }
}

/// An offset or size in the file. On a machine of 32 bits a file ends at 4 GiB for us.
pub(crate) fn offset(word: u64) -> usize {
    usize::try_from(word).unwrap_or(usize::MAX)
}

/// Elf32_Shdr or Elf64_Shdr, as far as it is used.
#[derive(Clone, Copy, Default)]
pub(crate) struct SectionHeader {
    pub(crate) name: u32,
    pub(crate) kind: u32,
    pub(crate) flags: u64,
    pub(crate) offset: usize,
    pub(crate) size: usize,
}

impl SectionHeader {
    pub(crate) fn decode(bytes: &[u8], encoding: Encoding) -> SectionHeader {
        let mut c = Cursor::new(bytes, 0, encoding);
        let (name, kind, flags) = (c.u32(), c.u32(), c.word());
        let _sh_addr = c.word();
        SectionHeader { name, kind, flags, offset: offset(c.word()), size: offset(c.word()) }
    }
}

/// A note of a PT_NOTE segment.
pub(crate) struct Note<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) kind: u32,
    pub(crate) desc: &'a [u8],
}

/// The note at the front of `bytes` and what follows it. `align` is the segment's p_align: 8 for 64-bit
/// .note.gnu.property, else 4.
pub(crate) fn note(bytes: &[u8], order: ByteOrder, align: u64) -> Option<(Note<'_>, &[u8])> {
    let within: usize = if align == 8 { 7 } else { 3 };
    let pad = |len: usize| len.saturating_add(within) & !within;
    let size = |at| usize::try_from(order.u32(bytes, at)).unwrap_or(usize::MAX);
    let name_end = size(0).saturating_add(12);
    let name = bytes.get(12..name_end)?;
    let start = pad(name_end);
    let end = start.saturating_add(size(4));
    let desc = bytes.get(start..end)?;
    Some((Note { name, kind: order.u32(bytes, 8), desc }, bytes.get(pad(end)..).unwrap_or(&[])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_read_in_both_orders_and_pad_with_zeros() {
        let bytes = [1, 2, 3, 4];
        assert_eq!(ByteOrder::Big.uint(&bytes, 0, 4), 0x0102_0304);
        assert_eq!(ByteOrder::Little.uint(&bytes, 0, 4), 0x0403_0201);
        assert_eq!(ByteOrder::Big.uint(&bytes, 2, 4), 0x0304_0000);
        assert_eq!(ByteOrder::Little.uint(&bytes, 2, 4), 0x0000_0403);
        assert_eq!(ByteOrder::Little.uint(&bytes, usize::MAX, 8), 0);
    }

    #[test]
    fn a_program_of_the_other_byte_order_has_no_valid_type() {
        let big = b"\x7fELF\x01\x02\x01\0\0\0\0\0\0\0\0\0\x00\x02\x00\x08";
        let order = ByteOrder::Little;
        let header = Header::decode(big, Encoding { order, class: Class::Elf32 });
        assert_eq!((header.e_type, header.e_machine), (0x0200, 0x0800));
        let own = Encoding::of(big).unwrap();
        assert_eq!(own, Encoding { order: ByteOrder::Big, class: Class::Elf32 });
        let header = Header::decode(big, own);
        assert_eq!((header.e_type, header.e_machine, header.e_phnum), (2, 8, 0));
    }

    #[test]
    fn notes_end_where_they_lie() {
        let bytes = b"\x04\0\0\0\x02\0\0\0\x04\0\0\0Go\0\0ab\0\0tail";
        let (n, rest) = note(bytes, ByteOrder::Little, 4).unwrap();
        assert_eq!((n.name, n.kind, n.desc, rest), (&b"Go\0\0"[..], 4, &b"ab"[..], &b"tail"[..]));
        assert!(note(&bytes[..17], ByteOrder::Little, 4).is_none());
        assert!(note(b"\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", ByteOrder::Little, 8).is_none());
    }
}
