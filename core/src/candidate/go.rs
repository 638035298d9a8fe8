//! What Go's linker leaves in a program: build information (debug/buildinfo of Go's library; cmd/link/internal/ld/data.go
//! `buildinfo`), the names of its sections, and the table of its functions (debug/gosym).

use alloc::string::String;

use super::Image;
use super::program::place_of;
use super::reader::Reader;
use super::toolchain::Tables;
use crate::arch;
#[cfg(feature = "every-machine")]
use crate::elf::consts::EM_S390;
use crate::elf::consts::{
    EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC64, EM_RISCV, EM_X86_64, PF_W, PF_X, SHF_ALLOC, SHF_EXECINSTR,
    SHF_STRINGS, SHT_PROGBITS,
};
use crate::elf::{Class, Encoding, SectionHeader, offset as at};
use crate::text;

/// A program of Go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Go {
    /// "go1.19.8", where it is told.
    pub version: Option<String>,
    /// The 19 of it.
    pub minor: Option<u8>,
    /// The level of the processor that it was built for: "7,softfloat" of GOARM.
    pub level: Option<String>,
    /// That is not written in it (Go before 1.18, and what was linked without): its first instructions tell.
    pub is_by_code: bool,
    /// GOOS: "linux".
    pub system: Option<String>,
}

/// "build information" begins so, at a multiple of 16.
const MAGIC: &[u8] = b"\xff Go buildinf:";
const ALIGN: usize = 16;
/// Its fixed part.
const HEADER: usize = 32;
/// Bytes of a segment that are searched for it, where no section leads there. Go's own linker puts it at the front.
const SEARCHED: usize = 8 << 10;
/// Bytes at the end of its text that have the settings: behind GOARCH, GOOS and the level come those of the version control.
const SETTINGS: usize = 1024;

/// Further sections that only its linker makes; the second by -linkmode=external and -buildmode=pie.
const SECTIONS: [&[u8]; 4] = [b".gopclntab", b".data.rel.ro.gopclntab", b".go.module", b".noptrdata"];

impl Go {
    /// The name of the setting, and its value: ("GOARM", "7").
    pub fn setting(&self, image: &Image) -> Option<(&'static str, &str)> {
        Some((setting_name(image)?, self.level.as_deref()?))
    }

    /// On MIPS, where there is no `.MIPS.abiflags`: Go writes none into 64-bit programs, and none at all before 1.16.
    pub fn is_hard_float(&self, image: &Image) -> bool {
        let is_mips = matches!(self.setting(image), Some(("GOMIPS" | "GOMIPS64", "hardfloat")));
        is_mips && image.abiflags.is_none()
    }
}

/// What cmd/go calls the level of an architecture (cmd/go/internal/cfg `GetArchEnv`).
pub(crate) fn setting_name(image: &Image) -> Option<&'static str> {
    Some(match image.header.e_machine {
        EM_386 => "GO386",
        EM_AARCH64 => "GOARM64",
        EM_ARM => "GOARM",
        EM_MIPS if image.encoding.class == Class::Elf64 => "GOMIPS64",
        EM_MIPS => "GOMIPS",
        EM_PPC64 => "GOPPC64",
        EM_RISCV => "GORISCV64",
        EM_X86_64 => "GOAMD64",
        // It has no levels; what Go asks for differs by its version.
        #[cfg(feature = "every-machine")]
        EM_S390 => "GOARCH",
        _ => return None,
    })
}

