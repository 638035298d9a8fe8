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
    put(&mut block, 100, octal(mode.into()).get(4..).unwrap_or_default());
    put(&mut block, 108, b"0000000\x000000000\0");
    put(&mut block, 124, &octal(size));
    put(&mut block, 136, b"00000000000\0");
    put(&mut block, 148, b"        ");
    put(&mut block, 156, &[kind]);
    put(&mut block, 157, link);
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 345, prefix);
    let sum = block.iter().fold(0_u64, |sum, byte| sum.saturating_add((*byte).into()));
    put(&mut block, 148, octal(sum).get(5..).unwrap_or_default());
    put(&mut block, 154, b"\0");
    Some(block)
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    for (to, from) in block.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

/// Its eleven digits.
pub(super) fn octal(number: u64) -> [u8; 11] {
    let (mut digits, mut rest) = ([b'0'; 11], number);
    for to in digits.iter_mut().rev() {
        *to |= (rest & 7) as u8;
        rest >>= 3;
    }
    digits
}
