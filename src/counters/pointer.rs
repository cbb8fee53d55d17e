//! Hot: the thread-local pointer at the line that the current thread writes. This is what it means;
//! on x86_64 Linux, `pointer_symbol.rs` stands in its place.

use std::cell::Cell;
use std::mem::needs_drop;

use super::thread_counters::{Dummy, Line, Registration};

// A promoted constant rather than a static: before Rust 1.83 a `const` initialiser may not name a
// static. Nothing depends on its address.
const NEW: *const Line = &Dummy::new(Registration::New) as *const Dummy as *const Line;

thread_local! {
    // `const` and without a destructor: a plain thread-local word, readable from the first
    // instruction of a thread to its last. The end of a thread is told by `thread_exit`.
    static POINTER: Cell<*const Line> = const { Cell::new(NEW) };
}

const _: () = assert!(!needs_drop::<Cell<*const Line>>());

#[inline(always)]
pub(super) fn get() -> *const Line {
    POINTER.with(Cell::get)
}

#[inline(always)]
pub(super) fn set(line: *const Line) {
    POINTER.with(|pointer| pointer.set(line));
}
