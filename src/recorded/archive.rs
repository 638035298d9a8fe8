//! A recording in a tar archive: read by its own list, never unpacked. Its headers are decoded by the crate `tar`; what is
//! made of them is decided here, for nobody knows who made the archive.

use std::borrow::Cow;
use std::rc::Rc;

use tar::{EntryType, Header, PaxExtensions};

use super::tree::{Bytes, NAMES_AT_MOST, Names, What};
use crate::path::PathBuf;
use crate::target::{FileKind, ReadAt};
use crate::text;

/// What everything in an archive begins at a multiple of.
const BLOCK: usize = 512;
/// Bytes of a longer name, or of the records of pax, that are read.
const LONGEST: u64 = 64 << 10;
/// Bytes of all names.
const ALL_NAMES: usize = 32 << 20;
/// st_dev of its files.
const DEVICE: u64 = 1;

/// What an archive holds, or one sentence on why that is not known.
pub(super) fn read(file: &Rc<dyn ReadAt>, size: u64) -> Result<Names, String> {
    let mut archive = Archive { file, size, names: Names::new(DEVICE), bytes: 0 };
    archive.read()?;
    Ok(archive.names)
}

struct Archive<'a> {
    file: &'a Rc<dyn ReadAt>,
    /// Its bytes.
    size: u64,
    names: Names,
    /// Of all names so far.
    bytes: usize,
}

/// What stands before an entry and is said of it.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

