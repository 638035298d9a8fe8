//! What the name of a file tells.

use alloc::string::String;

use super::words::{Container, ENDS, PROCESSORS, Processor, Sense, WORDS};
use crate::machine::decimal;

/// The name of a file on a release page, read.
pub(super) struct Name<'a> {
    pub(super) text: &'a str,
    /// In small letters, with `-` for whatever parts words, and one at each end.
    words: String,
    pub(super) container: Container,
    pub(super) processor: Option<&'static Processor>,
    /// The number behind `glibc`: 235 for 2.35.
    pub(super) glibc: Option<u64>,
}

impl<'a> Name<'a> {
    pub(super) fn read(text: &'a str) -> Name<'a> {
        let lower = text.to_ascii_lowercase();
        let container = ENDS.iter().find(|(end, _)| lower.ends_with(end));
        let container = container.map_or(Container::Plain, |(_, container)| *container);
        let words = parted(&lower);
        let processor = processor(&words);
        let glibc = parts(&words).find_map(|part| decimal(part.strip_prefix("glibc")?.as_bytes()));
        Name { text, words, container, processor, glibc }
    }

    /// Each sense of its words.
    fn senses(&self) -> impl Iterator<Item = Sense> {
        parts(&self.words).flat_map(senses).copied()
    }

    pub(super) fn says(&self, sense: Sense) -> bool {
        self.senses().any(|said| said == sense) || sense == Sense::Glibc && self.glibc.is_some()
    }

    /// What it is, or what it is for, that no Linux machine starts: "is for Windows", "is a signature".
    pub(super) fn foreign(&self) -> Option<(&'static str, &'static str)> {
        let by_word = self.senses().find_map(|sense| match sense {
            Sense::System(system) => Some(("is for ", system)),
            Sense::NoProgram(what) => Some(("is ", what)),
            _ => None,
        });
        match self.container {
            Container::Foreign(system) => Some(("is for ", system)),
            Container::NoProgram(what) => Some(("is ", what)),
            _ => by_word,
        }
    }

    /// A target of GCC or Rust, in which `arm` is what these mean by it.
    pub(super) fn is_triple(&self) -> bool {
        parts(&self.words).any(|part| part == "unknown")
    }

    /// Whether it ends with an architecture's name, before what tells the kind of package. `mipsel_24kc` is not that of
    /// `mipsel_24kc_24kf`.
    pub(super) fn is_for_arch(&self, arch: &str) -> bool {
        let words = self.words.trim_end_matches('-').trim_end_matches(char::is_alphanumeric);
        words.ends_with(&parted(&arch.to_ascii_lowercase()))
    }

    /// How many words it has: of several files for a machine the plainest is the one without `extended` or `debug`.
    pub(super) fn len(&self) -> usize {
        parts(&self.words).count()
    }
}

fn parts(words: &str) -> impl Iterator<Item = &str> {
    words.split('-').filter(|part| !part.is_empty())
}

fn senses(word: &str) -> &'static [Sense] {
    WORDS.iter().find(|(known, _)| *known == word).map_or(&[], |(_, senses)| senses)
}

/// `Linux-64bit` as `-linux-64bit-`. A version keeps its dots, so that no number of it stands alone; what stands glued
/// together is parted where a system ends: `linux64`.
fn parted(lower: &str) -> String {
    let mut words = String::from("-");
    let mut before = '-';
    let mut letters = lower.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_in_version =
            letter == '.' && before.is_ascii_digit() && letters.peek().is_some_and(char::is_ascii_digit);
        before = if letter.is_ascii_alphanumeric() || is_in_version { letter } else { '-' };
        words.push(before);
        if words.ends_with("-linux") && letters.peek().is_some_and(char::is_ascii_digit) {
            words.push('-');
        }
    }
    words.push('-');
    words
}

/// The last word for a processor, for a product may have such a name as well (arm_exporter). Of several that begin at one
/// place, the longest.
fn processor(words: &str) -> Option<&'static Processor> {
    let (mut last, mut before, mut rest) = (None, "", words);
    while let Some((part, behind)) = rest.split_once('-') {
        let here = rest;
        rest = behind;
        let is_next = |known: &&Processor| {
            // A number alone is a processor's behind a system's name only; but 386 is always one.
            let is_number = known.word.len() == 2 || known.word.ends_with("bit");
            let is_whole = here.strip_prefix(known.word).is_some_and(|behind| behind.starts_with('-'));
            is_whole && (!is_number || senses(before).iter().any(|sense| sense.is_system()))
        };
        if let Some(known) = PROCESSORS.iter().filter(is_next).max_by_key(|known| known.word.len()) {
            last = Some(known);
            rest = here.get(known.word.len()..)?;
        }
        before = part;
    }
    last
}
