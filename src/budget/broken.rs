//! Cold: `Broken`, what was measured where a budget is broken, without what it does not charge:
//! what the test harness has allocated, and what the user allows.
//!
//! The harness keeps what tests print, unless the runner tells it not to: `cargo nextest` tells it
//! so, `cargo test` does not. No verdict must depend on that. While a budget holds, nobody looks.
//! Where it does not hold, the stacks tell which allocations are the harness's.

use std::panic::Location;

use super::builder::Budget;
use super::literal::{self, Refusal};
use super::origin::Origin;
use super::recorded::{Record, Verdict};
#[cfg(feature = "backtraces")]
use crate::call_sites::{self, harness, CallSites};
use crate::counters::AtWork;
#[cfg(feature = "backtraces")]
use crate::counters::{self, AllocStats};
use crate::ignored::Ignored;
#[cfg(feature = "backtraces")]
use crate::reading::Recording;
use crate::room::with_room;
use crate::scope::{Measured, Measurement};
#[cfg(feature = "backtraces")]
use crate::stacks::SiteCounts;

pub(crate) struct Broken {
    pub(crate) measurement: Measurement,
    /// What its record says, if the budget has one.
    pub(super) recorded: Option<Ignored<Verdict>>,
    /// Why a number in its source is not updated, if it was to be.
    pub(super) refusal: Option<Ignored<Refusal>>,
    /// Where the allocations were made, if somebody has looked.
    #[cfg(feature = "backtraces")]
    pub(crate) sites: Option<CallSites>,
    /// Allocation events of the harness, which are in none of the numbers.
    pub(super) of_harness: u64,
    /// Those that pass through what the budget allows, which are not either.
    pub(super) allowed: Allowed,
}

