//! What the name of a file tells.

use alloc::vec::Vec;

use super::words::{
    GLIBC, LINUX, Manager, OTHER_ENDS, PACKAGES, PROCESSORS, Processor, SYSTEM, Senses, WORDS,
};
use crate::machine::decimal;
use crate::text::cut_bytes;

/// The name of a file on a release page, read.
pub(super) struct Name<'a> {
    pub(super) text: &'a [u8],
    /// In small letters, with `-` for whatever parts words, and one at each end.
    words: Vec<u8>,
    senses: Senses,
    /// What it is, or what it is for, that no Linux machine starts: "for Windows", "a signature"; else empty.
    pub(super) other: &'static str,
    /// Who installs it, where it is a package.
    pub(super) package: Option<Manager>,
    pub(super) processor: Option<&'static Processor>,
    /// The word for that.
    pub(super) word: &'static str,
    /// The number behind `glibc`: 235 for 2.35.
    pub(super) glibc: Option<u64>,
    /// How many words it has: of several files for a machine the plainest is the one without `extended` or `debug`.
    pub(super) len: u64,
}

impl<'a> Name<'a> {
    pub(super) fn read(text: &'a [u8]) -> Name<'a> {
        let lower = text.to_ascii_lowercase();
        let ends = |ends: &str| ends.split(' ').any(|end| lower.ends_with(end.as_bytes()));
        let mut name = Name {
            text,
            words: parted(&lower),
            senses: 0,
            other: OTHER_ENDS.iter().find(|(of, _)| ends(of)).map_or("", |(_, other)| *other),
            package: PACKAGES.iter().find(|(of, _)| ends(of)).map(|(_, manager)| *manager),
            processor: None,
            word: "",
            glibc: None,
            len: 0,
        };
        name.read_words();
        name
    }

    fn read_words(&mut self) {
        let words = core::mem::take(&mut self.words);
        let (mut rest, mut before, mut behind_processor) = (&*words, 0, usize::MAX);
        while let Some((part, behind)) = cut_bytes(rest, b'-') {
            let senses = if part.is_empty() { 0 } else { self.sense(part, rest) };
            // A product may have the name of a processor as well (arm_exporter): the last word for one counts.
            let is_free = rest.len() <= behind_processor;
            if let Some((processor, word)) =
                processor(rest, before & (LINUX | SYSTEM) != 0).filter(|_| is_free)
            {
                (self.processor, self.word) = (Some(processor), word);
                behind_processor = rest.len().saturating_sub(word.len());
            }
            (before, rest) = (senses, behind);
        }
        self.words = words;
    }

    /// What the first word of the rest says besides.
    fn sense(&mut self, word: &[u8], rest: &[u8]) -> Senses {
        self.len = self.len.saturating_add(1);
        if let Some(version) = word.strip_prefix(b"glibc").and_then(decimal) {
            self.glibc = Some(version);
            self.senses |= GLIBC;
        }
        let Some((_, senses, other)) = WORDS.iter().find(|(words, ..)| !longest(words, rest).is_empty())
        else {
            return 0;
        };
        self.senses |= *senses;
        if self.other.is_empty() {
            self.other = other;
        }
        *senses
    }

    /// Whether one of its words says one of these.
    pub(super) fn says(&self, senses: Senses) -> bool {
        self.senses & senses != 0
    }

    /// Whether it ends with an architecture's name, before what tells the kind of package. `mipsel_24kc` is not that of
    /// `mipsel_24kc_24kf`.
    pub(super) fn is_for_arch(&self, arch: &str) -> bool {
        let words = self.words.strip_suffix(b"-").unwrap_or_default();
        let end = words.iter().rposition(|byte| *byte == b'-').unwrap_or_default();
        let words = words.get(..=end).unwrap_or_default();
        words.ends_with(&parted(&arch.as_bytes().to_ascii_lowercase()))
    }
}

/// The longest of some words that a text begins with, followed by `-`; empty where it begins with none.
fn longest(words: &'static str, text: &[u8]) -> &'static str {
    let begins = |word: &&str| text.strip_prefix(word.as_bytes()).is_some_and(|rest| rest.starts_with(b"-"));
    words.split(' ').filter(begins).max_by_key(|word| word.len()).unwrap_or_default()
}

/// `Linux-64bit` as `-linux-64bit-`. A version keeps its dots, so that no number of it stands alone; what stands glued
/// together is parted where a system ends: `linux64`.
fn parted(lower: &[u8]) -> Vec<u8> {
    let mut words = Vec::with_capacity(lower.len().saturating_add(2));
    words.push(b'-');
    let mut rest = lower;
    while let [letter, behind @ ..] = rest {
        let is_before_digit = behind.first().is_some_and(u8::is_ascii_digit);
        let is_in_version =
            *letter == b'.' && is_before_digit && words.last().is_some_and(u8::is_ascii_digit);
        words.push(if letter.is_ascii_alphanumeric() || is_in_version { *letter } else { b'-' });
        if is_before_digit && words.ends_with(b"-linux") {
            words.push(b'-');
        }
        rest = behind;
    }
    words.push(b'-');
    words
}

/// The processor that a rest of a name begins with, and its word: of several the longest.
fn processor(rest: &[u8], is_behind_system: bool) -> Option<(&'static Processor, &'static str)> {
    let words = PROCESSORS.iter().map(|processor| (processor, longest(processor.words, rest)));
    let (processor, word) = words.max_by_key(|(_, word)| word.len())?;
    // A number alone is a processor's behind a system's name only; but 386 is always one.
    let is_number = word.len() == 2 || word.ends_with("bit");
    (!word.is_empty() && (!is_number || is_behind_system)).then_some((processor, word))
}
