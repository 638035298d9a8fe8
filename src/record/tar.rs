//! A tar archive (POSIX ustar) on the way out: nothing of it is kept.

/// What everything in an archive begins at a multiple of.
pub(super) const BLOCK: usize = 512;

/// The kind of an entry.
pub(super) const FILE: u8 = b'0';
pub(super) const LINK: u8 = b'2';

/// The header of an entry; None where its name, or what a link leads to, is too long for one.
pub(super) fn header(path: &[u8], kind: u8, mode: u32, size: u64, link: &[u8]) -> Option<[u8; BLOCK]> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let mut block = [0; BLOCK];
    // A longer name is parted at a slash.
    let (prefix, name) = if path.len() <= 100 {
        (&b""[..], path)
    } else {
        let least = path.len().saturating_sub(101);
        let at = path.get(least..)?.iter().position(|byte| *byte == b'/')?.saturating_add(least);
        (path.get(..at)?, path.get(at.saturating_add(1)..)?)
    };
    if prefix.len() > 155 || link.len() > 100 || name.is_empty() {
        return None;
    }
    put(&mut block, 0, name);
    octal(&mut block, 100, 7, mode.into());
    octal(&mut block, 108, 7, 0);
    octal(&mut block, 116, 7, 0);
    octal(&mut block, 124, 11, size);
    octal(&mut block, 136, 11, 0);
    put(&mut block, 148, b"        ");
    put(&mut block, 156, &[kind]);
    put(&mut block, 157, link);
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 345, prefix);
    let sum = block.iter().fold(0_u64, |sum, byte| sum.saturating_add((*byte).into()));
    octal(&mut block, 148, 6, sum);
    put(&mut block, 154, b"\0");
    Some(block)
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    for (to, from) in block.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

/// So many digits.
fn octal(block: &mut [u8; BLOCK], at: usize, digits: usize, number: u64) {
    let mut rest = number;
    for to in block.iter_mut().skip(at).take(digits).rev() {
        *to = b'0' | (rest & 7) as u8;
        rest >>= 3;
    }
}