/// Looks for what Go leaves.
pub(super) fn find(reader: &mut Reader<'_>, image: &Image, sections: &[SectionHeader]) -> Option<Go> {
    let (mut is_go, mut info) = (image.is_go, None);
    let names = Tables::of(image, sections).names();
    // Data, and what is only read.
    let tells = |section: &&SectionHeader| {
        section.kind == SHT_PROGBITS && section.flags & (SHF_ALLOC | SHF_STRINGS | SHF_EXECINSTR) == SHF_ALLOC
    };
    for section in sections.iter().filter(tells).take(24) {
        let name = names.saturating_add(at(section.name.into()));
        let Some(name) = reader.string_at(name) else { continue };
        if name == b".go.buildinfo" {
            info = search(reader, section.offset, section.size.min(SEARCHED));
        } else {
            is_go |= SECTIONS.contains(&name);
        }
    }
    let data = image.loads().find(|entry| entry.p_flags & (PF_W | PF_X) == PF_W);
    let info = info.or_else(|| {
        let data = data?;
        let left = at(data.p_filesz);
        // One look where a section table would have told.
        let all = if is_go || image.header.e_shnum == 0 { SEARCHED } else { HEADER };
        search(reader, at(data.p_offset), left.min(all))
    });
    let found = info.and_then(|info| read(reader, image, info));
    is_go |= found.is_some() || (sections.is_empty() && has_pclntab(reader, image));
    if !is_go {
        return None;
    }
    let mut go = found.unwrap_or_default();
    if go.level.is_none() {
        let arch = arch::of(image.header.e_machine);
        let level = arch.and_then(|arch| (arch.go_level)(&mut Code { reader, image }, image.header.e_entry));
        go.is_by_code = level.is_some();
        go.level = level.map(String::from);
    }
    Some(go)
}

/// What a program begins with, by its addresses.
pub(crate) struct Code<'a, 'b> {
    reader: &'a mut Reader<'b>,
    image: &'a Image,
}

#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // Some are of one architecture.
impl Code<'_, '_> {
    /// [`Image::descriptor`].
    pub(crate) fn descriptor(&self) -> Option<u64> {
        self.image.descriptor
    }

    /// Whether its registers have 64 bits.
    pub(crate) fn is_64(&self) -> bool {
        self.image.encoding.class == Class::Elf64
    }

    /// `len` bytes at an address.
    pub(crate) fn bytes(&mut self, address: u64, len: usize) -> Option<&[u8]> {
        self.next(address, len, 128)
    }

    /// An instruction of 4 bytes, in the file's byte order, and where it is read as many of those behind it.
    pub(crate) fn word(&mut self, address: u64) -> Option<u32> {
        let order = self.image.encoding.order;
        Some(order.u32(self.next(address, 4, 512)?, 0))
    }

    fn next(&mut self, address: u64, len: usize, ahead: usize) -> Option<&[u8]> {
        let (offset, left) = place_of(self.image.table(), address)?;
        self.reader.next_at(offset, len.min(left), left.min(ahead))
    }

    /// Whether one of a function's instructions is such: up to where the next function begins, with the same word.
    pub(crate) fn any(&mut self, function: u64, ends: u32, is: fn(u32) -> bool) -> bool {
        let mut address = function;
        for _ in 0..500 {
            let Some(word) = self.word(address) else { return false };
            if word == ends && address != function {
                return false;
            }
            if is(word) {
                return true;
            }
            address = address.wrapping_add(4);
        }
        false
    }
}

/// The first [`MAGIC`] at the front, or at a multiple of [`ALIGN`]: what is loaded lies as it does in the file.
fn search(reader: &mut Reader<'_>, start: usize, size: usize) -> Option<usize> {
    let end = start.checked_add(size)?;
    let mut offset = start;
    while offset < end {
        let piece = reader.next_at(offset, HEADER, end.saturating_sub(offset))?;
        if piece.starts_with(MAGIC) {
            return Some(offset);
        }
        offset = offset.saturating_add(1).checked_next_multiple_of(ALIGN)?;
    }
    None
}

