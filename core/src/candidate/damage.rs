//! What became of the content of an ELF file on its way, as far as a few places of it tell: bytes that never reached the
//! medium, a transfer that took it for text, an end that is missing.

use super::Image;
use super::program::{place_of, sections};
use super::reader::{Contents, Reader};
use crate::elf::consts::{PF_W, PT_DYNAMIC, PT_GNU_EH_FRAME, SHF_ALLOC, SHT_NOBITS};
use crate::elf::{ByteOrder, SectionHeader, offset as at};
use crate::machine::holds;

/// What was found.
#[derive(Clone, Default, Debug)]
pub struct Damage {
    /// What fills the place of the first instruction, and where that is.
    pub entry: Option<BlankEntry>,
    /// What fills PT_DYNAMIC.
    pub dynamic: Option<Fill>,
    /// What fills the end of the file, and where that begins, about.
    pub end: Option<(Fill, u64)>,
    /// How a transfer changed it.
    pub transfer: Option<Transfer>,
    /// Where its last part ends by its own tables, where it is shorter.
    pub lacks: Option<Missing>,
}

/// Bytes of one value, as memory has them that nobody wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fill {
    /// Blocks that a file system has no data of.
    Zeros,
    /// Erased flash: 0xff.
    Ones,
}

/// Nothing was written where the program begins.
#[derive(Clone, Copy, Debug)]
pub struct BlankEntry {
    /// The value.
    pub fill: Fill,
    /// The offset in the file of its first byte.
    pub offset: usize,
    /// So is all that follows in its segment.
    pub whole: bool,
}

/// What a transfer did to the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transfer {
    /// Each LF has a CR before it. Whether the first one lies in what is loaded.
    Added(bool),
    /// CRs are gone: so many bytes. Whether they are missing in what is loaded.
    Removed(u64, bool),
    /// Bytes beyond ASCII were replaced by U+FFFD.
    Recoded,
}

/// The end of a file that is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing {
    /// Bytes that the file has when it is whole; 0 where nothing tells.
    pub whole: u64,
    /// What was there.
    pub part: Part,
}

/// What stands at the end of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Sections, and the table of them: the kernel needs neither.
    Sections,
    /// The archive of PyInstaller, in a section of its own.
    PyInstaller,
    /// The squashfs of an AppImage, or of another program of its kind.
    Squashfs,
    /// A zip archive.
    Zip,
}

/// Bytes that are looked at where something begins.
const SPOT: usize = 16;
/// What is looked at of a file that may have been a text on its way: so many pieces of it.
const PIECES: usize = 20;
const PIECE: usize = 1024;

/// Looks at a file that is decoded as it describes itself.
pub(super) fn find(contents: &Contents, image: &Image, size: u64) -> Damage {
    let reader = &mut Reader::headers(contents);
    let (entry, dynamic) = (entry(reader, image), dynamic(reader, image));
    let mut damage = Damage { entry, dynamic, ..Damage::default() };
    let end = End::of(reader, image);
    if let Some((place, len)) = end.last.filter(|_| end.whole <= size) {
        damage.end = reader.bytes_at(place, len).and_then(fill).map(|fill| (fill, run(reader, fill, size)));
    }
    let go = GoData::of(reader, image);
    if go == Some(GoData::Blank) && damage.end.is_none() {
        let last = reader.bytes_at(at(size).saturating_sub(SPOT), SPOT).and_then(fill);
        damage.end = last.map(|fill| (fill, run(reader, fill, size)));
    }
    if go == Some(GoData::Before) {
        damage.transfer = Some(Transfer::Removed(0, true));
    } else if is_appimage(contents) {
        damage.lacks = lacks_of(contents, reader, &end, size);
    } else if end.whole != size || go == Some(GoData::Elsewhere) {
        let lacks = go == Some(GoData::Elsewhere) || end.whole > size;
        damage.transfer =
            counts(contents, image, size, (end.whole, lacks)).or_else(|| removed(reader, image, &end, size));
        if damage.transfer.is_none() && end.whole != size {
            damage.lacks = lacks_of(contents, reader, &end, size);
        }
    }
    damage
}

