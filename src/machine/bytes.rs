//! What a machine tells is bytes: words, numbers and names in them. std's ways are made for more.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::text::cut_bytes;

/// Text that somebody else wrote, in whatever bytes: `String::from_utf8_lossy` in a third of its size.
pub(crate) fn word(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(if chunk.invalid().is_empty() { "" } else { "\u{fffd}" });
    }
    text
}

/// Whether a word is among others: a `match` is code for each of them.
#[inline(never)]
pub(crate) fn is_among(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|other| word == other.as_bytes())
}

/// The number at the front, behind blanks.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii_start();
    let mut value = 0_u64;
    for digit in text.iter().map(|byte| byte.wrapping_sub(b'0')).take_while(|digit| *digit < 10) {
        // `checked_mul` is dear on a router.
        if value > u64::MAX / 10 {
            return None;
        }
        value = value.wrapping_mul(10).checked_add(digit.into())?;
    }
    text.first().is_some_and(u8::is_ascii_digit).then_some(value)
}

/// A path in a folder: `Path::join` in a third of its size.
pub(crate) fn below(folder: &Path, name: &[u8]) -> PathBuf {
    let mut path = folder.as_os_str().as_bytes().to_vec();
    if !path.is_empty() && !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    PathBuf::from(OsString::from_vec(path))
}

/// Whether a path is a folder's, or below it: `Path::starts_with` in a fifth of its size.
pub(crate) fn is_below(path: &Path, folder: &Path) -> bool {
    let [path, folder] = [path, folder].map(|path| path.as_os_str().as_bytes());
    let mut names = names(path);
    path.first() == folder.first() && self::names(folder).all(|name| names.next() == Some(name))
}

/// What stands between marks: std's `split` is code wherever it is used.
pub(crate) struct Parts<'a> {
    rest: Option<&'a [u8]>,
    mark: u8,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest?;
        let cut = cut_bytes(text, self.mark);
        self.rest = cut.map(|(_, behind)| behind);
        Some(cut.map_or(text, |(part, _)| part))
    }
}

pub(crate) fn parts(text: &[u8], mark: u8) -> Parts<'_> {
    Parts { rest: Some(text), mark }
}

/// What follows some text at the start of a line.
pub(crate) fn after<'a>(text: &'a [u8], start: &str) -> Option<&'a [u8]> {
    parts(text, b'\n').find_map(|line| line.strip_prefix(start.as_bytes()))
}

/// Whether a text has a part.
#[inline(never)]
pub(crate) fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The names in a path.
fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    parts(path, b'/').filter(|name| !matches!(*name, b"" | b"."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_digits_do() {
        let max = u64::MAX.to_string();
        assert_eq!(
            (decimal(b" 0"), decimal(b"\t42 kB"), decimal(max.as_bytes())),
            (Some(0), Some(42), Some(u64::MAX))
        );
        assert_eq!((decimal(b""), decimal(b" kB"), decimal(b"-1")), (None, None, None));
        assert_eq!((decimal(b"18446744073709551616"), decimal(b"99999999999999999999")), (None, None));
    }

    #[test]
    fn parts_of_a_text() {
        let split = |text| parts(text, b'|').collect::<Vec<_>>();
        assert_eq!(split(b"a||b|"), [&b"a"[..], b"", b"b", b""]);
        assert_eq!(split(b""), [b""]);
        assert_eq!((after(b"a: 1\nb: 2", "b: "), after(b"ab: 1", "b: ")), (Some(&b"2"[..]), None));
        assert!(holds(b"a-linux-b", b"-linux-") && !holds(b"-linux", b"-linux-"));
    }
}
