//! A table of relocations.

use super::super::super::Linker;
use crate::budget::{Guard, SEGMENTS_OF_A_STEP};
use crate::candidate::reader::{Contents, Reader};
use crate::candidate::{Dynamic, Image};
use crate::elf::consts::{
    DT_JMPREL, DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELACOUNT, DT_RELASZ, DT_RELCOUNT, DT_RELSZ,
    EM_MIPS,
};
use crate::elf::{ByteOrder, Class, offset};

/// Relocations that are looked at together.
const TOGETHER: usize = 128;
/// Those that are looked at in a step of [`crate::budget`].
const ENTRIES_OF_A_STEP: usize = 4;

/// Where r_info has the symbol, where the kind, and in how many bytes.
pub(in super::super::super) fn info(image: &Image) -> ((usize, usize), (usize, usize)) {
    match (image.encoding.class, image.encoding.order) {
        (Class::Elf32, ByteOrder::Big) => ((0, 3), (3, 1)),
        (Class::Elf32, ByteOrder::Little) => ((1, 3), (0, 1)),
        // On MIPS r_sym stands first and the first of three types last, whatever the byte order.
        (Class::Elf64, _) if image.header.e_machine == EM_MIPS => ((0, 4), (7, 1)),
        (Class::Elf64, ByteOrder::Big) => ((0, 4), (4, 4)),
        (Class::Elf64, ByteOrder::Little) => ((4, 4), (0, 4)),
    }
}

/// A table of relocations.
pub(super) struct Table<'a> {
    pub(super) reader: Reader<'a>,
    /// Bytes of an entry.
    pub(super) entry: usize,
    /// Where r_info has the symbol, where the kind, and in how many bytes.
    pub(super) symbol: (usize, usize),
    pub(super) kind: (usize, usize),
    pub(super) at: usize,
    /// What it takes to look at those that lie together.
    steps: usize,
}

impl<'a> Table<'a> {
    pub(super) fn open(
        linker: &Linker<'_>,
        image: &Image,
        file: &'a Contents,
        tag: u32,
    ) -> Option<Table<'a>> {
        let dynamic = image.dynamic.as_ref()?;
        // How many at the front glibc takes for relative ones, whose symbols it does not look at (elf/do-rel.h).
        let (size, relative, has_addend) = match tag {
            DT_REL => (DT_RELSZ, dynamic.flags(DT_RELCOUNT), false),
            DT_RELA => (DT_RELASZ, dynamic.flags(DT_RELACOUNT), true),
            _ => (DT_PLTRELSZ, 0, dynamic.flags(DT_PLTREL) == DT_RELA.into()),
        };
        let mut reader = Reader::dynamic(file, image, tag, offset(dynamic.flags(size)));
        reader.once();
        let word = image.encoding.word();
        let entry = word.wrapping_mul(if has_addend { 3 } else { 2 });
        let (symbol, kind) = info(image);
        let at = if linker.is_glibc() { offset(relative).saturating_mul(entry) } else { 0 };
        // Each may change what another segment has.
        let segments = if crate::ROUTER { 0 } else { image.table().len() / SEGMENTS_OF_A_STEP };
        let steps = (TOGETHER / ENTRIES_OF_A_STEP).saturating_mul(segments.saturating_add(1));
        Some(Table { reader, entry, symbol, kind, at, steps })
    }

    /// Entries that lie together; None behind the last.
    pub(super) fn entries(&mut self) -> Option<&[u8]> {
        if !self.reader.steps(Guard::Relocations.counts(self.steps)) {
            return None;
        }
        let entries = self.reader.up_to(self.at, self.entry.wrapping_mul(TOGETHER));
        self.at = self.at.wrapping_add(entries.len());
        (entries.len() >= self.entry).then_some(entries)
    }
}

/// Where the relocations end that a table shares with DT_JMPREL, whose they are (elf/dynamic-link.h): on RISC-V DT_RELA has
/// those, too. 0 where it shares none. A router's linkers keep them apart.
pub(super) fn of_both(dynamic: &Dynamic, tag: u32) -> usize {
    let size = dynamic.flags(if tag == DT_REL { DT_RELSZ } else { DT_RELASZ });
    let calls = dynamic.flags(DT_PLTRELSZ);
    let is_shared = dynamic.flags(tag).wrapping_add(size) == dynamic.flags(DT_JMPREL).wrapping_add(calls);
    if is_shared { offset(size.saturating_sub(calls)) } else { 0 }
}

/// Calls `each` with the symbols of a table and the kinds of their relocations; those up to `end`, if that is not 0.
pub(super) fn read(
    linker: &Linker<'_>,
    image: &Image,
    file: &Contents,
    tag: u32,
    end: usize,
    each: &mut dyn FnMut(usize, usize),
) {
    let Some(mut table) = Table::open(linker, image, file, tag) else { return };
    let (order, word) = (image.encoding.order, image.encoding.word());
    let (entry, symbol, kind) = (table.entry, table.symbol, table.kind);
    let mut at = table.at;
    while let Some(entries) = table.entries() {
        for found in entries.chunks(entry) {
            let Some(info) = found.get(word..) else { break };
            at = at.wrapping_add(entry);
            if end != 0 && at > end {
                return;
            }
            let field = |(at, len)| offset(order.uint(info, at, len));
            let found = field(symbol);
            if found != 0 {
                each(found, field(kind));
            }
        }
    }
}

/// The last symbol that a relocation asks for.
pub(in super::super) fn highest(linker: &Linker<'_>, image: &Image, file: &Contents) -> usize {
    let mut highest = 0;
    for tag in [DT_REL, DT_RELA, DT_JMPREL] {
        read(linker, image, file, tag, 0, &mut |symbol, _| highest = symbol.max(highest));
    }
    highest
}
