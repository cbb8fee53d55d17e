//! Cold: `Runs`, what several runs of the same code have measured.

use std::panic::Location;

use super::broken::Broken;
use super::builder::Budget;
use super::elsewhere;
use super::limits::{Limit, Metric};
use crate::room::with_room;
use crate::scope::{Budgeted, Measured, Measurement};

/// What the runs have measured.
pub(crate) struct Runs {
    pub(crate) warmup: u64,
    pub(crate) runs: u64,
    budget: Budget,
    location: &'static Location<'static>,
    /// For each metric, the least and the greatest over the runs.
    ranges: [(u64, u64); Metric::ALL.len()],
    done: u64,
    are_measured: bool,
    pub(super) first_broken: Option<Broken>,
    /// Which of the runs that is, from 1.
    broken_at: u64,
    /// The first run, or the first after the broken one that allocates more or less often: what
    /// changed from one to the other is shown.
    pub(super) another: Option<(u64, Measurement)>,
    /// What other threads have allocated during all of the runs, for `MOD_ALLOC_REPORT`.
    pub(super) elsewhere: Option<u64>,
}

impl Runs {
    pub(super) const fn new(
        budget: Budget,
        warmup: u64,
        runs: u64,
        location: &'static Location<'static>,
    ) -> Self {
        let ranges = [(u64::MAX, 0); Metric::ALL.len()];
        Self {
            warmup,
            runs,
            budget,
            location,
            ranges,
            done: 0,
            are_measured: true,
            first_broken: None,
            broken_at: 0,
            another: None,
            elsewhere: None,
        }
    }

    pub(super) fn add_scope(&mut self, scope: Budgeted) {
        let measured = scope.measured();
        self.add_elsewhere(|| scope.elsewhere());
        self.add(measured, || scope.finish(measured));
    }

    pub(super) fn add_elsewhere(&mut self, events: impl FnOnce() -> Option<u64>) {
        if elsewhere::is_reported() {
            self.elsewhere = events().map(|now| now + self.elsewhere.unwrap_or(0));
        }
    }

    pub(super) fn add(
        &mut self,
        mut measured: Measured,
        measurement: impl FnOnce() -> Measurement,
    ) {
        self.done += 1;
        self.are_measured &= measured.unmeasured.is_none();
        if self.budget.holds_at_once(&measured) {
            if self.is_another(&measured) {
                self.another = Some((self.done, measurement()));
            }
        } else {
            let measurement = measurement();
            measured = with_room(|| self.add_broken(measurement));
        }
        for metric in Metric::ALL {
            let (least, greatest) = &mut self.ranges[metric as usize];
            *least = (*least).min(metric.of(&measured));
            *greatest = (*greatest).max(metric.of(&measured));
        }
    }

    /// Whether this is the run to compare with the broken one. It must be known when the run ends,
    /// for its stacks are gone after that. So the first one is kept, which may be equal.
    fn is_another(&self, measured: &Measured) -> bool {
        let count = measured.stats.alloc_count;
        let differs = match &self.first_broken {
            None => self.done == 1,
            Some(broken) => broken.measurement.measured.stats.alloc_count != count,
        };
        self.another.is_none() && self.runs > 1 && differs
    }

    /// Whether all of them hold to a budget, which need not be the one that they were judged by.
    pub(super) fn hold(&self, budget: &Budget) -> bool {
        let is_held = |(metric, limit): (Metric, Limit)| {
            let (least, greatest) = self.range(metric);
            limit.holds(least) && limit.holds(greatest)
        };
        self.are_measured && budget.limits().all(is_held)
    }

    /// Judges a run that breaks the budget as it was counted. Returns what it is charged.
    fn add_broken(&mut self, measurement: Measurement) -> Measured {
        match Broken::new(&self.budget, measurement, self.location) {
            Ok(broken) => {
                let measured = broken.measurement.measured;
                if self.first_broken.is_none() {
                    self.first_broken = Some(broken);
                    self.broken_at = self.done;
                } else if self.is_another(&measured) {
                    self.another = Some((self.done, broken.measurement));
                }
                measured
            }
            Err(charged) => charged,
        }
    }

    /// Whether the code had run before the run that broke the budget.
    pub(crate) const fn are_warm(&self) -> bool {
        self.warmup > 0 || self.broken_at > 1
    }

    /// Which of several runs was the first that broke the budget, from 1: its stacks are shown.
    pub(crate) fn shown(&self) -> Option<u64> {
        (self.runs > 1).then_some(self.broken_at)
    }

    pub(crate) const fn range(&self, metric: Metric) -> (u64, u64) {
        self.ranges[metric as usize]
    }
}
