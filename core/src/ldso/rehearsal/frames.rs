//! Functions as .eh_frame_hdr and .eh_frame list them (LSB, "Exception Frames"; DWARF, "Call Frame Information").

use alloc::vec::Vec;

use super::code::ends_function;

/// What is listed of an address.
pub(in super::super) enum Listed {
    /// A function begins there.
    Begins,
    /// One is there that begins before.
    Within,
    /// None is.
    Not,
}

/// An object's list.
pub(in super::super) struct Frames<'r> {
    /// The number of so many bytes at an address.
    pub(in super::super) number: &'r mut dyn FnMut(u64, u64) -> Option<u64>,
    /// Bytes of an address.
    pub(in super::super) word: u64,
}

impl Frames<'_> {
    /// What the table at `header` lists of an address; None where it does not tell.
    pub(in super::super) fn look_up(&mut self, header: u64, address: u64) -> Option<Listed> {
        // Version 1; how many, in four bytes; pairs of distances from the header, in four bytes with a sign.
        const FIRST: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
        if self.bytes(header, 4) != FIRST {
            return None;
        }
        let (mut low, mut high) = (0, self.distance(header.wrapping_add(8))?);
        let entry = |index: u64| header.wrapping_add(index.wrapping_mul(8).wrapping_add(12));
        while low < high {
            let middle = low.midpoint(high);
            let begin = header.wrapping_add(signed(self.distance(entry(middle))?));
            if begin <= address { low = middle.wrapping_add(1) } else { high = middle }
        }
        let Some(before) = low.checked_sub(1) else { return Some(Listed::Not) };
        let from = header.wrapping_add(signed(self.distance(entry(before))?));
        if from == address {
            return Some(Listed::Begins);
        }
        let frame = header.wrapping_add(signed(self.distance(entry(before).wrapping_add(4))?));
        let is_within = address.wrapping_sub(from) < self.covered(frame)?;
        Some(if is_within { Listed::Within } else { Listed::Not })
    }

    fn distance(&mut self, at: u64) -> Option<u64> {
        (self.number)(at, 4)
    }

    fn bytes(&mut self, from: u64, size: u64) -> Vec<u8> {
        let byte = |at| (self.number)(from.wrapping_add(at), 1).map(|byte| byte.to_le_bytes()[0]);
        (0..size).map_while(byte).collect()
    }

    /// How many bytes of code an FDE is of: behind its length and the distance to its CIE it has where they begin, and that.
    fn covered(&mut self, frame: u64) -> Option<u64> {
        let begin = frame.wrapping_add(8);
        let size = self.pointer_size(frame.wrapping_add(4))?;
        (self.number)(begin.wrapping_add(size), size)
    }

    /// Of the addresses of an FDE whose distance to its CIE stands at a place.
    fn pointer_size(&mut self, place: u64) -> Option<u64> {
        /// Letters that are looked at, and bytes of what stands for them: GCC has "zPLR".
        const CIE: u64 = 48;
        let distance = self.distance(place)?;
        pointer_size_of(&self.bytes(place.wrapping_sub(distance), CIE), self.word)
    }
}

/// The same by the CIE itself, of a file whose words have so many bytes.
fn pointer_size_of(cie: &[u8], word: u64) -> Option<u64> {
    /// Length, id and version.
    const FRONT: usize = 9;
    let mut rest = cie.get(FRONT..)?.iter().copied();
    let letters: Vec<u8> = rest.by_ref().take_while(|letter| *letter != 0).collect();
    let (b'z', letters) = letters.split_first()? else { return None };
    // Two alignments, the register of the return address, and how long the following is: LEB128.
    for _ in 0..4 {
        rest.find(|byte| byte & 0x80 == 0)?;
    }
    let size = |encoding: u8| match encoding & 7 {
        0 => Some(word),
        2 => Some(2),
        3 => Some(4),
        4 => Some(8),
        _ => None,
    };
    for letter in letters {
        match letter {
            b'R' => return size(rest.next()?),
            b'L' => drop(rest.next()),
            b'P' => {
                for _ in 0..size(rest.next()?)? {
                    rest.next();
                }
            }
            _ => {}
        }
    }
    Some(word)
}

/// Four bytes with a sign.
const fn signed(number: u64) -> u64 {
    (number ^ 0x8000_0000).wrapping_sub(0x8000_0000)
}

/// Whether a function of x86 that is not listed may begin at an address: crtbegin.o's. They are aligned, but for those that
/// BOLT has moved, of which DT_INIT_ARRAY has `frame_dummy`, a jump.
pub(in super::super) const fn may_begin_unlisted(address: u64, before: u8, first: u8) -> bool {
    ends_function(before) && (address.trailing_zeros() >= 4 || matches!(first, 0xe9 | 0xeb))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CIE of version 1: its letters, and what stands for them behind the alignments and the return address.
    fn cie(letters: &[u8], data: &[u8]) -> Vec<u8> {
        const ALIGNMENTS_AND_REGISTER: [u8; 3] = [0x01, 0x78, 0x10];
        let length = [u8::try_from(data.len()).unwrap()];
        [&[0x14, 0, 0, 0, 0, 0, 0, 0, 1], letters, &[0], &ALIGNMENTS_AND_REGISTER, &length, data].concat()
    }

    #[test]
    fn a_cie_tells_the_width_of_addresses() {
        // DW_EH_PE_pcrel with DW_EH_PE_sdata4 and DW_EH_PE_sdata8 (-mcmodel=large), and DW_EH_PE_absptr.
        assert_eq!(pointer_size_of(&cie(b"zR", &[0x1b]), 8), Some(4));
        assert_eq!(pointer_size_of(&cie(b"zR", &[0x1c]), 8), Some(8));
        assert_eq!(pointer_size_of(&cie(b"zR", &[0x00]), 4), Some(4));
        assert_eq!(pointer_size_of(&cie(b"zR", &[0x00]), 8), Some(8));
        // A personality has its own width; it and the encoding of the LSDA stand before.
        let personality = [&[0x9c][..], &[0; 8], &[0x1b, 0x1c]].concat();
        assert_eq!(pointer_size_of(&cie(b"zPLR", &personality), 8), Some(8));
        let personality = [&[0x9b][..], &[0; 4], &[0x1b, 0x1b]].concat();
        assert_eq!(pointer_size_of(&cie(b"zPLR", &personality), 8), Some(4));
        // Without one that tells, it is a word; and one that is cut off tells nothing.
        assert_eq!(pointer_size_of(&cie(b"z", &[]), 8), Some(8));
        assert_eq!(pointer_size_of(&cie(b"zR", &[]), 8), None);
        assert_eq!(pointer_size_of(&cie(b"", &[]), 8), None);
    }
}
