//! Hot: the flushed bytes, that is, what the threads have reported of their net bytes so far.

use std::sync::atomic::Ordering::Relaxed;

use crate::sys::AtomicI64;

/// On a cache line of its own: every thread writes it.
#[repr(align(128))]
struct Alone(AtomicI64);

static FLUSHED: Alone = Alone(AtomicI64::new(0));

/// What all threads have reported.
pub(super) fn flushed() -> i64 {
    FLUSHED.0.load(Relaxed)
}

/// Adds what a thread reports, and returns what they were before.
pub(super) fn add(net: i64) -> i64 {
    FLUSHED.0.fetch_add(net, Relaxed)
}
