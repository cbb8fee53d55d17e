//! Hot: which ledger the current thread writes: a thread-local pointer, and the dummies that it points at while there is
//! none ([`State`]). Read at every event, by `events`, and whenever a thread looks at its own counters, by `thread`.
#![allow(unsafe_code)]

use std::cell::Cell;

use super::ledger::{Dummy, Ledger, Line, State};

// Promoted constants rather than statics: before Rust 1.83 a `const` initialiser may not name a static. Nothing depends
// on their addresses.
const NEW: *const Line = &Dummy::new(State::New) as *const Dummy as *const Line;
const RETIRED: *const Line = &Dummy::new(State::Retired) as *const Dummy as *const Line;
const IGNORED: *const Line = &Dummy::new(State::Ignored) as *const Dummy as *const Line;

thread_local! {
    // `const` and without a destructor: a plain thread-local word, readable from the first instruction of a thread to its
    // last. The end of a thread is told by `thread_exit`.
    static CURRENT: Cell<*const Line> = const { Cell::new(NEW) };
    static IGNORED_ALLOCS: Cell<u64> = const { Cell::new(0) };
}

/// The line that the current thread writes, or a dummy. Readable, and written by no other thread.
#[inline(always)]
pub(super) fn current() -> *const Line {
    CURRENT.with(Cell::get)
}

#[inline]
fn state(line: *const Line) -> State {
    let state = line.wrapping_add(1).cast::<State>();
    // SAFETY: a `State` follows the line both in `Ledger` and in `Dummy`, and never changes.
    unsafe { *state }
}

pub(super) fn current_state() -> State {
    state(current())
}

/// The current thread's ledger, if it has one and the library is not at work for itself. `current` is what [`current`] has just
/// said: unoptimised, to ask takes a fifth of a kilobyte of stack.
#[inline]
pub(super) fn ledger_of(current: *const Line) -> Option<&'static Ledger> {
    if state(current) != State::Registered {
        return None;
    }
    // SAFETY: a registered thread's pointer was set by `set_current` from a ledger, which lives for ever.
    Some(unsafe { &*current.cast::<Ledger>() })
}

pub(super) fn set_current(ledger: &'static Ledger) {
    CURRENT.with(|current| current.set((ledger as *const Ledger).cast()));
}

pub(super) fn set_retired() {
    set_line(RETIRED);
}

/// Sets it back to what it was.
pub(super) fn set_line(line: *const Line) {
    CURRENT.with(|current| current.set(line));
}

/// Runs `work` for the library itself: what it allocates and frees on this thread counts nowhere.
///
/// Both ends of a block's life must lie in such stretches, and no code of the user's may run in one.
pub(crate) fn ignored<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(*const Line);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.with(|current| current.set(self.0));
        }
    }
    let _restore = Restore(CURRENT.with(|current| current.replace(IGNORED)));
    work()
}

/// How many requests of this thread for a block, granted or refused, reached a `ModAlloc` while [`ignored`].
pub(crate) fn ignored_allocs() -> u64 {
    IGNORED_ALLOCS.with(Cell::get)
}

pub(super) fn count_ignored_alloc() {
    IGNORED_ALLOCS.with(|allocs| allocs.set(allocs.get() + 1));
}
