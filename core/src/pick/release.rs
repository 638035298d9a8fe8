//! The files in what GitHub, Gitea and their like answer about a release: JSON in which each has a `browser_download_url`.

use alloc::vec::Vec;

use crate::machine::binfmt_misc::hexadecimal;
use crate::text::cut_bytes;

const KEY: &[u8] = b"\"browser_download_url\"";

/// Calls `each` with the name of each file, which is the last part of its address: `%2B` stands for a `+` there. Gives false
/// for what is no JSON, or not the whole of it.
pub fn names(text: &[u8], mut each: impl FnMut(&[u8])) -> bool {
    let text = text.trim_ascii();
    if !matches!(text, [b'{', .., b'}'] | [b'[', .., b']']) {
        return false;
    }
    // In a string the quotes around it would have backslashes before them.
    for (at, _) in text.windows(KEY.len()).enumerate().filter(|(_, part)| *part == KEY) {
        let behind = text.get(at.saturating_add(KEY.len())..).unwrap_or_default().trim_ascii_start();
        let value = behind.strip_prefix(b":").unwrap_or_default().trim_ascii_start().strip_prefix(b"\"");
        if let Some((address, _)) = value.and_then(|value| cut_bytes(value, b'"')) {
            each(&plain(address.rsplit(|byte| *byte == b'/').next().unwrap_or_default()));
        }
    }
    true
}

/// What the bytes that `%` escapes stand for.
fn plain(part: &[u8]) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), part);
    while let [byte, behind @ ..] = rest {
        let digits = behind.get(..2).filter(|_| *byte == b'%');
        let escaped = digits.and_then(|digits| hexadecimal(digits).pop());
        bytes.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    bytes
}