/// Crates and modules with their allocation events. `None` where there is nothing to look at.
pub(crate) type Allowed = Option<Ignored<Vec<(&'static str, u64)>>>;

impl Broken {
    /// Judges again what broke the budget as it was counted.
    ///
    /// # Errors
    /// If the budget holds without what it does not charge: what was measured without that.
    #[cold]
    pub(super) fn new(
        budget: &Budget,
        measurement: Measurement,
        location: &'static Location<'static>,
    ) -> Result<Self, Measured> {
        let mut broken = Self::without_harness(measurement, location);
        broken.take_out_allowed(budget, location);
        let measured = broken.measurement.measured;
        if let (Some(record), None) = (budget.record(), measured.unmeasured) {
            broken.judge(record, location);
        }
        if broken.settled(budget).holds(&measured) {
            return Err(measured);
        }
        Ok(broken)
    }

    /// The budget with what its source says from now on. The `range` is that of the allocation
    /// events of all its runs.
    pub(super) fn update(&mut self, budget: &Budget, origin: &Origin, range: (u64, u64)) -> Budget {
        if self.measurement.measured.unmeasured.is_some() {
            return *budget;
        }
        let (budget, refusal) = literal::update(budget, origin, range);
        self.refusal = refusal;
        budget
    }

    /// Compares what was measured with what was recorded, or records it.
    fn judge(&mut self, record: &'static Record, location: &'static Location<'static>) {
        let allocations = self.measurement.measured.stats.alloc_count;
        let verdict = Ignored::new(|at_work| {
            with_room(|| record.judge(allocations, || self.snapshot(at_work, location)))
        });
        self.recorded = Some(verdict);
    }

    /// The budget with what its record says now, if it has one.
    pub(super) fn settled(&self, budget: &Budget) -> Budget {
        match &self.recorded {
            None => *budget,
            Some(verdict) => budget.with_recorded(verdict.limit()),
        }
    }

    #[cfg(not(feature = "backtraces"))]
    fn snapshot(&mut self, _: AtWork<'_>, _: &'static Location<'static>) -> Option<String> {
        None
    }

    /// The snapshot text of all that was counted, if there is one.
    #[cfg(feature = "backtraces")]
    fn snapshot(&mut self, at_work: AtWork<'_>, at: &'static Location<'static>) -> Option<String> {
        let recording = self.measurement.recording.as_ref()?;
        let sites = self.sites.get_or_insert_with(|| sites(recording, at).0);
        let snapshot = sites.snapshot(at_work).ok()?;
        let is_whole = snapshot.total() == self.measurement.measured.stats.alloc_count;
        is_whole.then(|| snapshot.to_string())
    }

    #[cfg(not(feature = "backtraces"))]
    pub(crate) fn without_harness(measurement: Measurement, _: &'static Location<'static>) -> Self {
        Self { measurement, recorded: None, refusal: None, of_harness: 0, allowed: None }
    }

    #[cfg(feature = "backtraces")]
    pub(crate) fn without_harness(
        mut measurement: Measurement,
        location: &'static Location<'static>,
    ) -> Self {
        let Measurement { measured, recording, retained, .. } = &mut measurement;
        let (sites, of_harness) = match recording {
            Some(recording) if harness::may_be_in(recording) => sites(recording, location),
            _ => {
                return Self {
                    measurement,
                    recorded: None,
                    refusal: None,
                    sites: None,
                    of_harness: 0,
                    allowed: None,
                }
            }
        };
        let stats = &mut measured.stats;
        take_out(stats, &of_harness);
        let at_peak = i64::try_from(of_harness.at_peak.bytes).unwrap_or(i64::MAX);
        if stats.peak_bytes < i64::MAX {
            stats.peak_bytes = stats.peak_bytes.saturating_sub(at_peak).max(0);
        }
        measured.largest_block = sites.data().largest_block_bytes();
        // The harness does not free it before the test ends.
        stats.live_count = stats.live_count.wrapping_sub(of_harness.allocs as i64);
        if let (Some(live), Some(retained)) = (&mut measured.live, retained) {
            let (_, of_harness) = self::sites(retained, location);
            live.blocks = live.blocks.saturating_sub(of_harness.events());
            live.bytes = live.bytes.saturating_sub(of_harness.bytes);
        }
        let (sites, of_harness) = (Some(sites), of_harness.events());
        Self { measurement, recorded: None, refusal: None, sites, of_harness, allowed: None }
    }

    #[cfg(not(feature = "backtraces"))]
    fn take_out_allowed(&mut self, _: &Budget, _: &'static Location<'static>) {}

    /// Takes out what passes through the crates and modules that the budget allows.
    #[cfg(feature = "backtraces")]
    fn take_out_allowed(&mut self, budget: &Budget, location: &'static Location<'static>) {
        let Some(recording) = self.measurement.recording.as_ref() else { return };
        if budget.allowed().is_empty() {
            return;
        }
        let sites = self.sites.take().unwrap_or_else(|| sites(recording, location).0);
        let Measured { stats, largest_block: largest, .. } = &mut self.measurement.measured;
        counters::ignored(|at_work| {
            let (sites, counts, events) = sites.without(at_work, budget.allowed());
            take_out(stats, &counts);
            *largest = sites.data().largest_block_bytes();
            self.allowed = Some(Ignored::of(at_work, events));
            self.sites = Some(sites);
        });
    }
}

/// Takes out what was counted at some stacks.
#[cfg(feature = "backtraces")]
fn take_out(stats: &mut AllocStats, counts: &SiteCounts) {
    stats.alloc_count = stats.alloc_count.saturating_sub(counts.events());
    stats.realloc_count = stats.realloc_count.saturating_sub(counts.reallocs);
    if stats.total_bytes < u64::MAX {
        stats.total_bytes = stats.total_bytes.saturating_sub(counts.bytes);
    }
}

/// The call sites of a recording without those of the harness, and what was counted at the latter.
#[cfg(feature = "backtraces")]
pub(crate) fn sites(
    recording: &Recording,
    location: &'static Location<'static>,
) -> (CallSites, SiteCounts) {
    let sites = call_sites::of_recording(recording, location);
    counters::ignored(|at_work| sites.without_harness(at_work))
}
