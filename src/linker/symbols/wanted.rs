//! What is asked for, as hashes: 13 bytes a symbol, whatever its name.

/// Numbers of a slot.
const SLOT: usize = 4;
/// Numbers of the table at first, and at most: 256 KiB on a router. At most half of the slots are used; what is more comes
/// in another round.
const FEW: usize = SLOT << 10;
const MANY: usize = SLOT << if cfg!(feature = "every-machine") { 18 } else { 14 };

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

/// A key, and 0 where the slot is free, 1 for what is asked for, 2 for what is defined.
type Slot = [u32; SLOT];

/// A hash table with open addressing.
pub(super) struct Wanted {
    /// The slots, one after the other: so many zeros come from the system as they are.
    numbers: Vec<u32>,
    used: usize,
    open: usize,
}

impl Wanted {
    pub(super) fn new() -> Wanted {
        Wanted { numbers: vec![0; FEW], used: 0, open: 0 }
    }

    /// Adds a symbol; false where there is no room for it.
    pub(super) fn add(&mut self, key: Key) -> bool {
        let len = self.numbers.len();
        if self.used >= len / (2 * SLOT) {
            if len >= MANY {
                return false;
            }
            let smaller = std::mem::replace(&mut self.numbers, vec![0; len.wrapping_mul(2)]);
            let mut rest = smaller.as_slice();
            while let Some((slot, more)) = rest.split_first_chunk() {
                if slot[3] != 0 {
                    self.put(*slot);
                }
                rest = more;
            }
        }
        if self.put([key.gnu, key.fnv, key.version, 1]) {
            self.used = self.used.wrapping_add(1);
            self.open = self.open.wrapping_add(1);
        }
        true
    }

    /// Whether it was not there yet.
    fn put(&mut self, new: Slot) -> bool {
        match self.slot(new) {
            Some(slot) if slot[3] == 0 => {
                *slot = new;
                true
            }
            _ => false,
        }
    }

    /// Where a key is, or the free slot where it would be.
    #[inline(never)]
    fn slot(&mut self, key: Slot) -> Option<&mut Slot> {
        let [gnu, fnv, version, _] = key;
        let mut at = self.place(gnu);
        loop {
            let slot = self.get(at)?;
            if slot[3] == 0 || (slot[0] == gnu && slot[1] == fnv && slot[2] == version) {
                return self.get(at);
            }
            at = self.next(at);
        }
    }

    fn get(&mut self, at: usize) -> Option<&mut Slot> {
        self.numbers.get_mut(at..)?.first_chunk_mut()
    }

    /// Whether a hash without its lowest bit may be one of them.
    pub(super) fn may_hold(&mut self, hash: u32) -> bool {
        let mut at = self.place(hash);
        while let Some(slot) = self.get(at).filter(|slot| slot[3] != 0) {
            if slot[0] | 1 == hash | 1 {
                return true;
            }
            at = self.next(at);
        }
        false
    }

    /// Marks a name as defined where `serves` says so of the version that is asked for.
    pub(super) fn define(&mut self, name: &Key, serves: &mut dyn FnMut(u32) -> bool) {
        let mut at = self.place(name.gnu);
        while let Some(slot) = self.get(at).filter(|slot| slot[3] != 0) {
            if slot[0] == name.gnu && slot[1] == name.fnv && slot[3] == 1 && serves(slot[2]) {
                slot[3] = 2;
                self.open = self.open.wrapping_sub(1);
            }
            at = self.next(at);
        }
    }

    /// Whether a symbol is defined.
    pub(super) fn has(&mut self, key: &Key) -> bool {
        self.slot([key.gnu, key.fnv, key.version, 0]).is_some_and(|slot| slot[3] == 2)
    }

    /// Whether all of them are.
    pub(super) const fn is_complete(&self) -> bool {
        self.open == 0
    }

    /// The lowest bit of a hash is not in DT_GNU_HASH.
    fn place(&self, hash: u32) -> usize {
        ((hash >> 1) as usize).wrapping_mul(SLOT) & self.numbers.len().wrapping_sub(1)
    }

    fn next(&self, at: usize) -> usize {
        at.wrapping_add(SLOT) & self.numbers.len().wrapping_sub(1)
    }
}
