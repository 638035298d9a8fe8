//! What is loaded before the libraries that a program needs.

use core::mem::take;

use super::{Linker, folders};
use crate::path::Path;

impl Linker<'_> {
    /// LD_PRELOAD and, with glibc, /etc/ld.so.preload; what cannot be loaded is left out.
    pub(super) fn preload(&mut self) {
        let mut names = take(&mut self.preload);
        names.push(b' ');
        names.extend(self.variable(c"LD_PRELOAD"));
        if self.is_glibc() {
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
}
