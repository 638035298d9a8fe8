//! Where a binary's bytes are: by section, by crate, by function.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use object::{File, Object, ObjectSection, ObjectSymbol};

use super::build::Built;
use crate::gates::thousands;

/// How many functions and tables are named.
const LARGEST: usize = 15;

/// The report on one binary, as text that ends its last line.
pub(crate) fn report(built: &Built) -> Result<String> {
    let size = fs::metadata(&built.binary).with_context(|| format!("read {}", built.binary.display()))?.len();
    let plain = fs::read(&built.plain).with_context(|| format!("read {}", built.plain.display()))?;
    let symbols = fs::read(&built.symbols).with_context(|| format!("read {}", built.symbols.display()))?;
    let (file, symbols) = (File::parse(&*plain)?, File::parse(&*symbols)?);
    let mut text = table("section", &sections(&file, size), usize::MAX);
    let named = named(&symbols);
    let mut crates: BTreeMap<String, u64> = BTreeMap::new();
    for symbol in &named {
        *crates.entry(owner(&symbol.name)).or_default() += symbol.size;
    }
    let unnamed = stored(&symbols).map(|section| section.size()).sum::<u64>();
    let unnamed = unnamed.saturating_sub(named.iter().map(|symbol| symbol.size).sum());
    crates.insert("(strings, tables, padding)".to_owned(), unnamed);
    text += &table("crate", &sorted(crates), usize::MAX);
    let symbols = named.into_iter().map(|symbol| (symbol.name, symbol.size));
    text += &table("largest", &sorted(symbols), LARGEST);
    Ok(text)
}

/// A function or table with a name.
struct Named {
    name: String,
    size: u64,
}

/// The sections that take room in the file, and the rest of it.
fn sections(file: &File, total: u64) -> Vec<(String, u64)> {
    let mut sections: BTreeMap<String, u64> = BTreeMap::new();
    for section in stored(file) {
        sections.insert(section.name().unwrap_or("?").to_owned(), section.size());
    }
    let rest = total.saturating_sub(sections.values().sum());
    sections.insert("(headers, padding)".to_owned(), rest);
    sorted(sections)
}

/// The sections that are loaded from the file.
fn stored<'file, 'data>(
    file: &'file File<'data>,
) -> impl Iterator<Item = impl ObjectSection<'data> + 'file> + 'file {
    file.sections().filter(|section| section.file_range().is_some() && section.address() != 0)
}

/// The symbols with bytes in the file, without the compiler's own (`$anon...`, `$switch.table...`); where
/// several name one place, the first does.
fn named(file: &File) -> Vec<Named> {
    let loaded: HashSet<_> = stored(file).map(|section| section.index()).collect();
    let in_file =
        |symbol: &object::Symbol| symbol.section_index().is_some_and(|index| loaded.contains(&index));
    let mut places = HashSet::new();
    file.symbols()
        .filter(|symbol| symbol.size() > 0 && in_file(symbol))
        .filter(|symbol| !symbol.name().unwrap_or_default().starts_with('$'))
        .filter(|symbol| places.insert(symbol.address()))
        .map(|symbol| Named {
            name: format!("{:#}", rustc_demangle::demangle(symbol.name().unwrap_or("?"))),
            size: symbol.size(),
        })
        .collect()
}

/// The crate that a demangled name belongs to: `<&std::io::Error as core::fmt::Debug>::fmt` is of std. A
/// generic function counts for the crate that wrote it, not for the one that asked for it.
fn owner(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some((before, _)) = name.split_once("::") {
        let word = before.rsplit(|c| !is_word(c)).next().unwrap_or_default();
        // `<str>::trim` is a method of a type that has no path.
        return if word.is_empty() { "core" } else { word }.to_owned();
    }
    // zig's allocator and memcpy have dots in their names; what is left is C.
    if name.contains('.') { "zig" } else { "libc" }.to_owned()
}

fn sorted(sizes: impl IntoIterator<Item = (String, u64)>) -> Vec<(String, u64)> {
    let mut sizes: Vec<(String, u64)> = sizes.into_iter().collect();
    sizes.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    sizes
}

fn table(head: &str, rows: &[(String, u64)], limit: usize) -> String {
    let mut text = format!("   bytes  {head}\n");
    for (name, size) in rows.iter().take(limit) {
        let name: String = name.chars().take(96).collect();
        let _ = writeln!(text, "{:>8}  {name}", thousands(*size));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn owner_of_a_name() {
        assert_eq!(owner("diag::main"), "diag");
        assert_eq!(owner("<&std::io::error::Error as core::fmt::Debug>::fmt"), "std");
        assert_eq!(owner("<str as core::fmt::Debug>::fmt"), "core");
        assert_eq!(owner("<hashbrown::raw::RawTable<(alloc::string::String, u8)>>::reserve"), "hashbrown");
        assert_eq!(owner("<str>::trim_matches::<core::ops::range::Range<u8>>"), "core");
        assert_eq!(owner("heap.SmpAllocator.alloc"), "zig");
        assert_eq!(owner("__fstatat"), "libc");
    }
}
