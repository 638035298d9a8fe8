//! musl's rules: ldso/dynlink.c `load_library`, `path_open`, `fixup_rpath`.

use super::{Linker, List, Object, Search, path};

/// Libraries that are part of musl: lib*.so*, whatever follows the first dot.
const OWN: [&[u8]; 7] = [b"c", b"pthread", b"rt", b"m", b"dl", b"util", b"xnet"];

/// Whether the loader itself is what a name asks for.
pub(super) fn is_own(name: &[u8]) -> bool {
    let Some(rest) = name.strip_prefix(b"lib") else { return false };
    let stem = rest.split(|byte| *byte == b'.').next().unwrap_or_default();
    !stem.is_empty() && stem.len() < rest.len() && OWN.contains(&stem)
}

impl Linker<'_> {
    pub(super) fn search_musl(&self, object: &Object, name: &[u8], search: &mut Search) {
        self.look_in(&List::split(&self.environment, b":\n"), name, search);
        let mut at = Some(object).filter(|_| !self.preloads);
        while let Some(object) = at {
            self.look_in(&self.rpath_musl(object), name, search);
            at = object.parent.and_then(|parent| self.object(parent));
        }
        self.look_in(&self.system_path(), name, search);
    }

    /// DT_RUNPATH, else DT_RPATH. One that holds another `$` than $ORIGIN is not used at all.
    fn rpath_musl(&self, object: &Object) -> List {
        let rpath = object.dynamic().and_then(|found| found.runpath.as_ref().or(found.rpath.as_ref()));
        let expanded = rpath.map_or_else(Vec::new, |rpath| self.expand(object, rpath));
        if expanded.contains(&b'$') { List::default() } else { List::split(&expanded, b":\n") }
    }

    /// /etc/ld-musl-ARCH.path below the prefix of the loader; else the usual three.
    fn system_path(&self) -> List {
        let loader = self.object(1).map_or(&b""[..], |object| &object.path);
        // The prefix: what stands before the last two names.
        let mut names = loader.rsplitn(3, |byte| *byte == b'/');
        let file = names.next().unwrap_or_default();
        let _lib = names.next();
        let prefix = names.next().unwrap_or_default();
        let arch = file.split(|byte| *byte == b'.').next().unwrap_or_default();
        let list = [prefix, b"/etc/", arch, b".path"].concat();
        match self.system.read(path(&list)) {
            Ok(text) => List::split(&text, b":\n"),
            Err(_) => List::split(b"/lib:/usr/local/lib:/usr/lib", b":"),
        }
    }
}
