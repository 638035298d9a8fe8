//! What stands behind a program's own end, and is missing: the archive of PyInstaller, a squashfs, a zip archive. A router
//! has no room for such programs, and its build does not look for them.

use super::super::Image;
use super::super::reader::Reader;
use super::{End, Missing, Part};
use crate::elf::consts::PF_W;
use crate::elf::{ByteOrder, offset as at};
use crate::machine::holds;

/// Bytes at the end that are searched for its mark.
const TAIL: usize = 4096;
/// Bytes of a program's constants that are searched.
const CONSTANTS: usize = 20 << 10;

/// The AppImage specification, "Type 2 image format".
pub(super) fn is_appimage(reader: &Reader<'_>) -> bool {
    reader.head().get(8..11) == Some(b"AI\x02")
}

/// What is missing behind the end.
pub(super) fn missing(reader: &mut Reader<'_>, image: &Image, end: &End, size: usize) -> Option<Missing> {
    let whole = end.whole as u64;
    if end.whole > size {
        let part = match () {
            () if is_appimage(reader) => Part::Squashfs,
            () if end.last.is_some() && is_pyinstaller(reader, image) => Part::PyInstaller,
            () => return None,
        };
        return Some(Missing { whole, part });
    }
    let front = reader.up_to(end.whole, 48);
    if front.starts_with(b"hsqs") {
        // squashfs_fs.h `struct squashfs_super_block`, bytes_used.
        let used = ByteOrder::Little.uint(front, 40, 8);
        let whole = whole.saturating_add(used);
        return (at(whole) > size).then_some(Missing { whole, part: Part::Squashfs });
    }
    if front.starts_with(b"PK\x03\x04") {
        // The end of central directory record: behind it, a comment at most.
        let is_cut = !tail_has(reader, size, b"PK\x05\x06");
        return is_cut.then_some(Missing { whole: 0, part: Part::Zip });
    }
    // Its cookie, which stands at the end.
    let is_cut = |reader: &mut Reader<'_>| !tail_has(reader, size, b"MEI\x0c\x0b\x0a\x0b\x0e");
    if end.whole < size && is_pyinstaller(reader, image) && is_cut(reader) {
        return Some(Missing { whole: 0, part: Part::PyInstaller });
    }
    (is_appimage(reader) && end.whole == size).then_some(Missing { whole: 0, part: Part::Squashfs })
}

fn tail_has(reader: &mut Reader<'_>, size: usize, mark: &[u8]) -> bool {
    holds(reader.up_to(size.saturating_sub(TAIL), TAIL), mark)
}

/// Whether it is PyInstaller's bootloader, by a name that it looks for in the environment: its constants stand at the end
/// of what is only read (observed: 12 KiB before it, of PyInstaller 6.22).
fn is_pyinstaller(reader: &Reader<'_>, image: &Image) -> bool {
    let Some(constants) = image.loads().rfind(|segment| segment.p_flags & PF_W == 0) else {
        return false;
    };
    let size = at(constants.p_filesz).min(CONSTANTS);
    let mut all = reader.of_all();
    all.once();
    holds(all.up_to(at(constants.file_end()).saturating_sub(size), size), b"_MEIPASS")
}
