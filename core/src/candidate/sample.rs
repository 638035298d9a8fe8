//! How a file would shrink on a compressing file system, estimated from a sample of it. jffs2 and ubifs compress
//! page by page; a real compressor would not fit into this program.

use super::Candidate;
use crate::target::Root;

/// Bytes of a piece. Many small pieces say more of a file than few whole pages: what is in it changes from place to
/// place.
const PIECE: usize = 2048;
/// Pieces read at most: with what [`super::open`] reads, 64 KiB in all.
const PIECES: u32 = 20;

/// Bytes that remain of each 1,024 of a file when each 4 KiB page of it is compressed by zlib, as jffs2 does. What
/// the file system itself takes (68 bytes a page in jffs2) comes on top. None for an empty file, or one that cannot
/// be read.
pub fn compressed_per_kib(root: &dyn Root, candidate: &Candidate) -> Option<u32> {
    let size = candidate.size()?;
    let file = root.open(&candidate.path)?.ok()?;
    // The middle of each of as many equal parts; a small file is read from end to end. First a fourth, for a division of
    // 64 bits is dear on a router: beyond 16 GiB only the first two thirds are looked at.
    let part = u32::try_from(size >> 2).map_or(size >> 5, |quarter| u64::from(quarter / (PIECES / 4)));
    let part = part.max(PIECE as u64);
    let mut at = part.wrapping_sub(PIECE as u64) / 2;
    let (mut whole, mut packed) = (0_usize, 0_usize);
    for _ in 0..PIECES {
        let piece = file.read_at(at, PIECE).ok()?;
        at = at.wrapping_add(part);
        whole = whole.wrapping_add(piece.len());
        packed = packed.wrapping_add(squeeze(&piece).min(piece.len()));
    }
    u32::try_from(packed.saturating_mul(1024).checked_div(whole)?).ok()
}

/// Symbols of the model: literals, lengths of matches, distances.
const LENGTHS: usize = 256;
const DISTANCES: usize = 272;
const SYMBOLS: usize = 288;

/// Bytes that zlib would make of a piece, about: matches are found as its fastest level does, and symbols counted
/// for what they would take at their entropy.
fn squeeze(piece: &[u8]) -> usize {
    // Where a run of three bytes was seen last, plus one.
    let mut seen = [0_u16; 1024];
    let mut counts = [0_u32; SYMBOLS];
    let mut extra_bits = 0_u32;
    let mut count = |symbol: usize| {
        if let Some(n) = counts.get_mut(symbol) {
            *n = n.saturating_add(1);
        }
    };
    let mut at = 0_usize;
    let mut skip = 0_usize;
    while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
        let here = u16::try_from(at).unwrap_or(0).saturating_add(1);
        let mut matched = 0_usize;
        let mut distance = 0_usize;
        if let [a, b, c, ..] = *rest {
            let run = u32::from_be_bytes([0, a, b, c]);
            let slot = usize::try_from(run.wrapping_mul(0x9e37_79b1) >> 22).unwrap_or(0);
            if let Some(last) = seen.get_mut(slot) {
                let before = usize::from(*last);
                *last = here;
                if before > 0 && skip == 0 {
                    let from = piece.get(before.saturating_sub(1)..).unwrap_or(&[]);
                    matched = rest.iter().zip(from).take_while(|(a, b)| a == b).count().min(258);
                    distance = at.saturating_add(1).saturating_sub(before);
                }
            }
        }
        at = at.saturating_add(1);
        if skip > 0 {
            skip = skip.saturating_sub(1);
        } else if matched >= 3 {
            // deflate's codes grow with the logarithm; the bits below the leading two are written as they are.
            let (length, near) = (matched.ilog2(), distance.ilog2());
            count(LENGTHS.saturating_add(length as usize));
            count(DISTANCES.saturating_add(near as usize));
            extra_bits = extra_bits.saturating_add(near).saturating_add(length.saturating_sub(2));
            skip = matched.saturating_sub(1);
        } else {
            count(usize::from(rest.first().copied().unwrap_or(0)));
        }
    }
    let (codes, distances) = counts.split_at_checked(DISTANCES).unwrap_or_default();
    let bits = entropy(codes).wrapping_add(entropy(distances)).wrapping_add(extra_bits << FRACTION);
    let bytes = (bits >> FRACTION).wrapping_mul(FIT) / (8 * 1024);
    usize::try_from(bytes.saturating_sub(SHORTER)).unwrap_or(0).max(8)
}

/// Fitted to zlib's result for whole 4 KiB pages of 37 programs and texts (root mean square of the error 4.3 %, most
/// of it the sample's): 1,024ths, for Huffman codes are not as short as entropy, and the bytes by which half a page
/// does worse than a whole one.
const FIT: u32 = 1096;
const SHORTER: u32 = 40;

/// Bits below the binary point.
const FRACTION: u32 = 6;

/// The bits that all symbols take together, at their entropy.
fn entropy(counts: &[u32]) -> u32 {
    let all = log2(counts.iter().sum());
    counts.iter().fold(0, |bits, n| bits.wrapping_add(n.wrapping_mul(all.wrapping_sub(log2(*n)))))
}

/// The binary logarithm, straight between the powers of two.
fn log2(n: u32) -> u32 {
    let whole = n.checked_ilog2().unwrap_or(0);
    let rest = (n << FRACTION).checked_shr(whole).unwrap_or(0).saturating_sub(1 << FRACTION);
    (whole << FRACTION).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn noise_stays_and_zeros_go() {
        let mut state = 1_u32;
        let noise: Vec<u8> = (0..PIECE)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        assert!(squeeze(&noise) >= PIECE * 98 / 100, "{}", squeeze(&noise));
        assert!(squeeze(&[0; PIECE]) < 40, "{}", squeeze(&[0; PIECE]));
        assert!(squeeze(&[]) < 40);
    }

    #[test]
    fn text_halves() {
        // zlib makes 1,083 bytes of the first 2,048 of this very file at level 3.
        let text = include_bytes!("sample.rs").get(..PIECE).unwrap();
        assert!((900..1100).contains(&squeeze(text)), "{}", squeeze(text));
    }

    #[test]
    fn logarithms() {
        assert_eq!((log2(0), log2(1), log2(2), log2(1024)), (0, 0, 64, 640));
        assert_eq!(log2(3), 96);
        assert_eq!(entropy(&[4, 4]) >> FRACTION, 8);
    }
}
