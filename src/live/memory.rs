//! Where memory ends: one line and status 2, written by the allocator itself, without another allocation.

use std::alloc::{GlobalAlloc, Layout, System};

use nix::libc;

/// The C library's heap.
pub struct Heap;

// SAFETY: what System gives, or no return.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout.
        there_is(unsafe { System.alloc(layout) })
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout.
        there_is(unsafe { System.alloc_zeroed(layout) })
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's block and its layout.
        there_is(unsafe { System.realloc(block, layout, size) })
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's block and its layout.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The block, where there is one.
#[inline]
pub(crate) fn there_is(block: *mut u8) -> *mut u8 {
    if block.is_null() {
        ended();
    }
    block
}

/// Says so and ends. std's own words need memory for a panic, and end by a signal.
#[cold]
fn ended() -> ! {
    const TEXT: &[u8] = b"diag: there is not enough memory\n";
    // SAFETY: bytes of that length, then the end of this process.
    unsafe {
        libc::write(libc::STDERR_FILENO, TEXT.as_ptr().cast(), TEXT.len());
        libc::_exit(2)
    }
}
