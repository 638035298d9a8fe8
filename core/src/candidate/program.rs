//! Reads an ELF file: the headers and what they lead to.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::file::File;
use super::property;
use super::reader::Reader;
use super::toolchain::{self, Tables};
use super::{Dynamic, Image, Interp, Noted, Origin, Program, TableError, X86Code};
use crate::arch;
use crate::elf::consts::{
    DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRSZ, DT_STRTAB, EF_PPC64_ABI, EM_386, EM_486,
    EM_AARCH64, EM_ARM, EM_MIPS, EM_MIPS_RS3_LE, EM_PPC, EM_PPC64, EM_RISCV, EM_X86_64,
    GNU_PROPERTY_X86_ISA_1_NEEDED, NT_GNU_ABI_TAG, NT_GNU_PROPERTY_TYPE_0, NT_GO_BUILDID, PT_DYNAMIC,
    PT_INTERP, PT_LOAD, PT_MIPS_ABIFLAGS, PT_NOTE, PT_RISCV_ATTRIBUTES, SHF_ALLOC, SHF_STRINGS, SHF_WRITE,
    SHT_NOTE, SHT_PROGBITS,
};
use crate::elf::{
    AbiFlags, Attributes, Encoding, Header, Note, ProgramHeader, SectionHeader, Vendor, note, offset as at,
};
use crate::machine::parts;

/// The kernel's limit of a program header table, ELF_MIN_ALIGN aside.
const TABLE_LIMIT: usize = 65_536;
/// Entries of the section table that are looked at.
const SECTIONS: usize = 512;
/// Entries of PT_DYNAMIC that are looked at, and bytes of the names that they lead to: the largest programs have 200 of
/// them, with some thousand bytes.
const ENTRIES: usize = if crate::ROUTER { 1 << 10 } else { 1 << 12 };
const NAMES: usize = if crate::ROUTER { 16 << 10 } else { 256 << 10 };
/// Bytes of build attributes that are read: RISC-V names some hundred extensions.
const ATTRIBUTES: usize = 2048;

/// Reads an ELF file; `encodings` are those of the machine's kernel.
#[allow(clippy::unnecessary_box_returns)] // It is built in its box; returned by itself it would be copied there.
pub(super) fn read(file: &Rc<File>, encodings: &[Encoding]) -> Box<Program> {
    let ident = file.contents.ident();
    let encoding_declared =
        Encoding::of(&ident).filter(|encoding| file.contents.head().len() >= encoding.header_size());
    let declared = encoding_declared.map(|encoding| file.as_read_by(encoding));
    let mut as_read = Vec::with_capacity(encodings.len());
    for encoding in encodings {
        as_read.push(match &declared {
            Some(declared) if declared.encoding == *encoding => Rc::clone(declared),
            _ => file.as_read_by(*encoding),
        });
    }
    let (upx, damage, go) = match declared.as_ref().or(as_read.first()) {
        Some(image) => file.made_by(image).clone(),
        None => Default::default(),
    };
    Box::new(Program { ident, declared, as_read, file: Some(Rc::clone(file)), upx, damage, go })
}

/// Decodes the file in one encoding.
pub(super) fn image(reader: &mut Reader<'_>, encoding: Encoding) -> Rc<Image> {
    let mut image = Image {
        encoding,
        header: Header::decode(reader.head(), encoding),
        program_headers: Err(TableError::Empty),
        interp: None,
        abiflags: None,
        attributes: None,
        apus: Vec::new(),
        x86_code: None,
        dynamic: None,
        abi_tag: None,
        noted: Noted::default(),
        is_go: false,
        gnu_property: Ok(()),
        descriptor: None,
        x86_isa_needed: None,
    };
    let program_headers = table(reader, &image.header, encoding);
    let table = program_headers.as_deref().unwrap_or_default();
    let e_machine = image.header.e_machine;
    for entry in table {
        match entry.p_type {
            PT_INTERP if image.interp.is_none() => image.interp = Some(interp(reader, entry)),
            PT_DYNAMIC if image.dynamic.is_none() => {
                image.dynamic = Some(dynamic(reader, (encoding, e_machine), table, entry));
            }
            // The last one counts in the kernel. For other processors the number means something else.
            PT_MIPS_ABIFLAGS if matches!(e_machine, EM_MIPS | EM_MIPS_RS3_LE) => {
                image.abiflags = abiflags(reader, encoding, entry);
            }
            _ => {}
        }
    }
    // Behind what decides more: what is read in all is limited.
    for entry in table {
        if entry.p_type == PT_NOTE {
            read_notes(reader, entry, &mut image);
        }
    }
    if const { arch::is_judged(EM_ARM) } && matches!(e_machine, EM_AARCH64 | EM_ARM) && !table.is_empty() {
        image.gnu_property = property::check(reader, encoding, table);
    }
    if let Some(wanted) = arch::attributes(e_machine).filter(|_| !table.is_empty()) {
        let sections = sections(reader, encoding, &image.header);
        image.attributes = attributes(reader, encoding, wanted, table, &sections);
        if const { arch::is_judged(EM_PPC) } && e_machine == EM_PPC {
            image.apus = apus(reader, encoding, &sections);
        }
    }
    if const { arch::is_judged(EM_386) } && e_machine == EM_386 {
        image.x86_code = X86Code::sample(reader, table);
    }
    if const { arch::is_judged(EM_PPC64) }
        && e_machine == EM_PPC64
        && image.header.e_flags & EF_PPC64_ABI != 2
    {
        let offset = offset_of(table, image.header.e_entry);
        let bytes = offset.and_then(|offset| reader.bytes_at(offset, encoding.word()));
        image.descriptor = bytes.map(|bytes| encoding.order.uint(bytes, 0, encoding.word()));
    }
    image.program_headers = program_headers;
    Rc::new(image)
}

