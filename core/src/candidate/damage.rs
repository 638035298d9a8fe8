//! What became of the content of an ELF file on its way, as far as a few places of it tell: bytes that never reached the
//! medium, a transfer that took it for text, an end that is missing.

mod payload;

use super::Image;
use super::program::place_of;
use super::reader::Reader;
use crate::ROUTER;
use crate::elf::consts::{PF_W, PT_DYNAMIC, PT_GNU_EH_FRAME, SHF_ALLOC, SHT_NOBITS};
use crate::elf::{SectionHeader, offset as at};
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
pub(super) fn find(
    reader: &mut Reader<'_>,
    image: &Image,
    sections: &[SectionHeader],
    size: u64,
    is_go: bool,
) -> Damage {
    let (entry, dynamic) = (entry(reader, image), dynamic(reader, image));
    let mut damage = Damage { entry, dynamic, ..Damage::default() };
    let (end, size) = (End::of(image, sections), at(size));
    // Routers' builds look neither at Go's data nor at what is behind a program's own end.
    let go = if ROUTER { None } else { GoData::of(reader, image) };
    // Go's linker fills the last page.
    let page_end = (end.whole | 0xffff).saturating_add(1);
    let is_filled = go == Some(GoData::InPlace) && (end.whole..=page_end).contains(&size);
    let mut last = None;
    if let Some((place, len)) = end.last.filter(|_| end.whole <= size) {
        last = reader.bytes_at(place, len).and_then(fill);
    }
    if last.is_none() && go == Some(GoData::Blank) {
        last = reader.bytes_at(size.saturating_sub(SPOT), SPOT).and_then(fill);
    }
    damage.end = last.map(|fill| (fill, run(reader, fill, size)));
    if go == Some(GoData::Before) {
        damage.transfer = Some(Transfer::Removed(0, true));
    } else if !ROUTER && payload::is_appimage(reader) {
        damage.lacks = payload::missing(reader, image, &end, size);
    } else if (end.whole != size && !is_filled) || go == Some(GoData::Elsewhere) {
        damage.transfer = counts(reader, image, size, &end, go == Some(GoData::Elsewhere));
        if !ROUTER && damage.transfer.is_none() {
            damage.transfer = removed(reader, image, &end, size);
        }
        if !ROUTER && !is_go && damage.transfer.is_none() {
            damage.lacks = payload::missing(reader, image, &end, size);
        }
        if damage.transfer.is_none() && damage.lacks.is_none() && end.whole > size && end.last.is_some() {
            // Of 32 bits it may be more than 4 GiB.
            let whole = if end.has_table { table_end(image) } else { end.whole as u64 };
            damage.lacks = Some(Missing { whole, part: Part::Sections });
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
fn loaded(image: &Image) -> usize {
    let parts = image.loads().filter(|segment| segment.p_filesz > 0);
    at(parts.fold(0, |most, segment| segment.file_end().max(most)))
}

/// Where the table of sections ends.
fn table_end(image: &Image) -> u64 {
    let (header, entry) = (&image.header, image.encoding.section_header_size());
    header.e_shoff.saturating_add(entry.saturating_mul(header.e_shnum.into()) as u64)
}

/// Where a file ends by its own tables.
struct End {
    whole: usize,
    /// A part at the end that holds more than bytes of one value: where it is, and its length.
    last: Option<(usize, usize)>,
    /// The table of sections stands at the end.
    has_table: bool,
}

impl End {
    fn of(image: &Image, sections: &[SectionHeader]) -> End {
        let loaded = loaded(image);
        let mut end = End { whole: loaded, last: None, has_table: false };
        let (header, entry) = (&image.header, image.encoding.section_header_size());
        let (start, table) = (at(header.e_shoff), entry.saturating_mul(header.e_shnum.into()));
        if start == 0 || table <= entry || usize::from(header.e_shentsize) != entry {
            return end;
        }
        let table_end = at(table_end(image));
        if table_end > end.whole {
            let last = Some((table_end.saturating_sub(entry), entry));
            end = End { whole: table_end, last, has_table: true };
        }
        // Go and patchelf put the table elsewhere: what is not loaded stands behind it.
        for section in sections.iter().filter(|section| start < loaded && section.kind != SHT_NOBITS) {
            let section_end = section.offset.saturating_add(section.size);
            if section.size > 0 && section_end > end.whole {
                let len = section.size.min(64);
                let is_written = section.flags & SHF_ALLOC == 0 && len >= SPOT;
                let last = is_written.then_some((section_end.saturating_sub(len), len));
                end = End { whole: section_end, last, has_table: false };
            }
        }
        end
    }
}

/// Where a run of one value begins that goes up to the end.
fn run(reader: &mut Reader<'_>, value: Fill, size: usize) -> u64 {
    let (mut before, mut within) = (0, size.saturating_sub(SPOT));
    while within.saturating_sub(before) > 512 {
        let middle = before.midpoint(within);
        if reader.bytes_at(middle, 4 * SPOT).and_then(fill) == Some(value) {
            within = middle;
        } else {
            before = middle;
        }
    }
    // Between the two places it begins.
    let bytes = reader.up_to(before, within.saturating_sub(before));
    let written =
        bytes.iter().rposition(|byte| fill(&[*byte]) != Some(value)).map_or(0, |last| last.saturating_add(1));
    before.saturating_add(written) as u64
}

/// How often bytes occur that a transfer changes.
#[derive(Default)]
struct Counts {
    /// CR LF.
    pairs: usize,
    /// LF without a CR.
    feeds: usize,
    /// CR, with those of the pairs.
    returns: usize,
    /// U+FFFD.
    replaced: usize,
    /// Other bytes beyond ASCII.
    high: usize,
}

impl Counts {
    /// Bytes, behind the one that stands before them.
    fn add(&mut self, bytes: &[u8]) {
        let Some((mut before, bytes)) = bytes.split_first() else { return };
        for byte in bytes {
            let count = match (*before, *byte) {
                (b'\r', b'\n') => &mut self.pairs,
                (_, b'\n') => &mut self.feeds,
                (_, b'\r') => &mut self.returns,
                (0xbf, 0xbd) => &mut self.replaced,
                (_, 0x80..) => &mut self.high,
                _ => &mut 0,
            };
            *count = count.saturating_add(1);
            before = byte;
        }
    }
}

/// What pieces of the file say of its bytes: in code and tables an LF has a CR before it by chance only.
fn counts(
    reader: &mut Reader<'_>,
    image: &Image,
    size: usize,
    end: &End,
    is_moved: bool,
) -> Option<Transfer> {
    let lacks = is_moved || end.whole > size;
    // A CR before each byte makes two of it, U+FFFD three: what is longer has something else behind it, if its tables are
    // still what they were.
    if image.program_headers.is_ok() && size / 3 > end.whole {
        return None;
    }
    let mut counts = Counts::default();
    let mut first = None;
    let step = (size / PIECES).max(PIECE);
    // The magic number stands before the first.
    let mut place: usize = 1;
    while place < size {
        counts.add(reader.up_to(place.saturating_sub(1), PIECE.saturating_add(1)));
        if counts.pairs > 0 {
            first = first.or(Some(place));
        }
        // Healthy ones are known by the first pieces.
        let is_whole = counts.feeds > 0 && (counts.returns > 0 || !lacks);
        if is_whole && counts.replaced == 0 && counts.high > 0 {
            return None;
        }
        place = place.saturating_add(step);
    }
    let Counts { pairs, feeds, returns, replaced, high } = counts;
    // There is as much of it too much as there are of them, as far as pieces tell.
    let extra = size.wrapping_sub(end.whole);
    let adds_up = if step == PIECE {
        pairs > 0 && extra == pairs
    } else {
        let most = pairs.saturating_mul(step / PIECE).saturating_mul(4);
        pairs >= 3 && (pairs..=most).contains(&extra)
    };
    if feeds == 0 && (adds_up || pairs >= 8) {
        return Some(Transfer::Added(first.is_some_and(|first| first < loaded(image))));
    }
    if returns == 0 && feeds >= 24 && lacks {
        // Where headers were changed, too, what they say is not what is missing.
        let missing = end.whole.saturating_sub(size);
        let is_told = missing < size >> 6;
        return Some(Transfer::Removed(if is_told { missing as u64 } else { 0 }, true));
    }
    // Nearly all of them: what was UTF-8 before stays.
    (replaced >= 16 && replaced.saturating_mul(3) > high).then_some(Transfer::Recoded)
}

/// What begins the data of a program by Go's own linker, since Go 1.13: debug/buildinfo/buildinfo.go.
const GO_INFO: &[u8] = b"\xff Go buildinf:";

/// Where that is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GoData {
    /// In its place.
    InPlace,
    /// It stands before its place: bytes before it are gone.
    Before,
    /// In its place is something else; an older Go has none.
    Elsewhere,
    /// Nothing was written there.
    Blank,
}

impl GoData {
    fn of(reader: &mut Reader<'_>, image: &Image) -> Option<GoData> {
        // Its linker puts the table of sections behind the program headers; the note may have moved, too.
        if !image.is_go && !(1..4096).contains(&image.header.e_shoff) {
            return None;
        }
        let place = at(image.loads().find(|entry| entry.p_flags & PF_W != 0)?.p_offset);
        let found = reader.bytes_at(place, 64)?;
        if found.starts_with(GO_INFO) {
            return Some(GoData::InPlace);
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
fn removed(reader: &mut Reader<'_>, image: &Image, end: &End, size: usize) -> Option<Transfer> {
    let lost = end.whole.checked_sub(size).filter(|lost| (1..=size >> 7).contains(lost))?;
    if end.has_table && names_in_place(reader, image, lost) {
        return None;
    }
    let eh_frame = image.table().iter().find(|entry| entry.p_type == PT_GNU_EH_FRAME);
    let (mut is_loaded, mut in_place) = (false, false);
    if let Some(entry) = eh_frame {
        let place = at(entry.p_offset);
        let from = place.saturating_sub(lost);
        let bytes = reader.up_to(from, lost.min(4096).saturating_add(EH_FRAME.len()));
        let found = bytes.windows(EH_FRAME.len()).position(|part| part == EH_FRAME);
        in_place = found.is_some_and(|found| from.saturating_add(found) == place);
        is_loaded = found.is_some() && !in_place;
    }
    let has_table = end.has_table && table_moved(reader, image, lost);
    // Where most of the file is loaded, so are most of the places.
    is_loaded |= has_table && !in_place && loaded(image) > size / 2;
    (is_loaded || has_table).then_some(Transfer::Removed(lost as u64, is_loaded))
}

/// Whether the names of sections, which stand just before the table, are where an entry of it says: then nothing before them
/// is gone, and the header names a wrong place for the table.
fn names_in_place(reader: &mut Reader<'_>, image: &Image, lost: usize) -> bool {
    const OWN: &[u8] = b".shstrtab\0";
    let (header, size) = (&image.header, image.encoding.section_header_size());
    let entry =
        at(header.e_shoff).saturating_sub(lost).saturating_add(size.saturating_mul(header.e_shstrndx.into()));
    let Some(bytes) = reader.bytes_at(entry, size) else { return false };
    let names = SectionHeader::decode(bytes, image.encoding);
    reader.bytes_at(names.offset.saturating_add(at(names.name.into())), OWN.len()) == Some(OWN)
}

/// Whether the table of sections stands before its place: an empty entry, and one of a known type.
fn table_moved(reader: &mut Reader<'_>, image: &Image, lost: usize) -> bool {
    let entry = image.encoding.section_header_size();
    let from = at(image.header.e_shoff).saturating_sub(lost);
    let bytes = reader.up_to(from, entry.saturating_mul(4));
    // A few bytes of the table itself may be gone, too.
    let moved = lost.min(entry);
    bytes.windows(entry.saturating_mul(2)).take(moved).any(|pair| {
        let (empty, next) = pair.split_at_checked(entry).unwrap_or_default();
        let next = SectionHeader::decode(next, image.encoding);
        let is_known = matches!(next.kind, 1..=0x13 | 0x6fff_fff5..=0x7fff_ffff);
        fill(empty) == Some(Fill::Zeros) && is_known && next.name < 0x1_0000 && next.offset < from
    })
}
