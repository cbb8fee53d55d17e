//! Hot: whether this process is a child that `fork` made.
//!
//! Relies on: POSIX, for `pthread_atfork`.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::sys::threads::pthread_atfork;

/// This process is a child that `fork` made.
static IS_FORKED: AtomicBool = AtomicBool::new(false);

/// Whether [`IS_FORKED`] will be told.
static HAS_FORK_HANDLER: AtomicBool = AtomicBool::new(false);

/// Has forks noticed from now on. To be called by each thread that begins to allocate.
pub(crate) fn watch_forks() {
    extern "C" fn in_child() {
        IS_FORKED.store(true, Relaxed);
    }

    if !HAS_FORK_HANDLER.load(Relaxed) && !HAS_FORK_HANDLER.swap(true, Relaxed) {
        // SAFETY: `in_child` may be called at any time. A failure leaves the flag unset.
        unsafe { pthread_atfork(None, None, Some(in_child)) };
    }
}

/// Whether this process is a child that `fork` made: locks may be held by threads that it does not
/// have.
pub(crate) fn is_forked() -> bool {
    IS_FORKED.load(Relaxed)
}