fn abiflags(reader: &mut Reader<'_>, encoding: Encoding, entry: &ProgramHeader) -> Option<AbiFlags> {
    if entry.p_filesz < AbiFlags::SIZE as u64 {
        return None;
    }
    let bytes = reader.required_at(at(entry.p_offset), AbiFlags::SIZE, AbiFlags::SIZE)?;
    Some(AbiFlags::decode(bytes, encoding.order))
}

fn table(
    reader: &mut Reader<'_>,
    header: &Header,
    encoding: Encoding,
) -> Result<Vec<ProgramHeader>, TableError> {
    let entry = encoding.program_header_size();
    if usize::from(header.e_phentsize) != entry {
        return Err(TableError::EntrySize);
    }
    let size = entry.saturating_mul(usize::from(header.e_phnum));
    if size == 0 {
        return Err(TableError::Empty);
    }
    if size > TABLE_LIMIT {
        return Err(TableError::TooLarge);
    }
    // The end first: a table that is cut off need not be read.
    let mut offset = at(header.e_phoff);
    let end = offset.checked_add(size).ok_or(TableError::Truncated)?;
    reader.required_at(end.saturating_sub(1), 1, 1).ok_or(TableError::Truncated)?;
    let mut table = Vec::with_capacity(usize::from(header.e_phnum));
    while offset < end {
        let bytes =
            reader.required_at(offset, entry, end.saturating_sub(offset)).ok_or(TableError::Truncated)?;
        table.push(ProgramHeader::decode(bytes, encoding));
        offset = offset.saturating_add(entry);
    }
    Ok(table)
}

/// The checks of load_elf_binary, in its order.
fn interp(reader: &mut Reader<'_>, entry: &ProgramHeader) -> Interp {
    let Ok(size @ 2..=4096) = usize::try_from(entry.p_filesz) else { return Interp::Size(entry.p_filesz) };
    // fs/read_write.c `rw_verify_area`
    if i64::try_from(entry.p_offset.saturating_add(entry.p_filesz)).is_err() {
        return Interp::NegativeOffset;
    }
    let Some(bytes) = reader.required_at(at(entry.p_offset), size, size) else { return Interp::Truncated };
    if bytes.last() != Some(&0) {
        return Interp::NotTerminated;
    }
    Interp::Path(parts(bytes, 0).next().unwrap_or_default().to_vec())
}

/// Where an address lies in the file, and how many bytes its segment has from there on.
pub(super) fn place_of(table: &[ProgramHeader], address: u64) -> Option<(usize, usize)> {
    for entry in table {
        let within = address.wrapping_sub(entry.p_vaddr);
        if entry.p_type == PT_LOAD && within < entry.p_filesz {
            let left = entry.p_filesz.wrapping_sub(within);
            return entry.p_offset.checked_add(within).map(|offset| (at(offset), at(left)));
        }
    }
    None
}

fn offset_of(table: &[ProgramHeader], address: u64) -> Option<usize> {
    place_of(table, address).map(|(offset, _)| offset)
}

/// Where the file has what lies behind a segment in its last page, or before it in its first one. A router's build does not
/// ask.
fn around(table: &[ProgramHeader], address: u64) -> Option<usize> {
    if crate::ROUTER {
        return None;
    }
    let page = |address: u64| address & !0xfff;
    let end = |entry: &ProgramHeader| {
        let end = entry.p_vaddr.saturating_add(entry.p_filesz);
        if entry.p_memsz > entry.p_filesz { end } else { page(end.saturating_add(0xfff)) }
    };
    let mut loads = table.iter().filter(|entry| entry.p_type == PT_LOAD);
    let found = loads.rfind(|entry| page(entry.p_vaddr) <= address && address < end(entry))?;
    Some(at(found.p_offset.wrapping_add(address.wrapping_sub(found.p_vaddr))))
}

