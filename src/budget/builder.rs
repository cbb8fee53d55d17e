//! Cold: `Budget`, a set of limits.

use std::fmt;

use super::elsewhere;
use super::environment::Settings;
use super::limits::{Limit, Limits, Metric};
use super::origin::Origin;
use super::recorded::{Record, Recorded};
use super::refused;
use crate::counters::Sums;
use crate::scope::{Measured, MostLive, Wants};
use crate::stacks::{FirstOverrun, LargestBlocks};

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
/// What the thread that runs the code allocates and frees between the start of the code and its
/// end. The drop of local variables counts. The drop of the result, of arguments and of what was
/// borrowed does not. Other threads do not count. While a panic unwinds, a broken budget does not
/// panic: the first panic wins.
///
/// The test harness keeps what tests print, in a buffer that grows on the thread of the test,
/// unless the runner tells it not to. Where a budget would break, the stacks tell which allocations
/// are the buffer's. These are left out of events, bytes, reallocations and retained blocks; what
/// the buffer had at the peak is left out of the peak. So the verdict is the same under each
/// runner. While a budget holds nobody looks, so the buffer may help to reach a `min`, an
/// `exact` or what is recorded.
///
/// The buffer does count where no stacks are recorded ([`call_sites(false)`](Self::call_sites),
/// `MOD_ALLOC_BACKTRACE=off`, targets and builds without call sites). In a build without debug
/// information, so does what a `Display` or `Debug` of the user's own prints. Print in
/// [`uncounted`](crate::uncounted) there.
///
/// Setting a limit again replaces it; `exact` sets both `min` and `max`.
///
/// # Futures and closures as values
/// Code whose value is a future has only made it. What the future allocates when it is awaited
/// would not be counted, and the budget would hold. So such code does not compile (E0283 or E0282,
/// which names `check_future`). The same goes for a value that `.await` would make a future of
/// ([`IntoFuture`](std::future::IntoFuture)), and for a closure without parameters, which nobody
/// has called.
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
/// All checks panic if `ModAlloc` is not the global allocator of this binary; the message has the
/// lines to add. They also panic if no limit is set, or a `min` above the `max`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use = "a budget does nothing until it is checked or enforced"]
pub struct Budget {
    limits: Limits,
    call_sites: bool,
    recorded: Option<Recorded>,
    allowed: &'static [&'static str],
}

/// As it is written: `Budget::new().max(10)`.
impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = f.write_str("Budget::new()").and_then(|()| match self.recorded_as() {
            Some(Recorded::As(name)) => write!(f, ".recorded({name:?})"),
            Some(_) => f.write_str(".recorded(..)"),
            None => Ok(()),
        });
        self.visit_keys(&mut |key, value| {
            written = written.and_then(|()| write!(f, ".{key}({value})"));
        });
        written?;
        if !self.allowed.is_empty() {
            write!(f, ".allow(&{:?})", self.allowed)?;
        }
        f.write_str(if self.call_sites { "" } else { ".call_sites(false)" })
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

impl Budget {
    /// A budget without limits; set at least one.
    pub const fn new() -> Self {
        Self { limits: Limits::NONE, call_sites: true, recorded: None, allowed: &[] }
    }

    /// At most this many allocation events: `alloc`, `alloc_zeroed` and `realloc` each count one.
    pub const fn max(self, allocations: u64) -> Self {
        self.at_most(Metric::Allocations, allocations)
    }

    /// At least this many allocation events.
    ///
    /// For code whose purpose it is to allocate, such as a test that warms a pool; and to notice
    /// when a budget can be lowered.
    pub const fn min(mut self, allocations: u64) -> Self {
        self.limits = self.limits.with_min(allocations);
        self
    }

    /// Exactly this many allocation events: `min` and `max` at once.
    pub const fn exact(self, allocations: u64) -> Self {
        self.min(allocations).max(allocations)
    }

