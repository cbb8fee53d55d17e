//! Cold: `uncounted`, a stretch of code that the scopes around it leave out.

use super::opened::opened;
use crate::installed;
use crate::threads::{self, OpenScope};

/// Runs `work`; what it allocates and frees on this thread is charged to no scope around it.
///
/// For what a test does beside the code under test: logging, building an expected value, a lazily
/// made table. Scopes that are entered inside count as ever. Process totals
/// ([`ModAlloc::snapshot`](crate::ModAlloc::snapshot), [`Profiler`](crate::Profiler)) include it:
/// it is really allocated.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// let (_, stats) = mod_alloc::measure(|| {
///     let name = mod_alloc::uncounted(|| String::from("not counted"));
///     vec![name.len()]
/// });
/// assert_eq!(stats.alloc_count, 1);
/// assert_eq!(stats.dealloc_count, 1); // `name` was freed outside of `uncounted`
/// ```
///
/// `work` must run to its end on one stack and one thread. Where a coroutine is suspended inside,
/// whatever the thread runs next is counted nowhere either. A scope or a budget around such a
/// stretch fails, and says why, unless the coroutine is resumed and the stretch ends before the
/// scope does.
///
/// # Panics
/// If `ModAlloc` is not the global allocator of this binary, with the lines to add. As `work` does.
#[track_caller]
pub fn uncounted<R>(work: impl FnOnce() -> R) -> R {
    installed::require();
    let here = 0_u8;
    let _stretch = open_uncounted(std::ptr::addr_of!(here) as usize);
    work()
}

/// Begins such a stretch, which ends when its guard is dropped. `at` is an address near to that of
/// the guard, on the same stack.
#[track_caller]
pub(super) fn open_uncounted(at: usize) -> OpenScope {
    opened(threads::open_uncounted(at))
}
