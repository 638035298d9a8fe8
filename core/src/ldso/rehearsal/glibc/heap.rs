//! What the loader keeps of each object (`struct link_map`). The versions of all lie on its heap, one object's behind the other's
//! (elf/dl-minimal-malloc.c `__minimal_malloc`): who asks for more than there are gets another's.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::super::super::Linker;
use super::super::memory::Access;
use super::super::{Object, Step, gnu_hash, sysv_hash};
use super::Hash;
use crate::elf::consts::{EM_386, EM_AARCH64, EM_MIPS, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64, PT_TLS};

/// A string that a word leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Text {
    /// It is 0.
    None,
    Of(Vec<u8>),
    /// It is no address.
    Nowhere,
}

/// A version of an object: `struct r_found_version`.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) hash: u64,
    pub(super) name: Text,
    pub(super) is_hidden: bool,
    /// vn_file.
    pub(super) file: Text,
}

/// What is left of `struct r_found_version` where nothing was written, and where an empty name was.
static NONE: Version = Version { hash: 0, name: Text::None, is_hidden: false, file: Text::None };
static EMPTY: Version = Version::named(Vec::new());
/// A hash that is a part of an address: no version has it, but what leads to the same string.
const OF_AN_ADDRESS: u64 = 1 << 63;

impl Default for Version {
    fn default() -> Version {
        Version::named(Vec::new())
    }
}

impl Version {
    /// One of which the name alone counts.
    pub(super) const fn named(name: Vec<u8>) -> Version {
        Version { hash: 0, name: Text::Of(name), is_hidden: false, file: Text::None }
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

/// A word of the heap.
enum Word<'m> {
    Zero,
    /// A hash, and beside it whether it is hidden.
    Hash(u64, bool),
    Address(&'m Text),
}

/// How they lie there has been seen up to this release, of which those that are not set have no name; and of this one, of which
/// they have an empty one.
const SEEN: (u64, u64) = (2, 36);
const SEEN_WITH_NAMES: (u64, u64) = (2, 41);
/// The first ones of each object: VER_NDX_LOCAL, VER_NDX_GLOBAL.
const OF_NONE: u64 = 2;
/// `MALLOC_ALIGNMENT`.
const ALIGNMENT: u64 = 16;
/// What is so near behind the versions of an object that the heap, of two pages at a time, hardly ends before it.
const NEXT: u64 = 256;
/// More than the heap of any loader.
const FAR_APART: u64 = 1 << 40;

/// The maps of all objects.
pub(super) struct Maps {
    all: Vec<Map>,
    /// The kernel's own object (vDSO), which stands behind the program.
    vdso: Map,
    /// [`SEEN`], [`SEEN_WITH_NAMES`].
    is_seen: bool,
    /// How l_versions of all lie on the heap, in the order in which they are made: bytes from the first one on, and whose.
    blocks: Vec<(u64, Option<usize>)>,
    /// Behind them, what is left of the list of who has thread-local variables: zeros.
    zeros: Range<u64>,
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
        let vdso = vdso(objects);
        let mut maps = Maps { all, vdso, is_seen, blocks: Vec::new(), zeros: 0..0, page, has_names, end };
        // MIPS has larger maps, and its heap was seen to end between two of them.
        let is_mips = objects.first().is_none_or(|program| program.image.header.e_machine == EM_MIPS);
        if !is_seen || is_mips {
            return maps;
        }
        // The loader stands where it is asked for first.
        let before = objects_before_loader(objects);
        let libraries = 2..objects.len();
        let (first, rest) = libraries.partition::<Vec<_>, _>(|index| before.get(*index) == Some(&true));
        let order = [Some(0), None].into_iter().chain(first.into_iter().chain([1]).chain(rest).map(Some));
        let size_of_one = size_of_version(objects.first().map_or(0, Object::word));
        let mut start = 0_u64;
        for whose in order {
            maps.blocks.push((start, whose));
            let size = maps.map(whose).map_or(0, |map| map.count.wrapping_mul(size_of_one));
            start = start.saturating_add(size).next_multiple_of(ALIGNMENT);
            // Where it is not known which it has, if there is any, whatever is next begins with two that are none.
            if whose.is_none() && maps.vdso.count == OF_NONE {
                start = start.saturating_add(FAR_APART);
            }
        }
        maps.zeros = slots(objects, start);
        maps
    }

    pub(super) fn of(&self, object: &Object<'_>) -> Option<&Map> {
        self.all.get(object.index)
    }

    fn map(&self, whose: Option<usize>) -> Option<&Map> {
        whose.map_or(Some(&self.vdso), |index| self.all.get(index))
    }

    /// One that is not set.
    const fn none(&self) -> &'static Version {
        if self.has_names { &EMPTY } else { &NONE }
    }

