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
use crate::candidate::last_name;
use crate::errno::Errno;
use crate::machine::holds;
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
        let (folder, name) = last_name(path.as_bytes());
        let folder = folder.strip_suffix(b"/").filter(|folder| !folder.is_empty()).unwrap_or(folder);
        // All folders of such a one are known.
        let is_library = || leads_on || holds(name, b".so");
        if self.is_absent(path)
            || self.folders.contains(folder)
            || (self.libraries.contains(folder) && is_library())
        {
            return Err(Fault::Errno(Errno::ENOENT));
        }
        Err(Fault::Unknown)
    }

    /// Whether it is known that there is no such file, or not one of the folders that it would be in.
    pub(super) fn is_absent(&self, path: &Path) -> bool {
        let path = path.as_bytes();
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        ends.chain([path.len()]).any(|end| path.get(..end).is_some_and(|folder| self.absent.contains(folder)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_what_is_not_there() {
        let text =
            b"folder /bin\nlibraries /lib\nabsent /usr/local/lib\nabsent /lib/../x\nunlisted /usr/lib\n\
            left-out 755 12 /bin/a b\nlink /bin/sh -> /bin/a b\nunknown /lib/y.so\nnonsense\nleft-out 9 9\n";
        let known = Known::parse(text);
        let of = |path: &str, leads_on| known.entry(Path::new(path), leads_on).err();
        let absent = Some(Fault::Errno(Errno::ENOENT));
        assert_eq!([of("/bin/a b", false), of("/bin/sh", false), of("/usr/lib", true)], [None; 3]);
        assert_eq!([of("/bin/c", false), of("/lib/x.so.1", false), of("/lib/tls", true)], [absent; 3]);
        let unknown = Some(Fault::Unknown);
        assert_eq!([of("/lib/tls", false), of("/lib/y.so", false), of("/usr/lib/x.so", false)], [unknown; 3]);
        assert_eq!([of("/opt", true), of("/usr/local", true)], [unknown; 2]);
        let is_absent = |path: &str| known.is_absent(Path::new(path));
        assert!(is_absent("/usr/local/lib/x.so") && is_absent("/usr/local/lib") && is_absent("/lib/../x"));
        assert!(!is_absent("/usr/local/libx") && !is_absent("/usr/local") && !is_absent("/"));
    }
}