fn dynamic(
    reader: &mut Reader<'_>,
    (encoding, e_machine): (Encoding, u16),
    table: &[ProgramHeader],
    entry: &ProgramHeader,
) -> Dynamic {
    let word = encoding.word();
    let pair = word.saturating_mul(2);
    // ld.so goes by the address; they differ only in odd files.
    let mut offset = offset_of(table, entry.p_vaddr).unwrap_or(at(entry.p_offset));
    let mut out = Dynamic::default();
    let whole = at(entry.p_filesz);
    let size = whole.min(ENTRIES.saturating_mul(pair));
    let end = offset.saturating_add(size);
    out.is_cut = size < whole;
    if !crate::ROUTER {
        // Most have 30.
        out.entries.reserve(size.checked_div(pair).unwrap_or_default().min(40));
    }
    while offset.saturating_add(pair) <= end {
        let mut filled = [0; 2 * size_of::<u64>()];
        let bytes = if let Some(bytes) = reader.required_at(offset, pair, size.min(1024)) {
            bytes
        } else {
            // What is behind the end of a file in its last page is zeros.
            let rest = reader.up_to(offset, pair);
            filled.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
            &filled
        };
        let value = encoding.order.uint(bytes, word, word);
        // None is larger that anybody asks for.
        let tag = u32::try_from(encoding.order.uint(bytes, 0, word)).unwrap_or(u32::MAX);
        if tag == DT_NULL {
            let next = offset.saturating_add(pair);
            // Of the entries that are left over a linker clears the tag.
            let behind = if crate::ROUTER || next >= end { &[] } else { reader.up_to(next, word) };
            out.is_cut = false;
            out.goes_on = behind.iter().any(|byte| *byte != 0);
            break;
        }
        out.entries.push((tag, value));
        offset = offset.saturating_add(pair);
    }
    // To musl one that is not there stands at the front of the file.
    let strings = out.flags(DT_STRTAB);
    let mask = match word {
        4 => 0xffff_ffff,
        // The highest byte is a tag (Linux Documentation/arch/arm64/tagged-pointers.rst).
        _ if !crate::ROUTER && e_machine == EM_AARCH64 => u64::MAX >> 8,
        _ => u64::MAX,
    };
    let end_of_strings = if crate::ROUTER { u64::MAX } else { out.flags(DT_STRSZ) };
    let mut left = NAMES;
    for (tag, value) in &out.entries {
        let mut needed = None;
        let place = match *tag {
            DT_NEEDED => {
                out.has_far_name |= !crate::ROUTER && *value >= end_of_strings;
                &mut needed
            }
            DT_SONAME => &mut out.soname,
            DT_RPATH => &mut out.rpath,
            DT_RUNPATH => &mut out.runpath,
            _ => continue,
        };
        let address = strings.wrapping_add(*value) & mask;
        let found = offset_of(table, address).or_else(|| around(table, address));
        let name = found.and_then(|found| reader.required_string_at(found));
        let rest = left.checked_sub(name.map_or(0, <[u8]>::len));
        if let (Some(name), Some(rest)) = (name, rest) {
            left = rest;
            *place = Some(name.to_vec());
        } else {
            *place = None;
            // To a router's build it is all the same why a name has no end.
            let is_longer = |found| crate::ROUTER || reader.is_too_long(found);
            out.is_cut |= rest.is_none() || found.is_some_and(is_longer);
        }
        if let Some(name) = needed {
            out.needed.push(name);
        } else if *tag == DT_NEEDED {
            out.lost_name = true;
        }
    }
    out
}

/// Reads the notes of a segment.
fn read_notes(reader: &mut Reader<'_>, entry: &ProgramHeader, image: &mut Image) {
    let order = image.encoding.order;
    let mut rest = reader.up_to(at(entry.p_offset), at(entry.p_filesz).min(1024));
    while let Some((Note { name, kind, desc }, tail)) = note(rest, order, entry.p_align) {
        rest = tail;
        let gnu = name == b"GNU\0";
        if gnu && kind == NT_GNU_ABI_TAG && desc.len() >= 16 {
            // glibc elf/dl-load.c `open_verify`: the low byte of each.
            let number = |at| order.u32(desc, at).to_le_bytes()[0];
            image.abi_tag = Some((order.u32(desc, 0), (number(4), number(8), number(12).into())));
        } else if const { arch::is_judged(EM_X86_64) } && gnu && kind == NT_GNU_PROPERTY_TYPE_0 {
            if matches!(image.header.e_machine, EM_X86_64 | EM_386 | EM_486) {
                image.x86_isa_needed = isa_needed(desc, image.encoding).or(image.x86_isa_needed);
            }
        } else if name == b"Go\0\0" && kind == NT_GO_BUILDID {
            image.is_go = true;
        } else if kind == 1 {
            image.noted.add(name);
        }
    }
}

