//! An open file, and what is kept of it.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::file::Held;
use crate::budget::Budget;
use crate::errno::Errno;
use crate::exec::Missing;
use crate::path::Path;
use crate::target::{Known, ReadAt};

/// Bytes at the front that are read first and kept.
pub(super) const HEAD: usize = 4096;
/// What a system call costs beside the bytes that it reads ([`crate::budget`]).
const STEPS_OF_A_READ: usize = 32;
/// Errors that are noted: of them those are told that decide.
const LOST: usize = if cfg!(feature = "every-machine") { 64 } else { 1 };
/// Pieces that are kept of tables for which there is no room, of all files together: in sets, of each of which the last ones
/// stay. 200 KiB, of 256 bytes each: smbclient of MIPS64, whose 130 libraries have no DT_GNU_HASH, takes a third of a
/// judgement's bytes so; with eight times as many a sixteenth, and 1.2 MiB more than its 8.
const LOOSE_SETS: usize = if cfg!(diag_fuzz) { 4 } else { 128 };
const LOOSE_IN_A_SET: usize = 4;

/// A piece of a file: what was asked for, and the bytes that there are of it.
#[derive(Clone)]
pub(super) struct Piece {
    pub(super) at: usize,
    pub(super) size: usize,
    pub(super) bytes: Rc<Vec<u8>>,
}

impl Piece {
    pub(super) fn covers(&self, at: usize, len: usize) -> bool {
        // Beyond any size where the place is before it.
        let within = at.wrapping_sub(self.at);
        within <= self.size && len <= self.size.wrapping_sub(within)
    }

    /// Whether a place lies in it, or at its end.
    pub(super) fn leads_to(&self, at: usize) -> bool {
        (self.at..=self.at.saturating_add(self.size)).contains(&at)
    }
}

/// What all files that are open have in common.
#[derive(Default)]
pub(super) struct Shared {
    /// Bytes that are kept of all of them.
    pub(super) held: Cell<usize>,
    /// What is left to the judgement that reads them.
    pub(super) budget: Budget,
    /// Pieces of tables for which there was no room, and the files that they are of.
    loose: RefCell<Vec<Vec<(usize, Piece)>>>,
    /// How many files there were.
    files: Cell<usize>,
    /// What the judgement was refused first.
    lost: Cell<Vec<Lost>>,
}

/// What the system refused that should be there.
#[derive(Clone, Debug)]
pub struct Lost {
    /// The path.
    pub path: Vec<u8>,
    /// As the system says it.
    pub errno: Errno,
}

impl Shared {
    /// Another judgement begins.
    pub(super) fn begin(&self) {
        self.budget.begin();
        self.lost.set(Vec::new());
    }

    pub(super) fn lost(&self) -> Vec<Lost> {
        let lost = self.lost.take();
        self.lost.set(lost.clone());
        lost
    }

    /// Notes an error, unless it is that nothing is there.
    pub(super) fn lose(&self, path: &[u8], errno: Errno) {
        let mut lost = self.lost.take();
        if lost.len() < LOST && !errno.is_absence() {
            lost.push(Lost { path: path.to_vec(), errno });
        }
        self.lost.set(lost);
    }
}

/// An open file: its first bytes, and the parts that were read whole.
pub struct Contents {
    pub(super) path: Vec<u8>,
    file: Rc<dyn ReadAt>,
    head: Piece,
    parts: RefCell<Vec<Piece>>,
    pub(super) held: Held,
    /// Its number among the files.
    number: usize,
    failed: Cell<Option<Errno>>,
}

impl Contents {
    /// Reads the head of a regular file.
    pub(super) fn new(path: &Path, file: Rc<dyn ReadAt>, held: Held) -> Contents {
        let number = held.shared.files.get();
        held.shared.files.set(number.wrapping_add(1));
        let mut contents = Contents {
            path: path.as_bytes().to_vec(),
            file,
            head: Piece { at: 0, size: HEAD, bytes: Rc::default() },
            parts: RefCell::default(),
            held,
            number,
            failed: Cell::default(),
        };
        if let Some(mut head) = contents.read(0, HEAD) {
            contents.held.take(head.bytes.len());
            // A head that is not full is the whole file.
            if head.bytes.len() < HEAD {
                head.size = usize::MAX;
            }
            contents.head = head;
        }
        contents
    }

    /// What a read of it failed with.
    pub(super) fn failed(&self) -> Option<Errno> {
        self.failed.get()
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.held.shared.budget
    }

    /// Whether somebody holds it open for writing.
    pub(super) fn open_for_writing(&self) -> Known<bool> {
        self.file.open_for_writing()
    }

    /// The first bytes: 4,096, or all there are.
    pub fn head(&self) -> &[u8] {
        &self.head.bytes
    }

    /// The same as a piece.
    pub(super) fn first(&self) -> Piece {
        self.head.clone()
    }

    /// e_ident; zeros where the file ends before.
    pub fn ident(&self) -> [u8; 16] {
        let mut ident = [0; 16];
        for (to, from) in ident.iter_mut().zip(self.head()) {
            *to = *from;
        }
        ident
    }

    /// What was read before of a place.
    pub(super) fn kept(&self, at: usize, len: usize) -> Option<Piece> {
        if self.head.covers(at, len) {
            return Some(self.head.clone());
        }
        self.parts.borrow().iter().find(|part| part.covers(at, len)).cloned()
    }

    /// Reads a piece; None where no more may be read, or nothing can be.
    pub(super) fn read(&self, at: usize, size: usize) -> Option<Piece> {
        if !(self.budget().steps(STEPS_OF_A_READ) && self.budget().read(size)) {
            return None;
        }
        match self.file.read_at(at as u64, size) {
            Ok(bytes) => Some(Piece { at, size, bytes: Rc::new(bytes) }),
            Err(errno) => {
                self.failed.set(Some(errno));
                self.held.shared.lose(&self.path, errno);
                self.budget().cut(Missing::LostRead);
                None
            }
        }
    }

    /// Reads a piece of a table that is not kept; the last ones of all files are.
    pub(super) fn read_loose(&self, at: usize, size: usize) -> Option<Piece> {
        let mut sets = self.held.shared.loose.borrow_mut();
        sets.resize_with(LOOSE_SETS, Vec::new);
        // The lowest bits are those of no piece.
        let mixed = (at >> 8).wrapping_mul(0x9e37_79b1).wrapping_add(self.number.wrapping_mul(0x85eb_ca6b));
        let set = sets.get_mut((mixed >> 7).checked_rem(LOOSE_SETS)?)?;
        let is_it =
            |(number, piece): &(usize, Piece)| *number == self.number && piece.at == at && piece.size >= size;
        let piece = match set.iter().position(is_it) {
            Some(known) => set.remove(known).1,
            None => self.read(at, size)?,
        };
        if set.len() >= LOOSE_IN_A_SET {
            set.remove(0);
        }
        set.push((self.number, piece.clone()));
        Some(piece)
    }

    /// Reads a piece to keep, where there is room for it.
    pub(super) fn keep(&self, at: usize, size: usize) -> Option<Piece> {
        if !self.held.take(size) {
            return None;
        }
        let Some(piece) = self.read(at, size) else {
            self.held.give_back(size);
            return None;
        };
        self.held.give_back(size.saturating_sub(piece.bytes.len()));
        self.parts.borrow_mut().push(piece.clone());
        Some(piece)
    }
}
