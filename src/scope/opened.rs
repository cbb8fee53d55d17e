//! Cold: `opened`, which panics where there is no memory for a scope.

use crate::sys::OutOfMemory;

/// # Panics
/// Without memory.
#[track_caller]
#[inline]
pub(super) fn opened<T>(scope: Result<T, OutOfMemory>) -> T {
    match scope {
        Ok(scope) => scope,
        Err(OutOfMemory) => not_opened(),
    }
}

#[cold]
#[track_caller]
fn not_opened() -> ! {
    panic!("no memory for this thread's allocation counters")
}