    /// As many allocation events as were recorded last, no more and no fewer.
    ///
    /// The record is a file, to be committed and reviewed like a snapshot:
    /// `alloc_budgets/BINARY/NAME.txt` in the root of the package, or `BINARY/NAME.txt` in the
    /// folder that `MOD_ALLOC_RECORDS` names. It has the number and the [snapshot
    /// text](crate::CallSites#as-a-snapshot) of the call sites, once for builds with debug
    /// assertions and once for those without. `BINARY` is the program (`doctests` in all doc
    /// tests). Where a name can be no name of a file, a similar one is chosen, with a hash in it.
    ///
    /// - A budget without a record is broken. So is one that allocates more or less than is
    ///   recorded; the report says what changed, by call site. It ends with the command that
    ///   accepts what was measured.
    /// - With the environment variable `MOD_ALLOC_UPDATE=1` what is measured is recorded, if the
    ///   rest of the budget holds or not. With `lower` it is, where there is a record and it is
    ///   higher. `0` is the default.
    /// - Where `CI` is set (and is not `false` or `0`), nothing is ever written, and
    ///   `MOD_ALLOC_UPDATE` is an error.
    /// - The number decides. As long as it is the same, nobody looks where the allocations were
    ///   made. `MOD_ALLOC_UPDATE=1` does look, and records other sites with the same number.
    /// - Where call sites are not available, or not recorded, the number alone is compared. A
    ///   record that was made without them will do where there are some.
    /// - A record belongs to one budget. One that is checked several times, in a loop or in
    ///   parallel tests, must allocate as often each time.
    ///
    /// The other limits are as ever, but for `max`, `min` and `exact`, which contradict it. In the
    /// macros it has no name: `#[alloc_budget(recorded)]`. The record has that of the test then,
    /// which is the name of the thread; where that is no path, that of the function. Budgets of one
    /// test are numbered in the order in which they first run.
    ///
    /// ```no_run
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// # fn parse(text: &str) -> Vec<String> { Vec::new() }
    /// use mod_alloc::Budget;
    ///
    /// for (name, text) in [("empty", ""), ("header", "a: b\n")] {
    ///     Budget::new().recorded(name).enforce(|| parse(text));
    /// }
    /// ```
    ///
    /// # Panics
    /// If `name` is empty. Checks panic if a record cannot be used: the file was damaged or has
    /// conflicts, it is another one's, or two budgets have the same name; the message has the file,
    /// the line and the remedy.
    #[track_caller]
    pub const fn recorded(mut self, name: &'static str) -> Self {
        assert!(!name.is_empty(), "a record needs a name: `.recorded(\"parses_header\")`");
        self.recorded = Some(Recorded::As(name));
        self
    }

    /// The same with the name of the test that runs, in the package at `root`.
    pub(super) const fn recorded_of_test(mut self, root: Option<&'static str>) -> Self {
        self.recorded = Some(Recorded::OfTest { root });
        self
    }

    /// At most this many bytes requested by all allocation events together. A reallocation adds its
    /// full new size.
    pub const fn max_bytes(self, bytes: u64) -> Self {
        self.at_most(Metric::Bytes, bytes)
    }

    /// At most this many net bytes above the start at any moment.
    ///
    /// Net bytes are what was allocated minus what was freed, on the threads that count. Where the
    /// budget is broken, the report lists the blocks that were live at the peak, with the bytes
    /// that they had then. For that, each block is kept in a table as long as it lives, which takes
    /// some 40 ns more for each in release builds, and some 800 in debug builds.
    /// [`call_sites(false)`](Self::call_sites) turns it off. The listed blocks may come to less
    /// than the peak: one that another thread frees is no longer among them.
    pub const fn max_peak_bytes(self, bytes: u64) -> Self {
        self.at_most(Metric::PeakBytes, bytes)
    }

