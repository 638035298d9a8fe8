//! What is loaded before the libraries that a program needs, and what is asked where those are.

use alloc::vec::Vec;
use core::mem::take;

use super::{Library, LibraryState, Linker, Setting, folders};
use crate::candidate::reader::Reader;
use crate::elf::consts::{DT_AUDIT, DT_DEPAUDIT};
use crate::elf::offset;
use crate::exec::Missing;
use crate::path::Path;

/// A longer name in LD_PRELOAD is none for a program with other rights: elf/rtld.c `SECURE_NAME_LIMIT`.
const LONGEST_NAME: usize = 255;

impl Linker<'_> {
    /// LD_PRELOAD and, with glibc, /etc/ld.so.preload; what cannot be loaded is left out.
    pub(super) fn preload(&mut self) {
        let mut names = take(&mut self.preload);
        names.push(b' ');
        names.extend(self.variable());
        if self.is_glibc() && self.around.without != Some(Setting::PreloadFile) {
            names.push(b' ');
            let list = Path::new("/etc/ld.so.preload");
            match self.files.at(self.root, list).stat {
                Some(Err(_)) => {}
                _ => match self.root.read(list) {
                    Some(Ok(listed)) => names.extend_from_slice(&listed),
                    Some(Err(_)) => {}
                    None => self.unread.set(Some(Missing::LeftOut)),
                },
            }
        }
        self.preloads = true;
        for name in folders::split(&names, b": \t\n\0") {
            self.need(0, name);
        }
        self.preloads = false;
    }

    /// LD_AUDIT, and DT_AUDIT and DT_DEPAUDIT of the program (since 2.32): each library has its own namespace, and what cannot
    /// be loaded is left out. One with `la_objsearch` says of every library where it is, or that it is nowhere.
    pub(super) fn audit(&mut self) {
        if crate::ROUTER || !self.is_glibc() {
            return;
        }
        let mut names = self.heeded(Setting::Audit);
        names.extend(self.audit_of_program().unwrap_or_default());
        self.preloads = true;
        for name in folders::split(&names, b":").filter(|name| !name.is_empty()) {
            if !self.goes_on(1) {
                break;
            }
            let mut found = Library::new(name, Some(0));
            self.search(0, &mut found);
            let file = self.open(&found).filter(|_| found.state == LibraryState::Found);
            if file.is_some_and(|file| file.holds(b"\0la_objsearch\0") == Some(true)) {
                self.link.auditor = found.path;
            }
        }
        self.preloads = false;
    }

    fn audit_of_program(&self) -> Option<Vec<u8>> {
        let program = self.object(0)?;
        let knows = self.glibc.as_ref()?.release().is_some();
        let lists = [DT_AUDIT, DT_DEPAUDIT].map(|tag| program.dynamic()?.get(tag).filter(|_| knows));
        let (file, image) = (self.open(program).filter(|_| lists != [None; 2])?, program.image.as_ref()?);
        let mut names = Vec::new();
        for list in lists.into_iter().flatten() {
            names.push(b':');
            names.extend(Reader::strings(&file.contents, image).string_at(offset(list))?);
        }
        Some(names)
    }

    /// LD_PRELOAD. For a program with other rights musl heeds none of it, and glibc names without a folder (elf/rtld.c
    /// `dso_name_valid_for_suid`).
    fn variable(&self) -> Vec<u8> {
        let value = self.heeded(Setting::Preload);
        if crate::ROUTER || !self.is_marked_only() || self.around.without == Some(Setting::Preload) {
            return value;
        }
        let value = self.machine.target.kernel.variable(c"LD_PRELOAD").unwrap_or_default();
        let is_valid = |name: &&[u8]| !name.contains(&b'/') && name.len() < LONGEST_NAME;
        let names: Vec<&[u8]> = folders::split(&value, b": ").filter(is_valid).collect();
        names.join(&b' ')
    }

    /// Whether of what is loaded now glibc takes only libraries marked set-user-ID, in the system's folders (elf/dl-load.c
    /// `open_path`, `__RTLD_SECURE`).
    pub(super) fn is_marked_only(&self) -> bool {
        self.is_glibc() && self.around.secure
    }

    /// Whether a library is passed over for want of that mark.
    pub(super) fn lacks_mark(&self, found: &Library, mode: u32) -> bool {
        self.preloads
            && self.is_marked_only()
            && !found.name.contains(&b'/')
            && mode & super::secure::SET_USER == 0
    }
}
