//! An inner allocator that runs out of memory. Requests that it refuses are counted as failed, and
//! as nothing else.
#![allow(unsafe_code)]

use std::alloc::{alloc, alloc_zeroed, dealloc, realloc, GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::TryReserveError;
use std::hint::black_box;
use std::ptr;

use mod_alloc::{measure, AllocStats, Budget, ModAlloc};

/// `System`, which refuses everything while the current thread says so.
struct Refusing;

thread_local!(static REFUSE: Cell<bool> = const { Cell::new(false) });

fn refused() -> bool {
    REFUSE.with(Cell::get)
}

// SAFETY: it answers with null, or with what `System` answers.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refused() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if refused() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if refused() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

#[path = "common/again.rs"]
mod again;

#[global_allocator]
static GLOBAL: ModAlloc<Refusing> = ModAlloc::with(Refusing);

/// Refuses everything that `work` asks for. Nothing in it may panic, for a panic asks for memory.
fn refusing<R>(work: impl FnOnce() -> R) -> R {
    REFUSE.with(|refuse| refuse.set(true));
    let result = work();
    REFUSE.with(|refuse| refuse.set(false));
    result
}

fn try_vec(bytes: usize) -> Result<Vec<u8>, TryReserveError> {
    let mut vec = Vec::new();
    vec.try_reserve(bytes)?;
    Ok(black_box(vec))
}

fn failed(count: u64) -> AllocStats {
    let mut stats = AllocStats::default();
    stats.failed_count = count;
    stats
}

#[test]
fn each_refused_request_counts_as_failed_and_as_nothing_else() {
    let layout = Layout::from_size_align(64, 8).expect("valid");
    // SAFETY: the layout is not zero-sized.
    let block = black_box(unsafe { alloc(layout) });
    // They are shown to `black_box`: an allocation that nobody sees may be left out, and then it
    // cannot fail.
    let (blocks, stats) = measure(|| {
        refusing(|| {
            // SAFETY: the layout is not zero-sized.
            let plain = black_box(unsafe { alloc(layout) });
            // SAFETY: the layout is not zero-sized.
            let zeroed = black_box(unsafe { alloc_zeroed(layout) });
            // SAFETY: `block` came from `alloc` with `layout`; it stays valid when this fails.
            let grown = black_box(unsafe { realloc(block, layout, 128) });
            [plain, zeroed, grown]
        })
    });
    assert!(blocks.iter().all(|block| block.is_null()));
    assert_eq!(stats, failed(3));
    // SAFETY: `block` came from `alloc` with `layout`.
    unsafe { dealloc(block, layout) };
}

#[test]
fn a_vec_that_cannot_grow_counts_as_failed() {
    let (result, stats) = measure(|| refusing(|| try_vec(100)));
    assert!(result.is_err());
    assert_eq!(stats, failed(1));
    assert!(Budget::new().max(0).check(|| refusing(|| try_vec(1))).is_ok());
}

#[test]
fn a_thread_whose_first_request_is_refused_counts_on() {
    let stats = std::thread::spawn(|| {
        let (_, stats) = measure(|| refusing(|| try_vec(100)).is_err());
        stats
    });
    assert_eq!(stats.join().expect("ends well"), failed(1));
}

#[test]
fn scopes_need_no_memory_of_the_inner_allocator() {
    // No scope needs memory, not even the first one, which finds out whether `ModAlloc` is
    // installed: see the test below, in a process of its own.
    let (value, stats) = refusing(|| measure(|| 1));
    assert_eq!((value, stats), (1, AllocStats::default()));
}

#[test]
fn the_first_scope_of_a_process_needs_none_either() {
    let alone = ["--exact", "scopes_need_no_memory_of_the_inner_allocator"];
    let (status, text) = again::run(again::this_binary().args(alone));
    assert!(status.success() && text.contains("1 passed"), "{text}");
}
