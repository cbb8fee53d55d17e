//! Cold: `Exceeded`, the error of a broken budget.

use std::fmt;
use std::mem::ManuallyDrop;

use super::{Budget, Limit, Metric, Origin};
use crate::count::{self, AllocStats};
use crate::report;

/// A budget that was broken: what was allowed, what was measured, and where.
///
/// `Display` and `Debug` both print the report of a failing test, so `unwrap` shows it. Other harnesses can lay out the
/// numbers themselves:
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
    /// One pointer that is never null, so that a `Result` with it stays small. Allocated and freed uncounted.
    breach: ManuallyDrop<Box<Breach>>,
}

/// What an [`Exceeded`] knows.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) budget: Budget,
    /// Of the only run, or of the first that broke the budget.
    pub(crate) stats: AllocStats,
    pub(crate) origin: Origin,
    pub(crate) name: String,
    pub(crate) subject: &'static str,
    pub(crate) runs: Option<Runs>,
}

/// What repeated runs measured.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    pub(crate) warmup: u64,
    pub(crate) runs: u64,
    /// For each metric, the least and the greatest over the runs, in the order of [`Metric::ALL`].
    ranges: [(u64, u64); Metric::ALL.len()],
    first_broken: Option<AllocStats>,
}

impl Runs {
    pub(crate) const fn new(warmup: u64, runs: u64) -> Self {
        Self { warmup, runs, ranges: [(u64::MAX, 0); Metric::ALL.len()], first_broken: None }
    }

    pub(crate) fn add(&mut self, budget: &Budget, stats: AllocStats) {
        for (metric, (least, greatest)) in Metric::ALL.into_iter().zip(&mut self.ranges) {
            *least = (*least).min(metric.of(&stats));
            *greatest = (*greatest).max(metric.of(&stats));
        }
        if self.first_broken.is_none() && !budget.holds(&stats) {
            self.first_broken = Some(stats);
        }
    }

    pub(crate) const fn first_broken(&self) -> Option<AllocStats> {
        self.first_broken
    }

    pub(crate) const fn range(&self, metric: Metric) -> (u64, u64) {
        self.ranges[metric as usize]
    }
}

impl Breach {
    /// The measured number that decides over `limit`: with several runs, the one that is furthest outside.
    pub(crate) fn measured(&self, metric: Metric, limit: Limit) -> u64 {
        match &self.runs {
            None => metric.of(&self.stats),
            Some(runs) => {
                let (least, greatest) = runs.range(metric);
                if limit.holds(least) {
                    greatest
                } else {
                    least
                }
            }
        }
    }
}

impl Exceeded {
    #[cold]
    pub(super) fn new(
        budget: Budget,
        stats: AllocStats,
        origin: Origin,
        subject: &'static str,
        runs: Option<Runs>,
    ) -> Self {
        let breach = count::ignored(|| {
            Box::new(Breach { budget, stats, name: origin.name(), origin, subject, runs })
        });
        Self { breach: ManuallyDrop::new(breach) }
    }

    /// The budget that was broken.
    pub fn budget(&self) -> Budget {
        self.breach.budget
    }

    /// What was measured. Of several runs, the first that broke the budget.
    #[must_use]
    pub fn stats(&self) -> AllocStats {
        self.breach.stats
    }

    /// The function that was held to the budget, or the one around the block or closure that was: its path within its
    /// crate, as the test harness writes it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.breach.name
    }

    /// Writes the report, with what the user had to say about the failure.
    pub(crate) fn write(
        &self,
        f: &mut impl fmt::Write,
        message: Option<fmt::Arguments<'_>>,
    ) -> fmt::Result {
        // The user's message is formatted first, by itself: only our own work is ignored.
        let message = message.map(|message| message.to_string());
        let text = count::ignored(|| report::text(&self.breach, message.as_deref()));
        let written = f.write_str(&text);
        count::ignored(|| drop(text));
        written
    }
}

impl Drop for Exceeded {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: `self` is being dropped: nothing uses `breach` after this.
        let breach = unsafe { ManuallyDrop::take(&mut self.breach) };
        count::ignored(|| drop(breach));
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}

impl fmt::Debug for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}

impl std::error::Error for Exceeded {}
