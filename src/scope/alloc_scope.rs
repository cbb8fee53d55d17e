//! Cold: `AllocScope`, the guard of a scope that the user opens.

use std::fmt;
#[cfg(feature = "backtraces")]
use std::panic::Location;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::handle::ScopeHandle;
use super::measurement::stats;
use super::unmeasured::{measured, not_measured, Unmeasured};
use super::wants::Wants;
#[cfg(feature = "backtraces")]
use crate::call_sites::{self, CallSites};
use crate::counters::AllocStats;
use crate::installed;
#[cfg(feature = "backtraces")]
use crate::reading::{ProgramPoints, Recording};
#[cfg(feature = "backtraces")]
use crate::stacks::FirstOverrun;
#[cfg(feature = "backtraces")]
use crate::threads::Tracking;
use crate::threads::{self, OpenScope, ShareError};

/// Counts what the current thread allocates and frees, from [`enter`](Self::enter) until it is
/// dropped.
///
/// Other threads are not seen, unless they are attached by a [`handle`](Self::handle): parallel
/// tests do not disturb each other. Scopes nest to any depth, and each sees exactly its own
/// stretch, whatever happens inside: an early return, `?`, or a panic that is caught. Entering and
/// leaving costs some nanoseconds; an open scope costs nothing per allocation.
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
/// - Allocated before, freed within: counts in `dealloc_count`, and takes `current_bytes` below
///   zero.
/// - Allocated within, freed after: counts as allocated.
/// - Allocated by another thread, freed within: counts as freed. What other threads allocate does
///   not count.
/// - Dropped out of order, an outer scope before an inner one: both keep counting their own
///   stretches.
/// - Forgotten (`mem::forget`): disturbs no other scope, but keeps some 150 bytes until the thread
///   ends. With call sites it records until then. With a heap profile, its blocks that are still
///   live stay in the table for ever.
/// - Sent to another thread: does not compile.
///   ```compile_fail,E0277
///   let scope = mod_alloc::AllocScope::enter();
///   std::thread::spawn(move || scope.exit());
///   ```
/// - What is printed in a test: the harness keeps it in a buffer, unless it is told not to, and
///   what the buffer allocates counts here. Print in [`uncounted`](crate::uncounted) where the
///   numbers must be the same under each runner.
/// - Used in the destructor of a thread-local: right if it is entered there. One that was entered
///   earlier, and outlives its thread's counters, panics when it is read.
/// - Read inside a stretch of [`uncounted`](crate::uncounted): shows what was counted until the
///   stretch began. Where a coroutine was suspended in such a stretch, nothing is counted on the
///   thread until it is resumed; a scope around it panics when it is read outside.
/// - Entered in a coroutine that is resumed on another thread: panics when it is read there.
#[must_use = "a scope counts until it is dropped: bind it to a variable"]
pub struct AllocScope {
    open: OpenScope,
    /// `None` if it counts only.
    #[cfg(feature = "backtraces")]
    recorded: Option<Recorded>,
}

#[cfg(feature = "backtraces")]
struct Recorded {
    location: &'static Location<'static>,
    /// Its live blocks, if it was opened by [`with_heap_profile`](AllocScope::with_heap_profile).
    tracking: Option<Tracking>,
}

// The counters that it points at are whole after any panic.
impl UnwindSafe for AllocScope {}
impl RefUnwindSafe for AllocScope {}

impl AllocScope {
    /// Begins to count.
    ///
    /// # Panics
    /// If `ModAlloc` is not the global allocator of this binary, with the lines to add. If the
    /// system has no memory for the thread's counters.
    #[track_caller]
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn enter() -> Self {
        installed::require();
        Self {
            open: Wants::COUNTS.open(0, false),
            #[cfg(feature = "backtraces")]
            recorded: None,
        }
    }

    /// Begins to count, and to record where in the code each allocation is made.
    ///
    /// Recording takes some 60 to 160 ns an allocation in release builds, and some hundreds in
    /// debug builds.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::AllocScope;
    ///
    /// let scope = AllocScope::with_call_sites();
    /// let words: Vec<String> = "to be or not".split(' ').map(str::to_owned).collect();
    /// let sites = scope.call_sites();
    /// assert_eq!(sites.alloc_count(), scope.stats().alloc_count);
    /// println!("{sites:#}"); // file, line and function of each
    /// # drop(words);
    /// ```
    ///
    /// # Panics
    /// As [`enter`](Self::enter).
    #[cfg(feature = "backtraces")]
    #[track_caller]
    pub fn with_call_sites() -> Self {
        installed::require();
        let call_sites = Some(FirstOverrun::Never);
        Self::recording(Wants { call_sites, ..Wants::COUNTS })
    }