    /// At most this many bytes in each block that is requested; a reallocation requests its new
    /// size.
    ///
    /// For parsers of untrusted input: a length field that claims gigabytes must not reserve them.
    /// Unlike all other limits, this one goes by what is asked for. So a request that the inner
    /// allocator refuses counts, too.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::Budget;
    ///
    /// fn parse(input: &[u8]) -> Vec<u8> {
    ///     let mut items = Vec::new();
    ///     let claimed = usize::from(input[0]) << 20;
    ///     let _ = items.try_reserve(claimed); // far more than there can be
    ///     items.extend_from_slice(&input[1..]);
    ///     items
    /// }
    ///
    /// let input = [3, 1, 4, 1, 5];
    /// let budget = Budget::new().max_block_bytes(4 * input.len() as u64 + 64);
    /// let exceeded = budget.check(|| parse(&input)).unwrap_err();
    /// assert_eq!(exceeded.largest_block(), Some(3 << 20));
    /// ```
    pub const fn max_block_bytes(self, bytes: u64) -> Self {
        self.at_most(Metric::LargestBlock, bytes)
    }

    /// At most this many reallocations (which are allocation events too).
    pub const fn max_reallocs(self, reallocations: u64) -> Self {
        self.at_most(Metric::Reallocations, reallocations)
    }

    /// At most this many blocks freed; those that were allocated before the start count, too.
    pub const fn max_deallocs(self, deallocations: u64) -> Self {
        self.at_most(Metric::Deallocations, deallocations)
    }

    /// At most this many of the blocks that the code allocates may be live at its end. With 0 it is
    /// a leak check of code that returns nothing: a block that the code returns counts.
    ///
    /// It goes by the identity of each block. A block that is freed in time does not count, on
    /// whichever thread that happens. Nor does an older block that the code only reallocates. A
    /// block of the code's own stays the same block when it is reallocated. While such a budget is
    /// checked, every thread notes the blocks that it frees, which takes some nanoseconds each.
    ///
    /// What the standard library allocates to start a thread, it frees when the thread ends, and
    /// [`std::thread::scope`] does not wait for that. So a check that would break waits for the
    /// threads that the code has started, for a second at the most. Where stacks are recorded, it
    /// waits for std's own blocks alone: all others that are live at the end are retained.
    ///
    /// What the standard library sets up at its first use, such as the buffer of stdout, is
    /// retained if the code is the first to use it. Use it once before, or in a
    /// [`warmup`](Self::warmup).
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
    pub const fn max_retained(self, blocks: u64) -> Self {
        self.at_most(Metric::Retained, blocks)
    }

    /// At most this many bytes in the blocks that [`max_retained`](Self::max_retained) counts.
    pub const fn max_retained_bytes(self, bytes: u64) -> Self {
        self.at_most(Metric::RetainedBytes, bytes)
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

    /// Does not charge allocations whose stack passes through a function of these crates or
    /// modules: `&["tracing", "once_cell::sync"]`.
    ///
    /// For what a dependency sets up at its first use, or a log that is only on in tests. Stacks
    /// are looked at only where the budget would be broken. Then what passes through is left out of
    /// events, bytes and reallocations; the report lists it. While a budget holds nobody looks, so
    /// it may help to reach a `min` or an `exact`. Deallocations count as ever. Nothing passes
    /// through the function that opens the budget, or that polls its future.
    ///
    /// A path begins with the name of a crate, as its code has it: with `_`, not `-`. A method
    /// belongs to its type, or to its trait where the type is one of std's. An optimised build may
    /// leave a function out of a stack (a tail call, or one whose code another one shares). With
    /// `debug = "line-tables-only"` its names have no paths: then the file tells the crate of a
    /// dependency, and modules of the user's own are not known. What is not seen to pass through is
    /// charged. Where no stacks are recorded, all is charged, and the report says so.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// mod log {
    ///     pub fn note(text: &str) -> String {
    ///         text.to_owned()
    ///     }
    /// }
    ///
    /// fn main() {
    /// # let allocating = mod_alloc::Budget::new().max(0).check(|| Box::new(0)).unwrap_err();
    /// # let has = |words| allocating.to_string().contains(words);
    /// # if has("call sites are not available") || has("without its feature") { return }
    ///     let allowed = &[concat!(module_path!(), "::log")];
    ///     mod_alloc::Budget::new().max(0).allow(allowed).enforce(|| log::note("parsed").len());
    /// }
    /// ```
    ///
    /// # Panics
    /// The checks do, if the budget limits the peak or what is retained, or has
    /// `call_sites(false)`: what passed through must be known for each.
    pub const fn allow(mut self, paths: &'static [&'static str]) -> Self {
        self.allowed = paths;
        self
    }

