//! What is known of libraries from one program to the next: a thousand programs look up `printf` once.
//!
//! A symbol is found as soon as one of the objects defines it, so that what a library was seen to define it defines for
//! every program that it is loaded for, whatever else is loaded.

use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::mem;

use super::super::{KEEPS, Library, Linker};
use super::wanted::{Key, Wanted};
use super::{define, each_undefined, libraries};
use crate::elf::Encoding;

/// Symbols that there is room for at first, and at most; libraries, and groups of them: half a MiB in all.
const SYMBOLS_AT_FIRST: usize = 1 << 9;
const SYMBOLS_AT_MOST: usize = 1 << 14;
const LIBRARIES: usize = 1 << 10;
const GROUPS: usize = 1 << 7;
/// Libraries of a group.
const MEMBERS: usize = 1 << 6;

/// A library as a loader reads it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    /// Device and inode.
    id: (u64, u64),
    encoding: Encoding,
    glibc: bool,
}

impl Known {
    fn new(linker: &Linker<'_>, library: &Library) -> Known {
        Known { id: library.id, encoding: linker.encoding, glibc: linker.is_glibc() }
    }
}

/// What the libraries `of` ask for, the libraries `by` define.
struct Group {
    of: Vec<usize>,
    by: Vec<usize>,
}

/// Which library defines a symbol: one for each place of a table, the one that was met last. Twice as many places where half
/// of them are taken.
#[derive(Default)]
struct Symbols {
    places: Vec<Option<(Key, u32)>>,
    used: usize,
}

impl Symbols {
    fn place(&self, key: &Key) -> usize {
        key.mixed() & self.places.len().wrapping_sub(1)
    }

    fn definer(&self, key: &Key) -> Option<usize> {
        let (known, library) = (*self.places.get(self.place(key))?)?;
        (known == *key).then_some(library as usize)
    }

    fn insert(&mut self, key: Key, library: usize) {
        if self.used >= self.places.len() / 2 && self.places.len() < SYMBOLS_AT_MOST {
            let more = vec![None; self.places.len().saturating_mul(2).max(SYMBOLS_AT_FIRST)];
            self.used = 0;
            for (key, library) in mem::replace(&mut self.places, more).into_iter().flatten() {
                self.put(key, library);
            }
        }
        if let Ok(library) = u32::try_from(library) {
            self.put(key, library);
        }
    }

    fn put(&mut self, key: Key, library: u32) {
        let at = self.place(&key);
        if let Some(place) = self.places.get_mut(at) {
            self.used = self.used.wrapping_add(usize::from(place.is_none()));
            *place = Some((key, library));
        }
    }
}

#[derive(Default)]
struct Lists {
    libraries: Vec<Known>,
    groups: Vec<Group>,
    symbols: Symbols,
    /// Device and inode of those that find what they define.
    own: Vec<(u64, u64)>,
}

/// What is known of libraries from one program to the next.
#[derive(Default)]
pub(in super::super) struct Settled(RefCell<Lists>);

impl Settled {
    /// Whether an object finds what it defines: of a library that is found out once.
    pub(in super::super) fn finds_own(&self, object: &Library, finds: impl FnOnce() -> bool) -> bool {
        let is_known = KEEPS && object.parent.is_some() && self.0.borrow().own.contains(&object.id);
        if is_known {
            return true;
        }
        let finds = finds();
        if KEEPS && finds && object.parent.is_some() {
            self.0.borrow_mut().own.push(object.id);
        }
        finds
    }
}

/// The same for one program.
pub(super) struct Scope<'a> {
    settled: &'a Settled,
    /// The place of each of its objects among the libraries that are known.
    objects: Vec<usize>,
    /// Which of those are loaded.
    loaded: Vec<bool>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(linker: &Linker<'a>) -> Scope<'a> {
        let mut objects = Vec::new();
        if !KEEPS {
            return Scope { settled: linker.settled, objects, loaded: Vec::new() };
        }
        let mut lists = linker.settled.0.borrow_mut();
        if lists.libraries.len() > LIBRARIES {
            *lists = Lists::default();
        }
        for library in &linker.link.objects {
            let known = Known::new(linker, library);
            let at = lists.libraries.iter().position(|other| *other == known);
            objects.push(at.unwrap_or(lists.libraries.len()));
            if at.is_none() {
                lists.libraries.push(known);
            }
        }
        let mut loaded = vec![false; lists.libraries.len()];
        // Not the program: what it defines is not all of it there for others, and it is judged once.
        for place in objects.iter().skip(1) {
            if let Some(loaded) = loaded.get_mut(*place) {
                *loaded = true;
            }
        }
        Scope { settled: linker.settled, objects, loaded }
    }

    fn is_loaded(&self, library: usize) -> bool {
        self.loaded.get(library) == Some(&true)
    }

    /// Whether a library that is loaded was seen to define a symbol.
    pub(super) fn defines(&self, key: &Key) -> bool {
        KEEPS && self.settled.0.borrow().symbols.definer(key).is_some_and(|library| self.is_loaded(library))
    }

    /// Marks what an object defines, and keeps it. Whether there was anything.
    pub(super) fn define(&self, linker: &Linker<'_>, object: usize, wanted: &mut Wanted) -> bool {
        let Some(library) = linker.object(object) else { return false };
        let open = wanted.open();
        let place = self.objects.get(object).filter(|_| object > 0);
        let _cut_short = define(linker, library, wanted, &mut |key| {
            if let Some(place) = place.filter(|_| KEEPS && !linker.doubts.get()) {
                self.settled.0.borrow_mut().symbols.insert(key, *place);
            }
        });
        wanted.open() < open
    }

    /// Whether others were seen to define all that a library asks for; what is not known is found out for all of them
    /// together.
    pub(super) fn settled(&self, linker: &Linker<'_>) -> Vec<bool> {
        if !KEEPS {
            return Vec::new();
        }
        let mut settled = vec![false; linker.link.objects.len()];
        for group in &self.settled.0.borrow().groups {
            if group.by.iter().all(|library| self.is_loaded(*library)) {
                for (place, settled) in self.objects.iter().zip(&mut settled).skip(1) {
                    *settled |= group.of.contains(place);
                }
            }
        }
        if let Some(group) = self.group(linker, &settled) {
            settled.iter_mut().skip(1).for_each(|settled| *settled = true);
            let mut lists = self.settled.0.borrow_mut();
            let is_small = group.of.len().max(group.by.len()) <= MEMBERS;
            if is_small && lists.groups.len() < GROUPS && !linker.doubts.get() {
                lists.groups.push(group);
            }
        }
        settled
    }

    /// The libraries that are not settled, if libraries define all that they ask for.
    fn group(&self, linker: &Linker<'_>, settled: &[bool]) -> Option<Group> {
        let mut wanted = Wanted::new();
        let mut group = Group { of: Vec::new(), by: Vec::new() };
        let all = self.objects.iter().zip(settled).enumerate().skip(1);
        for (index, (place, _)) in all.filter(|(_, (_, settled))| !**settled) {
            let mut has_room = true;
            let _ends_early = each_undefined(linker, index, 1, false, &mut |asked| {
                has_room = wanted.add(asked.key);
                has_room
            });
            if !has_room {
                return None;
            }
            group.of.push(*place);
        }
        if group.of.is_empty() {
            return None;
        }
        for index in libraries(linker) {
            if wanted.open() > 0 && self.define(linker, index, &mut wanted) {
                group.by.extend(self.objects.get(index));
            }
        }
        (wanted.open() == 0).then_some(group)
    }
}