    /// Begins to count, to record where in the code each allocation is made, and to follow each
    /// block until it is freed.
    ///
    /// The sites of [`call_sites`](Self::call_sites) then know what was live at the scope's peak:
    /// see [`SortBy::PeakBytes`](crate::SortBy::PeakBytes). With the feature `dhat-compat`,
    /// `CallSites::to_dhat_json` has all that DHAT's viewer shows.
    ///
    /// Following a block takes some 40 ns more than recording alone in release builds, and some 800
    /// in debug builds.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::AllocScope;
    ///
    /// let scope = AllocScope::with_heap_profile();
    /// for length in [10, 1_000, 100] {
    ///     drop(std::hint::black_box(vec![0_u8; length]));
    /// }
    /// let sites = scope.call_sites();
    /// # if format!("{sites:#}").contains("call sites are not available") { return }
    /// let site = &sites.sites()[0];
    /// assert_eq!(site.total_bytes(), 1_110);
    /// assert_eq!(site.peak_bytes(), Some(1_000));
    /// ```
    ///
    /// # Panics
    /// As [`enter`](Self::enter). If the system has no memory for the table of live blocks.
    #[cfg(feature = "backtraces")]
    #[track_caller]
    pub fn with_heap_profile() -> Self {
        installed::require();
        let call_sites = Some(FirstOverrun::Never);
        Self::recording(Wants { call_sites, heap_profile: true, ..Wants::COUNTS })
    }

    #[cfg(feature = "backtraces")]
    #[track_caller]
    fn recording(wants: Wants) -> Self {
        let (location, tracking) = (Location::caller(), wants.track());
        let open = wants.open(0, false);
        if let Some(tracking) = &tracking {
            open.set_tracked(tracking);
        }
        Self { open, recorded: Some(Recorded { location, tracking }) }
    }

    /// The call sites of what was allocated so far.
    ///
    /// Finding their names and lines takes some milliseconds, and a tenth of a second the first
    /// time in a process.
    ///
    /// # Panics
    /// If the scope does not record: open it by [`with_call_sites`](Self::with_call_sites). If it
    /// has outlived the counters of its thread.
    #[cfg(feature = "backtraces")]
    #[track_caller]
    #[must_use]
    pub fn call_sites(&self) -> CallSites {
        let Some(Recorded { location, tracking }) = &self.recorded else {
            panic!(
                "does this `AllocScope` record call sites? Open it by \
                 `AllocScope::with_call_sites()` instead of `AllocScope::enter()`"
            )
        };
        let reading = self.open.measure();
        measured(&reading, Unmeasured::here(reading.as_ref()));
        let Some(mut recording) = Recording::of(&self.open, None) else {
            not_measured(Unmeasured::Outlived)
        };
        if let Some(profile) = tracking.as_ref().and_then(Tracking::points) {
            recording.change(|recording| recording.add_heap(ProgramPoints::of(profile)));
        }
        call_sites::of_recording(&recording, location)
    }

    /// A handle by which other threads, tasks and jobs can add to this scope: see [`ScopeHandle`].
    ///
    /// # Panics
    /// If the system has no memory for it. If the scope has outlived the counters of its thread.
    #[track_caller]
    #[must_use]
    pub fn handle(&self) -> ScopeHandle {
        match self.open.share() {
            Ok(shared) => ScopeHandle::new(shared),
            Err(ShareError::Outlived) => not_measured(Unmeasured::Outlived),
            Err(ShareError::OutOfMemory) => panic!("{NO_MEMORY}"),
        }
    }

    /// A handle of the innermost scope that counts on this thread. That may be an `AllocScope`, the
    /// body of a budget, a future that is held to one, or the scope that the thread is attached to.
    ///
    /// `None` if nothing is counted here, as inside [`uncounted`](crate::uncounted).
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::{alloc_budget, AllocScope};
    ///
    /// #[alloc_budget(max = 100, call_sites = false)]
    /// fn two_threads() {
    ///     let scope = AllocScope::current().expect("the budget");
    ///     let work = || drop(std::hint::black_box(vec![1, 2, 3]));
    ///     std::thread::scope(|threads| {
    ///         threads.spawn(scope.wrap(work));
    ///     });
    /// }
    /// two_threads();
    /// ```
    ///
    /// # Panics
    /// If `ModAlloc` is not the global allocator of this binary, with the lines to add. If the
    /// system has no memory for the handle.
    #[track_caller]
    #[must_use]
    pub fn current() -> Option<ScopeHandle> {
        installed::require();
        match threads::share_innermost() {
            Ok(shared) => shared.map(ScopeHandle::new),
            Err(_) => panic!("{NO_MEMORY}"),
        }
    }

    /// What was counted so far.
    ///
    /// # Panics
    /// If the scope has outlived the counters of its thread. If a coroutine was suspended in a
    /// stretch of [`uncounted`](crate::uncounted) that began within the scope: see the edge cases
    /// above.
    #[track_caller]
    #[cfg_attr(not(debug_assertions), inline)]
    #[must_use]
    pub fn stats(&self) -> AllocStats {
        let reading = self.open.measure();
        stats(measured(&reading, Unmeasured::here(reading.as_ref())))
    }

    /// Ends the scope, and says what was counted.
    ///
    /// # Panics
    /// As [`stats`](Self::stats).
    #[track_caller]
    #[cfg_attr(not(debug_assertions), inline)]
    #[must_use = "dropping a scope ends it too; `exit` is for its numbers"]
    pub fn exit(self) -> AllocStats {
        let reading = self.open.close();
        stats(measured(&reading, Unmeasured::here(reading.as_ref())))
    }
}

impl fmt::Debug for AllocScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllocScope").finish_non_exhaustive()
    }
}

const NO_MEMORY: &str = "no memory for the handle of a scope";