    const fn at_most(mut self, metric: Metric, most: u64) -> Self {
        self.limits = self.limits.with_max(metric, most);
        self
    }

    /// The limits that are set, in the order of the report.
    pub(crate) fn limits(&self) -> impl Iterator<Item = (Metric, Limit)> + '_ {
        let limits = Metric::ALL.iter().map(|metric| (*metric, self.limits.of(*metric)));
        limits.filter(|(_, limit)| !limit.is_none())
    }

    pub(super) const fn limit(&self, metric: Metric) -> Limit {
        self.limits.of(metric)
    }

    /// How it says what is recorded, if it does.
    pub(crate) fn recorded_as(&self) -> Option<Recorded> {
        self.as_written().recorded
    }

    /// The record of a budget that has begun.
    pub(super) fn record(&self) -> Option<&'static Record> {
        match self.recorded {
            Some(Recorded::Found(record)) => Some(record),
            _ => None,
        }
    }

    /// As it was before it began.
    pub(super) fn as_written(&self) -> Self {
        match self.record() {
            None => *self,
            Some(record) => Self {
                limits: self.limits.without_allocations(),
                recorded: Some(record.written),
                ..*self
            },
        }
    }

    /// With the number that is recorded for a limit. Without one it never holds.
    pub(super) fn with_recorded(self, allocations: Option<u64>) -> Self {
        match allocations {
            Some(allocations) => self.exact(allocations),
            None => Self { limits: self.limits.without_allocations(), ..self }.min(u64::MAX),
        }
    }

    /// What is to be done before the code of the budget runs: its record is found.
    ///
    /// # Panics
    /// If no run could break the budget, or none could hold it.
    #[track_caller]
    pub(super) fn begin(&mut self, origin: &Origin) {
        match self.recorded {
            None => self.require_sense(),
            Some(recorded) => self.find_record(recorded, origin),
        }
    }

    /// # Panics
    /// If the budget contradicts itself, or its record cannot be used.
    #[cold]
    #[track_caller]
    fn find_record(&mut self, recorded: Recorded, origin: &Origin) {
        assert!(
            self.limits.of(Metric::Allocations).is_none(),
            "are the allocations `recorded`, or limited? Of `recorded` and `max`, `min` or \
             `exact`, keep one"
        );
        let (record, allocations) = recorded.find(origin);
        let found = Self { recorded: Some(Recorded::Found(record)), ..*self };
        *self = found.with_recorded(allocations);
    }

    /// Visits the limits as they are written: a key and its number each.
    pub(crate) fn visit_keys(&self, visit: &mut dyn FnMut(&'static str, u64)) {
        for (metric, Limit { min, max }) in self.as_written().limits() {
            match (min, max) {
                (Some(min), Some(max)) if min == max => visit("exact", min),
                _ => {
                    if let Some(min) = min {
                        visit("min", min);
                    }
                    if let Some(max) = max {
                        visit(metric.max_key(), max);
                    }
                }
            }
        }
    }

    /// What it wants to know of the scope that counts for it. `origin` is the code in it.
    ///
    /// # Panics
    /// If an environment variable has no valid value, and without memory.
    #[track_caller]
    pub(super) fn wants(&self, origin: &Origin) -> Wants {
        let settings = Settings::get();
        let peak = self.limits.has_max(Metric::PeakBytes);
        let is_recorded = settings.are_all_recorded() || self.call_sites && settings.call_sites();
        Wants {
            peak,
            call_sites: if is_recorded { Some(self.look_out()) } else { None },
            leaks: self.most_live(),
            heap_profile: settings.dhat() || peak && is_recorded,
            largest_blocks: self.largest_blocks(origin, is_recorded),
            elsewhere: elsewhere::is_wanted(settings, is_recorded),
        }
    }

    fn most_live(&self) -> Option<MostLive> {
        let limits = &self.limits;
        if !limits.has_max(Metric::Retained) && !limits.has_max(Metric::RetainedBytes) {
            return None;
        }
        let (blocks, bytes) = (limits.max(Metric::Retained), limits.max(Metric::RetainedBytes));
        Some(MostLive { blocks, bytes })
    }

    #[track_caller]
    fn largest_blocks(&self, origin: &Origin, is_recorded: bool) -> Option<&'static LargestBlocks> {
        if !self.limits.has_max(Metric::LargestBlock) {
            return None;
        }
        if is_recorded {
            refused::start_helper();
        }
        let max = self.limits.max(Metric::LargestBlock);
        let blocks = LargestBlocks::begin(max, origin.code());
        Some(blocks.expect("no memory for the sizes of blocks"))
    }

    /// The limits to watch, to find the first allocation past one.
    fn look_out(&self) -> FirstOverrun {
        const fn signed(max: u64) -> i64 {
            if max > i64::MAX as u64 {
                i64::MAX
            } else {
                max as i64
            }
        }
        FirstOverrun::After(Sums {
            events: signed(self.limits.max(Metric::Allocations)),
            reallocs: signed(self.limits.max(Metric::Reallocations)),
            bytes: signed(self.limits.max(Metric::Bytes)),
            net_bytes: signed(self.limits.max(Metric::PeakBytes)),
        })
    }

    /// The crates and modules whose allocations are not charged.
    pub(crate) const fn allowed(&self) -> &'static [&'static str] {
        self.allowed
    }

    /// Whether the budget itself asks for call sites.
    pub(crate) const fn wants_call_sites(&self) -> bool {
        self.call_sites
    }

    /// Whether all limits hold. None holds where nothing was measured.
    pub(crate) fn holds(&self, measured: &Measured) -> bool {
        measured.unmeasured.is_none() && self.limits.hold(measured)
    }

    /// The same where nothing is to be updated, so that there is nothing more to be found out.
    #[inline]
    pub(super) fn holds_at_once(&self, measured: &Measured) -> bool {
        self.holds(measured) && !Settings::get().updates()
    }

    /// # Panics
    /// If no run could break the budget, or none could hold it; if it allows what it cannot tell.
    #[track_caller]
    fn require_sense(&self) {
        assert!(
            !self.limits.is_empty(),
            "is a limit missing? A `Budget` without one holds whatever is allocated: add \
             `.max(10)`, `.max_bytes(4096)`, .."
        );
        if let Limit { min: Some(min), max: Some(max) } = self.limits.of(Metric::Allocations) {
            assert!(
                min <= max,
                "are `min` and `max` swapped? `min = {min}` is above `max = {max}`, so no run can \
                 hold"
            );
        }
        if !self.allowed.is_empty() {
            self.require_charges();
        }
    }

    /// # Panics
    /// If a limit is on what is not known by stack.
    #[cold]
    #[track_caller]
    fn require_charges(&self) {
        for metric in [Metric::PeakBytes, Metric::Retained, Metric::RetainedBytes] {
            assert!(
                !self.limits.has_max(metric),
                "can `{}` go without `allow`? Of what is live nobody knows what it would be \
                 without the allowed allocations: use two budgets",
                metric.max_key()
            );
        }
        assert!(
            self.call_sites,
            "can `call_sites(false)` go? `allow` looks at the stacks of allocations, so they must \
             be recorded"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn a_budget_is_shown_as_it_is_written() {
        let check = |budget: Budget, expected| assert_eq!(format!("{budget:?}"), expected);
        check(Budget::new(), "Budget::new()");
        check(Budget::new().max_bytes(64).exact(3), "Budget::new().exact(3).max_bytes(64)");
        let budget = Budget::new().min(1).max(3).max_retained(0).call_sites(false);
        check(budget, "Budget::new().min(1).max(3).max_retained(0).call_sites(false)");
        check(Budget::new().max(1).allow(&["a::b"]), "Budget::new().max(1).allow(&[\"a::b\"])");
    }
}
