//! Hot: the pointer at the line that the current thread writes, by a key of the system. It stands
//! in the place of `pointer.rs` where `thread_local!` is made of such keys, and may ask the
//! allocator for memory.

use std::process::abort;

use super::thread_counters::{Dummy, Line, Registration};
use crate::sys::{stderr, ThreadKey};

const NEW: *const Line = &Dummy::new(Registration::New) as *const Dummy as *const Line;

static POINTER: ThreadKey = ThreadKey::new(None);

#[inline]
pub(super) fn get() -> *const Line {
    let line = POINTER.get();
    if line.is_null() {
        NEW
    } else {
        line.cast()
    }
}

/// Without a key nothing can be counted, and no budget would break.
#[inline]
pub(super) fn set(line: *const Line) {
    if !POINTER.set(line.cast()) {
        stderr::say(b"mod-alloc: the system has no key for the counters of a thread\n");
        abort();
    }
}
