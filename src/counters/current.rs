//! Hot: which counters the current thread writes: a thread-local pointer, and the dummies that it
//! points at while there are none ([`Registration`]). Read at every event, and whenever a thread
//! looks at its own counters.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::needs_drop;

use super::thread_counters::{Dummy, Line, Registration};

// Promoted constants rather than statics: before Rust 1.83 a `const` initialiser may not name a static. Nothing depends
// on their addresses.
const NEW: *const Line = &Dummy::new(Registration::New) as *const Dummy as *const Line;
const RETIRED: *const Line = &Dummy::new(Registration::Retired) as *const Dummy as *const Line;
const IGNORED: *const Line = &Dummy::new(Registration::Ignored) as *const Dummy as *const Line;

thread_local! {
    // `const` and without a destructor: a plain thread-local word, readable from the first instruction of a thread to its
    // last. The end of a thread is told by `thread_exit`.
    static CURRENT: Cell<*const Line> = const { Cell::new(NEW) };
    static IGNORED_ALLOCS: Cell<u64> = const { Cell::new(0) };
}

const _: () = assert!(!needs_drop::<Cell<*const Line>>());
const _: () = assert!(!needs_drop::<Cell<u64>>());

/// The line that the current thread writes, or a dummy. Readable, and written by no other thread.
#[inline(always)]
pub(crate) fn current() -> *const Line {
    CURRENT.with(Cell::get)
}

/// What the line belongs to, which [`current`] has just returned.
#[inline]
pub(crate) fn registration(line: *const Line) -> Registration {
    let registration = line.wrapping_add(1).cast::<Registration>();
    // SAFETY: a `Registration` follows the line both in `ThreadCounters` and in `Dummy`, and never
    // changes.
    unsafe { *registration }
}

pub(crate) fn current_registration() -> Registration {
    registration(current())
}

pub(crate) fn set_retired() {
    set_line(RETIRED);
}

/// Sets it to a line that lives for ever.
pub(crate) fn set_line(line: *const Line) {
    CURRENT.with(|current| current.set(line));
}

/// Proves that the library is at work for itself on this thread: [`ignored`] alone hands it out, and
/// only to its work. A function takes it that may be called nowhere else.
#[derive(Clone, Copy)]
pub(crate) struct AtWork<'a>(PhantomData<(&'a (), *const ())>);

/// Runs `work` for the library itself: what it allocates and frees on this thread counts nowhere.
///
/// Both ends of a block's life must lie in such stretches, and no code of the user's may run in one.
pub(crate) fn ignored<R>(work: impl for<'a> FnOnce(AtWork<'a>) -> R) -> R {
    struct Restore(*const Line);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.with(|current| current.set(self.0));
        }
    }
    let _restore = Restore(CURRENT.with(|current| current.replace(IGNORED)));
    work(AtWork(PhantomData))
}

/// How many requests of this thread for a block, granted or refused, reached a `ModAlloc` while [`ignored`].
pub(crate) fn ignored_allocs() -> u64 {
    IGNORED_ALLOCS.with(Cell::get)
}

pub(crate) fn count_ignored_alloc() {
    IGNORED_ALLOCS.with(|allocs| allocs.set(allocs.get() + 1));
}
