//! Cold: `Exceeded`, the error of a broken budget.

#[cfg(feature = "backtraces")]
use std::sync::OnceLock;
#[cfg(feature = "backtraces")]
use std::thread;

use super::broken::{self, Allowed, Broken};
use super::builder::Budget;
use super::environment::Settings;
use super::held;
use super::limits::{Limit, Metric};
use super::literal::Refusal;
use super::log::{self, Checked};
use super::origin::Origin;
use super::recorded::Verdict;
use super::runs::Runs;
#[cfg(feature = "backtraces")]
use crate::call_sites::CallSites;
use crate::counters::AllocStats;
use crate::ignored::Ignored;
use crate::room::with_room;
use crate::scope::Measurement;

/// A budget that was broken: what was allowed, what was measured, and where.
///
/// `Display` and `Debug` both print the report of a failing test, so `unwrap` shows it. Other
/// harnesses can lay out the numbers themselves:
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::Budget;
///
/// let exceeded = Budget::new().max(0).check(|| vec![1]).unwrap_err();
/// assert_eq!(exceeded.budget(), Budget::new().max(0));
/// assert_eq!(exceeded.stats().alloc_count, 1);
/// println!("{}: {} allocations", exceeded.name(), exceeded.stats().alloc_count);
/// ```
pub struct Exceeded {
    /// One pointer that is never null, so that a `Result` with it stays small.
    pub(crate) data: Ignored<Box<ExceededData>>,
}

/// What an [`Exceeded`] knows.
pub(crate) struct ExceededData {
    pub(crate) budget: Budget,
    /// What its record says, if it has one.
    pub(crate) recorded: Option<Ignored<Verdict>>,
    /// Why a number in its source is not updated, if it was to be.
    pub(crate) refusal: Option<Ignored<Refusal>>,
    /// Of the only run, or of the first that broke the budget.
    pub(crate) measurement: Measurement,
    pub(crate) origin: Origin,
    pub(crate) name: String,
    /// The name of the thread: in a test, that of the test.
    #[cfg(feature = "backtraces")]
    pub(crate) thread: Option<String>,
    /// Whose allocations were counted: "this thread" or "this future".
    pub(crate) whose: &'static str,
    pub(crate) runs: Option<Runs>,
    /// Allocation events of the test harness, which are in none of the numbers.
    pub(crate) of_harness: u64,
    /// Those that pass through what the budget allows, which are not either.
    pub(crate) allowed: Allowed,
    /// What the recording reads, once somebody has asked.
    #[cfg(feature = "backtraces")]
    call_sites: OnceLock<CallSites>,
    /// What the report says of its DHAT profile, once that was written.
    #[cfg(feature = "backtraces")]
    pub(crate) dhat: OnceLock<Option<String>>,
}

impl ExceededData {
    /// The measured number that decides about `limit`. Of several runs, it is the one that is
    /// furthest outside.
    pub(crate) fn measured(&self, metric: Metric, limit: Limit) -> u64 {
        match &self.runs {
            None => metric.of(&self.measurement.measured),
            Some(runs) => {
                let (least, greatest) = runs.range(metric);
                if limit.excess(least) > limit.excess(greatest) {
                    least
                } else {
                    greatest
                }
            }
        }
    }
}

impl ExceededData {
    fn log(&self) {
        log::append(&Checked {
            budget: &self.budget,
            origin: &self.origin,
            held: false,
            runs: self.runs.as_ref().map_or(1, |runs| runs.runs),
            measured: &|metric, limit| self.measured(metric, limit),
            unmeasured: self.measurement.measured.unmeasured,
            #[cfg(feature = "backtraces")]
            sites: self.call_sites(),
        });
    }
}

#[cfg(feature = "backtraces")]
impl ExceededData {
    /// The metrics that are outside of their limits.
    pub(crate) fn broken(&self) -> impl Iterator<Item = Metric> + '_ {
        let is_broken =
            |(metric, limit): &(Metric, Limit)| !limit.holds(self.measured(*metric, *limit));
        self.budget.limits().filter(is_broken).map(|(metric, _)| metric)
    }

    pub(crate) fn call_sites(&self) -> Option<&CallSites> {
        let recording = self.measurement.recording.as_ref()?;
        let location = self.origin.location;
        Some(self.call_sites.get_or_init(|| broken::sites(recording, location).0))
    }

    /// Another one of the runs, which may have allocated elsewhere: which one, and where it did.
    pub(crate) fn another_run(&self) -> Option<(u64, CallSites)> {
        let (run, measurement) = self.runs.as_ref()?.another.as_ref()?;
        let recording = measurement.recording.as_ref()?;
        Some((*run, broken::sites(recording, self.origin.location).0))
    }

    /// Where the blocks were allocated that were live at the end, if that is known.
    pub(crate) fn retained_sites(&self) -> Option<CallSites> {
        let recording = self.measurement.retained.as_ref()?;
        Some(broken::sites(recording, self.origin.location).0)
    }
}

impl Exceeded {
    /// The error of a single run, which breaks the budget as it was counted. `None` if the budget
    /// holds without what the test harness has allocated, or with a number that is updated.
    #[cold]
    pub(super) fn of_run(
        budget: Budget,
        measurement: Measurement,
        origin: Origin,
        whose: &'static str,
    ) -> Option<Self> {
        with_room(|| Self::judged(budget, measurement, origin, whose))
    }

