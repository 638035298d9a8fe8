//! musl's rules: ldso/dynlink.c `load_library`, `path_open`, `fixup_rpath`.

use alloc::vec::Vec;

use super::{Library, Linker, Setting, path};
use crate::candidate::last_name;
use crate::candidate::reader::Reader;
use crate::elf::consts::PF_W;
use crate::elf::offset;
use crate::errno::Errno;
use crate::text::cut_bytes;

/// Libraries that are part of musl: lib*.so*, whatever follows the first dot.
const OWN: [&[u8]; 7] = [b"c", b"pthread", b"rt", b"m", b"dl", b"util", b"xnet"];

/// Whether the loader itself is what a name asks for.
pub(crate) fn is_own(name: &[u8]) -> bool {
    let stem = name.strip_prefix(b"lib").and_then(|rest| cut_bytes(rest, b'.'));
    stem.is_some_and(|(stem, _)| OWN.contains(&stem))
}

/// What is read of a segment of its loader in the search of its release; 1.2.5 has some 700 KB in all.
const LIMIT: usize = 1 << 20;
/// What is looked at together, and what a release and its NULs may have beyond.
const STEP: usize = 4096;
const LONGEST: usize = 16;

/// A string of three numbers between NULs.
fn release_in(bytes: &[u8]) -> Option<Vec<u8>> {
    let end = bytes.iter().rposition(|byte| *byte == 0)?;
    let is_release = |text: &&[u8]| {
        let mut numbers = text.split(|byte| *byte == b'.');
        let is_number =
            |part: &[u8]| !part.is_empty() && part.len() <= 2 && part.iter().all(u8::is_ascii_digit);
        matches!(text, [b'0' | b'1', b'.', ..])
            && numbers.by_ref().take(3).filter(|part| is_number(part)).count() == 3
            && numbers.next().is_none()
    };
    bytes.get(..end)?.split(|byte| *byte == 0).skip(1).find(is_release).map(<[u8]>::to_vec)
}

impl Linker<'_> {
    pub(super) fn search_musl(&self, object: &Library, found: &mut Library) -> bool {
        self.looks_by("LD_LIBRARY_PATH");
        if self.look_in(&self.environment, object, found) {
            return true;
        }
        let mut at = Some(object).filter(|_| !self.preloads);
        self.looks_by("DT_RUNPATH or DT_RPATH");
        while let Some(object) = at {
            if self.look_in(&self.rpath_musl(object), object, found) {
                return true;
            }
            at = self.parent(object);
        }
        let file = self.path_file();
        let listed = if self.around.without == Some(Setting::PathFile) || self.leaves_alone(&file) {
            None
        } else {
            self.files.told(path(&file), self.root.read(path(&file)))
        };
        let folders = match &listed {
            Some(Ok(folders)) => folders.as_slice(),
            // It has none where it cannot be read.
            Some(Err(errno)) if *errno != Errno::ENOENT => b"",
            _ => b"/lib:/usr/local/lib:/usr/lib",
        };
        self.looks_by(if let Some(Ok(_)) = listed { "path file" } else { "default folders" });
        self.look_in(folders, object, found)
    }

    /// DT_RUNPATH, else DT_RPATH. One that holds another `$` than $ORIGIN is not used at all.
    fn rpath_musl(&self, object: &Library) -> Vec<u8> {
        let rpath = object.dynamic().and_then(|found| found.runpath.as_ref().or(found.rpath.as_ref()));
        let mut expanded = self.expand(object, rpath.map_or(b"", Vec::as_slice));
        // `fixup_rpath`: who starts a program with other rights chooses where it lies.
        let is_chosen = || {
            self.around.secure && object.parent.is_none() && rpath.is_some_and(|rpath| rpath.contains(&b'$'))
        };
        if expanded.contains(&b'$') || is_chosen() {
            expanded.clear();
        }
        expanded
    }

    /// Its release, src/internal/version.c `__libc_version`: "1.2.5" among its constants.
    pub(super) fn musl_release(&self) -> Option<&[u8]> {
        self.musl.get_or_init(|| self.read_release()).as_deref()
    }

    fn read_release(&self) -> Option<Vec<u8>> {
        let loader = self.object(1)?;
        let (file, image) = (self.open(loader)?, loader.image.as_ref()?);
        for load in image.loads().filter(|load| load.p_flags & PF_W == 0) {
            let size = offset(load.p_filesz).min(LIMIT);
            let mut constants =
                Reader::new(&file.contents, image.encoding.order, offset(load.p_offset), size);
            constants.once();
            for at in (0..size).step_by(STEP) {
                let found = release_in(constants.up_to(at, STEP.saturating_add(LONGEST)));
                if found.is_some() {
                    return found;
                }
            }
        }
        None
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
