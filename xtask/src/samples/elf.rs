//! ELF32 files with something changed: one field at a time, so that a disagreement names its cause.

use super::Order;

// Offsets of fields in the ELF header and in a program header, as elf.h has them.
pub(super) const EI_CLASS: usize = 4;
pub(super) const EI_DATA: usize = 5;
pub(super) const EI_OSABI: usize = 7;
pub(super) const E_TYPE: usize = 16;
pub(super) const E_MACHINE: usize = 18;
pub(super) const E_VERSION: usize = 20;
pub(super) const E_ENTRY: usize = 24;
pub(super) const E_PHOFF: usize = 28;
pub(super) const E_SHOFF: usize = 32;
pub(super) const E_FLAGS: usize = 36;
pub(super) const E_PHENTSIZE: usize = 42;
pub(super) const E_PHNUM: usize = 44;
pub(super) const P_TYPE: usize = 0;
pub(super) const P_OFFSET: usize = 4;
pub(super) const P_VADDR: usize = 8;
pub(super) const P_FILESZ: usize = 16;
pub(super) const P_MEMSZ: usize = 20;
pub(super) const P_FLAGS: usize = 24;
pub(super) const P_ALIGN: usize = 28;

pub(super) const PT_LOAD: u32 = 1;
pub(super) const PT_INTERP: u32 = 3;
pub(super) const PT_MIPS_ABIFLAGS: u32 = 0x7000_0003;

/// A file's bytes, and the order of theirs.
pub(crate) struct Elf {
    pub(super) bytes: Vec<u8>,
    order: Order,
}

impl Elf {
    pub(super) fn new(bytes: Vec<u8>, order: Order) -> Self {
        Self { bytes, order }
    }

    pub(super) fn byte(&mut self, at: usize, value: u8) {
        self.put(at, &[value]);
    }

    pub(super) fn half(&mut self, at: usize, value: u16) {
        let bytes = if self.order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() };
        self.put(at, &bytes);
    }

    pub(super) fn word(&mut self, at: usize, value: u32) {
        let bytes = if self.order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() };
        self.put(at, &bytes);
    }

    pub(super) fn add(&mut self, at: usize, more: u32) {
        let value = self.get(at).wrapping_add(more);
        self.word(at, value);
    }

    pub(super) fn set(&mut self, at: usize, bits: u32) {
        let value = self.get(at) | bits;
        self.word(at, value);
    }

    /// Where the `nth` program header of this type begins; the end of the file where there is none, so that a
    /// change of it shows as a panic.
    pub(super) fn header(&self, p_type: u32, nth: usize) -> usize {
        let first = self.get(E_PHOFF) as usize;
        let mut of_type =
            (0..16).map(|index| first + 32 * index).filter(|&at| self.get(at + P_TYPE) == p_type);
        of_type.nth(nth).unwrap_or(self.bytes.len())
    }

    /// The last PT_LOAD: data and .bss.
    pub(super) fn data(&self) -> usize {
        let loads = (0..16).map(|nth| self.header(PT_LOAD, nth)).take_while(|&at| at < self.bytes.len());
        loads.last().unwrap_or(self.bytes.len())
    }

    /// The first PT_LOAD that holds e_entry.
    pub(super) fn text(&self) -> usize {
        let entry = self.get(E_ENTRY);
        let holds = |at: usize| entry.wrapping_sub(self.get(at + P_VADDR)) < self.get(at + P_MEMSZ);
        let loads = (0..16).map(|nth| self.header(PT_LOAD, nth)).take_while(|&at| at < self.bytes.len());
        loads.into_iter().find(|&at| holds(at)).unwrap_or(self.bytes.len())
    }

    /// Another interpreter, in the place of the one that it has (which must be longer).
    pub(super) fn interpreter(&mut self, path: &str) {
        let header = self.header(PT_INTERP, 0);
        let at = self.get(header + P_OFFSET) as usize;
        assert!(path.len() < self.get(header + P_FILESZ) as usize, "no room for {path}");
        self.put(at, format!("{path}\0").as_bytes());
        self.word(header + P_FILESZ, u32::try_from(path.len() + 1).unwrap_or(0));
    }

    pub(super) fn get(&self, at: usize) -> u32 {
        let bytes: [u8; 4] = self.bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).unwrap_or_default();
        if self.order == Order::Big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }
}
