//! The symbols of an object, as they stand in its tables.

// The looks at a symbol are a tenth of a judgement, and cost a third more where they are calls.
#![allow(clippy::inline_always)]

use super::super::Linker;
use super::super::object::Library;
use super::VER_NDX_GLOBAL;
use super::gnu_hash::Gnu;
use super::relocations::{self, OfProgram};
use crate::arch;
use crate::budget::Guard;
use crate::candidate::Image;
use crate::candidate::reader::{Contents, Reader};
use crate::elf::consts::{
    DT_HASH, DT_MIPS_SYMTABNO, DT_MIPS_XHASH, DT_STRTAB, DT_SYMTAB, DT_VERSYM, EM_S390,
};
use crate::elf::{Class, Encoding, offset};

/// The symbols of an object.
pub(super) struct Symbols<'a> {
    pub(super) table: Reader<'a>,
    pub(super) strings: Reader<'a>,
    /// DT_VERSYM.
    pub(super) marks: Reader<'a>,
    pub(super) gnu: Option<Gnu<'a>>,
    /// How many there are: DT_HASH tells, else what lies between DT_SYMTAB and DT_STRTAB, else the relocations.
    pub(super) count: usize,
    /// How many can be looked up without DT_GNU_HASH: those of DT_HASH.
    pub(super) hashed: usize,
    pub(super) encoding: Encoding,
    pub(super) of_program: OfProgram,
}

/// Elf32_Sym or Elf64_Sym.
pub(super) struct Symbol {
    pub(super) name: usize,
    pub(super) bind: u8,
    pub(super) kind: u8,
    pub(super) section: usize,
    pub(super) has_value: bool,
    /// STV_DEFAULT and others. A router does not look.
    pub(super) visibility: u8,
}

impl<'a> Symbols<'a> {
    pub(super) fn open(
        linker: &Linker<'_>,
        object: &Library,
        image: &Image,
        file: &'a Contents,
    ) -> Option<Symbols<'a>> {
        let of_program = OfProgram::new(linker, object, image, file);
        Symbols::with(linker, image, file, of_program)
    }

    /// The same, of which these are looked for elsewhere.
    pub(super) fn with(
        linker: &Linker<'_>,
        image: &Image,
        file: &'a Contents,
        of_program: OfProgram,
    ) -> Option<Symbols<'a>> {
        let encoding = image.encoding;
        let hashed = hashed(file, image)?;
        let (start, left) = image.dynamic_part(DT_SYMTAB)?;
        let mut count = hashed;
        if count == 0 {
            count = match image.dynamic_offset(DT_STRTAB)?.checked_sub(start) {
                Some(size) => size.checked_div(entry(encoding)).unwrap_or_default(),
                // patchelf puts .dynstr before it: then as many as are asked for.
                None => relocations::highest(linker, image, file).wrapping_add(1),
            };
        }
        let gnu = if arch::HAS_GNU_HASH { Gnu::open(file, image) } else { None };
        // One that is hashed may lie further behind.
        let symbols = if gnu.is_some() { usize::MAX >> 8 } else { count };
        let size = symbols.saturating_mul(entry(encoding)).min(left);
        Some(Symbols {
            table: Reader::new(file, encoding.order, start, size),
            strings: Reader::strings(file, image),
            marks: Reader::dynamic(file, image, DT_VERSYM, symbols.saturating_mul(2)),
            gnu,
            count,
            hashed,
            encoding,
            of_program,
        })
    }

    /// Those of a program, of which each is looked at once.
    pub(super) fn once(&mut self) {
        self.table.once();
        self.marks.once();
    }

    pub(super) fn gnu(&mut self) -> Option<&mut Gnu<'a>> {
        if arch::HAS_GNU_HASH { self.gnu.as_mut() } else { None }
    }

    /// One that is copied into the program is looked for elsewhere, as if it were not defined.
    #[cfg_attr(feature = "every-machine", inline(always))]
    pub(super) fn symbol(&mut self, index: usize) -> Option<Symbol> {
        let Encoding { class, order } = self.encoding;
        let size = entry(self.encoding);
        let symbol = self.table.bytes_at(index.wrapping_mul(size), size)?;
        let (info, section, value): (usize, _, _) = match class {
            Class::Elf64 => (4, 6, order.u32(symbol, 8) | order.u32(symbol, 12)),
            Class::Elf32 => (12, 14, order.u32(symbol, 4)),
        };
        let visibility = if crate::ROUTER { 0 } else { symbol.get(info.wrapping_add(1))? & 3 };
        let info = *symbol.get(info)?;
        let stays = if crate::ROUTER || Guard::Copies.is_out() {
            !self.of_program.copied.contains(&index)
        } else {
            self.of_program.copied.binary_search(&index).is_err()
        };
        Some(Symbol {
            name: offset(order.u32(symbol, 0).into()),
            bind: info >> 4,
            kind: info & 15,
            section: if stays { offset(order.uint(symbol, section, 2)) } else { 0 },
            has_value: stays && value != 0,
            visibility,
        })
    }

    /// st_value and st_size.
    pub(super) fn place(&mut self, index: usize) -> Option<(u64, u64)> {
        let Encoding { class, order } = self.encoding;
        let size = entry(self.encoding);
        let symbol = self.table.bytes_at(index.wrapping_mul(size), size)?;
        Some(match class {
            Class::Elf64 => (order.uint(symbol, 8, 8), order.uint(symbol, 16, 8)),
            Class::Elf32 => (order.uint(symbol, 4, 4), order.uint(symbol, 8, 4)),
        })
    }

    /// What DT_VERSYM has of a symbol.
    pub(super) fn mark(&mut self, index: usize) -> usize {
        self.marks.number_at(index.wrapping_mul(2), 2).unwrap_or(VER_NDX_GLOBAL)
    }

    /// The symbols that are not defined stand before this one. Those of a program can have the address of their stub as
    /// their value, and are hashed then.
    pub(super) fn end_of_undefined(&mut self, is_program: bool) -> usize {
        let count = self.count;
        match self.gnu() {
            Some(gnu) if !is_program => {
                if gnu.is_empty() {
                    count
                } else {
                    gnu.first
                }
            }
            _ => count,
        }
    }
}

impl Symbol {
    /// Its own object alone finds it (STV_INTERNAL, STV_HIDDEN).
    pub(super) const fn is_hidden(&self) -> bool {
        matches!(self.visibility, 1 | 2)
    }
}

/// How many symbols DT_HASH has; None where it is there and cannot be read.
pub(super) fn hashed(file: &Contents, image: &Image) -> Option<usize> {
    if image.dynamic_offset(DT_HASH).is_none() {
        // Of MIPS, which glibc 2.33 and newer knows: it has all that is defined.
        let dynamic = image.dynamic.as_ref()?;
        let is_extended = dynamic.flags(DT_MIPS_XHASH) != 0;
        return Some(if is_extended { offset(dynamic.flags(DT_MIPS_SYMTABNO)) } else { 0 });
    }
    let size = hash_word(image);
    Reader::dynamic(file, image, DT_HASH, 16).number_at(size, size)
}

/// sizeof(Elf_Symndx): bytes of a number of DT_HASH.
pub(in super::super) fn hash_word(image: &Image) -> usize {
    let is_wide = !crate::ROUTER && image.header.e_machine == EM_S390;
    if is_wide { image.encoding.word() } else { 4 }
}

/// sizeof(Elf32_Sym) or sizeof(Elf64_Sym).
pub(super) fn entry(encoding: Encoding) -> usize {
    if encoding.class == Class::Elf64 { 24 } else { 16 }
}
