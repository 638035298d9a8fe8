//! Where a library is looked for, and what becomes of what is there.

use alloc::vec::Vec;

use super::{Library, LibraryState, Linker, Unusable, folders, path};
use crate::arch;
use crate::budget::Guard;
use crate::candidate::{bytes_of, library};
use crate::errno::Errno;
use crate::exec::Missing;

/// Places in which a library was looked for that are told; the others are counted.
const TRIED: usize = if crate::ROUTER { 8 } else { 64 };
/// What it takes to look for a library in a folder where others were looked for: the paths are known, and compared with
/// what is mounted.
const STEPS_OF_A_FOLDER: usize = 16;
/// Mounts that a path is compared with in a step.
const MOUNTS_OF_A_STEP: usize = 4;
/// A longer path is not told by a router's build.
const LONGEST: usize = 256;

impl Linker<'_> {
    pub(super) fn search(&self, by: usize, found: &mut Library) {
        let Some(object) = self.object(by) else { return };
        if found.name.is_empty() {
            found.state = LibraryState::Missing(Errno::EINVAL);
        } else if found.name.contains(&b'/') {
            self.looks_by("");
            // Only glibc has names with $ORIGIN.
            let name = &found.name;
            let file = if self.is_glibc() { self.expand_safely(object, name) } else { Some(name.clone()) };
            if let Some(file) = file {
                self.look(file, found);
            }
        } else if let Some(facts) = &self.glibc {
            self.search_glibc(facts, object, found);
        } else {
            self.search_musl(object, found);
        }
    }

    /// Looks in the folders of a list, which belongs to an object. True: no other place is looked at.
    pub(super) fn look_in(&self, list: &[u8], of: &Library, found: &mut Library) -> bool {
        let glibc = self.is_glibc();
        if list.is_empty() {
            return false;
        }
        for folder in folders::split(list, if glibc { b":" } else { b":\n" }) {
            if !self.goes_on(Guard::Folders.counts(STEPS_OF_A_FOLDER)) {
                return true;
            }
            if !glibc && folder.is_empty() {
                continue;
            }
            let expanded = if glibc { self.expand_safely(of, folder) } else { Some(folder.to_vec()) };
            let Some(mut file) = expanded else { continue };
            // glibc's elf/dl-load.c `fillin_rpath`: an empty one is the folder that the program is started in; slashes
            // at the end are dropped.
            if !file.is_empty() {
                while glibc && file.ends_with(b"/") {
                    file.pop();
                }
                file.push(b'/');
            }
            if !self.reaches(&file) {
                return true;
            }
            if arch::HAS_LEVELS && glibc && self.look_in_levels(&file, found) {
                return true;
            }
            file.extend_from_slice(&found.name);
            if self.look(file, found) {
                return true;
            }
        }
        false
    }

    /// Looks at one file. True: no other place is looked at.
    pub(super) fn look(&self, file: Vec<u8>, found: &mut Library) -> bool {
        let glibc = self.is_glibc();
        let state = self.try_file(&file, found);
        let is_last = match state {
            LibraryState::Missing(errno) => {
                let goes_on = [Errno::ENOENT, Errno::ENOTDIR, Errno::EACCES, Errno::ENAMETOOLONG];
                let is_odd = !goes_on.contains(&errno);
                if is_odd && matches!(found.state, LibraryState::Missing(_)) {
                    found.state = state;
                }
                self.note(found, file);
                return is_odd && !glibc;
            }
            // glibc passes over what is for another machine: /lib32 can stand before /lib64.
            LibraryState::Unusable(why) if glibc && why.is_passed_over() => {
                self.note(found, file.clone());
                false
            }
            _ => true,
        };
        if is_last || matches!(found.state, LibraryState::Missing(_)) {
            (found.state, found.path, found.found_by) = (state, file, self.place.get());
        }
        is_last
    }

    /// Notes that it was looked for there.
    fn note(&self, found: &mut Library, file: Vec<u8>) {
        let has_room = found.tried.len() < TRIED
            && if crate::ROUTER { file.len() < LONGEST } else { self.files.budget().may_tell(file.len()) };
        if has_room {
            found.tried.push(file);
        } else if !crate::ROUTER {
            found.tried_more = found.tried_more.saturating_add(1);
        }
    }

    /// Whether a path may be looked at; where not, nothing more is known.
    pub(super) fn reaches(&self, file: &[u8]) -> bool {
        // A router has no room for it: there only what the kernel opens is asked (`candidate::open`).
        if crate::ROUTER {
            return true;
        }
        if !self.goes_on(self.machine.mounts_seen() / MOUNTS_OF_A_STEP) {
            return false;
        }
        let from = [0, 1].map(|index| self.object(index).map_or(&[][..], |object| &object.path));
        !self.machine.is_out_of_reach(path(file), &from.map(path))
            || self.files.budget().cut(Missing::RemoteFile)
    }

    /// What becomes of a library if this is its file, which is noted where the loader takes it.
    pub(super) fn try_file(&self, file: &[u8], found: &mut Library) -> LibraryState {
        if !self.reaches(file) {
            return LibraryState::Unread;
        }
        let library = match library::open(self.root, self.files, path(file)) {
            Some(Ok(library)) => library,
            Some(Err(Errno::EISDIR)) => return LibraryState::Unusable(Unusable::Folder),
            Some(Err(Errno::EACCES)) if self.leaves_alone(file) => return LibraryState::Unread,
            Some(Err(errno)) if !errno.is_of_who_asks() => return LibraryState::Missing(errno),
            _ => {
                self.unread.set(Some(Missing::LeftOut));
                return LibraryState::Unread;
            }
        };
        if !crate::ROUTER && self.lacks_mark(found, library.stat.mode) {
            return LibraryState::Missing(Errno::ENOENT);
        }
        let image = library.as_read_by(self.encoding);
        if let Some(why) = self.why_unusable(&library, &image) {
            return LibraryState::Unusable(why);
        }
        if !self.files.budget().keep(bytes_of(&image)) {
            return LibraryState::Unread;
        }
        found.id = (library.stat.device, library.stat.inode);
        found.image = Some(image);
        LibraryState::Found
    }
}
