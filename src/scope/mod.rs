//! Cold: scopes, which attribute what a thread allocates to a stretch of its code. Thin guards over the frames of
//! `count`, with the checks that keep a wrong use from giving wrong numbers.

mod metered;
mod uncounted;

use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::count::{self, Above, AllocStats, Kind, Measured, OpenError, OpenFrame};
use crate::installed;

pub(crate) use metered::Metered;
pub use uncounted::uncounted;

/// Counts what the current thread allocates and frees from [`enter`](Self::enter) until it is dropped.
///
/// Other threads are not seen, so parallel tests do not disturb each other. Scopes nest to any depth, and each sees
/// exactly its own stretch, whatever happens inside: an early return, `?`, or a panic that is caught. Entering and leaving
/// costs some nanoseconds; an open scope costs nothing per allocation.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::AllocScope;
///
/// let scope = AllocScope::enter();
/// let mut numbers = Vec::with_capacity(4);
/// numbers.push(1_u64);
/// assert_eq!(scope.stats().alloc_count, 1);
/// assert_eq!(scope.stats().current_bytes, 32);
/// drop(numbers);
///
/// let stats = scope.exit();
/// assert_eq!((stats.total_bytes, stats.peak_bytes, stats.current_bytes), (32, 32, 0));
/// ```
///
/// # Edge cases
/// - Allocated before, freed within: counts in `dealloc_count`, and takes `current_bytes` below zero.
/// - Allocated within, freed after: counts as allocated.
/// - A block of another thread that is freed within counts as freed here; allocations of other threads never count.
/// - Dropped out of order, an outer scope before an inner one: both keep counting their own stretches.
/// - Forgotten (`mem::forget`): disturbs no other scope, but keeps some 150 bytes until the thread ends.
/// - Sent to another thread: does not compile.
///   ```compile_fail,E0277
///   let scope = mod_alloc::AllocScope::enter();
///   std::thread::spawn(move || scope.exit());
///   ```
/// - Used in the destructor of a thread-local: fine if it is entered there. One that was entered earlier and outlives
///   its thread's counters panics when it is read.
#[must_use = "a scope counts until it is dropped: bind it to a variable"]
pub struct AllocScope {
    frame: OpenFrame,
}

// The frame points at counters of the own thread; no panic can leave those half written.
impl UnwindSafe for AllocScope {}
impl RefUnwindSafe for AllocScope {}

impl AllocScope {
    /// Begins to count.
    ///
    /// # Panics
    /// If `ModAlloc` is not the global allocator of this binary, with the lines to add; or if the system has no memory for
    /// the thread's counters.
    #[track_caller]
    #[inline]
    pub fn enter() -> Self {
        installed::require();
        Self { frame: open(Kind::Scope, 0) }
    }

    /// What was counted so far.
    ///
    /// # Panics
    /// If the scope has outlived the counters of its thread (see the edge cases above).
    #[track_caller]
    #[inline]
    #[must_use]
    pub fn stats(&self) -> AllocStats {
        stats(self.frame.measure())
    }

    /// Ends the scope, and says what was counted.
    ///
    /// # Panics
    /// As [`stats`](Self::stats).
    #[track_caller]
    #[inline]
    #[must_use = "dropping a scope ends it too; `exit` is for its numbers"]
    pub fn exit(self) -> AllocStats {
        stats(self.frame.close())
    }
}

impl std::fmt::Debug for AllocScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AllocScope").finish_non_exhaustive()
    }
}

#[track_caller]
#[inline]
fn stats(measured: Option<Measured>) -> AllocStats {
    match measured {
        Some(Measured { counts, peak }) => {
            AllocStats::new(counts, Above { current: counts.current(), peak })
        }
        None => panic!("{OUTLIVED}"),
    }
}

const OUTLIVED: &str = "this `AllocScope` has outlived the counters of its thread: is it kept in a thread-local? Read it \
before the thread ends, or enter it in the destructor that wants to measure";

/// Runs `work` and says what it allocated and freed on this thread.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// let (text, stats) = mod_alloc::measure(|| "a b".replace(' ', ""));
/// assert_eq!(text, "ab");
/// assert_eq!(stats.live_count, 1);
/// ```
///
/// # Panics
/// As [`AllocScope::enter`], and as `work` does.
#[track_caller]
#[must_use = "the statistics are what it is for"]
pub fn measure<R>(work: impl FnOnce() -> R) -> (R, AllocStats) {
    let scope = AllocScope::enter();
    let value = work();
    (value, scope.exit())
}

#[track_caller]
#[inline]
pub(crate) fn open(kind: Kind, tag: u64) -> OpenFrame {
    match count::open(kind, tag) {
        Ok(frame) => frame,
        Err(OpenError::OutOfMemory) => panic!("no memory for this thread's allocation counters"),
        Err(OpenError::Ignored) => panic!("this is a bug in mod-alloc: a scope in its own work"),
    }
}
