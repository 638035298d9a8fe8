//! An ELF file of 64 bits, little-endian, to be damaged.

use std::ops::Range;

/// p_type, and where a program header's other fields lie in it.
pub const P_OFFSET: usize = 8;
/// p_vaddr.
pub const P_VADDR: usize = 16;
/// p_filesz.
pub const P_FILESZ: usize = 32;
/// p_align.
pub const P_ALIGN: usize = 48;

/// PT_LOAD.
pub const PT_LOAD: u32 = 1;
/// PT_DYNAMIC.
pub const PT_DYNAMIC: u32 = 2;

/// PT_INTERP.
pub const PT_INTERP: u32 = 3;

/// PT_GNU_STACK.
pub const PT_GNU_STACK: u32 = 0x6474_e551;

/// DT_NEEDED.
pub const DT_NEEDED: u64 = 1;
/// DT_DEBUG: nobody misses it.
pub const DT_DEBUG: u64 = 21;
/// DT_RPATH.
pub const DT_RPATH: u64 = 15;
/// DT_RUNPATH.
pub const DT_RUNPATH: u64 = 29;
/// DT_HASH.
pub const DT_HASH: u64 = 4;
/// DT_GNU_HASH.
pub const DT_GNU_HASH: u64 = 0x6fff_fef5;
/// DT_VERNEED.
pub const DT_VERNEED: u64 = 0x6fff_fffe;

/// Its bytes.
#[derive(Clone, Debug)]
pub struct Elf(Vec<u8>);

impl Elf {
    /// None where it is something else.
    pub fn new(bytes: Vec<u8>) -> Option<Elf> {
        (bytes.starts_with(b"\x7fELF\x02\x01") && bytes.len() >= 64).then_some(Elf(bytes))
    }

    /// As they are now.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A number of `size` bytes.
    pub fn get(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.0.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn index(&self, at: usize) -> Option<usize> {
        usize::try_from(self.get(at, 8)?).ok()
    }

    /// Writes bytes.
    pub fn put(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        self.0.get_mut(at..at.checked_add(bytes.len())?)?.copy_from_slice(bytes);
        Some(())
    }

    /// Writes a number of 8 bytes.
    pub fn put64(&mut self, at: usize, value: u64) -> Option<()> {
        self.put(at, &value.to_le_bytes())
    }

    fn segments(&self) -> Option<impl Iterator<Item = usize> + use<>> {
        let (table, count) = (self.index(32)?, usize::try_from(self.get(56, 2)?).ok()?);
        Some((0..count).map(move |index| table + 56 * index))
    }

    /// Where the program header of the first segment of that type lies.
    pub fn segment(&self, p_type: u32) -> Option<usize> {
        self.segments()?.find(|at| self.get(*at, 4) == Some(p_type.into()))
    }

    /// The same of the last one.
    pub fn last_segment(&self, p_type: u32) -> Option<usize> {
        self.segments()?.filter(|at| self.get(*at, 4) == Some(p_type.into())).last()
    }

    /// Where an address lies in the file.
    pub fn offset(&self, address: u64) -> Option<usize> {
        for at in self.segments()? {
            let within = address.wrapping_sub(self.get(at + P_VADDR, 8)?);
            if self.get(at, 4)? == u64::from(PT_LOAD) && within < self.get(at + P_FILESZ, 8)? {
                return usize::try_from(self.get(at + P_OFFSET, 8)? + within).ok();
            }
        }
        None
    }

    fn entries(&self) -> Option<Range<usize>> {
        let at = self.segment(PT_DYNAMIC)?;
        let from = self.index(at + P_OFFSET)?;
        Some(from..from + self.index(at + P_FILESZ)?)
    }

    /// Where the first entry of PT_DYNAMIC with that tag lies.
    pub fn dynamic(&self, tag: u64) -> Option<usize> {
        self.entries()?.step_by(16).find(|at| self.get(*at, 8) == Some(tag))
    }

    /// Where the value of such an entry leads in the file.
    pub fn points_to(&self, tag: u64) -> Option<usize> {
        self.offset(self.get(self.dynamic(tag)? + 8, 8)?)
    }

    /// Where these bytes lie first.
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        self.0.windows(bytes.len()).position(|part| part == bytes)
    }

    /// Replaces bytes everywhere, as many by as many; None where there are none.
    pub fn replace(&mut self, from: &[u8], to: &[u8]) -> Option<()> {
        let mut found = None;
        let mut at = 0_usize;
        while let Some(part) = self.0.get(at..at.checked_add(from.len())?) {
            if part == from && from.len() == to.len() {
                self.put(at, to)?;
                found = Some(());
            }
            at += 1;
        }
        found
    }
}