    fn judged(
        mut budget: Budget,
        measurement: Measurement,
        origin: Origin,
        whose: &'static str,
    ) -> Option<Self> {
        let elsewhere = measurement.elsewhere;
        let measured = match Broken::new(&budget, measurement, origin.location) {
            Ok(mut broken) => {
                let measured = broken.measurement.measured;
                let events = measured.stats.alloc_count;
                budget = broken.update(&budget, &origin, (events, events));
                if !broken.settled(&budget).holds(&measured) {
                    return Some(Self::new(budget, broken, origin, whose, None));
                }
                measured
            }
            Err(measured) => measured,
        };
        held::run(&budget, &origin, &measured, || elsewhere);
        None
    }

    pub(super) fn new(
        budget: Budget,
        broken: Broken,
        origin: Origin,
        whose: &'static str,
        runs: Option<Runs>,
    ) -> Self {
        let data = || ExceededData {
            budget: broken.settled(&budget),
            recorded: broken.recorded,
            refusal: broken.refusal,
            measurement: broken.measurement,
            of_harness: broken.of_harness,
            allowed: broken.allowed,
            name: origin.name(),
            #[cfg(feature = "backtraces")]
            thread: thread::current().name().map(str::to_owned),
            origin,
            whose,
            runs,
            #[cfg(feature = "backtraces")]
            call_sites: broken.sites.map_or_else(OnceLock::new, OnceLock::from),
            #[cfg(feature = "backtraces")]
            dhat: OnceLock::new(),
        };
        let exceeded = Self { data: Ignored::new(|_| Box::new(data())) };
        if Settings::get().log() {
            exceeded.data.log();
        }
        exceeded
    }

    /// The budget that was broken.
    pub fn budget(&self) -> Budget {
        self.data.budget.as_written()
    }

    /// What was measured; of several runs, in the first that broke the budget. Where the report
    /// says that the budget was not measured, the numbers are those up to where the measurement
    /// went wrong. What the test harness allocates to keep printed text is only in `current_bytes`,
    /// and in `peak_bytes` if the budget does not limit that. What passes through the crates of
    /// [`allow`](Budget::allow) is not in `alloc_count`, `realloc_count` and `total_bytes`.
    ///
    /// Where other threads were attached, `peak_bytes` is that of all threads together only if the
    /// budget has [`max_peak_bytes`](Budget::max_peak_bytes). Without that nobody has kept it, and
    /// it may be too low or too high.
    #[must_use]
    pub fn stats(&self) -> AllocStats {
        self.data.measurement.measured.stats
    }

    /// How many of the blocks that the code allocated were live at its end; of several runs, as for
    /// [`stats`](Self::stats). `None` if the budget has neither
    /// [`max_retained`](Budget::max_retained) nor
    /// [`max_retained_bytes`](Budget::max_retained_bytes).
    #[must_use]
    pub fn retained_count(&self) -> Option<u64> {
        self.data.measurement.measured.live.map(|live| live.blocks)
    }

    /// The bytes in those blocks; `None` in the same cases.
    #[must_use]
    pub fn retained_bytes(&self) -> Option<u64> {
        self.data.measurement.measured.live.map(|live| live.bytes)
    }

    /// The largest block that was requested, in bytes, and 0 if none was; of several runs, as for
    /// [`stats`](Self::stats). `None` if the budget has no
    /// [`max_block_bytes`](Budget::max_block_bytes).
    #[must_use]
    pub fn largest_block(&self) -> Option<u64> {
        let is_asked = !self.data.budget.limit(Metric::LargestBlock).is_none();
        is_asked.then_some(self.data.measurement.measured.largest_block)
    }

    /// Where those blocks were allocated; `None` in the same cases, and if call sites are not
    /// recorded.
    #[cfg(feature = "backtraces")]
    #[must_use]
    pub fn retained_sites(&self) -> Option<CallSites> {
        self.data.retained_sites()
    }

    /// The function that was held to the budget, or the function around the block or closure that
    /// was. It is a path within the crate, as the test harness writes it. Where it is not known
    /// (for a boxed closure, say), it is the name of the thread, which in a test is that of the
    /// test.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.data.name
    }

    /// Where the allocations were made; of several runs, those of the first that broke the budget.
    ///
    /// Finding names and lines takes some milliseconds, and a tenth of a second the first time in a
    /// process.
    ///
    /// # Panics
    /// If they were not recorded: the budget has [`call_sites(false)`](Budget::call_sites), the
    /// environment has `MOD_ALLOC_BACKTRACE=off`, or they are not available on this target.
    #[cfg(feature = "backtraces")]
    #[track_caller]
    #[must_use]
    pub fn call_sites(&self) -> CallSites {
        match (self.data.call_sites(), crate::walk::UNAVAILABLE) {
            (Some(sites), _) => sites.clone(),
            (None, Some(reason)) => panic!("{reason}"),
            (None, None) => panic!(
                "were call sites recorded? Remove `call_sites(false)` from the budget and \
                 `MOD_ALLOC_BACKTRACE=off` from the environment"
            ),
        }
    }
}

impl std::error::Error for Exceeded {}
