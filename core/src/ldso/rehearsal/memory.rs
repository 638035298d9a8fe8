//! What an object has in memory once it is mapped, and what relocations write there.

mod access;
mod beside;
mod chunk;
mod write;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use crate::budget::Guard;
use crate::candidate::reader::Reader;
use crate::candidate::{File, Image};
use crate::elf::consts::{EM_AARCH64, EM_MIPS, PF_W, PF_X, PT_DYNAMIC, PT_GNU_RELRO};
use crate::elf::{ByteOrder, Encoding, offset};
pub(super) use access::Access;
use beside::NEAR;
use chunk::{Chunk, Marked, place};

/// Bytes of an object that are read at most: a table without end is none.
const READS_AT_MOST: usize = 1 << 22;
/// Those that are counted together, and the steps of [`crate::budget`] that they take, for each of so many parts.
const TOGETHER: usize = 64;
const STEPS: usize = 32;
const PARTS: usize = 8;
/// The lowest address of what is moved.
const MOVED: u64 = super::FIRST_FREE;
/// From here on no program has anything, wherever it was put.
const NOWHERE_FROM: u64 = 1 << 48;
/// An address of 64 bits that no program has, whatever tag it has.
pub(super) const NOWHERE: u64 = 1 << 55;
/// The longest string that is read.
const LONGEST: u64 = 16 << 10;

/// A PT_LOAD, in whole pages. Addresses are those of the file, before it is moved.
struct Part {
    from: u64,
    to: u64,
    /// Zeros from here to there, if anything is behind the file's bytes.
    zeros: (u64, u64),
    /// From here on malloc(3) has it.
    donated: u64,
    /// Where in the file `from` lies.
    offset: u64,
    /// From here on no page of the file is there, up to the end of the last one that should be.
    lost: u64,
    file_end: u64,
    is_writable: bool,
    is_executable: bool,
}

impl Part {
    /// Whether that page of the file is missing. What is behind the file's last page has no file.
    const fn loses(&self, address: u64) -> bool {
        self.lost <= address && address < self.file_end
    }
}

/// The memory of an object.
pub(super) struct Memory<'a> {
    file: RefCell<Reader<'a>>,
    encoding: Encoding,
    /// Those of an address.
    bits: u64,
    parts: Vec<Part>,
    /// PT_DYNAMIC, whose pointers glibc moves, and which it looks at all the time (`_dl_relocate_ld`).
    dynamic: (u64, u64),
    /// PT_GNU_RELRO: once all is relocated, glibc makes whole pages of it read-only (elf/dl-reloc.c `_dl_protect_relro`).
    protected: (u64, u64),
    /// It moves none (sysdeps/mips/ldsodefs.h `DL_RO_DYN_SECTION`).
    keeps_pointers: bool,
    /// Bytes before it, and behind it, where another object may be: libraries lie side by side, far from the program.
    beside: (u64, u64),
    /// By address / [`chunk::CHUNK`].
    written: RefCell<BTreeMap<u64, Box<Chunk>>>,
    left: Cell<usize>,
    /// Chunks that all objects of a rehearsal may still write to.
    chunks: Rc<Cell<usize>>,
    is_over: Cell<bool>,
    /// Nothing was read that relocations may change, since that was set.
    pub(super) is_fixed: Cell<bool>,
    /// What can be written behind it: bytes from its end on.
    writable_behind: Vec<(u64, u64)>,
}

/// Where PT_DYNAMIC is, and its size up to DT_NULL.
fn dynamic_of(image: &Image) -> (u64, u64) {
    let segment = image.table().iter().find(|segment| segment.p_type == PT_DYNAMIC);
    let entries = image.dynamic.as_ref().map_or(0, |dynamic| dynamic.entries.len());
    let size = entries.saturating_mul(2).saturating_mul(image.encoding.word()) as u64;
    segment.map_or((0, 0), |segment| (segment.p_vaddr, segment.p_memsz.min(size)))
}

