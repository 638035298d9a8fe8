//! Files of machines that are known by name alone, as far as their names tell: ELF headers, loaders of which nothing but the
//! release is known, and musl's libc.so with what it defines.

use std::mem;

use super::musl::{self, Exports};
use super::rows::Architecture;
use super::text::e_machine;
use crate::elf::consts::{
    DT_GNU_HASH, DT_STRSZ, DT_STRTAB, DT_SYMTAB, EM_ARM, EM_MIPS, EM_PPC64, ET_DYN, PF_R, PF_W, PF_X,
    PT_DYNAMIC, PT_INTERP, PT_LOAD,
};

/// The beginning of a program of the machine's own: the ELF header, and the loader that it names.
pub(super) fn busybox(arch: &Architecture) -> Vec<u8> {
    let elf = Elf(arch);
    let path = [arch.loader.as_bytes(), b"\0"].concat();
    let start = elf.content_at(1);
    let interp = Segment { p_type: PT_INTERP, p_flags: PF_R, start, address: start, size: path.len() };
    [elf.headers(0, &[interp]), path].concat()
}

/// Code that is not looked at.
const CODE: [u8; 256] = [1; 256];

/// A loader of which nothing but its release is known: the ELF header, and code.
pub(super) fn loader(arch: &Architecture) -> Vec<u8> {
    let elf = Elf(arch);
    let start = elf.content_at(1);
    // Kernels up to 6.9 write behind the last one's end, so it is writable.
    let p_flags = PF_R | PF_W | PF_X;
    let size = start.saturating_add(CODE.len());
    let load = Segment { p_type: PT_LOAD, p_flags, start: 0, address: 0, size };
    [elf.headers(start, &[load]), CODE.to_vec()].concat()
}

/// musl's loader, which is the C library: it defines what that release does for the architecture.
pub(super) fn libc(arch: &Architecture, release: &str) -> Vec<u8> {
    let elf = Elf(arch);
    let start = elf.content_at(3);
    let Tables { hash, symbols, strings } = elf.symbols(musl::exports(arch, release), start);
    let release = [b"\0", release.as_bytes(), b"\0"].concat();
    let mut file = Vec::with_capacity(symbols.len().saturating_mul(2));
    file.resize(start, 0);
    put(&mut file, &CODE);
    put(&mut file, &release);
    let tags = [
        (DT_GNU_HASH, put(&mut file, &hash)),
        (DT_SYMTAB, put(&mut file, &symbols)),
        (DT_STRTAB, put(&mut file, &strings)),
        (DT_STRSZ, strings.len()),
        (0, 0),
    ];
    let mut dynamic = Vec::new();
    for (tag, value) in tags {
        elf.address(&mut dynamic, tag.into());
        elf.address(&mut dynamic, value as u64);
    }
    let end = put(&mut file, &dynamic);
    // On a page of its own, which lies elsewhere than in the file.
    let (p_flags, size) = (PF_R | PF_W, dynamic.len());
    let address = end.next_multiple_of(PAGE).saturating_add(end);
    let segments = [
        Segment { p_type: PT_LOAD, p_flags: PF_R | PF_X, start: 0, address: 0, size: end },
        Segment { p_type: PT_LOAD, p_flags, start: end, address, size },
        Segment { p_type: PT_DYNAMIC, p_flags, start: end, address, size },
    ];
    let headers = elf.headers(start, &segments);
    if let Some(front) = file.get_mut(..headers.len()) {
        front.copy_from_slice(&headers);
    }
    file
}

/// Gives where it is in the file.
fn put(file: &mut Vec<u8>, part: &[u8]) -> usize {
    file.resize(file.len().next_multiple_of(8), 0);
    let place = file.len();
    file.extend_from_slice(part);
    place
}

/// p_align of what is loaded.
const PAGE: usize = 0x1_0000;

struct Segment {
    p_type: u32,
    p_flags: u32,
    /// Its place in the file.
    start: usize,
    address: usize,
    size: usize,
}

/// DT_GNU_HASH, DT_SYMTAB and DT_STRTAB.
struct Tables {
    hash: Vec<u8>,
    symbols: Vec<u8>,
    strings: Vec<u8>,
}

/// Position-independent files of an architecture.
struct Elf<'a>(&'a Architecture);

