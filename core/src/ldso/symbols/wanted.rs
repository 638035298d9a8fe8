//! What is asked for, as hashes: 13 bytes a symbol, whatever its name.

use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use crate::budget::Guard;
use crate::candidate::reader::Reader;

/// Slots of the table at first, and at most: 256 KiB on a router. At most half of them are used; what is more comes in
/// another round.
const SLOTS_AT_FIRST: usize = 1 << 8;
const SLOTS_AT_MOST: usize = 1 << if cfg!(feature = "every-machine") { 16 } else { 14 };

/// Most names are shorter.
const SHORT: usize = 64;

/// A symbol by its name, twice hashed, and the version that is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Key {
    /// DT_GNU_HASH's.
    gnu: u32,
    /// FNV-1a, so that both together tell names apart.
    fnv: u32,
    /// ELF hash of the version; 0: none.
    version: u32,
}

impl Key {
    /// Of a name in DT_STRTAB. Its end is met while it is hashed, unless it is a long one.
    pub(super) fn read(strings: &mut Reader<'_>, name: usize, version: u32) -> Option<Key> {
        // Each name is looked at twice then, which makes PowerPC's package 100 bytes smaller.
        if crate::ROUTER {
            return Some(Key::new(strings.string_at(name)?, version));
        }
        let mut has_end = false;
        let is_before_end = |byte: &&u8| {
            has_end = **byte == 0;
            !has_end
        };
        let key = Key::new(strings.up_to(name, SHORT).iter().take_while(is_before_end), version);
        if has_end {
            return Some(key);
        }
        Some(Key::new(strings.string_at(name)?, version))
    }

    fn new<'a>(name: impl IntoIterator<Item = &'a u8>, version: u32) -> Key {
        let (mut gnu, mut fnv) = (5381_u32, 0x811c_9dc5_u32);
        for byte in name {
            gnu = gnu.wrapping_mul(33).wrapping_add(u32::from(*byte));
            fnv = (fnv ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
        Key { gnu, fnv, version }
    }

    /// A number that differs from key to key.
    pub(super) const fn mixed(&self) -> usize {
        (self.fnv ^ self.version) as usize
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Free,
    Asked,
    Defined,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    key: Key,
    state: State,
}

/// A hash table with open addressing. Its length is a power of two, and half of it stays free: every search ends.
pub(super) struct Wanted {
    slots: Vec<Slot>,
    used: usize,
    open: usize,
    /// Places looked at in the search of one: few, but for names that were made to meet.
    steps: usize,
}

impl Wanted {
    pub(super) const fn new() -> Wanted {
        Wanted { slots: Vec::new(), used: 0, open: 0, steps: 0 }
    }

    /// Adds a symbol; false where there is no room for it.
    pub(super) fn add(&mut self, key: Key) -> bool {
        let len = self.slots.len();
        if self.used >= len / 2 {
            if len >= SLOTS_AT_MOST {
                return false;
            }
            let more = vec![Slot::default(); len.wrapping_mul(2).max(SLOTS_AT_FIRST)];
            for slot in &mem::replace(&mut self.slots, more) {
                if slot.state != State::Free {
                    self.insert(*slot);
                }
            }
        }
        if self.insert(Slot { key, state: State::Asked }) {
            self.used = self.used.wrapping_add(1);
            self.open = self.open.wrapping_add(1);
        }
        true
    }

    /// Whether it was not there yet.
    fn insert(&mut self, new: Slot) -> bool {
        match self.slot(&new.key) {
            Some(slot) if slot.state == State::Free => {
                *slot = new;
                true
            }
            _ => false,
        }
    }

    /// Where a key is, or the free slot where it would be.
    fn slot(&mut self, key: &Key) -> Option<&mut Slot> {
        let mut at = self.place(key);
        loop {
            self.steps = self.steps.wrapping_add(1);
            let slot = self.slots.get(at)?;
            if slot.state == State::Free || slot.key == *key {
                return self.slots.get_mut(at);
            }
            at = self.next(at);
        }
    }

    /// Places in the table.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The first place from one on of what is still looked for, and its hash.
    pub(super) fn next_asked(&self, from: usize) -> Option<(usize, u32)> {
        let rest = self.slots.get(from..)?;
        let behind = rest.iter().position(|slot| slot.state == State::Asked)?;
        Some((from.wrapping_add(behind), rest.get(behind)?.key.gnu))
    }

    /// Marks a name as defined where `serves` says so of the version that is asked for, and calls `each` with it.
    pub(super) fn define(&mut self, name: &Key, serves: &dyn Fn(u32) -> bool, each: &mut dyn FnMut(Key)) {
        let mut at = self.place(name);
        while let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.state != State::Free) {
            let key = slot.key;
            self.steps = self.steps.wrapping_add(1);
            let is_same = key.gnu == name.gnu && key.fnv == name.fnv;
            if is_same && slot.state == State::Asked && serves(key.version) {
                slot.state = State::Defined;
                self.open = self.open.wrapping_sub(1);
                each(key);
            }
            at = self.next(at);
        }
    }

    /// Whether a symbol is asked for, and not defined.
    pub(super) fn lacks(&mut self, key: &Key) -> bool {
        self.slot(key).is_some_and(|slot| slot.state == State::Asked)
    }

    /// How many are not.
    pub(super) const fn open(&self) -> usize {
        self.open
    }

    /// The same for all versions of a name.
    fn place(&self, key: &Key) -> usize {
        (key.gnu ^ key.fnv) as usize & self.slots.len().wrapping_sub(1)
    }

    /// The steps since the last call.
    pub(super) fn take_steps(&mut self) -> usize {
        Guard::Probes.counts(mem::take(&mut self.steps))
    }

    fn next(&self, at: usize) -> usize {
        at.wrapping_add(1) & self.slots.len().wrapping_sub(1)
    }
}
