//! A library that no folder of its loader's has, and that is on the machine all the same: in a folder where the loader does
//! not look, under another name, of another version, or for another machine. Only a few folders are looked at, each once.

use alloc::vec::Vec;

use super::object::{Library, folder};
use super::{LibraryState, Linker, Unusable, path};
use crate::candidate::last_name;
use crate::machine::holds;

/// Where a library is that its loader does not find.
#[derive(Debug)]
pub struct Elsewhere {
    /// The file.
    pub path: Vec<u8>,
    /// What it is to the program.
    pub fit: Fit,
}

/// What such a file is to the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// The loader would take it.
    Whole,
    /// It would but for the file's name: its DT_SONAME is what the program asks for.
    Soname,
    /// It is of another version.
    Version,
    /// The loader would refuse it.
    Unusable(Unusable),
}

/// Missing libraries that are looked for.
const LIBRARIES: usize = 4;
/// Files of other versions that are opened for one.
const VERSIONS: usize = 8;

/// The folders of libraries of whatever system. Entware's are in /opt.
const FOLDERS: [&[u8]; 10] = [
    b"/usr/local/lib",
    b"/lib",
    b"/usr/lib",
    b"/lib64",
    b"/usr/lib64",
    b"/usr/local/lib64",
    b"/lib32",
    b"/usr/lib32",
    b"/opt/lib",
    b"/opt/usr/lib",
];

/// Names of one library: Debian kept libpcap's first one.
const ALIASES: [(&[u8], &[u8]); 1] = [(b"libpcap.so.1", b"libpcap.so.0.8")];

fn is_alias(one: &[u8], other: &[u8]) -> bool {
    ALIASES.iter().any(|pair| *pair == (one, other) || *pair == (other, one))
}

/// Whether a name in a folder of libraries is one's, or that of a folder of Debian's multiarch.
fn is_of_interest(name: &[u8]) -> bool {
    holds(name, b".so") || (holds(name, b"-linux-") && !name.contains(&b'.'))
}

impl Linker<'_> {
    /// Looks for what is missing.
    pub(super) fn look_elsewhere(&mut self) {
        let is_missing = |object: &&Library| {
            let name = &object.name;
            matches!(object.state, LibraryState::Missing(_)) && !name.is_empty() && !name.contains(&b'/')
        };
        let mut folders = None;
        let mut left = LIBRARIES;
        for index in 2..self.link.objects.len() {
            let Some(object) = self.object(index).filter(is_missing) else { continue };
            let folders = folders.get_or_insert_with(|| self.folders_elsewhere());
            let found = self.elsewhere(object, folders);
            if let Some(object) = self.link.objects.get_mut(index) {
                object.elsewhere = found;
            }
            left = left.saturating_sub(1);
            if left == 0 {
                break;
            }
        }
    }

    /// The folders, and the names of interest in those of the system. What lies beside the program is somebody's folder,
    /// which is not listed.
    fn folders_elsewhere(&self) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
        let mut folders: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
        let origin = self.object(0).map_or(&[][..], |program| &program.origin);
        if crate::ROUTER {
            // The system's own folders are those that its loader looks in.
            for place in &[origin, b"/usr/local/lib", b"/opt/lib"] {
                folders.push((place.to_vec(), Vec::new()));
            }
            return folders;
        }
        let above = folder(origin);
        let beside = [origin.to_vec(), [origin, b"/lib"].concat(), [above, b"/lib"].concat()];
        for place in beside {
            if place.starts_with(b"/") && !folders.iter().any(|(known, _)| *known == place) {
                folders.push((place, Vec::new()));
            }
        }
        let mut deeper = Vec::new();
        for place in FOLDERS {
            let names = self.list_elsewhere(place);
            for name in names.iter().filter(|name| !holds(name, b".so")) {
                deeper.push([place, b"/", name].concat());
            }
            folders.retain(|(known, _)| known != place);
            folders.push((place.to_vec(), names));
        }
        for place in deeper {
            let names = self.list_elsewhere(&place);
            folders.push((place, names));
        }
        folders.retain(|(place, _)| !self.is_remote(place));
        folders
    }

    fn list_elsewhere(&self, place: &[u8]) -> Vec<Vec<u8>> {
        if self.is_remote(place) {
            return Vec::new();
        }
        match self.root.list(path(place), is_of_interest) {
            Some(Ok(names)) => names,
            _ => Vec::new(),
        }
    }

    /// Whether to look there could take for ever.
    fn is_remote(&self, place: &[u8]) -> bool {
        self.machine.mount_of(path(place)).is_some_and(|mount| mount.remote)
    }

    fn elsewhere(&self, missing: &Library, folders: &[(Vec<u8>, Vec<Vec<u8>>)]) -> Option<Elsewhere> {
        let name = &missing.name;
        let mut refused = None;
        for (place, _) in folders {
            let file = [place, &b"/"[..], name].concat();
            if missing.tried.contains(&file) {
                continue;
            }
            match self.try_file(&file, &mut Library::new(name, None)) {
                LibraryState::Found => return Some(Elsewhere { path: file, fit: Fit::Whole }),
                LibraryState::Unusable(why) if refused.is_none() && why != Unusable::Folder => {
                    refused = Some(Elsewhere { path: file, fit: Fit::Unusable(why) });
                }
                _ => {}
            }
        }
        if crate::ROUTER {
            return refused;
        }
        // "libssl.so" of libssl.so.1.1.
        let end = name.windows(3).position(|part| part == b".so").map(|at| at.saturating_add(3));
        let stem = end.and_then(|end| name.get(..end))?;
        let is_version = |other: &&Vec<u8>| {
            other.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
        };
        let mut version = None;
        let all = folders.iter().flat_map(|(place, names)| names.iter().map(move |other| (place, other)));
        for (place, other) in all.filter(|(_, other)| is_version(other) && other != &name).take(VERSIONS) {
            let file = [place, &b"/"[..], other].concat();
            let mut library = Library::new(other, None);
            if self.try_file(&file, &mut library) != LibraryState::Found {
                continue;
            }
            let soname = library.dynamic().and_then(|dynamic| dynamic.soname.as_deref());
            if soname.is_some_and(|soname| soname == name || is_alias(soname, name)) {
                return Some(Elsewhere { path: file, fit: Fit::Soname });
            }
            // The file of the name itself, not a link for compilers.
            if version.is_none() || last_name(&file).1 == soname.unwrap_or_default() {
                version = Some(Elsewhere { path: file, fit: Fit::Version });
            }
        }
        version.or(refused)
    }
}
