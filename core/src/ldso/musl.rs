//! musl's rules: ldso/dynlink.c `load_library`, `path_open`, `fixup_rpath`.

use alloc::vec::Vec;

use super::{Library, Linker, path};
use crate::candidate::last_name;
use crate::text::cut_bytes;

/// Libraries that are part of musl: lib*.so*, whatever follows the first dot.
const OWN: [&[u8]; 7] = [b"c", b"pthread", b"rt", b"m", b"dl", b"util", b"xnet"];

/// Whether the loader itself is what a name asks for.
pub(super) fn is_own(name: &[u8]) -> bool {
    let stem = name.strip_prefix(b"lib").and_then(|rest| cut_bytes(rest, b'.'));
    stem.is_some_and(|(stem, _)| OWN.contains(&stem))
}

impl Linker<'_> {
    pub(super) fn search_musl(&self, object: &Library, found: &mut Library) -> bool {
        if self.look_in(&self.environment, object, found) {
            return true;
        }
        let mut at = Some(object).filter(|_| !self.preloads);
        while let Some(object) = at {
            if self.look_in(&self.rpath_musl(object), object, found) {
                return true;
            }
            at = self.parent(object);
        }
        let file = self.path_file();
        let listed = if self.leaves_alone(&file) { None } else { self.root.read(path(&file)) };
        let folders = match &listed {
            Some(Ok(folders)) => folders.as_slice(),
            _ => b"/lib:/usr/local/lib:/usr/lib",
        };
        self.look_in(folders, object, found)
    }

    /// DT_RUNPATH, else DT_RPATH. One that holds another `$` than $ORIGIN is not used at all.
    fn rpath_musl(&self, object: &Library) -> Vec<u8> {
        let rpath = object.dynamic().and_then(|found| found.runpath.as_ref().or(found.rpath.as_ref()));
        let mut expanded = self.expand(object, rpath.map_or(b"", Vec::as_slice));
        if expanded.contains(&b'$') {
            expanded.clear();
        }
        expanded
    }

    /// /etc/ld-musl-ARCH.path below the prefix of the loader, where it lists other folders than the usual three.
    pub(super) fn path_file(&self) -> Vec<u8> {
        let (folder, file) = last_name(self.object(1).map_or(b"", |object| &object.path));
        // The prefix: what stands before the last two names.
        let (prefix, _) = last_name(folder.strip_suffix(b"/").unwrap_or_default());
        let prefix = prefix.strip_suffix(b"/").unwrap_or_default();
        let arch = cut_bytes(file, b'.').map_or(file, |(arch, _)| arch);
        [prefix, b"/etc/", arch, b".path"].concat()
    }
}
