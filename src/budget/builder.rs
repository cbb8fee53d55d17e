//! Cold: `Budget`, a set of limits.

use super::limits::{Limit, Metric};
use super::{elsewhere, environment};
use crate::counters::Sums;
use crate::scope::{Asked, Measured, MostLive};
use crate::stacks::FirstOverrun;
use crate::threads::Track;

/// Limits on what a piece of code may allocate on its thread.
///
/// `#[alloc_budget]`, `assert_allocs!` and `assert_no_alloc!` build one; as a value it serves where
/// those do not reach: limits that are computed, code in a loop, other test harnesses, and
/// decisions on a `Result` instead of a panic.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::Budget;
///
/// let budget = Budget::new().max(1).max_bytes(64);
/// let text = budget.check(|| "abc".to_string()).unwrap();
/// assert_eq!(text, "abc");
///
/// let exceeded = budget.check(|| (Box::new(1), Box::new(2))).unwrap_err();
/// assert_eq!(exceeded.stats().alloc_count, 2);
/// println!("{exceeded}"); // the report that a failing test shows
/// ```
///
/// # What is counted
/// What the thread that runs the code allocates and frees between its start and its end. The drop
/// of its locals is in; the drop of its result, of its arguments and of what it borrowed is not.
/// Other threads do not count. While a panic unwinds, nothing panics for a broken budget: that
/// panic wins.
///
/// The test harness keeps what tests print, in a buffer that grows on the thread of the test,
/// unless the runner tells it not to. Where a budget would break, the stacks say which allocations
/// are the buffer's, and they are left out of events, bytes, reallocations, retained blocks, and of
/// the peak what the buffer had at that moment: the verdict is the same under each runner. While a
/// budget holds nothing is looked at, so they may help to reach a `min` or an `exact`. They do
/// count where no stacks are recorded ([`call_sites(false)`](Self::call_sites),
/// `MOD_ALLOC_BACKTRACE=off`, targets and builds without call sites), for what a `Display` or
/// `Debug` of the user's own prints in a build without debug information: print in
/// [`uncounted`](crate::uncounted) there.
///
/// Setting a limit again replaces it; `exact` sets both `min` and `max`.
///
/// # Futures and closures as values
/// Code whose value is a future has only made it: what it allocates when it is awaited would not be
/// counted, and the budget would hold. So it does not compile (E0283 or E0282, which names
/// `check_future`); nor does code whose value `.await` makes a future of
/// ([`IntoFuture`](std::future::IntoFuture)), or is a closure without parameters, which nobody has
/// called.
///
/// ```compile_fail,E0283
/// # async fn request() {}
/// # async fn wrong() {
/// mod_alloc::Budget::new().max(0).enforce(|| request()).await;
/// # }
/// ```
///
/// [`check_future`](Self::check_future) and [`enforce_future`](Self::enforce_future) measure a
/// future. Where only making it is to be measured, return it in a tuple:
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// # async fn request() {}
/// # async fn only_made() {
/// let (request,) = mod_alloc::Budget::new().max(0).enforce(|| (request(),));
/// request.await; // not counted
/// # }
/// ```
///
/// # Panics
/// All checks panic if `ModAlloc` is not the global allocator of this binary, with the lines to
/// add; and where no limit is set, or a `min` above the `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a budget does nothing until it is checked or enforced"]
pub struct Budget {
    allocations: Limit,
    bytes: Limit,
    peak_bytes: Limit,
    reallocations: Limit,
    deallocations: Limit,
    retained: Limit,
    retained_bytes: Limit,
    call_sites: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

impl Budget {
    /// A budget without limits; set at least one.
    pub const fn new() -> Self {
        Self {
            allocations: Limit::NONE,
            bytes: Limit::NONE,
            peak_bytes: Limit::NONE,
            reallocations: Limit::NONE,
            deallocations: Limit::NONE,
            retained: Limit::NONE,
            retained_bytes: Limit::NONE,
            call_sites: true,
        }
    }

    /// At most this many allocation events: `alloc`, `alloc_zeroed` and `realloc` each count one.
    pub const fn max(mut self, allocations: u64) -> Self {
        self.allocations.max = Some(allocations);
        self
    }

    /// At least this many allocation events.
    ///
    /// For code whose allocations are its purpose, such as a test that warms a pool, and to notice
    /// when a budget can be lowered.
    pub const fn min(mut self, allocations: u64) -> Self {
        self.allocations.min = Some(allocations);
        self
    }

    /// Exactly this many allocation events: `min` and `max` at once.
    pub const fn exact(self, allocations: u64) -> Self {
        self.min(allocations).max(allocations)
    }

    /// At most this many bytes requested, all allocation events together; a reallocation adds its
    /// full new size.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.bytes.max = Some(bytes);
        self
    }

    /// At most this many net bytes above the start at any moment.
    ///
    /// Net bytes are what was allocated minus what was freed on the threads that count. Where the
    /// budget is broken, the report lists the blocks that were live at the peak, with their bytes
    /// then; these are followed one by one, so one that another thread frees is not among them, and
    /// they may come to less. For that, each is kept in a table as long as it lives, which takes
    /// some 150 ns more for each in release builds, and a microsecond and a half in debug builds;
    /// [`call_sites(false)`](Self::call_sites) turns that off.
    pub const fn max_peak_bytes(mut self, bytes: u64) -> Self {
        self.peak_bytes.max = Some(bytes);
        self
    }

    /// At most this many reallocations (which are allocation events too).
    pub const fn max_reallocs(mut self, reallocations: u64) -> Self {
        self.reallocations.max = Some(reallocations);
        self
    }

