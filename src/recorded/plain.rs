//! A recording as plain text, for a machine that cannot have diag: what `cat`, `uname`, `df` and `hexdump` print, one behind
//! the other, each behind a line that says what it is. docs/recording.md has the lines of ash that print it.
//!
//! ```text
//! ==> /proc/cpuinfo <==
//! system type             : MediaTek MT7620A ver:2 eco:6
//! ==> uname <==
//! Linux OpenWrt 4.14.151 #0 Tue Nov 5 14:12:18 2019 mips GNU/Linux
//! ==> hexdump /bin/busybox <==
//! 00000000  7f 45 4c 46 01 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|
//! ```

use super::tree::{Bytes, Names, What};

/// What it begins with.
pub(super) const START: &[u8] = b"==> ";
/// What is read of it.
pub(super) const LIMIT: u64 = 4 << 20;
/// st_dev of its files.
pub(super) const DEVICE: u64 = 1;

/// What a text tells. A name of a command, without a slash, lies beside the machine's own files.
pub(super) fn read(text: &[u8]) -> Result<Names, String> {
    let mut names = Names::new(DEVICE);
    let mut section: Option<(&[u8], Vec<u8>)> = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.trim_ascii_end();
        match bare.strip_prefix(START).and_then(|rest| rest.strip_suffix(b" <==")) {
            Some(title) => {
                put(&mut names, section.take())?;
                section = Some((title, Vec::new()));
            }
            // Over a terminal each line ends with a CR.
            None => {
                if let Some((_, body)) = &mut section {
                    body.extend_from_slice(line.strip_suffix(b"\r\n").unwrap_or(line));
                    if line.ends_with(b"\r\n") {
                        body.push(b'\n');
                    }
                }
            }
        }
    }
    put(&mut names, section)?;
    Ok(names)
}

fn put(names: &mut Names, section: Option<(&[u8], Vec<u8>)>) -> Result<(), String> {
    let Some((title, body)) = section else { return Ok(()) };
    let (path, what) = match title.strip_prefix(b"hexdump ") {
        // How long the file is nobody knows.
        Some(path) => (path, What::File(u64::from(u32::MAX), Some(Bytes::First(dumped(&body).into())))),
        None => (title, What::File(body.len() as u64, Some(Bytes::First(body.clone().into())))),
    };
    let is_name = path.split(|byte| *byte == b'/').all(|name| name != b"..");
    // `cat` of what is not there, or `hexdump` where there is none.
    if body.is_empty() || !is_name {
        return Ok(());
    }
    if names.put(path, what, 0o755) { Ok(()) } else { Err(String::from("it has too many names")) }
}

/// The bytes that `hexdump -C` shows: an asterisk stands for lines like the one before.
fn dumped(text: &[u8]) -> Vec<u8> {
    const ROW: usize = 16;
    const AT_MOST: usize = 64 << 10;
    let mut bytes: Vec<u8> = Vec::new();
    for line in String::from_utf8_lossy(text).lines() {
        let line = line.split('|').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let Some(at) = words.next().and_then(|word| usize::from_str_radix(word, 16).ok()) else { continue };
        let last = bytes.len().checked_sub(ROW).and_then(|start| bytes.get(start..)).map(<[u8]>::to_vec);
        while let Some(row) = last.as_ref().filter(|_| bytes.len() < at.min(AT_MOST)) {
            bytes.extend_from_slice(row);
        }
        if bytes.len() != at {
            break;
        }
        bytes.extend(words.map_while(|word| u8::from_str_radix(word, 16).ok()).take(ROW));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::dumped;

    #[test]
    fn hexdump_is_read_back() {
        let text = "00000000  7f 45 4c 46 01 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|\n\
                    00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n\
                    00000040  ab cd                                             |..|\n00000042\n";
        let bytes = dumped(text.as_bytes());
        assert_eq!(
            (bytes.len(), bytes.get(..4), bytes.get(63..)),
            (66, Some(&b"\x7fELF"[..]), Some(&[0, 0xab, 0xcd][..]))
        );
        for wrong in ["", "*\n", "fffffff0  00\n", "00000000  7f zz\nffffffffffffffff  00\n", "0 |\n0 1 2"] {
            assert!(dumped(wrong.as_bytes()).len() <= 2, "{wrong}");
        }
    }
}
