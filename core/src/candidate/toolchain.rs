//! What made a program that is not Go's: the names of its sections, the libraries it needs, `.comment`, and a few samples of
//! its symbols' names, in this order. None has to be there; all of it is read in bounded pieces.

use alloc::vec::Vec;
use core::ptr;

use super::reader::Reader;
use super::{Image, Origin, Toolchain};
use crate::elf::consts::{DT_STRSZ, DT_STRTAB, SHF_ALLOC, SHT_STRTAB};
use crate::elf::{SectionHeader, offset as at};
use crate::machine::{holds, parts};
use crate::text;

/// Bytes of the sections' names that are looked at.
const NAMES: usize = 1024;
/// Bytes of the symbols' names that are looked at where they begin, and at each further quarter.
const FIRST: usize = 512;
const SAMPLE: usize = 256;

/// How the names of sections begin that only one toolchain makes. Observed, but for those of .NET's native compiler (its
/// `ObjectWriter`), Swift (`lib/IRGen`) and GHC (`GHC.Linker.ExtraObj`).
const SECTIONS: [(&[u8], Toolchain); 11] = [
    (b".svm_heap", Toolchain::Graal),
    (b"_tlgEventPtrs_DotNET", Toolchain::DotNet),
    (b"__managedcode", Toolchain::DotNet),
    (b".dotnet_eh_table", Toolchain::DotNet),
    (b".bun", Toolchain::Bun),
    (b".fpcdata", Toolchain::Pascal),
    (b"swift5_", Toolchain::Swift),
    (b"minfo", Toolchain::D),
    (b"__minfo", Toolchain::D),
    (b".debug-ghc-link-info", Toolchain::Haskell),
    // PyInstaller's archive.
    (b"pydata", Toolchain::Python),
];

/// What one of a program's libraries begins with.
const LIBRARIES: [(&[u8], Toolchain); 11] = [
    (b"libswiftCore", Toolchain::Swift),
    (b"libphobos2", Toolchain::D),
    (b"libdruntime", Toolchain::D),
    (b"libgphobos", Toolchain::D),
    (b"libHS", Toolchain::Haskell),
    (b"libnode.so", Toolchain::Node),
    (b"libmonosgen", Toolchain::DotNet),
    (b"libcoreclr", Toolchain::DotNet),
    (b"libhostfxr", Toolchain::DotNet),
    (b"libstdc++.", Toolchain::Cxx),
    (b"libc++.", Toolchain::Cxx),
];

/// What a line of `.comment` begins with, or holds: the first of the table that any line has.
const COMMENTS: [(&[u8], Toolchain); 7] = [
    (b"GHC ", Toolchain::Haskell),
    (b"ldc version", Toolchain::D),
    (b"zig ", Toolchain::Zig),
    (b"Swift version", Toolchain::Swift),
    // A Rust program holds C as well: its libc.
    (b"rustc version", Toolchain::Rust),
    (b"GCC:", Toolchain::C),
    (b"clang version", Toolchain::C),
];

/// How names of symbols begin: functions of a runtime, and names as a compiler writes them. What has an engine's or a
/// runtime's comes before the languages that those are written in.
const SYMBOLS: [(&[u8], Toolchain); 17] = [
    (b"DotNetRuntime", Toolchain::DotNet),
    (b"Dart_", Toolchain::Dart),
    (b"_kDart", Toolchain::Dart),
    (b"_ZN4node", Toolchain::Node),
    (b"napi_", Toolchain::Deno),
    (b"_ZN2v88internal", Toolchain::V8),
    (b"_ZTHN2v88internal", Toolchain::V8),
    (b"caml", Toolchain::OCaml),
    (b"base_GHCzi", Toolchain::Haskell),
    (b"ghczm", Toolchain::Haskell),
    (b"stg_", Toolchain::Haskell),
    (b"__crystal_", Toolchain::Crystal),
    (b"*Crystal::", Toolchain::Crystal),
    (b"_D3std", Toolchain::D),
    (b"_D4core", Toolchain::D),
    (b"start.posixCallMain", Toolchain::Zig),
    (b"rust_", Toolchain::Rust),
];