/// Where PT_GNU_RELRO is in whole pages, and where it ends.
fn relro_of(image: &Image, page: u64) -> (u64, u64) {
    let segment = image.table().iter().find(|segment| segment.p_type == PT_GNU_RELRO);
    let floor = |address: u64| address & page.wrapping_neg();
    segment.map_or((0, 0), |segment| {
        (floor(segment.p_vaddr), floor(segment.p_vaddr.wrapping_add(segment.p_memsz)))
    })
}

/// Who maps an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MappedBy {
    Kernel,
    /// It clears no more of the last page than p_memsz says (elf/dl-map-segments.h).
    Glibc,
    /// It gives what is left of pages that can be written to malloc(3) (ldso/dynlink.c `reclaim_gaps`).
    Musl,
}

impl MappedBy {
    /// The program and its interpreter are the kernel's.
    pub(super) const fn of(index: usize, is_glibc: bool) -> MappedBy {
        match (is_glibc, index) {
            (false, _) => MappedBy::Musl,
            (true, 0 | 1) => MappedBy::Kernel,
            (true, _) => MappedBy::Glibc,
        }
    }
}

impl<'a> Memory<'a> {
    pub(super) fn new(
        file: &'a File,
        image: &Image,
        page: u64,
        is_program: bool,
        mapped_by: MappedBy,
        chunks: &Rc<Cell<usize>>,
    ) -> Memory<'a> {
        let floor = |address: u64| address & page.wrapping_neg();
        let mut parts = Vec::new();
        for load in image.loads() {
            let from = floor(load.p_vaddr);
            let end = load.p_vaddr.wrapping_add(load.p_memsz.max(load.p_filesz));
            let file_end = load.p_vaddr.wrapping_add(load.p_filesz);
            let ceil = |address: u64| floor(address.wrapping_add(page).wrapping_sub(1));
            let zeros = match end {
                _ if load.p_memsz <= load.p_filesz => (0, 0),
                _ if mapped_by == MappedBy::Glibc && end <= ceil(file_end) => (file_end, end),
                _ => (file_end, u64::MAX),
            };
            let offset = load.p_offset.wrapping_sub(load.p_vaddr.wrapping_sub(from));
            let pages_of_file = ceil(file.stat.size).saturating_sub(offset);
            let is_lost = pages_of_file < ceil(file_end).wrapping_sub(from);
            let is_donated = mapped_by == MappedBy::Musl && load.p_flags & PF_W != 0;
            parts.push(Part {
                from,
                donated: if is_donated { end } else { u64::MAX },
                to: ceil(end),
                zeros,
                offset,
                file_end: ceil(file_end),
                lost: if is_lost { from.saturating_add(pages_of_file) } else { u64::MAX },
                is_writable: load.p_flags & PF_W != 0,
                is_executable: load.p_flags & PF_X != 0,
            });
        }
        let file = RefCell::new(Reader::new(&file.contents, image.encoding.order, 0, usize::MAX));
        Memory {
            file,
            encoding: image.encoding,
            bits: match image.header.e_machine {
                _ if image.encoding.word() == 4 => u32::MAX.into(),
                EM_AARCH64 => u64::MAX >> 8,
                _ => u64::MAX,
            },
            parts,
            dynamic: if mapped_by == MappedBy::Musl { (0, 0) } else { dynamic_of(image) },
            protected: relro_of(image, page),
            keeps_pointers: image.header.e_machine == EM_MIPS,
            beside: if is_program { (0, 0) } else { NEAR },
            written: RefCell::default(),
            left: Cell::new(READS_AT_MOST),
            chunks: Rc::clone(chunks),
            is_over: Cell::new(false),
            is_fixed: Cell::new(true),
            writable_behind: Vec::new(),
        }
    }

    /// Whether an address is of PT_DYNAMIC.
    const fn is_kept(&self, address: u64) -> bool {
        address.wrapping_sub(self.dynamic.0) < self.dynamic.1
    }

    /// Whether it is of a tag there, which stays as it is.
    const fn is_tag(&self, address: u64) -> bool {
        let word = self.encoding.word() as u64;
        address.wrapping_sub(self.dynamic.0) & word == 0
    }

    /// Whether an address is read-only once all is relocated.
    pub(super) fn is_protected(&self, address: u64) -> bool {
        (self.protected.0..self.protected.1).contains(&address)
    }

    /// Addresses have 32 bits, or 64, the highest byte of which is a tag to AArch64 (Arm ARM, "Address tagging"; Linux
    /// Documentation/arch/arm64/tagged-pointers.rst).
    pub(super) const fn wrapped(&self, address: u64) -> u64 {
        address & self.bits
    }

    /// What a word has of a number.
    pub(super) const fn in_word(&self, number: u64) -> u64 {
        if self.encoding.word() == 8 { number } else { number & 0xffff_ffff }
    }

    /// Of several that overlap the last one was mapped last.
    fn part(&self, address: u64) -> Result<&Part, Access> {
        let mut parts = self.parts.iter().rev();
        let found = parts.find(|part| (part.from..part.to).contains(&address));
        found.ok_or_else(|| self.outside(address))
    }

    /// Takes steps of the judgement's budget.
    #[inline(never)]
    pub(super) fn steps(&self, count: usize) -> Result<(), Access> {
        let has_any = Guard::Rehearsal.is_out() || self.file.borrow().steps(count);
        if has_any { Ok(()) } else { Err(Access::TooMuch) }
    }

    /// Takes bytes of the judgement's budget for what is kept.
    #[inline(never)]
    pub(super) fn keeps(&self, bytes: usize) -> Result<(), Access> {
        let has_any = Guard::Rehearsal.is_out() || self.file.borrow().keeps(bytes);
        if has_any { Ok(()) } else { Err(Access::TooMuch) }
    }

    fn too_much<T>(&self) -> Result<T, Access> {
        self.is_over.set(true);
        Err(Access::TooMuch)
    }

    /// Whether there was too much of it.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// A byte, whatever of.
    pub(super) fn peek(&self, address: u64) -> Result<Marked, Access> {
        self.marked(self.wrapped(address))
    }

    fn marked(&self, address: u64) -> Result<Marked, Access> {
        let Some(left) = self.left.get().checked_sub(1) else { return self.too_much() };
        self.left.set(left);
        if left % TOGETHER == 0 {
            let count = STEPS.saturating_mul((self.parts.len() / PARTS).saturating_add(1));
            if self.steps(count).is_err() {
                // Whoever goes on all the same gets no further.
                self.left.set(0);
                return self.too_much();
            }
        }
        let part = self.part(address)?;
        if part.loses(address) {
            return Err(Access::BehindFile);
        }
        if self.is_kept(address) && !(self.is_tag(address) || self.keeps_pointers) {
            return Err(Access::Anothers);
        }
        if part.is_writable {
            self.is_fixed.set(false);
        }
        let (chunk, at) = place(address);
        if let Some(found) = self.written.borrow().get(&chunk).and_then(|chunk| chunk.get(at)) {
            return Ok(found);
        }
        if address >= part.donated {
            return Err(Access::Anothers);
        }
        Ok((self.as_built(part, address), 0))
    }

    fn as_built(&self, part: &Part, address: u64) -> u8 {
        if (part.zeros.0..part.zeros.1).contains(&address) {
            return 0;
        }
        let at = part.offset.wrapping_add(address.wrapping_sub(part.from));
        self.file.borrow_mut().up_to(offset(at), 1).first().copied().unwrap_or_default()
    }

    /// The word that the file has there, whatever has been written since.
    pub(super) fn built_word(&self, address: u64) -> Result<u64, Access> {
        let mut bytes = [0; 8];
        let word = self.encoding.word();
        for (to, at) in bytes.iter_mut().zip(0..word as u64) {
            let address = self.wrapped(address.wrapping_add(at));
            *to = self.as_built(self.part(address)?, address);
        }
        Ok(self.encoding.order.uint(&bytes, 0, word))
    }

    /// A number of 1 to 8 bytes, or an address.
    pub(super) fn number(&self, address: u64, size: u64) -> Result<u64, Access> {
        let mut bytes = [0; 8];
        let (mut is_number, mut is_address) = (true, true);
        for (to, (at, own)) in bytes.iter_mut().zip((0..size).zip(2..)) {
            let (byte, mark) = self.marked(self.wrapped(address.wrapping_add(at)))?;
            *to = byte;
            is_number &= !self.is_random(mark);
            // What is no part of where it is may be another.
            is_address &= mark == own || !(self.is_random(mark) || self.is_random(own));
        }
        if !(is_number || is_address && size == self.encoding.word() as u64) {
            return Err(Access::Anothers);
        }
        Ok(self.encoding.order.uint(&bytes, 0, offset(size)))
    }

    /// The same of what is used as an address: where what is known of it is of none, it is none.
    pub(super) fn pointer(&self, address: u64) -> Result<u64, Access> {
        let size = self.encoding.word() as u64;
        let number = self.number(address, size);
        // Of 32 bits many are the address of something.
        if number != Err(Access::Anothers) || size != 8 {
            return number;
        }
        let mut bytes = [0; 8];
        for (to, at) in bytes.iter_mut().zip(0..size) {
            *to = match self.marked(self.wrapped(address.wrapping_add(at))) {
                Ok((byte, _)) => byte,
                Err(Access::Anothers) => 0,
                Err(access) => return Err(access),
            };
        }
        let value = self.encoding.order.uint(&bytes, 0, 8);
        if self.wrapped(value) < NOWHERE_FROM { number } else { Ok(NOWHERE | value & 3) }
    }

    /// Whether what stands there is of its own, and of several parts.
    pub(super) fn is_torn(&self, address: u64) -> bool {
        (0..self.encoding.word() as u64).all(|at| self.peek(address.wrapping_add(at)).is_ok())
    }

    /// Whether that is a byte of an address that is another one at each start. All begin at a page, and 48 bits are theirs.
    fn is_random(&self, mark: u8) -> bool {
        let (index, word) = (usize::from(mark).wrapping_sub(2), self.encoding.word());
        let rank = if self.encoding.order == ByteOrder::Big {
            word.wrapping_sub(1).wrapping_sub(index)
        } else {
            index
        };
        mark > 1 && (1..6).contains(&rank)
    }

    /// A byte of a string, which hardly ends by a byte that is another one at each start.
    fn character(&self, address: u64) -> Result<u8, Access> {
        let (byte, mark) = self.marked(address)?;
        Ok(if self.is_random(mark) { byte.max(1) } else { byte })
    }

    /// A string, without its NUL.
    pub(super) fn string(&self, address: u64) -> Result<Vec<u8>, Access> {
        let mut string = Vec::new();
        for at in 0..LONGEST {
            match self.character(self.wrapped(address.wrapping_add(at)))? {
                0 => return Ok(string),
                byte => string.push(byte),
            }
        }
        self.too_much()
    }

    /// Whether a string is this one: as strcmp(3), it looks no further than the first difference.
    pub(super) fn is_string(&self, address: u64, string: &[u8]) -> Result<bool, Access> {
        for (at, byte) in (0..).zip(string.iter().chain(&[0])) {
            if self.character(self.wrapped(address.wrapping_add(at)))? != *byte {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether code can be run there.
    pub(super) fn can_run(&self, address: u64) -> bool {
        self.look(address).is_ok_and(|part| part.is_executable)
    }

    /// Whether it is its own.
    pub(super) fn has(&self, address: u64) -> bool {
        self.look(address).is_ok()
    }

    /// Whether so many bytes are.
    pub(super) fn has_all(&self, address: u64, size: u64) -> bool {
        (0..size).all(|at| self.has(self.wrapped(address.wrapping_add(at))))
    }

    /// The part that is there, of many for as many steps.
    fn look(&self, address: u64) -> Result<&Part, Access> {
        self.steps(self.parts.len() / PARTS)?;
        self.part(address)
    }
}
