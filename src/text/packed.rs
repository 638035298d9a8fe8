//! Texts in half the bytes: a fifth of a router's build would be English. As BusyBox does with its usage texts, but each
//! alone, and packed by the compiler: the source holds the words as they are.
//!
//! Byte pair encoding (Gage 1994): a byte from 0x80 on, or one of the control characters that no text has, stands for two
//! others, each of which may be such a byte again.
//! Line ends stand for themselves, so that a packed text can be taken apart by lines.

use std::ffi::{CStr, c_char};
use std::fmt;

use super::pairs::PAIRS;

/// A packed text: where it begins; a NUL ends it. A pointer of one word, since most of the texts stand in a list of
/// several, and each word of them is code.
#[derive(Clone, Copy)]
pub struct Packed(*const c_char);

// SAFETY: what it points to is a constant.
unsafe impl Sync for Packed {}
// SAFETY: the same.
unsafe impl Send for Packed {}

/// Packs a text; it has to be ASCII, without NUL.
macro_rules! packed {
    ($text:expr) => {{
        const PACKED: ($crate::text::packed::Buffer, usize) = $crate::text::packed::pack($text);
        const BYTES: [u8; PACKED.1] = $crate::text::packed::first(&PACKED.0);
        const TEXT: $crate::text::Packed = $crate::text::Packed::of(&BYTES);
        TEXT
    }};
}
pub(crate) use packed;

/// Room for the longest text.
pub(crate) type Buffer = [u8; 2048];

impl Packed {
    /// No text.
    pub(crate) const NONE: Packed = Packed(c"".as_ptr());

    /// What [`pack`] has made: its only NUL is at its end.
    pub(crate) const fn of(bytes: &'static [u8]) -> Packed {
        match CStr::from_bytes_with_nul(bytes) {
            Ok(text) => Packed(text.as_ptr()),
            Err(_) => Packed::NONE,
        }
    }

    fn bytes(self) -> &'static [u8] {
        // SAFETY: it was made of a 'static CStr.
        unsafe { CStr::from_ptr(self.0) }.to_bytes()
    }

    /// The text as it was.
    pub fn unpack(self) -> String {
        let mut out = String::new();
        for byte in self.bytes() {
            push(&mut out, *byte);
        }
        out
    }
}

impl Default for Packed {
    fn default() -> Packed {
        Packed::NONE
    }
}

impl PartialEq for Packed {
    fn eq(&self, other: &Packed) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Packed {}

impl fmt::Display for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unpack())
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.unpack(), f)
    }
}

/// A pair is of bytes that are listed before it, so that this ends.
fn push(out: &mut String, byte: u8) {
    let place = match byte {
        0x80.. => byte.wrapping_sub(0x80),
        0x0e..=0x1f => byte.wrapping_add(0x80 - 0x0e),
        _ => return out.push(char::from(byte)),
    };
    for byte in PAIRS.get(usize::from(place)).into_iter().flatten() {
        push(out, *byte);
    }
}

/// A packed text with a NUL, and its length.
#[allow(clippy::cast_possible_truncation, clippy::arithmetic_side_effects, clippy::indexing_slicing)]
pub(crate) const fn pack(text: &str) -> (Buffer, usize) {
    let text = text.as_bytes();
    let mut buffer = [0; 2048];
    let mut len = 0;
    while len < text.len() {
        assert!(matches!(text[len], b'\t' | b'\n' | b'\r' | 0x20..=0x7f), "only ASCII text can be packed");
        buffer[len] = text[len];
        len += 1;
    }
    let mut code = 0;
    while code < PAIRS.len() {
        let [one, other] = PAIRS[code];
        let (mut from, mut to) = (0, 0);
        while from < len {
            if buffer[from] == one && from + 1 < len && buffer[from + 1] == other {
                buffer[to] = byte(code);
                from += 2;
            } else {
                buffer[to] = buffer[from];
                from += 1;
            }
            to += 1;
        }
        len = to;
        code += 1;
    }
    buffer[len] = 0;
    (buffer, len + 1)
}

/// What stands for a pair.
#[allow(clippy::cast_possible_truncation, clippy::arithmetic_side_effects)]
const fn byte(place: usize) -> u8 {
    if place < 0x80 { 0x80 + place as u8 } else { place as u8 - 0x80 + 0x0e }
}

/// As much of a buffer as there is room for.
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
pub(crate) const fn first<const LEN: usize>(buffer: &Buffer) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    let mut at = 0;
    while at < LEN {
        bytes[at] = buffer[at];
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_as_it_was() {
        const ALL: &str = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\t\r\n";
        const WORDS: &str =
            "%n needs the loader %0, which is not on this machine\np PT_INTERP=%0 (%1)\nm machine=%m\n";
        assert_eq!(packed!(ALL).unpack(), ALL);
        assert_eq!(packed!(WORDS).unpack(), WORDS);
        assert!(packed!(WORDS).bytes().len() < WORDS.len() / 2);
        assert_eq!(packed!("").unpack(), "");
    }

    #[test]
    fn a_pair_is_made_of_what_comes_before_it() {
        let mut known: Vec<u8> = (0x20..0x80).chain([b'\t', b'\r']).collect();
        for (place, pair) in PAIRS.iter().enumerate() {
            assert!(pair.iter().all(|byte| known.contains(byte)), "{place}: {pair:?}");
            known.push(byte(place));
        }
    }
}
