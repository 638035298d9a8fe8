//! Functions as .eh_frame_hdr and .eh_frame list them (LSB, "Exception Frames"; DWARF, "Call Frame Information").

use alloc::vec::Vec;

use super::Object;
use super::code::ends_function;
use super::start::{bytes, is_x86};

/// Whether a function begins at an address; None where the table at `header` does not tell.
pub(super) fn listed(object: &Object<'_>, header: u64, address: u64) -> Option<bool> {
    // Version 1; how many, in four bytes; pairs of distances from the header, in four bytes with a sign.
    const FIRST: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
    let number = |at: u64| object.memory.number(header.wrapping_add(at), 4).ok();
    let signed = |number: u64| (number ^ 0x8000_0000).wrapping_sub(0x8000_0000);
    if bytes(object, header, 4) != FIRST {
        return None;
    }
    let (mut low, mut high) = (0, number(8)?);
    let entry = |index: u64| index.wrapping_mul(8).wrapping_add(12);
    let begin = |index: u64| Some(header.wrapping_add(signed(number(entry(index))?)));
    while low < high {
        let middle = low.midpoint(high);
        if begin(middle)? <= address { low = middle.wrapping_add(1) } else { high = middle }
    }
    if let Some(before) = low.checked_sub(1) {
        let from = begin(before)?;
        if from == address {
            return Some(true);
        }
        let frame = header.wrapping_add(signed(number(entry(before).wrapping_add(4))?));
        if address.wrapping_sub(from) < covered(object, frame)? {
            return Some(false);
        }
    }
    if !is_x86(object) {
        return None;
    }
    let before = bytes(object, address.wrapping_sub(1), 1).first().copied().unwrap_or_default();
    Some(address.trailing_zeros() >= 4 && ends_function(before))
}

/// How many bytes of code an FDE is of: behind its length and the distance to its CIE it has where they begin, and that.
fn covered(object: &Object<'_>, frame: u64) -> Option<u64> {
    let begin = frame.wrapping_add(8);
    let size = pointer_size(object, frame.wrapping_add(4))?;
    object.memory.number(begin.wrapping_add(size), size).ok()
}

/// Of the addresses of an FDE whose distance to its CIE stands at a place.
fn pointer_size(object: &Object<'_>, place: u64) -> Option<u64> {
    /// Letters that are looked at, and bytes of what stands for them: GCC has "zPLR".
    const CIE: u64 = 48;
    let distance = object.memory.number(place, 4).ok()?;
    pointer_size_of(&bytes(object, place.wrapping_sub(distance), CIE), object.word())
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
