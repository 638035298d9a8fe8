//! What the loader keeps of each object (`struct link_map`). The versions of all lie on its heap, one object's behind the other's
//! (elf/dl-minimal-malloc.c `__minimal_malloc`): who asks for more than there are gets another's.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::super::super::Linker;
use super::super::memory::Access;
use super::super::{Object, Step};
use super::Hash;

/// A version of an object: `struct r_found_version`.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) hash: u64,
    pub(super) name: Option<Vec<u8>>,
    pub(super) is_hidden: bool,
    /// vn_file.
    pub(super) file: Option<Vec<u8>>,
}

/// What is left of `struct r_found_version` where nothing was written, and where an empty name was.
static NONE: Version = Version { hash: 0, name: None, is_hidden: false, file: None };
static EMPTY: Version = Version::named(Vec::new());

impl Default for Version {
    fn default() -> Version {
        Version::named(Vec::new())
    }
}

impl Version {
    /// One of which the name alone counts.
    pub(super) const fn named(name: Vec<u8>) -> Version {
        Version { hash: 0, name: Some(name), is_hidden: false, file: None }
    }
}

/// What the loader keeps of an object.
pub(super) struct Map {
    pub(super) hash: Hash,
    /// DT_VERSYM; only where there are versions.
    pub(super) marks: Option<u64>,
    /// l_versions: how many, and those that are any. A file may number one of them 32,767.
    pub(super) count: u64,
    pub(super) versions: BTreeMap<u64, Version>,
}

/// How they lie there has been seen up to this release, of which those that are not set have no name; and of this one, of which
/// they have an empty one.
const SEEN: (u64, u64) = (2, 36);
const SEEN_WITH_NAMES: (u64, u64) = (2, 41);
/// The first ones of each object: VER_NDX_LOCAL, VER_NDX_GLOBAL.
const OF_NONE: u64 = 2;

/// `MALLOC_ALIGNMENT`.
const ALIGNMENT: u64 = 16;

/// The maps of all objects.
pub(super) struct Maps {
    all: Vec<Map>,
    is_seen: bool,
    page: u64,
    /// Those that are not set have an empty name.
    pub(super) has_names: bool,
    /// So many bytes from there on are the heap, the kernel's object and the loader: what is further away is nothing.
    end: u64,
}

impl Maps {
    pub(super) fn new(linker: &Linker<'_>, objects: &[Object<'_>], all: Vec<Map>) -> Maps {
        let page = linker.machine.kernel().page().get();
        let end = objects.get(2).map_or(u64::MAX, |first| first.memory.behind());
        let release = linker.glibc.as_ref().and_then(|facts| facts.release());
        let has_names = release == Some(SEEN_WITH_NAMES);
        let is_seen = has_names || release.is_some_and(|release| release <= SEEN);
        Maps { all, is_seen, page, has_names, end }
    }

    pub(super) fn of(&self, object: &Object<'_>) -> Option<&Map> {
        self.all.get(object.index)
    }

    /// What stands there, counted from the versions of an object.
    pub(super) fn version(&self, object: &Object<'_>, index: u64) -> Step<Option<&Version>> {
        let Some(map) = self.of(object).filter(|map| map.count > 0) else { return Ok(None) };
        let none = if self.has_names { &EMPTY } else { &NONE };
        if index < map.count {
            return Ok(Some(map.versions.get(&index).unwrap_or(none)));
        }
        // Those of the next object begin with some that are none; where they have found no room there, it is what nothing has been
        // written to. Behind the last ones is something else, and these are the loader's or those of what was loaded last.
        let is_last = object.index == 1 || object.index.saturating_add(1) == self.all.len();
        // Of names a part would stand in the place of a hash.
        let is_aligned = map.count.saturating_mul(size_of_version(object.word())) % ALIGNMENT == 0;
        let is_seen = self.is_seen && (is_aligned || !self.has_names);
        if is_seen && !is_last && index < map.count.saturating_add(OF_NONE) {
            return Ok(Some(none));
        }
        let is_far = index.saturating_mul(size_of_version(object.word())) > self.end;
        let access = if is_far { Access::Nothing } else { Access::Anothers };
        Err(object.lost(access, "DT_VERSYM"))
    }

    /// Whether those of an object, or what is behind them, can be read so far: kernels map what the loader keeps right before what
    /// they have mapped earlier.
    pub(super) fn is_near(&self, object: &Object<'_>, index: u64) -> bool {
        index.saturating_mul(object.word()).saturating_mul(3) < self.page
    }

    /// Whether versions of others stand there, so that it can be read.
    pub(super) fn is_readable(&self, object: &Object<'_>, index: u64) -> bool {
        let behind = self.all.iter().skip(object.index);
        index < behind.map(|map| map.count).sum::<u64>()
    }
}

/// Bytes of `struct r_found_version`: two addresses and two numbers of 32 bits.
const fn size_of_version(word: u64) -> u64 {
    word.wrapping_mul(2).wrapping_add(8)
}
