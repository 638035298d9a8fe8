//! What is loaded before the libraries that a program needs.

use alloc::vec::Vec;
use core::mem::take;

use super::{Library, Linker, Setting, folders};
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
                    None => self.unread.set(true),
                },
            }
        }
        self.preloads = true;
        for name in folders::split(&names, b": \t\n\0") {
            self.need(0, name);
        }
        self.preloads = false;
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
