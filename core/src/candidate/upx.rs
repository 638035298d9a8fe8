//! Traces of UPX: the packer's magic after the program headers, and its own header at the end of the file.

use super::reader::Reader;
use super::{Image, Upx};
use crate::elf::{ByteOrder, offset as at};

/// Looks for what UPX leaves.
pub(super) fn find(reader: &mut Reader<'_>, image: &Image, size: u64) -> Option<Upx> {
    let order = image.encoding.order;
    let front = loader_info(reader.head(), image, order);
    // A packed program has no section table: no need to look at the end of one that has.
    if image.header.e_shnum != 0 || matches!(front, Some(Upx { unpacked: Some(_) })) {
        return front;
    }
    let from = size.saturating_sub(64);
    let tail = reader.up_to(at(from), 64);
    pack_header(tail, order).or(front)
}

/// l_info (checksum, "UPX!", sizes) and p_info (id, p_filesize, p_blocksize), in the program's byte order.
fn loader_info(head: &[u8], image: &Image, order: ByteOrder) -> Option<Upx> {
    let table = usize::from(image.header.e_phentsize).saturating_mul(usize::from(image.header.e_phnum));
    let start = at(image.header.e_phoff).saturating_add(table);
    // At once, or behind the notes that newer versions keep.
    let near = head.get(start..)?;
    let mut near = near.get(..512).unwrap_or(near);
    while !near.starts_with(b"UPX!") {
        near = near.get(4..)?;
    }
    let field = |at| order.u32(near, at);
    let (size, block, first) = (field(12), field(16), field(20));
    // The first block follows; it unpacks to no more than the whole.
    let told = block != 0 && (1..=size).contains(&first);
    Some(Upx { unpacked: told.then_some(u64::from(size)) })
}

/// PackHeader: 32 bytes, the last of which is a checksum of the others.
fn pack_header(tail: &[u8], order: ByteOrder) -> Option<Upx> {
    for header in tail.windows(32) {
        let Some((checksum, rest)) = header.strip_prefix(b"UPX!").and_then(<[u8]>::split_last) else {
            continue;
        };
        let sum = rest.iter().fold(0_u32, |sum, b| sum.wrapping_add(u32::from(*b)));
        if u32::from(*checksum) == sum % 251 {
            let size = order.u32(header, 24);
            return Some(Upx { unpacked: (size != 0).then_some(u64::from(size)) });
        }
    }
    None
}
