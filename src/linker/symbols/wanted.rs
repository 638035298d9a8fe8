//! What is asked for, as hashes: 13 bytes a symbol, whatever its name.

use crate::machine::family;

/// Slots of the table. At most half of them are used; what is more comes in another round.
const SLOTS: usize = if family::MIPS && !family::X86 { 1 << 13 } else { 1 << 17 };

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
    pub(super) fn new(name: &[u8], version: u32) -> Key {
        let (mut gnu, mut fnv) = (5381_u32, 0x811c_9dc5_u32);
        for byte in name {
            gnu = gnu.wrapping_mul(33).wrapping_add(u32::from(*byte));
            fnv = (fnv ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
        Key { gnu, fnv, version }
    }
}

#[derive(Clone, Copy, Default)]
struct Slot {
    key: Key,
    /// 0: free, 1: asked for, 2: defined.
    state: u8,
}

/// A hash table with open addressing.
pub(super) struct Wanted {
    slots: Vec<Slot>,
    used: usize,
    open: usize,
}

impl Wanted {
    pub(super) const fn new() -> Wanted {
        Wanted { slots: Vec::new(), used: 0, open: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.slots.resize(SLOTS, Slot::default());
        (self.used, self.open) = (0, 0);
    }

    /// Adds a symbol; false where there is no room for it.
    pub(super) fn add(&mut self, key: Key) -> bool {
        let mut at = place(key.gnu);
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.state == 0 {
                if self.used >= SLOTS / 2 {
                    return false;
                }
                *slot = Slot { key, state: 1 };
                self.used = self.used.saturating_add(1);
                self.open = self.open.saturating_add(1);
                return true;
            }
            if slot.key == key {
                return true;
            }
            at = next(at);
        }
        false
    }

    /// Whether a hash without its lowest bit may be one of them.
    pub(super) fn may_hold(&self, hash: u32) -> bool {
        let mut at = place(hash);
        while let Some(slot) = self.slots.get(at).filter(|slot| slot.state != 0) {
            if slot.key.gnu | 1 == hash | 1 {
                return true;
            }
            at = next(at);
        }
        false
    }

    /// Marks a name as defined where `serves` says so of the version that is asked for.
    pub(super) fn define(&mut self, name: &Key, serves: &mut dyn FnMut(u32) -> bool) {
        let mut at = place(name.gnu);
        while let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.state != 0) {
            let same = slot.key.gnu == name.gnu && slot.key.fnv == name.fnv;
            if same && slot.state == 1 && serves(slot.key.version) {
                slot.state = 2;
                self.open = self.open.saturating_sub(1);
            }
            at = next(at);
        }
    }

    /// Whether a symbol is defined.
    pub(super) fn has(&self, key: &Key) -> bool {
        let mut at = place(key.gnu);
        while let Some(slot) = self.slots.get(at).filter(|slot| slot.state != 0) {
            if slot.key == *key {
                return slot.state == 2;
            }
            at = next(at);
        }
        false
    }

    /// Whether all of them are.
    pub(super) const fn is_complete(&self) -> bool {
        self.open == 0
    }
}

/// The lowest bit of a hash is not in DT_GNU_HASH.
const fn place(hash: u32) -> usize {
    (hash >> 1) as usize & SLOTS.wrapping_sub(1)
}

const fn next(at: usize) -> usize {
    at.wrapping_add(1) & SLOTS.wrapping_sub(1)
}