impl Archive<'_> {
    fn read(&mut self) -> Result<(), String> {
        let (mut at, mut said, mut links) = (0, Said::default(), Vec::new());
        for _ in 0..NAMES_AT_MOST.saturating_mul(2) {
            let bytes = self.bytes_at(at, BLOCK)?;
            let Some(block) = bytes.first_chunk::<BLOCK>() else { return Err(cut_short()) };
            if block.iter().all(|byte| *byte == 0) {
                self.link(&links);
                return match self.names.misplaced() {
                    Some(name) => {
                        Err(format!("it has something below {}, which is no folder", text::printable(name)))
                    }
                    None => Ok(()),
                };
            }
            let header = Header::from_byte_slice(block);
            if !is_header(header) {
                return Err(String::from("it is no tar archive, or a damaged one"));
            }
            let kind = header.entry_type();
            let told = || number(header.as_bytes().get(124..136));
            let size = said.size.take().or_else(told).ok_or_else(damaged)?;
            let start = at.saturating_add(BLOCK as u64);
            // Only files have bytes behind the header, whatever it says.
            let has_bytes = !matches!(
                kind,
                EntryType::Link
                    | EntryType::Symlink
                    | EntryType::Directory
                    | EntryType::Char
                    | EntryType::Block
                    | EntryType::Fifo
            );
            let len = if has_bytes { size } else { 0 };
            let end = start.checked_add(len).filter(|end| *end <= self.size).ok_or_else(cut_short)?;
            at = end.checked_next_multiple_of(BLOCK as u64).ok_or_else(cut_short)?;
            match kind {
                EntryType::GNULongName => said.name = Some(self.long(start, size)?),
                EntryType::GNULongLink => said.link = Some(self.long(start, size)?),
                EntryType::XHeader => self.pax(start, size, &mut said)?,
                EntryType::XGlobalHeader => {}
                _ => self.put(header, std::mem::take(&mut said), (start, size), &mut links)?,
            }
        }
        Err(too_many())
    }

    fn bytes_at(&self, at: u64, len: usize) -> Result<Vec<u8>, String> {
        self.file.read_at(at, len).map_err(|errno| format!("it cannot be read: {}", errno.text()))
    }

    /// The content of a header that says a long name.
    fn long(&self, start: u64, size: u64) -> Result<Vec<u8>, String> {
        if size > LONGEST {
            return Err(String::from("it has a name of more than 64 KiB"));
        }
        let mut name = self.bytes_at(start, usize::try_from(size).unwrap_or_default())?;
        while name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    fn pax(&self, start: u64, size: u64, said: &mut Said) -> Result<(), String> {
        let records = self.long(start, size)?;
        for record in PaxExtensions::new(&records) {
            let record = record.map_err(|_| damaged())?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => said.name = Some(value.to_vec()),
                b"linkpath" => said.link = Some(value.to_vec()),
                b"size" => {
                    let digits = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                    said.size = Some(digits.ok_or_else(damaged)?);
                }
                key => said.is_sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
        Ok(())
    }

    fn put(
        &mut self,
        header: &Header,
        said: Said,
        (start, size): (u64, u64),
        links: &mut Vec<(Vec<u8>, Vec<u8>)>,
    ) -> Result<(), String> {
        let name = said.name.unwrap_or_else(|| header.path_bytes().into_owned());
        self.bytes = self.bytes.saturating_add(name.len());
        if name.split(|byte| *byte == b'/').any(|name| name == b"..") || name.contains(&0) {
            return Err(format!("it has a name that leads out of it: {}", text::printable(&name)));
        }
        let link = || said.link.or_else(|| header.link_name_bytes().map(Cow::into_owned)).unwrap_or_default();
        let is_folder = name.ends_with(b"/");
        let what = match header.entry_type() {
            EntryType::Directory => What::Folder,
            EntryType::Regular | EntryType::Continuous if is_folder => What::Folder,
            EntryType::Regular | EntryType::Continuous if !said.is_sparse => {
                What::File(size, Some(Bytes::Part(Rc::clone(self.file), start)))
            }
            EntryType::Symlink => What::Link(PathBuf::from(link())),
            EntryType::Link => {
                links.push((name.clone(), link()));
                What::Unknown
            }
            EntryType::Char => What::Special(FileKind::CharDevice),
            EntryType::Block => What::Special(FileKind::BlockDevice),
            EntryType::Fifo => What::Special(FileKind::Fifo),
            // Files with holes, parts of several volumes, and what nobody knows.
            _ => What::Unknown,
        };
        let mode = number(header.as_bytes().get(100..108)).unwrap_or(0o644) & 0o7777;
        let mode = u32::try_from(mode).unwrap_or_default();
        if self.bytes > ALL_NAMES || !self.names.put(&name, what, mode) {
            return Err(too_many());
        }
        Ok(())
    }

    /// A hard link is the file that it leads to, where that is in the archive.
    fn link(&mut self, links: &[(Vec<u8>, Vec<u8>)]) {
        for (name, target) in links {
            let Some((what @ What::File(..), mode)) = self.names.what(target) else { continue };
            let what = what.clone();
            self.names.put(name, what, mode);
        }
    }
}

/// The sum of its bytes, with blanks in the place of the sum.
fn is_header(header: &Header) -> bool {
    let bytes = header.as_bytes();
    let sum =
        |bytes: Option<&[u8]>| bytes.unwrap_or_default().iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let all = sum(bytes.get(..148)).saturating_add(8 * 32).saturating_add(sum(bytes.get(156..)));
    let told = number(bytes.get(148..156));
    told == Some(all.into())
}

/// A number of a header: octal digits, or, where GNU has no room for them, bytes behind a set bit. Not by the crate, whose
/// errors bring more of the C library into each start of diag.
fn number(field: Option<&[u8]>) -> Option<u64> {
    match field? {
        [0x80, bytes @ ..] => {
            bytes.iter().try_fold(0_u64, |sum, byte| Some(sum.checked_mul(256)? | u64::from(*byte)))
        }
        digits => {
            let is_end = |byte: &u8| matches!(byte, 0 | b' ');
            let digits = digits.trim_ascii_start().split(is_end).next().unwrap_or_default();
            u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
        }
    }
}

/// Whether a file begins as an archive does.
pub(super) fn is_archive(head: &[u8]) -> bool {
    head.first_chunk::<BLOCK>().is_some_and(|block| is_header(Header::from_byte_slice(block)))
}

fn cut_short() -> String {
    String::from("it is cut short")
}

fn damaged() -> String {
    String::from("it is damaged")
}

fn too_many() -> String {
    format!("it has more than {NAMES_AT_MOST} names, or longer ones than any machine")
}