    fn own<'m>(&self, map: &'m Map, index: u64) -> &'m Version {
        map.versions.get(&index).unwrap_or(self.none())
    }

    /// What stands there, counted from the versions of an object.
    pub(super) fn version(&self, object: &Object<'_>, index: u64) -> Step<Option<Cow<'_, Version>>> {
        let Some(map) = self.of(object).filter(|map| map.count > 0) else { return Ok(None) };
        if index < map.count {
            return Ok(Some(Cow::Borrowed(self.own(map, index))));
        }
        object.look_at(self.blocks.len())?;
        if self.is_none_behind(object, map, index) {
            return Ok(Some(Cow::Borrowed(self.none())));
        }
        match self.behind(object, index) {
            Some(version) => {
                let length = |text: &Text| if let Text::Of(text) = text { text.len() } else { 0 };
                object.look_at(length(&version.name).saturating_add(length(&version.file)))?;
                Ok(Some(Cow::Owned(version)))
            }
            None if index.saturating_mul(size_of_version(object.word())) > self.end => {
                Err(object.lost(Access::Nothing, "DT_VERSYM"))
            }
            None => Err(object.lost(Access::Anothers, "DT_VERSYM")),
        }
    }

    /// Whether an index right behind them leads to none: the versions of the next object begin with two that are not set, and where
    /// the heap has ended before them, nothing has been written there. Behind those of the last object is something else.
    fn is_none_behind(&self, object: &Object<'_>, map: &Map, index: u64) -> bool {
        // The loader, or what was loaded last.
        let is_last = object.index == 1 || object.index.saturating_add(1) == self.all.len();
        // Of names a part would stand in the place of a hash.
        let is_aligned = map.count.saturating_mul(size_of_version(object.word())) % ALIGNMENT == 0;
        let is_known = self.is_seen && (is_aligned || !self.has_names);
        is_known && !is_last && index < map.count.saturating_add(OF_NONE)
    }

    /// The same behind them, where it is known.
    fn behind(&self, object: &Object<'_>, index: u64) -> Option<Version> {
        let (start, _) = self.blocks.iter().find(|(_, whose)| *whose == Some(object.index))?;
        let word = object.word();
        let size = size_of_version(word);
        let at = start.checked_add(index.checked_mul(size)?)?;
        // Between any two of them the heap may end, and go on elsewhere.
        let (_, last) =
            self.blocks.iter().rfind(|(start, _)| *start <= at.saturating_add(size).saturating_sub(1))?;
        let own = self.map(Some(object.index))?.count.checked_mul(size)?;
        let size_of_last = self.map(*last)?.count.checked_mul(size)?;
        if at.saturating_sub(start.saturating_add(own)) > NEXT || size_of_last > NEXT {
            return None;
        }
        let text = |word| match word {
            Word::Zero => Text::None,
            Word::Hash(..) => Text::Nowhere,
            Word::Address(text) => text.clone(),
        };
        let part = |number: u64| self.word(word, at.checked_add(number.checked_mul(word)?)?);
        // Of 32 bits those of each begin where another's might, so that there is no other word there.
        let (hash, is_hidden) = match part(1)? {
            Word::Zero => (0, false),
            Word::Hash(hash, is_hidden) => (hash, is_hidden),
            Word::Address(Text::Of(name)) => (OF_AN_ADDRESS | gnu_hash(name), true),
            Word::Address(_) => return None,
        };
        let file = part(if word == 8 { 2 } else { 3 })?;
        Some(Version { hash, name: text(part(0)?), is_hidden, file: text(file) })
    }

    /// A word of the heap.
    fn word(&self, word: u64, at: u64) -> Option<Word<'_>> {
        if self.zeros.contains(&at) {
            return Some(Word::Zero);
        }
        let (start, whose) = self.blocks.iter().rfind(|(start, _)| *start <= at)?;
        let size = size_of_version(word);
        let map = self.map(*whose)?;
        let within = at.checked_sub(*start)?;
        let index = within.checked_div(size)?;
        if index >= map.count {
            // Up to where the next one begins.
            return (within < map.count.checked_mul(size)?.next_multiple_of(ALIGNMENT)).then_some(Word::Zero);
        }
        let version = self.own(map, index);
        let address = |text| if matches!(text, &Text::None) { Word::Zero } else { Word::Address(text) };
        Some(match within.checked_rem(size)?.checked_div(word)? {
            0 => address(&version.name),
            1 if version.hash == 0 => Word::Zero,
            1 => Word::Hash(version.hash, version.is_hidden),
            _ => address(&version.file),
        })
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

/// What of `struct dtv_slotinfo_list` nothing has been written to, where that begins at an address of the heap (elf/rtld.c
/// `init_tls`).
fn slots(objects: &[Object<'_>], start: u64) -> Range<u64> {
    /// `TLS_SLOTINFO_SURPLUS`.
    const SURPLUS: u64 = 62;
    let has_tls = |object: &&Object<'_>| object.image.table().iter().any(|segment| segment.p_type == PT_TLS);
    // They count from 1, and behind each two words the next one's are.
    let used = (objects.iter().filter(has_tls).count() as u64).wrapping_add(1);
    let size = |slots: u64| {
        let word = objects.first().map_or(0, Object::word);
        word.wrapping_mul(2).wrapping_mul(slots.wrapping_add(1))
    };
    start.wrapping_add(size(used))..start.wrapping_add(size(used.wrapping_add(SURPLUS)))
}

/// Which objects are loaded before the loader is first asked for.
fn objects_before_loader(objects: &[Object<'_>]) -> Vec<bool> {
    let mut before = vec![false; objects.len()];
    for object in objects {
        for name in &object.dynamic.needed {
            match objects.iter().position(|other| other.library.is_called(name)) {
                Some(1) => return before,
                Some(index) => before.get_mut(index).map_or((), |before| *before = true),
                None => {}
            }
        }
    }
    before
}

/// The versions of the vDSO (arch/*/vdso/vdso.lds.S).
fn vdso(objects: &[Object<'_>]) -> Map {
    let machine = objects.first().map_or(0, |program| program.image.header.e_machine);
    let names: &[&[u8]] = match machine {
        EM_X86_64 => &[b"LINUX_2.6"],
        EM_386 => &[b"LINUX_2.6", b"LINUX_2.5"],
        EM_AARCH64 => &[b"LINUX_2.6.39"],
        EM_PPC64 => &[b"LINUX_2.6.15"],
        EM_RISCV => &[b"LINUX_4.15"],
        EM_S390 => &[b"LINUX_2.6.29"],
        _ => &[],
    };
    let mut map = Map { hash: Hash::None, marks: None, count: OF_NONE, versions: BTreeMap::new() };
    for name in names {
        let version = Version { hash: sysv_hash(name).into(), ..Version::named(name.to_vec()) };
        map.versions.insert(map.count, version);
        map.count = map.count.wrapping_add(1);
    }
    map
}
