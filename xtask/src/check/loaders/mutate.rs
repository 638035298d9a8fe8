//! One change of one table.

use oracle::random::Random;
use testkit::Image;

use super::base::{Base, NAMES};
use tables::Tables;

mod tables;

/// A base with one file changed.
pub(super) struct Mutant {
    /// Which base.
    pub(super) base: usize,
    /// Which of its files is changed.
    pub(super) file: usize,
    pub(super) files: [Vec<u8>; 3],
    /// What kind of table is changed.
    pub(super) kind: &'static str,
    /// What of it.
    pub(super) words: String,
}

/// A kind of table, and what changes one of it; None where the file has none.
type Kind = (&'static str, fn(&mut Tables, &mut Random) -> Option<String>);

const KINDS: [Kind; 7] = [
    ("PT_DYNAMIC", Tables::change_entry),
    ("PT_DYNAMIC", Tables::change_value),
    ("hash tables", Tables::change_hash),
    ("versions", Tables::change_version),
    ("relocations", Tables::change_relocation),
    ("symbols", Tables::change_symbol),
    ("strings", Tables::change_string),
];

impl Mutant {
    pub(super) fn make(base: usize, of: &Base, random: &mut Random) -> Mutant {
        loop {
            let file = random.below(NAMES.len());
            let (kind, change) = random.pick(&KINDS);
            let Some(mut tables) = Tables::of(of.files[file].clone()) else { continue };
            let Some(words) = change(&mut tables, random).filter(|_| tables.image != of.files[file]) else {
                continue;
            };
            let mut files = of.files.each_ref().map(|image: &Image| image.bytes.clone());
            files[file] = tables.image.bytes;
            let words = format!("{} of {}: {words}", kind, NAMES[file]);
            return Mutant { base, file, files, kind, words };
        }
    }
}
