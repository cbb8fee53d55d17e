//! A user's own allocator type around `ModAlloc`. Whatever reaches the `ModAlloc` is counted once.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::hint::black_box;

use mod_alloc::{alloc_budget, assert_no_alloc, measure, ModAlloc};

/// Counts large blocks for statistics of its own, and leaves the rest to `ModAlloc`.
struct LargeBlocks {
    inner: ModAlloc,
}

thread_local! {
    static LARGE: Cell<u64> = const { Cell::new(0) };
}

const LARGE_BYTES: usize = 1_000_000;

impl LargeBlocks {
    fn note(size: usize) {
        if size >= LARGE_BYTES {
            LARGE.set(LARGE.get() + 1);
        }
    }
}

// SAFETY: every method hands its arguments and its result on unchanged, and does nothing else that
// could allocate.
unsafe impl GlobalAlloc for LargeBlocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note(layout.size());
        // SAFETY: the caller's promises are handed on, here and below.
        unsafe { self.inner.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::note(layout.size());
        // SAFETY: as above.
        unsafe { self.inner.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.inner.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        Self::note(new_size);
        // SAFETY: as above.
        unsafe { self.inner.realloc(block, layout, new_size) }
    }
}

#[global_allocator]
static GLOBAL: LargeBlocks = LargeBlocks { inner: ModAlloc::new() };

#[test]
fn every_kind_of_event_is_counted_once() {
    let large_before = LARGE.get();
    let (_, stats) = measure(|| {
        let mut grown = black_box(Vec::<u8>::with_capacity(10));
        grown.reserve_exact(LARGE_BYTES);
        black_box(vec![0_u8; LARGE_BYTES]);
    });
    assert_eq!((stats.alloc_count, stats.realloc_count, stats.dealloc_count), (3, 1, 2));
    assert_eq!(stats.total_bytes as usize, 10 + LARGE_BYTES + LARGE_BYTES);
    assert_eq!(LARGE.get() - large_before, 2, "the wrapper has seen its own large blocks");
}

#[test]
#[alloc_budget(exact = 1)]
fn a_budget_holds_through_the_wrapper() {
    black_box(Box::new(black_box(1)));
}

#[test]
#[should_panic(expected = "allocation budget exceeded")]
fn a_planted_allocation_breaks_the_budget() {
    assert_no_alloc!(black_box(Box::new(black_box(1))));
}

/// `snapshot` is a method of `ModAlloc`, which the wrapper gives access to. A block as large as
/// this stands out from what the other tests and the harness do at the same time.
#[test]
fn snapshots_are_taken_through_the_wrapper() {
    const BYTES: usize = 256 << 20;
    let before = GLOBAL.inner.snapshot();
    let block = black_box(Vec::<u8>::with_capacity(BYTES));
    let after = GLOBAL.inner.snapshot();
    drop(block);
    let total = after.total_bytes - before.total_bytes;
    assert!((BYTES as u64..BYTES as u64 + (16 << 20)).contains(&total), "{total}");
}
