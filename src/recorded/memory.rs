//! Machines whose files lie in memory: those of an archive, of a text, or of the catalogue.

#[cfg(feature = "catalogue")]
use std::rc::Rc;

use super::Recorded;
use super::tree::Entry;
#[cfg(feature = "catalogue")]
pub(crate) use super::tree::Made;
#[cfg(feature = "catalogue")]
use super::tree::{Bytes, Names, Tree, What};
#[cfg(feature = "catalogue")]
use super::{known, plain};
use crate::path::Path;

/// What is known of a file of a machine of the catalogue.
#[cfg(feature = "catalogue")]
pub(crate) enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// Its beginning.
    Beginning(Vec<u8>),
    /// All of it, made when it is first looked at.
    Made(Rc<Made>),
}

/// A file of such a machine: its name, and what is known of it.
#[cfg(feature = "catalogue")]
pub(crate) type Told = (String, Body);

#[cfg(feature = "catalogue")]
fn told(files: Vec<Told>) -> Result<Names, String> {
    let mut names = Names::new(plain::DEVICE);
    for (name, body) in files {
        let what = match body {
            Body::Whole(bytes) => What::File(bytes.len() as u64, Some(Bytes::First(bytes.into()))),
            // How long it is nobody knows.
            Body::Beginning(bytes) => What::File(u32::MAX.into(), Some(Bytes::First(bytes.into()))),
            Body::Made(made) => What::Made(made),
        };
        if !names.put(name.as_bytes(), what, 0o755) {
            return Err(String::from("it has too many names"));
        }
    }
    Ok(names)
}

impl Recorded {
    /// The machine of the catalogue that these files tell of, by their names as in a text; of some the beginning alone is
    /// known.
    #[cfg(feature = "catalogue")]
    pub(crate) fn by_name(name: String, files: Vec<Told>) -> Result<Self, String> {
        let mut recorded = Recorded::of(Tree::Names(Rc::new(told(files)?)));
        recorded.name = Some(name);
        if recorded.tree.entry(Path::new("/known")).is_err() {
            let _ = recorded.known.set(Some(Rc::new(known::Known::parse(b""))));
        }
        Ok(recorded)
    }

    /// Whether a path leads to where it says: of files that lie in memory each folder above one is none but a folder.
    pub(super) fn is_plain(&self, path: &Path) -> bool {
        let mut names = path.as_bytes().split(|byte| *byte == b'/');
        names.next().is_some_and(<[u8]>::is_empty)
            && !names.any(|name| matches!(name, b"" | b"." | b".."))
            && self.tree.is_in_memory()
            && self.known().is_none_or(|known| known.link(path).is_none())
            && matches!(self.tree.entry(path), Ok(Entry::Other(_)))
    }
}
