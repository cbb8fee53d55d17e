//! Hot: which counters the current thread writes: a thread-local [`pointer`], and the dummies that
//! it points at while there are none ([`Registration`]). Read at every event, and whenever a thread
//! looks at its own counters.
//!
//! Relies on: whoever calls [`set_line`] sets a line that the thread owns.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::pointer;
use super::thread_counters::{Dummy, Line, Registration};
use crate::sys::thread_word;

// Promoted constants, as in `pointer`.
const RETIRED: *const Line = &Dummy::new(Registration::Retired) as *const Dummy as *const Line;
const IGNORED: *const Line = &Dummy::new(Registration::Ignored) as *const Dummy as *const Line;

thread_word!(static IGNORED_ALLOCS);

/// The line that the current thread writes, or a dummy. It may be read, and no other thread writes
/// its counters.
#[derive(Clone, Copy)]
pub(crate) struct CurrentLine(*const Line);

/// What the current thread's pointer is at.
#[inline(always)]
pub(crate) fn current() -> CurrentLine {
    CurrentLine(pointer::get())
}

impl CurrentLine {
    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *const Line {
        self.0
    }

    /// What the line belongs to.
    #[inline]
    pub(crate) fn registration(self) -> Registration {
        let registration = self.0.wrapping_add(1).cast::<Registration>();
        // SAFETY: a `Registration` follows the line both in `ThreadCounters` and in `Dummy`, and
        // never changes.
        unsafe { *registration }
    }
}

pub(crate) fn set_retired() {
    pointer::set(RETIRED);
}

/// Has the current thread write this line from now on.
///
/// # Safety
/// The current thread alone owns the line until it sets another, or it is that of a dummy. Where
/// the [`Registration`] after it says `Registered`, it is the beginning of a
/// `threads::ThreadState`.
pub(crate) unsafe fn set_line(line: *const Line) {
    pointer::set(line);
}

/// Proves that the library is at work for itself on this thread: [`ignored`] alone hands it out,
/// and only to its work. A function that may be called nowhere else takes it.
#[derive(Clone, Copy)]
pub(crate) struct AtWork<'a>(PhantomData<(&'a (), *const ())>);

/// Runs `work` for the library itself: what it allocates and frees on this thread counts nowhere.
///
/// Both ends of a block's life must lie in such stretches, and no code of the user's may run in
/// one.
pub(crate) fn ignored<R>(work: impl for<'a> FnOnce(AtWork<'a>) -> R) -> R {
    struct Restore(*const Line);
    impl Drop for Restore {
        fn drop(&mut self) {
            pointer::set(self.0);
        }
    }
    let _restore = Restore(pointer::get());
    pointer::set(IGNORED);
    work(AtWork(PhantomData))
}

/// How many requests of this thread for a block, granted or refused, reached a `ModAlloc` while
/// [`ignored`].
pub(crate) fn ignored_allocs() -> usize {
    IGNORED_ALLOCS.get()
}

pub(crate) fn count_ignored_alloc() {
    IGNORED_ALLOCS.set(IGNORED_ALLOCS.get().wrapping_add(1));
}