/// The build information at a place.
fn read(reader: &mut Reader<'_>, image: &Image, info: usize) -> Option<Go> {
    let header = reader.bytes_at(info, HEADER)?.get(MAGIC.len()..)?;
    let (pointer, flags) = (*header.first()?, *header.get(1)?);
    let mut go = Go::default();
    if flags & 2 == 0 {
        // Go 1.13 to 1.17: addresses of Go strings, of which the second holds no settings.
        let big = flags & 1 != 0;
        let version = go_string(reader, image, info.saturating_add(ALIGN), pointer, big)?;
        go.set_version(reader.bytes_at(version.0, version.1)?);
        return Some(go);
    }
    let (from, len) = inline(reader, info.saturating_add(HEADER))?;
    go.set_version(reader.bytes_at(from, len.min(128))?);
    if let Some((from, len)) = inline(reader, from.saturating_add(len)) {
        let tail = len.min(SETTINGS);
        let text = reader.up_to(from.saturating_add(len.saturating_sub(tail)), tail);
        let level = setting_name(image);
        for line in text.split(|byte| *byte == b'\n') {
            let Some(line) = line.strip_prefix(b"build\t") else { continue };
            let value = |name: &str| line.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
            if let Some(value) = level.and_then(value) {
                go.level = known(value);
            }
            if let Some(value) = value("GOOS") {
                go.system = known(value);
            }
        }
    }
    Some(go)
}

/// A value that a setting may have: "7,softfloat", "rva22u64", "v8.0,lse".
fn known(value: &[u8]) -> Option<String> {
    let fits = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".,".contains(byte);
    (value.len() <= 24 && value.iter().all(fits)).then(|| text::printable(value))
}

impl Go {
    fn set_version(&mut self, version: &[u8]) {
        // "devel go1.20-5ba98b9756" between releases.
        let number = version.strip_prefix(b"devel ").unwrap_or(version).strip_prefix(b"go1.");
        let Some(number) = number else { return };
        let mut minor = 0_u8;
        for digit in number.iter().take_while(|byte| byte.is_ascii_digit()) {
            minor = minor.saturating_mul(10).saturating_add(digit.wrapping_sub(b'0'));
        }
        self.minor = Some(minor);
        self.version = Some(text::printable(version));
    }
}

/// Where a string lies that stands behind its length, a varint (encoding/binary `Uvarint`), and that length.
fn inline(reader: &mut Reader<'_>, offset: usize) -> Option<(usize, usize)> {
    let (mut len, mut from, mut shift) = (0_usize, offset, 0_u32);
    while shift < 28 {
        let byte = *reader.bytes_at(from, 1)?.first()?;
        from = from.saturating_add(1);
        len |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((from, len));
        }
        shift = shift.saturating_add(7);
    }
    None
}

/// Where a Go string lies in the file (`reflect.StringHeader`: an address and a length) of which the address stands at a
/// place.
fn go_string(
    reader: &mut Reader<'_>,
    image: &Image,
    offset: usize,
    pointer: u8,
    big: bool,
) -> Option<(usize, usize)> {
    use crate::elf::ByteOrder::{Big, Little};
    let order = if big { Big } else { Little };
    let size = usize::from(pointer).min(8);
    let mut number = |offset: usize| Some(order.uint(reader.bytes_at(offset, size)?, 0, size));
    let (header, _) = place_of(image.table(), number(offset)?)?;
    let address = number(header)?;
    let len = at(number(header.saturating_add(size))?);
    let (from, left) = place_of(image.table(), address)?;
    Some((from, len.min(left).min(128)))
}

/// Whether a segment that is only read begins with the table of Go's functions or has it within a few kilobytes: its magic,
/// two zeros, the quantum of code and the size of a pointer (debug/gosym/pclntab.go `go12line`; Go 1.2, 1.16, 1.18, 1.20).
fn has_pclntab(reader: &mut Reader<'_>, image: &Image) -> bool {
    let Encoding { order, .. } = image.encoding;
    let fits = |head: &[u8]| {
        matches!(order.u32(head, 0), 0xffff_fffb | 0xffff_fffa | 0xffff_fff0 | 0xffff_fff1)
            && matches!(head.get(4..8), Some([0, 0, 1 | 2 | 4, 4 | 8]))
    };
    for entry in image.loads().filter(|entry| entry.p_flags & (PF_W | PF_X) == 0) {
        let start = at(entry.p_offset);
        let end = start.saturating_add(at(entry.p_filesz).min(SEARCHED));
        let mut offset = start;
        while let Some(head) = reader.next_at(offset, 8, end.saturating_sub(offset)).filter(|_| offset < end)
        {
            if fits(head) {
                return true;
            }
            offset = offset.saturating_add(ALIGN);
        }
    }
    false
}