    /// At most this many blocks freed, those from before the start included.
    pub const fn max_deallocs(mut self, deallocations: u64) -> Self {
        self.deallocations.max = Some(deallocations);
        self
    }

    /// At most this many of the blocks that are allocated within may be live at the end: 0 is a
    /// leak check, where the code returns nothing. A block that the code returns counts.
    ///
    /// It goes by the identity of each block: one that is freed within does not count, on whichever
    /// thread that happens, nor does one from before that is only reallocated within; one that is
    /// allocated within stays the same block when it is reallocated. While such a budget is
    /// checked, every thread notes the blocks that it frees, which takes some nanoseconds each.
    ///
    /// What the standard library allocates to start a thread it frees when the thread ends, which
    /// [`std::thread::scope`] does not wait for. So a check that would break waits while threads
    /// are busy that have begun within, for a second at the most. Where stacks are recorded, that
    /// is for std's own blocks alone: what else is live when the code has come to its end is
    /// retained.
    ///
    /// What the standard library sets up at a first use, such as the buffer of stdout, is retained
    /// if that happens within: do it once before, or in a [`warmup`](Self::warmup).
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use std::hint::black_box;
    /// use mod_alloc::Budget;
    ///
    /// let leak_check = Budget::new().max_retained(0);
    /// leak_check.check(|| drop(black_box(vec![1, 2, 3]))).unwrap();
    /// let leaked = leak_check.check(|| std::mem::forget(black_box(vec![1, 2, 3]))).unwrap_err();
    /// println!("{leaked}"); // says where the block was allocated
    /// ```
    pub const fn max_retained(mut self, blocks: u64) -> Self {
        self.retained.max = Some(blocks);
        self
    }

    /// At most this many bytes in the blocks that [`max_retained`](Self::max_retained) counts.
    pub const fn max_retained_bytes(mut self, bytes: u64) -> Self {
        self.retained_bytes.max = Some(bytes);
        self
    }

    /// Whether to record where the allocations are made, for the report; `true` unless set.
    ///
    /// Recording takes 60 to 160 ns an allocation in release builds and some hundreds in debug
    /// builds: turn it off for code that allocates millions of times. The counts are the same.
    /// Without the feature `backtraces` nothing is recorded either way.
    pub const fn call_sites(mut self, record: bool) -> Self {
        self.call_sites = record;
        self
    }

    pub(crate) const fn limit(&self, metric: Metric) -> Limit {
        match metric {
            Metric::Allocations => self.allocations,
            Metric::Bytes => self.bytes,
            Metric::PeakBytes => self.peak_bytes,
            Metric::Reallocations => self.reallocations,
            Metric::Deallocations => self.deallocations,
            Metric::Retained => self.retained,
            Metric::RetainedBytes => self.retained_bytes,
        }
    }

    /// The limits that are set, in the order of the report.
    pub(crate) fn limits(&self) -> impl Iterator<Item = (Metric, Limit)> + '_ {
        Metric::ALL.into_iter().map(|m| (m, self.limit(m))).filter(|(_, limit)| !limit.is_none())
    }

    /// What the scope that counts for it is to do.
    ///
    /// # Panics
    /// If an environment variable has no valid value.
    #[track_caller]
    pub(crate) fn asked(&self) -> Asked {
        let (peak, record) = (self.peak_bytes.max.is_some(), self.record());
        let track = Track {
            live: self.retained.max.is_some() || self.retained_bytes.max.is_some(),
            profile: environment::wants_dhat() || peak && record.is_some(),
        };
        let most_live = MostLive {
            blocks: self.retained.max.unwrap_or(u64::MAX),
            bytes: self.retained_bytes.max.unwrap_or(u64::MAX),
        };
        let elsewhere = elsewhere::is_wanted(record.is_some());
        Asked { peak, record, track, most_live, elsewhere }
    }

    /// What to look out for if call sites are to be recorded, or the first allocation past a limit
    /// is to be found; else `None`.
    #[track_caller]
    fn record(&self) -> Option<FirstOverrun> {
        // Asked in any case, so that a wrong value is said here, and not in the middle of a report.
        let wants_call_sites = environment::wants_call_sites();
        let is_recorded = environment::wants_break()
            || environment::wants_dhat()
            || self.call_sites && wants_call_sites;
        let max = |limit: Limit| i64::try_from(limit.max.unwrap_or(u64::MAX)).unwrap_or(i64::MAX);
        let limits = || Sums {
            events: max(self.allocations),
            reallocs: max(self.reallocations),
            bytes: max(self.bytes),
            net_bytes: max(self.peak_bytes),
        };
        is_recorded.then(|| FirstOverrun::After(limits()))
    }

    /// Whether they are to be recorded, as far as it says.
    pub(crate) const fn wants_call_sites(&self) -> bool {
        self.call_sites
    }

    /// Nothing holds that was not measured.
    pub(crate) fn holds(&self, measured: &Measured) -> bool {
        measured.unmeasured.is_none()
            && self.limits().all(|(metric, limit)| limit.holds(metric.of(measured)))
    }

    /// # Panics
    /// If no run could fail, or none could hold.
    #[track_caller]
    pub(crate) fn require_sense(&self) {
        assert!(
            self.limits().next().is_some(),
            "is a limit missing? A `Budget` without one holds whatever is allocated: add `.max(10)`, `.max_bytes(4096)`, .."
        );
        if let Limit { min: Some(min), max: Some(max) } = self.allocations {
            assert!(
                min <= max,
                "are `min` and `max` swapped? `min = {min}` is above `max = {max}`, so no run can hold"
            );
        }
    }
}
