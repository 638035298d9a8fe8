//! The files of a recording: in a folder, or as a list of names made from one file. No link is followed here.

#[cfg(feature = "catalogue")]
use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::path;
use std::rc::Rc;

use crate::computer::{Here, OpenFile, errno_of, inside, lstat, open_in_place, target_path};
use crate::errno::Errno;
use crate::path::{Path, PathBuf};
use crate::target::{FileKind, ReadAt, Root as _, Stat};

/// Why something of a recording is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// As the machine has it.
    Errno(Errno),
    /// What this computer says to who reads the recording: nothing of the machine's.
    Here(Errno),
    /// The recording does not tell.
    Unknown,
}

/// What is at a path.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// A symbolic link.
    Link(PathBuf),
    /// Anything else.
    Other(Stat),
}

/// The files.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Folder(path::PathBuf),
    Names(Rc<Names>),
}

impl Tree {
    /// Its files are those of an archive, or of a text.
    pub(super) const fn is_in_memory(&self) -> bool {
        matches!(self, Tree::Names(_))
    }

    /// lstat(2) of a path of the machine's that no link is a part of.
    pub(super) fn entry(&self, path: &Path) -> Result<Entry, Fault> {
        match self {
            Tree::Folder(root) => {
                let place = there(root, path)?;
                match lstat(&place).map_err(of_here)? {
                    Some(stat) => Ok(Entry::Other(stat)),
                    None => Ok(Entry::Link(target_path(&place.read_link().map_err(|error| of_io(&error))?))),
                }
            }
            Tree::Names(names) => names.entry(path),
        }
    }

    /// The bytes of a regular file there.
    pub(super) fn open(&self, path: &Path) -> Result<Rc<dyn ReadAt>, Fault> {
        match self {
            Tree::Folder(root) => {
                let file = open_in_place(&there(root, path)?).map_err(|error| of_io(&error))?;
                Ok(Rc::new(Copied(file)))
            }
            Tree::Names(names) => names.open(path),
        }
    }

    /// The names in a folder there.
    pub(super) fn names(&self, folder: &Path) -> Result<Vec<Vec<u8>>, Fault> {
        match self {
            Tree::Folder(root) => {
                let names = Here::default().list(&target_path(&there(root, folder)?), |_| true);
                names.ok_or(Fault::Unknown)?.map_err(of_here)
            }
            Tree::Names(names) => names.names(folder),
        }
    }
}

/// Where a folder keeps an absolute path.
fn there(root: &path::Path, path: &Path) -> Result<path::PathBuf, Fault> {
    inside(root, path).ok_or(Fault::Errno(Errno::ENOENT))
}

fn of_io(error: &std::io::Error) -> Fault {
    of_here(errno_of(error))
}

fn of_here(errno: Errno) -> Fault {
    if errno.is_absence() { Fault::Errno(errno) } else { Fault::Here(errno) }
}

/// A file of the machine's; who writes to the copy tells nothing of it.
struct Copied(OpenFile);

impl ReadAt for Copied {
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        self.0.read_at(offset, len)
    }
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A folder.
    Folder,
    /// A regular file: its size, and its bytes where they are known.
    File(u64, Option<Bytes>),
    /// A regular file that is made when it is first looked at.
    #[cfg(feature = "catalogue")]
    Made(Rc<Made>),
    /// A symbolic link.
    Link(PathBuf),
    /// A device, a FIFO.
    Special(FileKind),
    /// Nobody knows.
    Unknown,
}

/// The bytes of a file: a part of an open one, or in memory.
#[derive(Clone)]
pub(super) enum Bytes {
    Part(Rc<dyn ReadAt>, u64),
    /// What is behind these is not known.
    First(Rc<[u8]>),
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bytes")
    }
}

#[derive(Debug)]
struct Node {
    below: BTreeMap<Box<[u8]>, usize>,
    what: What,
    mode: u32,
}

/// Names below one another.
#[derive(Debug)]
pub(super) struct Names {
    list: Vec<Node>,
    /// st_dev.
    device: u64,
}

/// Names that there may be: a recording has some thousand.
pub(super) const NAMES_AT_MOST: usize = 200_000;
/// Folders above one another.
const DEPTH: usize = 128;

impl Names {
    pub(super) fn new(device: u64) -> Names {
        Names { list: vec![Node { below: BTreeMap::new(), what: What::Folder, mode: 0o755 }], device }
    }

