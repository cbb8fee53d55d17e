//! Hot: the time of an allocation, for the lifetimes of blocks in a heap profile: ticks of the
//! processor, which take a third of the time that the system's clock takes to be read. What a tick
//! is in nanoseconds is found at the end of the profile, by the system's clock.
//!
//! Without the feature that writes lifetimes, time stands still.
//!
//! Relies on: `System` keeps the contract of `GlobalAlloc`; the epoch is never freed once it is
//! published.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::time::{Duration, Instant};

use crate::sys::processor_ticks;

/// The beginning of the first profile; null before. Not a `OnceLock`: one that another thread was
/// filling at a fork would keep the child waiting for ever.
static EPOCH: AtomicPtr<Instant> = AtomicPtr::new(ptr::null_mut());

fn epoch() -> Option<&'static Instant> {
    // SAFETY: null, or written by `begin` before it was published, and never freed.
    unsafe { EPOCH.load(Acquire).as_ref() }
}

/// Sets the epoch to now, unless another thread is faster. `None` without memory.
#[cold]
fn begin() -> Option<&'static Instant> {
    let layout = Layout::new::<Instant>();
    // SAFETY: an `Instant` is not zero-sized.
    let memory: *mut Instant = unsafe { System.alloc(layout) }.cast();
    if memory.is_null() {
        return None;
    }
    // SAFETY: fresh, and of the layout of an `Instant`.
    unsafe { memory.write(Instant::now()) };
    if EPOCH.compare_exchange(ptr::null_mut(), memory, AcqRel, Acquire).is_err() {
        // SAFETY: from `System` with this layout, just above, and nobody else has seen it.
        unsafe { System.dealloc(memory.cast(), layout) };
    }
    epoch()
}

/// So many ticks later than some fixed moment. Threads on other processors may differ by little.
#[inline]
pub(super) fn ticks() -> u64 {
    if !cfg!(feature = "dhat-compat") {
        return 0;
    }
    match processor_ticks() {
        Some(ticks) => ticks,
        None => epoch().map_or(0, |epoch| nanoseconds_in(epoch.elapsed())),
    }
}

/// Nanoseconds since the first call, by the system's clock; without memory, time stands still. Not
/// for the allocator: to be called when a profile begins, before any thread asks for the time, and
/// when it is read.
pub(super) fn nanoseconds() -> u64 {
    epoch().or_else(begin).map_or(0, |epoch| nanoseconds_in(epoch.elapsed()))
}

fn nanoseconds_in(elapsed: Duration) -> u64 {
    elapsed.as_secs().wrapping_mul(1_000_000_000).wrapping_add(elapsed.subsec_nanos().into())
}
