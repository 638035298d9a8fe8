//! A tar archive (POSIX ustar) on the way out: files alone, of which nothing is kept.

/// What everything in an archive begins at a multiple of.
pub(super) const BLOCK: usize = 512;

/// The header of a file; None where its name is too long for one.
pub(super) fn header(path: &[u8], mode: u32, size: u64) -> Option<[u8; BLOCK]> {
    let name = path.strip_prefix(b"/").unwrap_or(path);
    if name.is_empty() || name.len() > 100 {
        return None;
    }
    let mut block = [0; BLOCK];
    put(&mut block, 0, name);
    put(&mut block, 100, octal(mode.into()).get(4..).unwrap_or_default());
    put(&mut block, 108, b"0000000\x000000000\0");
    put(&mut block, 124, &octal(size));
    put(&mut block, 136, b"00000000000\0        0");
    put(&mut block, 257, b"ustar\x0000");
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
fn octal(number: u64) -> [u8; 11] {
    let (mut digits, mut rest) = ([b'0'; 11], number);
    for to in digits.iter_mut().rev() {
        *to |= (rest & 7) as u8;
        rest >>= 3;
    }
    digits
}
