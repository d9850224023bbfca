//! Counts what the program asks its allocator for. LiteRT is C++ and has an allocator of its own: its allocations are not seen.
//!
//! JUSTIFICATION for `unsafe`: [`GlobalAlloc`] is an unsafe trait, there is no other way to see an allocation. Every call goes on
//! to the system's allocator as it is. Only this benchmark has it; the service has no allocator of its own.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

/// The system's allocator with a counter.
pub(crate) struct Counting;

static N_ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

fn count() {
    N_ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
}

/// Allocations and reallocations of the whole process so far.
pub(crate) fn n_allocations() -> u64 {
    N_ALLOCATIONS.load(Ordering::Relaxed)
}

// SAFETY: every method hands its arguments to `System` unchanged and gives back what it gave; counting touches no memory but
// the counter and does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises about `layout` are those that `System` wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` through this allocator with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as in `dealloc`; the caller's promises about `new_size` are those that `System` wants.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
