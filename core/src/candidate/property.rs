//! PT_GNU_PROPERTY, as fs/binfmt_elf.c `parse_elf_properties` reads it where the architecture asks for it: arm64.

use super::reader::Reader;
use crate::elf::consts::{NT_GNU_PROPERTY_TYPE_0, PT_GNU_PROPERTY};
use crate::elf::{Class, Encoding, ProgramHeader, offset as at};
use crate::errno::Errno;

/// NOTE_DATA_SZ.
const LIMIT: usize = 1024;
/// struct elf_note and "GNU".
const HEADER: usize = 16;
const GNU_PROPERTY_AARCH64_FEATURE_1_AND: u32 = 0xc000_0000;

/// The errno that the last PT_GNU_PROPERTY brings.
pub(super) fn check(
    reader: &mut Reader<'_>,
    encoding: Encoding,
    table: &[ProgramHeader],
) -> Result<(), Errno> {
    let Some(entry) = table.iter().rfind(|entry| entry.p_type == PT_GNU_PROPERTY) else { return Ok(()) };
    let size = usize::try_from(entry.p_filesz).ok().filter(|size| *size <= LIMIT).ok_or(Errno::ENOEXEC)?;
    let note = reader.up_to(at(entry.p_offset), size);
    if note.len() < HEADER {
        return Err(Errno::EIO);
    }
    let word = |at| encoding.order.u32(note, at);
    if word(0) != 4 || word(8) != NT_GNU_PROPERTY_TYPE_0 || note.get(12..16) != Some(b"GNU\0") {
        return Err(Errno::ENOEXEC);
    }
    let desc = usize::try_from(word(4)).ok().and_then(|len| note.get(HEADER..)?.get(..len));
    properties(desc.ok_or(Errno::ENOEXEC)?, encoding)
}

/// `parse_elf_property`, until nothing is left: unique, in order of their types, and whole.
fn properties(mut rest: &[u8], encoding: Encoding) -> Result<(), Errno> {
    let mut before = None;
    while !rest.is_empty() {
        let kind = encoding.order.u32(rest, 0);
        let len = usize::try_from(encoding.order.u32(rest, 4)).unwrap_or(usize::MAX);
        let data = rest.get(8..).ok_or(Errno::ENOEXEC)?;
        let within = encoding.word().saturating_sub(1);
        let step = len.checked_add(within).ok_or(Errno::ENOEXEC)? & !within;
        let next = data.get(step..).ok_or(Errno::ENOEXEC)?;
        let feature = encoding.class == Class::Elf64 && kind == GNU_PROPERTY_AARCH64_FEATURE_1_AND;
        if before.is_some_and(|before| kind <= before) || (feature && len != 4) {
            return Err(Errno::ENOEXEC);
        }
        before = Some(kind);
        rest = next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::ByteOrder;

    #[test]
    fn in_order_and_whole() {
        let encoding = Encoding { order: ByteOrder::Little, class: Class::Elf64 };
        let property = |kind: u32, data: &[u8], pad: usize| {
            let mut bytes = kind.to_le_bytes().to_vec();
            bytes.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
            bytes.extend(data);
            bytes.resize(bytes.len() + pad, 0);
            bytes
        };
        let bti = property(0xc000_0000, &[3, 0, 0, 0], 4);
        let other = property(1, &[0; 8], 0);
        assert_eq!(properties(b"", encoding), Ok(()));
        assert_eq!(properties(&bti, encoding), Ok(()));
        assert_eq!(properties(&[other.clone(), bti.clone()].concat(), encoding), Ok(()));
        assert_eq!(properties(&[bti.clone(), other.clone()].concat(), encoding), Err(Errno::ENOEXEC));
        assert_eq!(properties(&[bti.clone(), bti.clone()].concat(), encoding), Err(Errno::ENOEXEC));
        assert_eq!(properties(&property(0xc000_0000, &[0; 8], 0), encoding), Err(Errno::ENOEXEC));
        for end in 1..bti.len() {
            assert_eq!(properties(&bti[..end], encoding), Err(Errno::ENOEXEC), "{end}");
        }
    }
}