/// The toolchain of an ELF file that has no mark of Go's.
pub(super) fn of(reader: &mut Reader<'_>, image: &Image, tables: &Tables, comment: &[u8]) -> Origin {
    let by_comment = commented(comment);
    if crate::ROUTER {
        return of_comment(image, by_comment);
    }
    let names = reader.up_to(tables.names.offset, tables.names.size.min(NAMES)).to_vec();
    if let Some(toolchain) = named(&names, &SECTIONS) {
        // What it says of itself is of the runtime's compiler.
        return Origin { toolchain, detail: None };
    }
    let needed = image.dynamic.as_ref().map(|dynamic| dynamic.needed.as_slice()).unwrap_or_default();
    let needs = |name: &[u8]| needed.iter().any(|library| library.starts_with(name));
    let library = LIBRARIES.iter().find(|(name, _)| needs(name)).map(|(_, toolchain)| *toolchain);
    let language = match (by_comment.toolchain, library) {
        (Toolchain::C | Toolchain::Unknown, Some(library)) => library,
        // GHC's runtime system has its numbers from the one and calls C by the other.
        (Toolchain::C | Toolchain::Unknown, None) if needs(b"libgmp.") && needs(b"libffi.") => {
            Toolchain::Haskell
        }
        (own, _) => own,
    };
    let is_settled =
        !matches!(language, Toolchain::Unknown | Toolchain::C | Toolchain::Cxx | Toolchain::Rust);
    let mut toolchain = language;
    if !is_settled {
        let mut symbols = Vec::new();
        let dynamic = image.dynamic.as_ref().map_or(0, |dynamic| at(dynamic.flags(DT_STRSZ)));
        sample(reader, image.dynamic_offset(DT_STRTAB).unwrap_or_default(), dynamic, &mut symbols);
        // Node.js exports the engine for its modules; others keep it to themselves.
        let exports_v8 = parts(&symbols, 0).any(|name| name.starts_with(b"_ZN2v8"));
        sample(reader, tables.symbols.offset, tables.symbols.size, &mut symbols);
        let told = match named(&symbols, &SYMBOLS) {
            Some(Toolchain::V8) if exports_v8 => Some(Toolchain::Node),
            told => told,
        };
        // Programs that load Node.js' modules name its functions, too: Deno is written in Rust.
        let is_foreign = told == Some(Toolchain::Deno) && language != Toolchain::Rust;
        if let Some(told) = told.filter(|_| !is_foreign) {
            toolchain = told;
        } else if parts(&symbols, 0).any(|name| name.ends_with(b".nim.c")) {
            toolchain = Toolchain::Nim;
        } else if language == Toolchain::C && parts(&symbols, 0).any(|name| name.starts_with(b"_ZNSt")) {
            toolchain = Toolchain::Cxx;
        }
    }
    let detail = by_comment.detail.filter(|_| {
        toolchain == by_comment.toolchain
            || matches!(toolchain, Toolchain::Cxx | Toolchain::Nim | Toolchain::OCaml)
    });
    Origin { toolchain, detail }
}

/// What `.comment` and the libraries tell: a router's build asks no more, since nobody builds for it with the others.
fn of_comment(image: &Image, mut origin: Origin) -> Origin {
    let needed = image.dynamic.as_ref().map(|dynamic| dynamic.needed.as_slice()).unwrap_or_default();
    if origin.toolchain == Toolchain::C && needed.iter().any(|library| library.starts_with(b"libstdc++.")) {
        origin.toolchain = Toolchain::Cxx;
    }
    origin
}

/// The first of a table with whose beginning any of the names begins.
fn named(names: &[u8], table: &[(&[u8], Toolchain)]) -> Option<Toolchain> {
    let is_there = |mark: &[u8]| parts(names, 0).any(|name| name.starts_with(mark));
    table.iter().find(|(mark, _)| is_there(mark)).map(|(_, toolchain)| *toolchain)
}

/// Where the names of sections are, and those of symbols that are not loaded.
#[derive(Default)]
pub(super) struct Tables {
    names: Strings,
    symbols: Strings,
}

/// A section of strings.
#[derive(Default)]
struct Strings {
    offset: usize,
    size: usize,
}

impl Tables {
    pub(super) fn of(image: &Image, sections: &[SectionHeader]) -> Tables {
        let is_strings =
            |section: &&SectionHeader| section.kind == SHT_STRTAB && section.flags & SHF_ALLOC == 0;
        let strings = |section: &SectionHeader| Strings { offset: section.offset, size: section.size };
        let names = sections.get(usize::from(image.header.e_shstrndx)).filter(is_strings);
        let is_names = |section: &SectionHeader| names.is_some_and(|names| ptr::eq(names, section));
        let symbols = sections.iter().filter(is_strings).rfind(|section| !is_names(section));
        Tables {
            names: names.map(strings).unwrap_or_default(),
            symbols: symbols.map(strings).unwrap_or_default(),
        }
    }

    /// Where the names of sections begin.
    pub(super) const fn names(&self) -> usize {
        self.names.offset
    }
}

/// Adds pieces of a table of strings.
fn sample(reader: &mut Reader<'_>, start: usize, size: usize, out: &mut Vec<u8>) {
    for quarter in 0..4_usize {
        let within = (size / 4).saturating_mul(quarter);
        let wanted = if quarter == 0 { FIRST } else { SAMPLE };
        let left = size.saturating_sub(within);
        // One that is no longer than the first piece was seen whole.
        if quarter > 0 && within < FIRST {
            continue;
        }
        out.push(0);
        out.extend_from_slice(reader.up_to(start.saturating_add(within), wanted.min(left)));
    }
}

/// What .comment tells.
fn commented(comment: &[u8]) -> Origin {
    for &(mark, toolchain) in &COMMENTS {
        let is_told =
            |line: &&[u8]| line.starts_with(mark) || (mark.ends_with(b"version") && holds(line, mark));
        if let Some(line) = parts(comment, 0).find(is_told) {
            let line = line.get(..120).unwrap_or(line);
            return Origin { toolchain, detail: Some(text::printable(line)) };
        }
    }
    Origin::default()
}