/// The value that all bytes have.
fn fill(bytes: &[u8]) -> Option<Fill> {
    let first = *bytes.first()?;
    let fill = match first {
        0 => Fill::Zeros,
        0xff => Fill::Ones,
        _ => return None,
    };
    bytes.iter().all(|byte| *byte == first).then_some(fill)
}

fn entry(reader: &mut Reader<'_>, image: &Image) -> Option<BlankEntry> {
    let (offset, left) = place_of(image.table(), image.header.e_entry)?;
    let blank = |reader: &mut Reader<'_>, at| reader.bytes_at(at, SPOT).and_then(fill);
    let fill = blank(reader, offset)?;
    // A few places tell of the rest.
    let part = left.saturating_sub(SPOT) / 8;
    let mut spots = (1..=8_usize).map(|n| offset.saturating_add(part.saturating_mul(n)));
    let whole = spots.all(|at| blank(reader, at) == Some(fill));
    Some(BlankEntry { fill, offset, whole })
}

fn dynamic(reader: &mut Reader<'_>, image: &Image) -> Option<Fill> {
    let entry = image.table().iter().find(|entry| entry.p_type == PT_DYNAMIC)?;
    let (offset, left) = place_of(image.table(), entry.p_vaddr)?;
    reader.bytes_at(offset, left.min(at(entry.p_filesz)).min(2 * SPOT)).and_then(fill)
}

/// Where the last segment ends in the file.
fn loaded(image: &Image) -> u64 {
    let parts = image.loads().filter(|segment| segment.p_filesz > 0);
    parts.fold(0, |most, segment| segment.file_end().max(most))
}

/// Where a file ends by its own tables.
struct End {
    whole: u64,
    /// A part at the end that holds more than bytes of one value.
    last: Option<(usize, usize)>,
    /// The table of sections stands at the end.
    has_table: bool,
}

impl End {
    fn of(reader: &mut Reader<'_>, image: &Image) -> End {
        let header = &image.header;
        let mut end = End { whole: loaded(image), last: None, has_table: false };
        let entry = image.encoding.section_header_size();
        let table = entry.saturating_mul(header.e_shnum.into());
        if header.e_shoff == 0 || table <= entry || usize::from(header.e_shentsize) != entry {
            return end;
        }
        let table_end = header.e_shoff.saturating_add(table as u64);
        if table_end > end.whole {
            end = End {
                whole: table_end,
                last: Some((at(table_end).saturating_sub(entry), entry)),
                has_table: true,
            };
        }
        // Go and patchelf put the table elsewhere: what is not loaded stands behind it.
        if header.e_shoff < loaded(image) {
            let end = &mut end;
            sections(reader, image.encoding, header, &mut |section| {
                let SectionHeader { kind, flags, offset, size, .. } = section;
                let section_end = offset.saturating_add(size);
                if kind != SHT_NOBITS && size > 0 && section_end as u64 > end.whole {
                    end.whole = section_end as u64;
                    end.has_table = false;
                    let len = size.min(64);
                    end.last = (flags & SHF_ALLOC == 0 && len >= SPOT)
                        .then_some((section_end.saturating_sub(len), len));
                }
                false
            });
        }
        end
    }
}

/// Where a run of one value begins that goes up to the end.
fn run(reader: &mut Reader<'_>, value: Fill, size: u64) -> u64 {
    let (mut before, mut within) = (0, at(size).saturating_sub(SPOT));
    while within.saturating_sub(before) > 512 {
        let middle = before.midpoint(within);
        if reader.bytes_at(middle, 4 * SPOT).and_then(fill) == Some(value) {
            within = middle;
        } else {
            before = middle;
        }
    }
    within as u64
}

/// How often bytes occur that a transfer changes.
#[derive(Default)]
struct Counts {
    /// CR LF.
    pairs: u32,
    /// LF, with those.
    feeds: u32,
    /// CR, with those.
    returns: u32,
    /// U+FFFD.
    replaced: u32,
    /// All bytes beyond ASCII.
    high: u32,
}

