//! The heap of a router build: the C library's is made for threads and for programs that run for long, and takes ten
//! times the bytes.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr;

use nix::libc;

use crate::live::memory::there_is;

/// Blocks whose sizes are powers of two; one that is given back waits for the next of its size.
pub struct Heap {
    /// The first free block of each size. It holds the address of the next.
    free: [Cell<*mut u8>; SIZES],
    /// What is left of the last piece that came from the kernel.
    rest: Cell<*mut u8>,
    left: Cell<usize>,
}

const SIZES: usize = usize::BITS as usize;
/// The smallest block. Requests for a larger alignment fail; nothing in diag makes one.
const SMALLEST: usize = 16;
/// The least that is asked of the kernel.
const PIECE: usize = 1 << 16;

// SAFETY: diag has one thread.
unsafe impl Sync for Heap {}

impl Heap {
    /// An empty one.
    #[allow(clippy::new_without_default)] // It is the value of a static.
    pub const fn new() -> Heap {
        let free = [const { Cell::new(ptr::null_mut()) }; SIZES];
        Heap { free, rest: Cell::new(ptr::null_mut()), left: Cell::new(0) }
    }

    /// The power of two that a block has, where there can be such a block.
    fn power(&self, layout: Layout) -> Option<(u32, &Cell<*mut u8>)> {
        let power = layout.size().max(SMALLEST).checked_next_power_of_two()?.trailing_zeros();
        let free = self.free.get(power as usize)?;
        (layout.align() <= SMALLEST).then_some((power, free))
    }

    /// A block; null where there is none.
    #[allow(clippy::cast_ptr_alignment)] // Every block is aligned for an address.
    fn block(&self, layout: Layout) -> *mut u8 {
        let Some((power, free)) = self.power(layout) else { return ptr::null_mut() };
        let first = free.get();
        if first.is_null() {
            return self.fresh(1_usize.wrapping_shl(power));
        }
        // SAFETY: a free block holds the address of the next.
        free.set(unsafe { first.cast::<*mut u8>().read() });
        first
    }

    /// Memory that was never used; null where there is none.
    fn fresh(&self, size: usize) -> *mut u8 {
        if self.left.get() < size {
            let len = size.max(PIECE);
            let piece = memory(len);
            if piece.is_null() {
                return piece;
            }
            self.rest.set(piece);
            self.left.set(len);
        }
        let block = self.rest.get();
        self.rest.set(block.wrapping_add(size));
        self.left.set(self.left.get().wrapping_sub(size));
        block
    }
}

/// mmap(2) of new memory; null where there is none.
fn memory(len: usize) -> *mut u8 {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: at an address of the kernel's choice.
    let piece =
        unsafe { libc::mmap(ptr::null_mut(), len, access, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) };
    if piece == libc::MAP_FAILED { ptr::null_mut() } else { piece.cast() }
}

// SAFETY: a block is of the size that was asked for at least, aligned to the smallest, and nobody else's until it is
// given back.
#[allow(clippy::cast_ptr_alignment)] // Every block is aligned for an address.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        there_is(self.block(layout))
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some((_, free)) = self.power(layout) {
            // SAFETY: the block is free from now on, large enough for an address, and aligned.
            unsafe { block.cast::<*mut u8>().write(free.get()) };
            free.set(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    #[test]
    fn blocks_do_not_overlap_and_come_back() {
        let heap = Heap::new();
        let sizes = [1, 16, 17, 4096, 100_000, 24, 3, 65_536, 40_000, 40_000];
        // SAFETY: each block is filled as far as it was asked for, and given back once.
        unsafe {
            let blocks = sizes.map(|size| heap.alloc(layout(size)));
            for (number, (block, size)) in (0..).zip(blocks.iter().zip(sizes)) {
                assert!(!block.is_null() && block.addr() % SMALLEST == 0);
                block.write_bytes(number, size);
            }
            for (number, (block, size)) in (0..).zip(blocks.iter().zip(sizes)) {
                assert!((0..size).all(|at| block.add(at).read() == number), "{number}");
            }
            for (block, size) in blocks.iter().zip(sizes) {
                heap.dealloc(*block, layout(size));
            }
            // The last of a size comes back first.
            assert_eq!(heap.alloc(layout(33_000)), blocks[9]);
            assert_eq!(heap.alloc(layout(64_000)), blocks[8]);
            assert_eq!(heap.alloc(layout(70_000)), blocks[4]);
            assert_eq!(heap.alloc(layout(2)), blocks[6]);
            blocks[6].write(66);
            let grown = heap.realloc(blocks[6], layout(2), 30);
            assert_eq!((grown, grown.read()), (blocks[5], 66));
        }
    }

    #[test]
    fn what_cannot_be_had_is_null() {
        let heap = Heap::new();
        assert!(heap.block(Layout::from_size_align(8, 32).unwrap()).is_null());
        assert!(heap.block(layout(isize::MAX as usize - 7)).is_null());
    }
}
