//! Changes bytes, the same way each time: for runs that need no libFuzzer.

/// A sequence of numbers: xorshift64* (Vigna 2016).
pub struct Numbers(u64);

impl Numbers {
    /// The sequence of that number.
    pub const fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next one, below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(number).unwrap_or_default() % bound.max(1)
    }

    /// The next byte; every other one is one of those that bounds are made of.
    pub fn byte(&mut self) -> u8 {
        const EDGES: [u8; 8] = [0, 1, 2, 4, 0x7f, 0x80, 0xfe, 0xff];
        if self.below(2) == 0 { EDGES[self.below(EDGES.len())] } else { self.below(256).to_le_bytes()[0] }
    }
}

/// The most bytes of an input.
const LONGEST: usize = 4096;

/// Changes some of the bytes, or takes some of another input.
pub fn mutate(numbers: &mut Numbers, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(6) {
            0 | 1 => {
                let byte = numbers.byte();
                bytes.get_mut(at).into_iter().for_each(|changed| *changed = byte);
            }
            2 => {
                let bit = numbers.below(8);
                bytes.get_mut(at).into_iter().for_each(|changed| *changed ^= 1 << bit);
            }
            3 => (0..=numbers.below(8)).for_each(|_| bytes.insert(at, numbers.byte())),
            4 => {
                let end = (at + 1 + numbers.below(8)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            _ => {
                let from = numbers.below(other.len() + 1);
                let taken = &other[from..(from + numbers.below(64)).min(other.len())];
                bytes.splice(at..at, taken.iter().copied());
            }
        }
    }
    bytes.truncate(LONGEST);
}
