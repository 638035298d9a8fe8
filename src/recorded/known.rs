//! The note `known`, which `--record` writes: how far the recording goes. Without it, what is not in a recording is not on
//! the machine; with it, that is known of what these lines say, and the rest nobody looked at:
//!
//! | line | what it says |
//! | --- | --- |
//! | `folder /usr/bin` | each name there is in the recording |
//! | `libraries /lib` | each name there that has `.so` in it is |
//! | `absent /etc/ld.so.preload` | there is no such file |
//! | `link /bin/sh -> /bin/busybox` | a symbolic link, and what it leads to in the end |
//! | `unlisted /usr/lib/lua` | a folder; what is in it is not known |
//! | `unknown /usr/lib/x.so` | something is there |
//! | `left-out 755 123456 /usr/bin/python3` | a file with this mode and size, whose content was not taken |

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::tree::{Entry, Fault, Names, Tree, What};
use crate::errno::Errno;
use crate::path::{Path, PathBuf};

/// st_dev of what was left out.
const DEVICE: u64 = 2;

/// How far a recording goes.
#[derive(Clone, Debug)]
pub(super) struct Known {
    folders: BTreeSet<Vec<u8>>,
    libraries: BTreeSet<Vec<u8>>,
    absent: BTreeSet<Vec<u8>>,
    /// Links, by their paths as they are asked for: with `..`, and below other links.
    links: BTreeMap<Vec<u8>, PathBuf>,
    left_out: Tree,
}

impl Known {
    /// Where nothing is known beyond what is there.
    pub(super) fn parse(text: &[u8]) -> Known {
        let (mut folders, mut libraries, mut absent) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut links = BTreeMap::new();
        let mut left_out = Names::new(DEVICE);
        for line in text.split(|byte| *byte == b'\n') {
            let mut words = line.splitn(2, |byte| *byte == b' ');
            let (Some(word), Some(rest)) = (words.next(), words.next()) else { continue };
            match word {
                b"folder" => {
                    left_out.put(rest, What::Folder, 0o755);
                    folders.insert(rest.to_vec());
                }
                b"libraries" => {
                    left_out.put(rest, What::Folder, 0o755);
                    libraries.insert(rest.to_vec());
                }
                b"link" => {
                    let mark = rest.windows(4).position(|part| part == b" -> ");
                    let link = mark.and_then(|at| Some((rest.get(..at)?, rest.get(at.saturating_add(4)..)?)));
                    if let Some((path, to)) = link {
                        links.insert(path.to_vec(), PathBuf::from(to));
                        left_out.put(path, What::Link(PathBuf::from(to)), 0o777);
                    }
                }
                b"unlisted" => drop(left_out.put(rest, What::Folder, 0o755)),
                b"unknown" => drop(left_out.put(rest, What::Unknown, 0)),
                b"absent" => {
                    absent.insert(rest.to_vec());
                }
                b"left-out" => {
                    if let Some((mode, size, path)) = file(rest) {
                        left_out.put(path, What::File(size, None), mode);
                    }
                }
                _ => {}
            }
        }
        Known { folders, libraries, absent, links, left_out: Tree::Names(Rc::new(left_out)) }
    }

    /// What is known of a path that the recording does not have.
    /// Of one that leads on to another, it would have to be a folder.
    pub(super) fn entry(&self, path: &Path, leads_on: bool) -> Result<Entry, Fault> {
        match self.left_out.entry(path) {
            Err(Fault::Errno(Errno::ENOENT)) => {}
            found => return found,
        }
        let bytes = path.as_bytes();
        let slash = bytes.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
        let (folder, name) =
            (bytes.get(..slash.max(1)).unwrap_or_default(), bytes.get(slash..).unwrap_or_default());
        // All folders of such a one are known.
        let is_library = || leads_on || name.windows(3).any(|part| part == b".so");
        if self.is_absent(path)
            || self.folders.contains(folder)
            || (self.libraries.contains(folder) && is_library())
        {
            return Err(Fault::Errno(Errno::ENOENT));
        }
        Err(Fault::Unknown)
    }

    /// Whether it is known that there is no such file.
    pub(super) fn is_absent(&self, path: &Path) -> bool {
        self.absent.contains(path.as_bytes())
    }

    /// What a link leads to, by its whole path.
    pub(super) fn link(&self, path: &Path) -> Option<&Path> {
        self.links.get(path.as_bytes()).map(PathBuf::as_path)
    }

    /// The names of a folder that were left out; whether it is known that there are no more.
    pub(super) fn names(&self, folder: &Path) -> (Vec<Vec<u8>>, bool) {
        let known = [&self.folders, &self.libraries].iter().any(|set| set.contains(folder.as_bytes()));
        (self.left_out.names(folder).unwrap_or_default(), known)
    }
}

/// "755 123456 /usr/bin/python3".
fn file(line: &[u8]) -> Option<(u32, u64, &[u8])> {
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let (mode, size) = (std::str::from_utf8(words.next()?).ok()?, std::str::from_utf8(words.next()?).ok()?);
    Some((u32::from_str_radix(mode, 8).ok()? & 0o7777, size.parse().ok()?, words.next()?))
}
