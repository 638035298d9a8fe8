//! Words for bytes: names that may hold anything, sizes.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// A name as it may be shown: control characters and bytes that are no UTF-8 become `\n`, `\x1b`; a backslash
/// stays as it is. Nothing below 0x20 is left.
pub fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut out, c);
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

fn push(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // C0, DEL and C1 steer terminals; the others reorder what is shown around them.
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => {
            let _ = write!(out, "\\x{:02x}", c as u32);
        }
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        }
        _ => out.push(c),
    }
}

/// [`printable`] for a path.
pub fn path(path: &Path) -> String {
    printable(path.as_os_str().as_bytes())
}

/// [`printable`] for a name.
pub fn name(name: &OsStr) -> String {
    printable(name.as_bytes())
}

/// A size with its unit, rounded up: "512 bytes", "9.5 KiB", "10.6 MiB", "128 MiB".
pub fn size(bytes: u64) -> String {
    rounded(bytes, true)
}

/// Room on a file system, rounded to the nearest, as BusyBox's `df -h` does.
pub fn room(bytes: u64) -> String {
    rounded(bytes, false)
}

fn rounded(bytes: u64, up: bool) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut whole = bytes;
    let mut unit = 0_usize;
    // What is left below the whole, in 1024ths; the last bit stands for all below.
    let mut part = 0_u64;
    for name in 0..UNITS.len() {
        if whole < 1024 {
            break;
        }
        part = (whole & 1023) | u64::from(part != 0);
        whole >>= 10;
        unit = name;
    }
    let add = if up { 1023 } else { 512 };
    let name = UNITS.get(unit).copied().unwrap_or_default();
    let tenths = u32::try_from(
        whole.saturating_mul(10).saturating_add((part.saturating_mul(10).saturating_add(add)) >> 10),
    );
    let tenths = tenths.unwrap_or(u32::MAX);
    if tenths < 1000 {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", tenths.saturating_add(if up { 9 } else { 5 }) / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        assert_eq!(printable(b"a\x1b[31m\n\xff\x7f\xc2\x9b"), "a\\x1b[31m\\n\\xff\\x7f\\x9b");
        let all: Vec<u8> = (0..=255).collect();
        assert!(printable(&all).bytes().all(|b| b >= 0x20 && b != 0x7f));
        assert_eq!(printable("grün 测试".as_bytes()), "grün 测试");
    }

    #[test]
    fn sizes_and_room() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1024), "1.0 KiB");
        assert_eq!(size(11_114_906), "10.7 MiB");
        assert_eq!(room(11_114_907), "10.6 MiB");
        assert_eq!(room(10_852 << 10), "10.6 MiB");
        assert_eq!((size(10 << 20), room(10 << 20)), ("10.0 MiB".to_owned(), "10.0 MiB".to_owned()));
        assert_eq!(size(128 << 20), "128 MiB");
        assert_eq!(size(u64::MAX), "16.0 EiB");
    }
}
