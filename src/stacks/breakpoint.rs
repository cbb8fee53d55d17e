//! Hot: the stop in a debugger at the first allocation past a budget (`MOD_ALLOC_BREAK=1`), with
//! the stack still standing.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::sys::{stderr, thread_word, trap};

static IS_SET: AtomicBool = AtomicBool::new(false);

thread_word!(static IS_PASSED);

/// From now on, a thread that passes a limit is told so.
pub(crate) fn set_breakpoint() {
    IS_SET.store(true, Relaxed);
}

/// Something has just passed a limit.
#[cold]
pub(super) fn pass() {
    IS_PASSED.set(1);
}

/// Whether this thread has passed a limit since the last time: it is to [`stop_in_debugger`].
#[inline]
pub(crate) fn has_passed_breakpoint() -> bool {
    if !IS_SET.load(Relaxed) || IS_PASSED.get() == 0 {
        return false;
    }
    IS_PASSED.set(0);
    true
}

/// Stops. To be called on the thread's own stack, which debuggers can show. Without a debugger the
/// signal ends the process, so it is said first what that is.
#[cold]
pub(crate) fn stop_in_debugger() {
    say();
    trap();
}

fn say() {
    const TEXT: &str = "\nmod-alloc: MOD_ALLOC_BREAK=1 stops this process here (SIGTRAP), at the \
        first allocation past a budget. Is it run in a debugger?\n";
    stderr::say(TEXT.as_bytes());
}
