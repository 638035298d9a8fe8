//! A file that is loaded, or that should be.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::OnceCell;

use super::versions::Version;
use super::{Elsewhere, LibraryState, Unusable, bytes};
use crate::candidate::{Candidate, Dynamic, Image, last_name};
use crate::errno::Errno;

/// A file that is loaded, or that should be.
#[derive(Debug)]
pub struct Library {
    /// The first DT_NEEDED that asks for it; of the interpreter PT_INTERP, of the program nothing.
    pub name: Vec<u8>,
    /// The file, as the loader opens it; empty where there is none.
    pub path: Vec<u8>,
    /// Whether the loader takes it.
    pub state: LibraryState,
    /// Where it was looked for before, in that order.
    pub tried: Vec<Vec<u8>>,
    /// How many more places it was looked for in.
    pub tried_more: usize,
    /// What led to its file; empty where that is not told.
    pub found_by: &'static str,
    /// LD_PRELOAD or /etc/ld.so.preload names it.
    pub preloaded: bool,
    /// Where it is, if its loader does not find it.
    pub elsewhere: Option<Elsewhere>,
    /// Who asked for it first, by place in the list; None of the program.
    pub(super) parent: Option<usize>,
    /// What a DT_NEEDED may call it.
    pub(super) names: Vec<Vec<u8>>,
    /// Device and inode.
    pub(super) id: (u64, u64),
    /// Its folder.
    pub(super) origin: Vec<u8>,
    pub(super) image: Option<Rc<Image>>,
    /// The versions that it defines, once they were asked for.
    pub(super) defined: OnceCell<Vec<Version>>,
    /// Those that it asks for.
    pub(super) verneed: OnceCell<Vec<Version>>,
}

impl Library {
    /// One that is not found yet.
    pub(super) fn new(name: &[u8], parent: Option<usize>) -> Library {
        Library {
            name: name.to_vec(),
            path: Vec::new(),
            state: LibraryState::Missing(Errno::ENOENT),
            tried: Vec::new(),
            tried_more: 0,
            found_by: "",
            preloaded: false,
            elsewhere: None,
            parent,
            names: Vec::new(),
            id: (0, 0),
            origin: Vec::new(),
            image: None,
            defined: OnceCell::new(),
            verneed: OnceCell::new(),
        }
    }

    /// The program, or its interpreter: what the kernel loads.
    pub(super) fn loaded(candidate: &Candidate, image: Option<&Rc<Image>>, parent: Option<usize>) -> Library {
        let path = bytes(&candidate.path);
        let mut object = Library::new(if parent.is_some() { path } else { b"" }, parent);
        match candidate.stat {
            Some(Ok(stat)) => {
                object.path = path.to_vec();
                object.id = (stat.device, stat.inode);
                object.state = LibraryState::Unusable(Unusable::NotElf);
            }
            Some(Err(errno)) => object.state = LibraryState::Missing(errno),
            None => object.state = LibraryState::Unread,
        }
        if image.is_some() {
            object.state = LibraryState::Found;
        }
        object.image = image.cloned();
        object
    }

    /// glibc knows it by its DT_SONAME, too.
    pub(super) fn take_soname(&mut self) {
        if let Some(soname) = self.dynamic().and_then(|dynamic| dynamic.soname.clone()) {
            self.names.push(soname);
        }
    }

    pub(super) fn dynamic(&self) -> Option<&Dynamic> {
        self.image.as_ref()?.dynamic.as_ref()
    }

    pub(super) fn flags(&self, tag: u32) -> u64 {
        self.dynamic().map_or(0, |dynamic| dynamic.flags(tag))
    }

    /// Whether a DT_NEEDED may call it so.
    pub(super) fn is_called(&self, name: &[u8]) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// What stands before the last slash.
pub(super) fn folder(path: &[u8]) -> &[u8] {
    match last_name(path).0 {
        [] => b".",
        [folder @ .., _] if !folder.is_empty() => folder,
        root => root,
    }
}
