//! Cold: finds out, once in a process, whether `ModAlloc` is this binary's global allocator. Every scope, budget and
//! profiler asks first: an assertion must never hold because nothing was counted.
//!
//! The probe allocates while the thread's events are ignored, and asks how many requests reached a `ModAlloc`: one is right, none
//! means that another allocator serves this code, more that one `ModAlloc` wraps another.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::count;

static CONFIRMED: AtomicBool = AtomicBool::new(false);

/// # Panics
/// If `ModAlloc` is not the global allocator, with the lines to add.
#[track_caller]
#[inline]
pub(crate) fn require() {
    if !CONFIRMED.load(Relaxed) {
        probe();
    }
}

#[cold]
#[track_caller]
fn probe() {
    let seen = count::ignored(|| {
        let before = count::ignored_allocs();
        let mut probe = Vec::<u8>::new();
        // It may well be refused: what counts is who was asked.
        let _ = black_box(&mut probe).try_reserve_exact(1);
        drop(black_box(probe));
        count::ignored_allocs() - before
    });
    let elsewhere = count::totals().counts;
    match seen {
        1 => CONFIRMED.store(true, Relaxed),
        0 if elsewhere.allocs == 0 => panic!("{NOT_INSTALLED}"),
        0 => panic!(
            "{NOT_INSTALLED}\n\nA `ModAlloc` has counted {} allocations in this process, but none of this code's: is it \
             installed in a dynamic library only, or called directly?",
            elsewhere.allocs
        ),
        times => panic!(
            "mod-alloc counts one allocation {times} times: does a `ModAlloc` wrap another `ModAlloc`, or an allocator that \
             itself allocates through the global one? Write `ModAlloc::with(inner)` around an allocator that does neither"
        ),
    }
}

const NOT_INSTALLED: &str = "mod-alloc has nothing to count: is `ModAlloc` this binary's `#[global_allocator]`? Add \
these two lines at the root of the test, example or benchmark (inside of a doc test; in a library's `src/lib.rs`, with \
`#[cfg(test)]` above them):

    #[global_allocator]
    static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();";
