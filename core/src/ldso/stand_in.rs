//! Loaders under another's name: musl itself, where a symbolic link or a copy has glibc's name, and a small program that
//! starts musl's loader, as gcompat's does (gcompat loader/loader.c: `--preload` libgcompat.so.0, `--argv0`).

use alloc::vec::Vec;

use super::{Kept, Library, LibraryState, Linker};
use crate::ROUTER;
use crate::candidate::reader::{Contents, Reader};
use crate::elf::ByteOrder;
use crate::machine::holds;
use crate::target::Root;

/// What is read of a loader at most: musl's have 300 to 900 KB.
const LIMIT: usize = 1 << 20;
/// What is looked at together, and how much of it once more: no name of these is longer.
const CHUNK: usize = 4096;
const AGAIN: usize = 64;

/// What stands behind a loader that is none by its name.
#[derive(Default)]
pub(super) struct StandIn {
    /// It is musl's own: ldso/dynlink.c `load_library` has "%.*s/etc/ld-musl-" LDSO_ARCH ".path".
    pub(super) is_musl: bool,
    /// Musl's loader, which it starts.
    pub(super) starts: Option<Vec<u8>>,
    /// What that loads first.
    pub(super) preload: Option<Vec<u8>>,
}

/// Reads it from a loader's strings.
pub(super) fn read(root: &dyn Root, kept: &Kept, loader: &Library) -> StandIn {
    let mut found = StandIn::default();
    if let Some(file) = kept.files.again(root, super::path(&loader.path), loader.id) {
        found.scan(&file.contents);
    }
    found
}

impl StandIn {
    fn scan(&mut self, file: &Contents) {
        let mut reader = Reader::new(file, ByteOrder::Little, 0, LIMIT);
        reader.once();
        for at in (0..LIMIT).step_by(CHUNK) {
            let bytes = reader.up_to(at, CHUNK.saturating_add(AGAIN));
            if bytes.is_empty() {
                return;
            }
            for string in bytes.split(|byte| *byte == 0) {
                if holds(string, b"/etc/ld-musl-") {
                    self.is_musl = true;
                } else if ROUTER {
                    // No router has gcompat.
                } else if string.starts_with(b"/lib/ld-musl-") && string.ends_with(b".so.1") {
                    self.starts = Some(string.to_vec());
                } else if string.ends_with(b"libgcompat.so.0") {
                    self.preload = Some(string.to_vec());
                }
            }
        }
    }
}

impl Linker<'_> {
    /// The loader that a stand-in starts, in its place; None where musl's is not there.
    pub(super) fn started(&self, name: &[u8]) -> Option<Library> {
        let mut library = Library::new(name, Some(0));
        let state = self.try_file(name, &mut library);
        (library.state, library.path) = (state, name.to_vec());
        library.names.push(name.to_vec());
        (library.state == LibraryState::Found).then_some(library)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::candidate::reader::tests::contents;

    fn scan(bytes: Vec<u8>) -> StandIn {
        let mut found = StandIn::default();
        found.scan(&contents(bytes).0);
        found
    }

    #[test]
    fn gcompat_names_what_it_starts() {
        if ROUTER {
            return;
        }
        for before in [0, CHUNK - 10, CHUNK - 1, CHUNK, 3 * CHUNK + 7] {
            let mut bytes = vec![0x55; before];
            bytes.extend(b"\0/lib/ld-musl-x86_64.so.1\0--preload\0/lib/libgcompat.so.0\0");
            let found = scan(bytes);
            assert_eq!(found.starts.as_deref(), Some(&b"/lib/ld-musl-x86_64.so.1"[..]), "{before}");
            assert_eq!(found.preload.as_deref(), Some(&b"/lib/libgcompat.so.0"[..]), "{before}");
            assert!(!found.is_musl);
        }
    }

    #[test]
    fn musl_names_the_list_of_its_folders() {
        assert!(scan(b"x\0%.*s/etc/ld-musl-mipsel-sf.path\0".to_vec()).is_musl);
        let none = scan(b"/lib64/ld-linux-x86-64.so.2\0/etc/ld.so.cache\0".to_vec());
        assert!(!none.is_musl && none.starts.is_none());
    }
}
