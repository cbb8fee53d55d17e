//! Cold: `Exceeded`, the error of a broken budget.

use std::fmt;

use super::{Budget, Limit, Metric, Origin, Runs};
use crate::count::AllocStats;
use crate::report;
use crate::unseen::Unseen;

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
    /// One pointer that is never null, so that a `Result` with it stays small.
    breach: Unseen<Box<Breach>>,
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

impl Breach {
    /// The measured number that decides over `limit`: with several runs, the one that is furthest outside.
    pub(crate) fn measured(&self, metric: Metric, limit: Limit) -> u64 {
        match &self.runs {
            None => metric.of(&self.stats),
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

impl Exceeded {
    #[cold]
    pub(super) fn new(
        budget: Budget,
        stats: AllocStats,
        origin: Origin,
        subject: &'static str,
        runs: Option<Runs>,
    ) -> Self {
        let make =
            || Box::new(Breach { budget, stats, name: origin.name(), origin, subject, runs });
        Self { breach: Unseen::new(make) }
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
    /// crate, as the test harness writes it. Where neither is known (a boxed closure, say), the name of the thread, which
    /// in a test is that of the test.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.breach.name
    }

    /// The report, with what the user has to say about the failure.
    pub(crate) fn report(&self, message: Option<fmt::Arguments<'_>>) -> Unseen<String> {
        let message = message.map(|message| {
            let mut text = Unseen::new(String::new);
            // A user's `Display` may fail; what it wrote until then is shown.
            let _ = fmt::Write::write_fmt(&mut text, message);
            text
        });
        Unseen::new(|| report::text(&self.breach, message.as_ref().map(|message| message.as_str())))
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report(None))
    }
}

impl fmt::Debug for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report(None))
    }
}

impl std::error::Error for Exceeded {}
