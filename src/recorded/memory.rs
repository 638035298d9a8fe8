//! Machines whose files lie in memory: those of an archive, of a text, or of the catalogue.

#[cfg(feature = "catalogue")]
use std::rc::Rc;

use super::Recorded;
use super::tree::Entry;
#[cfg(feature = "catalogue")]
use super::tree::{Bytes, Names, Tree, What};
#[cfg(feature = "catalogue")]
use super::{known, plain};
use crate::path::Path;

/// A file of a machine that is known without a text: its name, what is known of it, and whether that is its beginning alone.
#[cfg(feature = "catalogue")]
pub(crate) type Told = (String, Vec<u8>, bool);

#[cfg(feature = "catalogue")]
fn told(files: Vec<Told>) -> Result<Names, String> {
    let mut names = Names::new(plain::DEVICE);
    for (name, body, is_head) in files {
        let size = if is_head { u64::from(u32::MAX) } else { body.len() as u64 };
        if !names.put(name.as_bytes(), What::File(size, Some(Bytes::First(body.into()))), 0o755) {
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