    /// Puts something at a path, in the place of what is there, and folders above it; gives false where there is no room
    /// for more names. The path has no `..`.
    pub(super) fn put(&mut self, path: &[u8], what: What, mode: u32) -> bool {
        let mut at = 0;
        let names = || path.split(|byte| *byte == b'/').filter(|name| !matches!(*name, b"" | b"."));
        if names().count() > DEPTH {
            return false;
        }
        for name in names() {
            let free = self.list.len();
            let Some(node) = self.list.get_mut(at) else { return false };
            at = match node.below.get(name) {
                Some(below) => *below,
                None if free >= NAMES_AT_MOST => return false,
                None => {
                    node.below.insert(name.into(), free);
                    self.list.push(Node { below: BTreeMap::new(), what: What::Folder, mode: 0o755 });
                    free
                }
            };
        }
        if let Some(node) = self.list.get_mut(at) {
            (node.what, node.mode) = (what, mode);
        }
        true
    }

    /// What is at a path.
    pub(super) fn what(&self, path: &[u8]) -> Option<(&What, u32)> {
        self.node(path).ok().map(|(_, node)| (&node.what, node.mode))
    }

    /// A name that something else than a folder has names below.
    pub(super) fn misplaced(&self) -> Option<&[u8]> {
        let is_folder = |at: &usize| self.list.get(*at).is_some_and(|node| matches!(node.what, What::Folder));
        let is_wrong =
            |at: &usize| self.list.get(*at).is_some_and(|node| !node.below.is_empty()) && !is_folder(at);
        let all = self.list.iter().flat_map(|node| &node.below);
        all.filter(|(_, at)| is_wrong(at)).map(|(name, _)| &**name).next()
    }

    fn node(&self, path: &[u8]) -> Result<(usize, &Node), Fault> {
        let mut at = 0;
        for name in path.split(|byte| *byte == b'/').filter(|name| !matches!(*name, b"" | b".")) {
            let below = self.list.get(at).and_then(|node| node.below.get(name));
            at = *below.ok_or(Fault::Errno(Errno::ENOENT))?;
        }
        self.list.get(at).map(|node| (at, node)).ok_or(Fault::Unknown)
    }

    fn entry(&self, path: &Path) -> Result<Entry, Fault> {
        let (at, node) = self.node(path.as_bytes())?;
        let (kind, size) = match &node.what {
            What::Link(target) => return Ok(Entry::Link(target.clone())),
            What::Unknown => return Err(Fault::Unknown),
            What::Folder => (FileKind::Directory, 0),
            What::File(size, _) => (FileKind::Regular, *size),
            #[cfg(feature = "catalogue")]
            What::Made(bytes) => (FileKind::Regular, bytes.0.len() as u64),
            What::Special(kind) => (*kind, 0),
        };
        let (device, inode) = (self.device, at as u64);
        Ok(Entry::Other(Stat { kind, mode: node.mode, size, device, inode, owner: None, group: None }))
    }

    fn open(&self, path: &Path) -> Result<Rc<dyn ReadAt>, Fault> {
        match &self.node(path.as_bytes())?.1.what {
            What::File(size, Some(bytes)) => Ok(Rc::new(Part { bytes: bytes.clone(), size: *size })),
            #[cfg(feature = "catalogue")]
            What::Made(bytes) => Ok(bytes.clone()),
            _ => Err(Fault::Unknown),
        }
    }

    fn names(&self, folder: &Path) -> Result<Vec<Vec<u8>>, Fault> {
        let (_, node) = self.node(folder.as_bytes())?;
        match node.what {
            What::Folder => Ok(node.below.keys().map(|name| name.to_vec()).collect()),
            _ => Err(Fault::Errno(Errno::ENOTDIR)),
        }
    }
}

/// The bytes of a file, once somebody wants them.
#[cfg(feature = "catalogue")]
pub(crate) struct Made(LazyCell<Vec<u8>, Box<dyn FnOnce() -> Vec<u8>>>);

#[cfg(feature = "catalogue")]
impl Made {
    pub(crate) fn new(make: impl FnOnce() -> Vec<u8> + 'static) -> Made {
        Made(LazyCell::new(Box::new(make)))
    }
}

#[cfg(feature = "catalogue")]
impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Made")
    }
}

#[cfg(feature = "catalogue")]
impl ReadAt for Made {
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let left = usize::try_from(offset).ok().and_then(|at| self.0.get(at..)).unwrap_or_default();
        Ok(left.get(..len).unwrap_or(left).to_vec())
    }
}

/// An open file of a recording.
struct Part {
    bytes: Bytes,
    size: u64,
}

impl ReadAt for Part {
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let left = self.size.saturating_sub(offset);
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(len);
        match &self.bytes {
            _ if len == 0 => Ok(Vec::new()),
            Bytes::Part(file, start) => file.read_at(start.saturating_add(offset), len),
            Bytes::First(bytes) => {
                let known = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
                match known.get(..len.min(known.len())) {
                    Some(known @ [_, ..]) => Ok(known.to_vec()),
                    _ => Err(Errno::EIO),
                }
            }
        }
    }
}

/// A file on this computer's disk.
pub(super) fn on_disk(file: File) -> Rc<dyn ReadAt> {
    Rc::new(Copied(OpenFile(file)))
}