impl Counts {
    /// Bytes, behind the one that stands before them.
    fn add(&mut self, bytes: &[u8]) {
        let one = |is: bool| u32::from(is);
        for pair in bytes.windows(2) {
            let [before, byte] = *pair else { continue };
            self.feeds = self.feeds.wrapping_add(one(byte == b'\n'));
            self.pairs = self.pairs.wrapping_add(one(*pair == *b"\r\n"));
            self.returns = self.returns.wrapping_add(one(byte == b'\r'));
            self.high = self.high.wrapping_add(one(byte >= 0x80));
            self.replaced = self.replaced.wrapping_add(one(before == 0xbf && byte == 0xbd));
        }
    }
}

/// What pieces of the file say of its bytes: in code and tables an LF has a CR before it by chance only.
fn counts(contents: &Contents, image: &Image, size: u64, (whole, lacks): (u64, bool)) -> Option<Transfer> {
    let mut counts = Counts::default();
    let missing = whole.saturating_sub(size);
    let reader = &mut Reader::headers(contents);
    let size = at(size);
    let is_small = size <= PIECES.saturating_mul(PIECE);
    let step = if is_small { PIECE } else { size / PIECES };
    let mut first = None;
    // The magic number stands before the first.
    for place in (1..size).step_by(step.max(1)).take(PIECES) {
        counts.add(reader.up_to(place.saturating_sub(1), PIECE.saturating_add(1)));
        if counts.pairs > 0 {
            first = first.or(Some(place as u64));
        }
        // Healthy ones are known by the first pieces.
        let is_whole = counts.feeds > counts.pairs && (counts.returns > 0 || !lacks);
        if is_whole && counts.replaced == 0 && counts.high > 0 {
            return None;
        }
    }
    let Counts { pairs, feeds, returns, replaced, high } = counts;
    // There is as much of it too much as there are of them, as far as pieces tell.
    let extra = (size as u64).wrapping_sub(whole);
    let adds_up = if is_small {
        pairs > 0 && extra == pairs.into()
    } else {
        let most = u64::from(pairs).saturating_mul((step / PIECE) as u64).saturating_mul(4);
        pairs >= 3 && (pairs.into()..=most).contains(&extra)
    };
    if feeds == pairs && (adds_up || pairs >= 8) {
        return Some(Transfer::Added(first.is_some_and(|first| first < loaded(image))));
    }
    if returns == 0 && feeds >= 24 && lacks {
        // Where headers were changed, too, what they say is not what is missing.
        let is_told = missing < size as u64 >> 6;
        return Some(Transfer::Removed(if is_told { missing } else { 0 }, true));
    }
    // Nearly all of them: what was UTF-8 before stays.
    (replaced >= 16 && replaced.saturating_mul(4) > high).then_some(Transfer::Recoded)
}

/// What begins the data of a program by Go's own linker, since Go 1.13: debug/buildinfo/buildinfo.go.
const GO_INFO: &[u8] = b"\xff Go buildinf:";

/// Where that is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GoData {
    /// It stands before its place: bytes before it are gone.
    Before,
    /// In its place is something else; an older Go has none.
    Elsewhere,
    /// Nothing was written there.
    Blank,
}

impl GoData {
    /// None where it stands in its place.
    fn of(reader: &mut Reader<'_>, image: &Image) -> Option<GoData> {
        // Its linker puts the table of sections behind the program headers; the note may have moved, too.
        if !image.is_go && !(1..4096).contains(&image.header.e_shoff) {
            return None;
        }
        let place = at(image.loads().find(|entry| entry.p_flags & PF_W != 0)?.p_offset);
        let found = reader.bytes_at(place, 64)?;
        if found.starts_with(GO_INFO) {
            return None;
        }
        let is_blank = fill(found).is_some();
        let before = reader.up_to(place.saturating_sub(4096), 4096);
        match (holds(before, GO_INFO), image.is_go) {
            (true, _) => Some(GoData::Before),
            (false, false) => None,
            (false, true) => Some(if is_blank { GoData::Blank } else { GoData::Elsewhere }),
        }
    }
}

/// `.eh_frame_hdr` (LSB): version 1, and the usual encodings.
const EH_FRAME: &[u8] = b"\x01\x1b\x03\x3b";