impl Elf<'_> {
    fn half(&self, to: &mut Vec<u8>, value: u16) {
        to.extend_from_slice(&if self.0.is_big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn word(&self, to: &mut Vec<u8>, value: u32) {
        to.extend_from_slice(&if self.0.is_big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    /// Elf64_Addr, or Elf32_Addr.
    fn address(&self, to: &mut Vec<u8>, value: u64) {
        match (self.0.is_64, self.0.is_big) {
            (true, true) => to.extend_from_slice(&value.to_be_bytes()),
            (true, false) => to.extend_from_slice(&value.to_le_bytes()),
            // It is below 4 GiB.
            (false, _) => self.word(to, (value & 0xffff_ffff) as u32),
        }
    }

    const fn sizes(&self) -> (u16, u16) {
        if self.0.is_64 { (64, 56) } else { (52, 32) }
    }

    /// Where the content begins, behind the header and so many program headers.
    fn content_at(&self, segments: usize) -> usize {
        let (header, entry) = self.sizes();
        usize::from(entry).saturating_mul(segments).saturating_add(header.into())
    }

    /// The headers of a file whose entry point is at this address; 0 for none.
    fn headers(&self, e_entry: usize, segments: &[Segment]) -> Vec<u8> {
        let Elf(arch) = self;
        let e_flags = match (e_machine(arch), arch.is_64) {
            // EF_MIPS_ARCH_32 and E_MIPS_ABI_O32, or EF_MIPS_ARCH_64.
            (EM_MIPS, false) => 0x5000_1000,
            (EM_MIPS, true) => 0x6000_0000,
            // EF_ARM_EABI_VER5, and the float ABI.
            (EM_ARM, _) => 0x0500_0000 | if arch.is_hard { 0x400 } else { 0x200 },
            // EF_PPC64_ABI: ELFv2.
            (EM_PPC64, _) if !arch.is_big => 2,
            _ => 0,
        };
        let (header, entry) = self.sizes();
        let (class, order) = (if arch.is_64 { 2 } else { 1 }, if arch.is_big { 2 } else { 1 });
        let mut file = vec![0x7f, b'E', b'L', b'F', class, order, 1, 0];
        file.extend([0; 8]);
        self.half(&mut file, ET_DYN);
        self.half(&mut file, e_machine(arch));
        self.word(&mut file, 1);
        for address in [e_entry.next_multiple_of(4), header.into(), 0] {
            self.address(&mut file, address as u64);
        }
        self.word(&mut file, e_flags);
        let count = u16::try_from(segments.len()).unwrap_or_default();
        // No sections.
        for field in [header, entry, count, 0, 0, 0] {
            self.half(&mut file, field);
        }
        for segment in segments {
            self.word(&mut file, segment.p_type);
            if arch.is_64 {
                self.word(&mut file, segment.p_flags);
            }
            for address in [segment.start, segment.address, segment.address, segment.size, segment.size] {
                self.address(&mut file, address as u64);
            }
            if !arch.is_64 {
                self.word(&mut file, segment.p_flags);
            }
            self.address(&mut file, if segment.p_type == PT_LOAD { PAGE as u64 } else { 1 });
        }
        file
    }

    /// Functions of these names, all at one address.
    fn symbols(&self, names: Exports, address: usize) -> Tables {
        // Two symbols a bucket, and eight bits of the filter for each.
        let places = names.list.len().next_power_of_two();
        let bucket = |hash: u32| hash as usize & (places / 2).wrapping_sub(1);
        let (firsts, sorted) = by_bucket(&names.list, places / 2, bucket);
        // Words of 64 bits, or 32.
        let log = if self.0.is_64 { 6 } else { 5 };
        let mut filter = vec![0_u64; places.saturating_mul(8) >> log];
        let words = filter.len();
        let bit = |hash: u32| 1_u64.wrapping_shl(hash & (1_u32 << log).wrapping_sub(1));
        let entry = if self.0.is_64 { 24 } else { 16 };
        let mut symbols = Vec::with_capacity(sorted.len().saturating_mul(entry));
        symbols.resize(entry, 0);
        let mut chain = Vec::with_capacity(sorted.len().saturating_mul(4));
        for (index, (hash, name)) in sorted.iter().enumerate().skip(1) {
            if let Some(word) = filter.get_mut((hash >> log) as usize & words.wrapping_sub(1)) {
                *word |= bit(*hash) | bit(hash >> SHIFT);
            }
            // The lowest bit ends a bucket.
            let next = sorted.get(index.wrapping_add(1));
            let is_last = next.is_none_or(|(next, _)| bucket(*next) != bucket(*hash));
            self.word(&mut chain, hash & !1 | u32::from(is_last));
            self.word(&mut symbols, *name);
            // STB_GLOBAL and STT_FUNC; of a section.
            let kind = |symbols: &mut Vec<u8>| {
                symbols.extend_from_slice(&[0x12, 0]);
                self.half(symbols, 1);
            };
            if self.0.is_64 {
                kind(&mut symbols);
            }
            self.address(&mut symbols, address as u64);
            self.address(&mut symbols, 8);
            if !self.0.is_64 {
                kind(&mut symbols);
            }
        }
        let mut hash = Vec::new();
        for field in [firsts.len(), 1, words, SHIFT as usize] {
            self.word(&mut hash, u32::try_from(field).unwrap_or_default());
        }
        for word in filter {
            self.address(&mut hash, word);
        }
        for first in firsts {
            self.word(&mut hash, first);
        }
        hash.extend_from_slice(&chain);
        Tables { hash, symbols, strings: names.strings }
    }
}

/// Sorts symbols by their buckets, the first behind one that is none; and where each bucket begins.
fn by_bucket(list: &[(u32, u32)], buckets: usize, of: impl Fn(u32) -> usize) -> (Vec<u32>, Vec<(u32, u32)>) {
    // Counted first: a sort by comparing takes ten times as many instructions (270,000).
    let mut firsts = vec![0_u32; buckets];
    for (hash, _) in list {
        if let Some(count) = firsts.get_mut(of(*hash)) {
            *count = count.wrapping_add(1);
        }
    }
    let mut next = 1_u32;
    for first in &mut firsts {
        next = next.wrapping_add(mem::replace(first, next));
    }
    let mut free = firsts.clone();
    let mut sorted = vec![(0, 0); list.len().saturating_add(1)];
    for symbol in list {
        let Some(place) = free.get_mut(of(symbol.0)) else { continue };
        if let Some(sorted) = sorted.get_mut(*place as usize) {
            *sorted = *symbol;
        }
        *place = place.wrapping_add(1);
    }
    (firsts, sorted)
}

/// Between the two bits of a symbol in the filter.
const SHIFT: u32 = 6;
