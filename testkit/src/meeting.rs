//! Names that meet wherever a hash table of their hashes puts them.

use std::collections::HashMap;

/// What the names are made of.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$";
const BLOCK: u32 = 5;

/// DT_GNU_HASH's, and FNV-1a.
type Hashes = (u32, u32);

fn block(number: u32) -> impl Iterator<Item = u8> {
    (0..BLOCK).map(move |at| LETTERS[(number >> (6 * at) & 63) as usize])
}

fn hashes(before: Hashes, bytes: impl Iterator<Item = u8>) -> Hashes {
    bytes.map(u32::from).fold(before, |(gnu, fnv), byte| {
        (gnu.wrapping_mul(33).wrapping_add(byte), (fnv ^ byte).wrapping_mul(0x0100_0193))
    })
}

/// 2^`stages` names of one length, whose GNU hashes have the same lowest `bits`, and so have their FNV-1a hashes. They are
/// chains of blocks, of which each can be one of two that come to the same (Joux, "Multicollisions in iterated hash
/// functions", 2004): the lowest bits of both hashes depend on nothing but those before and the next byte.
///
/// # Panics
///
/// If there are no such blocks.
pub fn meeting(stages: u32, bits: u32) -> Vec<String> {
    let low = |(gnu, fnv): Hashes| (gnu & ((1 << bits) - 1), fnv & ((1 << bits) - 1));
    let mut before = (5381, 0x811c_9dc5);
    let mut names = vec![String::new()];
    for _ in 0..stages {
        let mut seen = HashMap::new();
        let pair = (0..1 << (6 * BLOCK)).find_map(|number| {
            let hashes = low(hashes(before, block(number)));
            Some((seen.insert(hashes, number)?, number, hashes))
        });
        let (one, other, hashes) = pair.expect("as many as the square root of what there is meet");
        before = hashes;
        let both = [one, other].map(|number| block(number).map(char::from).collect::<String>());
        names = names.iter().flat_map(|name| both.clone().map(|block| name.clone() + &block)).collect();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_meet_and_differ() {
        let names = meeting(8, 14);
        let mut all: Vec<_> = names.iter().map(|name| hashes((5381, 0x811c_9dc5), name.bytes())).collect();
        assert!(
            all.iter()
                .all(|(gnu, fnv)| (gnu & 0x3fff, fnv & 0x3fff) == (all[0].0 & 0x3fff, all[0].1 & 0x3fff))
        );
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 256);
    }
}