/// CR LF became LF: what stands behind is nearer to the front by the bytes that the file lacks.
fn removed(reader: &mut Reader<'_>, image: &Image, end: &End, size: u64) -> Option<Transfer> {
    let lost = end.whole.checked_sub(size).filter(|lost| (1..=size >> 7).contains(lost))?;
    let eh_frame = image.table().iter().find(|entry| entry.p_type == PT_GNU_EH_FRAME);
    let mut is_loaded = eh_frame.is_some_and(|entry| {
        let place = at(entry.p_offset);
        let from = place.saturating_sub(at(lost));
        let bytes = reader.up_to(from, at(lost).min(4096).saturating_add(EH_FRAME.len()));
        let found = bytes.windows(EH_FRAME.len()).position(|part| part == EH_FRAME);
        found.is_some_and(|found| from.saturating_add(found) < place)
    });
    let has_table = end.has_table && table_moved(reader, image, lost);
    // Where most of the file is loaded, so are most of the places.
    is_loaded |= has_table && loaded(image) > size / 2;
    (is_loaded || has_table).then_some(Transfer::Removed(lost, is_loaded))
}

/// Whether the table of sections stands before its place: an empty entry, and one of a known type.
fn table_moved(reader: &mut Reader<'_>, image: &Image, lost: u64) -> bool {
    let entry = image.encoding.section_header_size();
    let from = at(image.header.e_shoff.saturating_sub(lost));
    let bytes = reader.up_to(from, entry.saturating_mul(4));
    // A few bytes of the table itself may be gone, too.
    let moved = at(lost).min(entry);
    bytes.windows(entry.saturating_mul(2)).take(moved).any(|pair| {
        let (empty, next) = pair.split_at_checked(entry).unwrap_or_default();
        let next = SectionHeader::decode(next, image.encoding);
        let is_known = matches!(next.kind, 1..=0x13 | 0x6fff_fff5..=0x7fff_ffff);
        fill(empty) == Some(Fill::Zeros) && is_known && next.name < 0x1_0000 && next.offset < from
    })
}

/// The AppImage specification, "Type 2 image format".
fn is_appimage(contents: &Contents) -> bool {
    contents.ident().get(8..11) == Some(b"AI\x02")
}

/// What is missing behind the end.
fn lacks_of(contents: &Contents, reader: &mut Reader<'_>, end: &End, size: u64) -> Option<Missing> {
    if end.whole > size {
        let part = match () {
            () if is_appimage(contents) => Part::Squashfs,
            () if end.last.is_none() => return None,
            () if is_pyinstaller(contents, size) => Part::PyInstaller,
            () => Part::Sections,
        };
        return Some(Missing { whole: end.whole, part });
    }
    let front = reader.up_to(at(end.whole), 48);
    if front.starts_with(b"hsqs") {
        // squashfs_fs.h `struct squashfs_super_block`, bytes_used.
        let low = ByteOrder::Little.u32(front, 40);
        let used = u64::from(ByteOrder::Little.u32(front, 44)) << 32 | u64::from(low);
        let whole = end.whole.saturating_add(used);
        return (whole > size).then_some(Missing { whole, part: Part::Squashfs });
    }
    if front.starts_with(b"PK\x03\x04") {
        // The end of central directory record: behind it, a comment at most.
        let tail = reader.up_to(at(size).saturating_sub(4096), 4096);
        return (!holds(tail, b"PK\x05\x06")).then_some(Missing { whole: 0, part: Part::Zip });
    }
    // Its cookie, which stands at the end.
    let is_cut = |reader: &mut Reader<'_>| {
        !holds(reader.up_to(at(size).saturating_sub(4096), 4096), b"MEI\x0c\x0b\x0a\x0b\x0e")
    };
    if end.whole < size && is_pyinstaller(contents, size) && is_cut(reader) {
        return Some(Missing { whole: 0, part: Part::PyInstaller });
    }
    (is_appimage(contents) && end.whole == size).then_some(Missing { whole: 0, part: Part::Squashfs })
}

/// Whether it is PyInstaller's bootloader, by a name that it looks for in the environment.
fn is_pyinstaller(contents: &Contents, size: u64) -> bool {
    let mut reader = Reader::new(contents, ByteOrder::Little, 0, usize::MAX);
    reader.once();
    let end = at(size).min(160 << 10);
    (0..end).step_by(4096).any(|place| holds(reader.up_to(place, 4096 + 16), b"_MEIPASS"))
}
