//! Cold: finds out, once in a process, whether `ModAlloc` is this binary's global allocator. Every
//! scope, budget and profiler asks first: an assertion must never hold because nothing was counted.
//!
//! The probe allocates while the thread's events are ignored, and asks how many requests reached a
//! `ModAlloc`. One is right. None means that another allocator serves this code; more mean that one
//! `ModAlloc` wraps another. It asks twice: by code that is compiled into this crate, and by code
//! of the standard library. A standard library that is linked dynamically has an allocator of its
//! own, and only the second request shows that.

mod refusal;
mod std_library;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::counters;
use crate::threads;
use refusal::Refusal;

static CONFIRMED: AtomicBool = AtomicBool::new(false);

/// # Panics
/// If `ModAlloc` is not the global allocator, or not of all of the binary, with what to change.
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
    let from_here = requests(|| {
        let mut probe = Vec::<u8>::new();
        // The request may be refused: what matters is who was asked. The same goes for the one
        // below.
        let _ = black_box(&mut probe).try_reserve_exact(1);
        drop(black_box(probe));
    });
    let from_std = requests(|| {
        let mut probe = String::new();
        // This method is not generic, so it is compiled into the standard library alone. A method
        // of `Vec` is compiled here.
        let _ = black_box(&mut probe).try_reserve(1);
        drop(black_box(probe));
    });
    let refusal = match (from_here, from_std) {
        (1, 1..) => return CONFIRMED.store(true, Relaxed),
        (2.., _) => Refusal::CountsTwice { times: from_here },
        (0 | 1, _) => refusal(from_here == 1, threads::totals().counts.allocs),
    };
    panic!("{refusal}")
}

/// How many requests for a block reached a `ModAlloc` while `work` ran.
fn requests(work: impl FnOnce()) -> u64 {
    counters::ignored(|_| {
        let before = counters::ignored_allocs();
        work();
        counters::ignored_allocs().wrapping_sub(before) as u64
    })
}

/// Why nothing is counted of what this code, or the standard library, allocates. `counted` is how
/// much was counted of other code.
fn refusal(counts_here: bool, counted: i64) -> Refusal {
    let std = std_library::find();
    // Where this code and std are in one dynamic library, the two lines may be missing in that
    // library. But then nothing was counted in it.
    if counts_here || std.is_apart || std.file.is_some() && counted > 0 {
        return Refusal::StdIsDynamic { file: std.file };
    }
    match counted {
        0 => Refusal::NotInstalled { library: std.file },
        _ => Refusal::NotHere { counted },
    }
}