/// GNU_PROPERTY_X86_ISA_1_NEEDED among the properties of a note.
fn isa_needed(mut properties: &[u8], encoding: Encoding) -> Option<u32> {
    while properties.len() >= 12 {
        let value = |at| encoding.order.u32(properties, at);
        if value(0) == GNU_PROPERTY_X86_ISA_1_NEEDED {
            return Some(value(8));
        }
        let within = encoding.word().saturating_sub(1);
        let size = usize::try_from(value(4)).ok()?.checked_add(within)? & !within;
        properties = properties.get(size.checked_add(8)?..)?;
    }
    None
}

/// The section table, as far as it is looked at.
pub(super) fn sections(reader: &mut Reader<'_>, encoding: Encoding, header: &Header) -> Vec<SectionHeader> {
    let size = encoding.section_header_size();
    let mut sections = Vec::new();
    if usize::from(header.e_shentsize) != size || header.e_shoff == 0 {
        return sections;
    }
    let mut offset = at(header.e_shoff);
    let end = offset.saturating_add(usize::from(header.e_shnum).min(SECTIONS).saturating_mul(size));
    while offset < end {
        let Some(bytes) = reader.next_at(offset, size, end.saturating_sub(offset)) else { break };
        sections.push(SectionHeader::decode(bytes, encoding));
        offset = offset.saturating_add(size);
    }
    sections
}

/// Build attributes: where PT_RISCV_ATTRIBUTES leads, else where a section table does.
fn attributes(
    reader: &mut Reader<'_>,
    encoding: Encoding,
    (kind, vendor): (u32, Vendor),
    table: &[ProgramHeader],
    sections: &[SectionHeader],
) -> Option<Attributes> {
    let mut decode = |offset, size: usize| {
        Attributes::decode(reader.up_to(offset, size.min(ATTRIBUTES)), encoding.order, vendor)
    };
    if const { arch::is_judged(EM_RISCV) } && vendor == Vendor::Riscv {
        let segment = table.iter().find(|entry| entry.p_type == PT_RISCV_ATTRIBUTES);
        if let Some(found) = segment.and_then(|entry| decode(at(entry.p_offset), at(entry.p_filesz))) {
            return Some(found);
        }
    }
    let section = sections.iter().find(|section| section.kind == kind)?;
    decode(section.offset, section.size)
}

/// .PPC.EMB.apuinfo (Power Architecture 32-bit ABI Supplement, "APU Information Section"): a note with a word for each
/// unit, which is its number and its revision.
fn apus(reader: &mut Reader<'_>, encoding: Encoding, sections: &[SectionHeader]) -> Vec<u16> {
    let is_note = |section: &&SectionHeader| section.kind == SHT_NOTE && section.flags & SHF_ALLOC == 0;
    for section in sections.iter().filter(is_note).take(4) {
        let bytes = reader.up_to(section.offset, section.size.min(128));
        if let Some((Note { name: b"APUinfo\0", desc, .. }, _)) = note(bytes, encoding.order, 4) {
            return desc
                .chunks_exact(4)
                .filter_map(|word| u16::try_from(encoding.order.u32(word, 0) >> 16).ok())
                .collect();
        }
    }
    Vec::new()
}

/// What made a program that is not Go's.
pub(super) fn origin(reader: &mut Reader<'_>, image: &Image, sections: &[SectionHeader]) -> Origin {
    let tables = Tables::of(image, sections);
    let mut comment = Vec::new();
    // Strings that are not loaded: .comment, and those of debug information.
    let strings = |section: &&SectionHeader| {
        section.kind == SHT_PROGBITS && section.flags & (SHF_WRITE | SHF_ALLOC | SHF_STRINGS) == SHF_STRINGS
    };
    for section in sections.iter().filter(strings).take(16) {
        let name = tables.names().saturating_add(at(section.name.into()));
        if reader.bytes_at(name, 9) == Some(b".comment\0") {
            comment = reader.up_to(section.offset, section.size.min(512)).to_vec();
            break;
        }
    }
    toolchain::of(reader, image, &tables, &comment)
}
