//! Display of untrusted bytes and of sizes.

use alloc::string::String;
use core::fmt::{self, Write};

use crate::path::Path;

/// A name as it may be shown: control characters and bytes that are no UTF-8 become `\n`, `\x1b`; a backslash
/// stays as it is. Nothing below 0x20 is left.
pub fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    // A String takes everything.
    let _ = show(bytes, &mut out);
    out
}

/// Writes [`printable`].
pub fn show(bytes: &[u8], out: &mut dyn Write) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            show_char(c, out)?;
        }
        for byte in chunk.invalid() {
            escape((*byte).into(), out)?;
        }
    }
    Ok(())
}

/// What is shown of a name in a text: more than any that people give.
const LONGEST: usize = 1024;

/// Writes [`printable`], or its beginning where it is a long one.
pub fn show_short(bytes: &[u8], out: &mut dyn Write) -> fmt::Result {
    match bytes.get(..LONGEST) {
        Some(first) if !crate::ROUTER && bytes.len() > LONGEST => {
            show(first, out)?;
            write!(out, "... ({} bytes)", bytes.len())
        }
        _ => show(bytes, out),
    }
}

/// [`show_short`] as a text.
pub fn short(bytes: &[u8]) -> String {
    let mut out = String::new();
    // A String takes everything.
    let _ = show_short(bytes, &mut out);
    out
}

fn show_char(c: char, out: &mut dyn Write) -> fmt::Result {
    match c {
        _ if is_shown(c) => out.write_char(c),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\0'..='\u{9f}' => escape(c.into(), out),
        _ => write!(out, "\\u{{{:x}}}", u32::from(c)),
    }
}

/// Characters that are not seen, and those that reorder what is shown around them: the general categories Cf, Zl and Zp
/// of Unicode, and what else it calls Default_Ignorable_Code_Point (DerivedCoreProperties.txt).
const FORMAT: &[(u32, u32)] = if crate::ROUTER {
    SHORT_FORMAT
} else {
    &[
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x600, 0x605),
        (0x61c, 0x61c),
        (0x6dd, 0x6dd),
        (0x70f, 0x70f),
        (0x890, 0x891),
        (0x8e2, 0x8e2),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfffb),
        (0x1_10bd, 0x1_10bd),
        (0x1_10cd, 0x1_10cd),
        (0x1_3430, 0x1_343f),
        (0x1_bca0, 0x1_bca3),
        (0x1_d173, 0x1_d17a),
        (0xe_0000, 0xe_0fff),
    ]
};

/// The same on a router: what steers, and what is met in text.
const SHORT_FORMAT: &[(u32, u32)] = &[
    (0xad, 0xad),
    (0x61c, 0x61c),
    (0x200b, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0xfeff, 0xfeff),
    (0xfff9, 0xfffb),
    (0xe_0000, 0xe_0fff),
];

/// Whether a character is shown as it is. C0, DEL and C1 steer terminals.
fn is_shown(c: char) -> bool {
    let code = u32::from(c);
    match c {
        ' '..='~' => true,
        '\0'..='\u{9f}' => false,
        _ => !FORMAT.iter().any(|(first, last)| (*first..=*last).contains(&code)),
    }
}

/// Whether [`printable`] changes nothing of it.
pub fn is_printable(bytes: &[u8]) -> bool {
    printable(bytes).as_bytes() == bytes
}

/// Writes a name as the inside of `$'...'`, by which a shell means exactly these bytes (POSIX.1-2024; bash, zsh, BusyBox ash).
pub fn show_for_shell(bytes: &[u8], out: &mut dyn Write) -> fmt::Result {
    for byte in bytes {
        match byte {
            b'\'' | b'\\' => write!(out, "\\{}", char::from(*byte))?,
            b' '..=b'~' => out.write_char(char::from(*byte))?,
            _ => write!(out, "\\{byte:03o}")?,
        }
    }
    Ok(())
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in bytes {
        // A String takes everything.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

fn escape(code: u32, out: &mut dyn Write) -> fmt::Result {
    write!(out, "\\x{code:02x}")
}

/// [`printable`] for a path.
pub fn path(path: &Path) -> String {
    printable(path.as_bytes())
}

/// [`printable`] for a name.
pub fn name(name: &[u8]) -> String {
    printable(name)
}

/// A size with its unit, rounded up: "512 bytes", "9.5 KiB", "10.6 MiB", "128 MiB".
pub fn size(bytes: u64) -> String {
    shown_size(bytes, true)
}

/// What is free on a file system, rounded to the nearest, as BusyBox's `df -h` does.
pub fn free_space(bytes: u64) -> String {
    shown_size(bytes, false)
}

fn shown_size(bytes: u64, up: bool) -> String {
    let mut out = String::new();
    let _ = show_size(bytes, up, &mut out);
    out
}

/// Writes a size with its unit: rounded up; or to the nearest, as BusyBox's `df -h` does.
pub(crate) fn show_size(bytes: u64, up: bool, out: &mut dyn Write) -> fmt::Result {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return write!(out, "{bytes} bytes");
    }
    // In 1024ths of the unit; the last bit stands for all that is below.
    let mut rest = bytes;
    let mut below = 0;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while rest >> 20 > 0 {
        below |= rest & 1023;
        rest >>= 10;
        unit = units.next();
    }
    let parts = u32::try_from(rest).unwrap_or(u32::MAX) | u32::from(below > 0);
    let tenths = parts.saturating_mul(10).saturating_add(if up { 1023 } else { 512 }) >> 10;
    let unit = unit.copied().unwrap_or_default();
    if tenths < 1000 {
        write!(out, "{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        write!(out, "{} {unit}", tenths.saturating_add(if up { 9 } else { 5 }) / 10)
    }
}

/// What stands before an ASCII mark, and what after it.
pub fn cut_bytes(bytes: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let (before, after) = bytes.split_at_checked(bytes.iter().position(|byte| *byte == mark)?)?;
    Some((before, after.get(1..)?))
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        assert_eq!(printable(b"a\x1b[31m\n\xff\x7f\xc2\x9b"), "a\\x1b[31m\\n\\xff\\x7f\\x9b");
        let all: Vec<u8> = (0..=255).collect();
        assert!(printable(&all).bytes().all(|b| b >= 0x20 && b != 0x7f));
        assert_eq!(printable("grün 测试".as_bytes()), "grün 测试");
        assert_eq!(
            printable("a\u{61c}\u{200b}\u{feff}\u{e0041}b".as_bytes()),
            "a\\u{61c}\\u{200b}\\u{feff}\\u{e0041}b"
        );
        assert!(FORMAT.is_sorted_by(|one, next| one.0 <= one.1 && one.1 < next.0));
    }

    #[test]
    fn cut() {
        assert_eq!(cut_bytes(b"a=b=c", b'='), Some((&b"a"[..], &b"b=c"[..])));
        assert_eq!(cut_bytes(b"", b'='), None);
    }

    #[test]
    fn sizes_and_free_space() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1024), "1.0 KiB");
        assert_eq!(size(11_114_906), "10.7 MiB");
        assert_eq!(free_space(11_114_907), "10.6 MiB");
        assert_eq!(free_space(10_852 << 10), "10.6 MiB");
        assert_eq!((size(10 << 20), free_space(10 << 20)), ("10.0 MiB".to_owned(), "10.0 MiB".to_owned()));
        assert_eq!(size(128 << 20), "128 MiB");
        assert_eq!(size(u64::MAX), "16.0 EiB");
    }
}
