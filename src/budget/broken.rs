//! Cold: `Broken`, what was measured where a budget is broken, without what the test harness has
//! allocated.
//!
//! The harness keeps what tests print, unless the runner tells it not to: `cargo nextest` tells it
//! so, `cargo test` does not. No verdict must depend on that. While a budget holds, nobody looks.
//! Where it does not hold, the stacks tell which allocations are the harness's.

use std::panic::Location;

use super::builder::Budget;
use super::recorded::{Record, Verdict};
#[cfg(feature = "backtraces")]
use crate::call_sites::{self, harness, CallSites};
#[cfg(feature = "backtraces")]
use crate::counters;
use crate::counters::AtWork;
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
    /// Where the allocations were made, if somebody has looked.
    #[cfg(feature = "backtraces")]
    pub(crate) sites: Option<CallSites>,
    /// Allocation events of the harness, which are in none of the numbers.
    pub(super) of_harness: u64,
}

impl Broken {
    /// Judges again what broke the budget as it was counted.
    ///
    /// # Errors
    /// If the budget holds without the harness: what was measured without it.
    #[cold]
    pub(super) fn new(
        budget: &Budget,
        measurement: Measurement,
        location: &'static Location<'static>,
    ) -> Result<Self, Measured> {
        let mut broken = Self::without_harness(measurement, location);
        let measured = broken.measurement.measured;
        if let (Some(record), None) = (budget.record(), measured.unmeasured) {
            broken.judge(record, location);
        }
        if broken.settled(budget).holds(&measured) {
            return Err(measured);
        }
        Ok(broken)
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
        Self { measurement, recorded: None, of_harness: 0 }
    }

    #[cfg(feature = "backtraces")]
    pub(crate) fn without_harness(
        mut measurement: Measurement,
        location: &'static Location<'static>,
    ) -> Self {
        let Measurement { measured, recording, retained, .. } = &mut measurement;
        let (sites, of_harness) = match recording {
            Some(recording) if harness::may_be_in(recording) => sites(recording, location),
            _ => return Self { measurement, recorded: None, sites: None, of_harness: 0 },
        };
        let stats = &mut measured.stats;
        stats.alloc_count = stats.alloc_count.saturating_sub(of_harness.events());
        stats.realloc_count = stats.realloc_count.saturating_sub(of_harness.reallocs);
        if stats.total_bytes < u64::MAX {
            stats.total_bytes = stats.total_bytes.saturating_sub(of_harness.bytes);
        }
        let at_peak = i64::try_from(of_harness.at_peak.bytes).unwrap_or(i64::MAX);
        if stats.peak_bytes < i64::MAX {
            stats.peak_bytes = stats.peak_bytes.saturating_sub(at_peak).max(0);
        }
        // The harness does not free it before the test ends.
        stats.live_count = stats.live_count.wrapping_sub(of_harness.allocs as i64);
        if let (Some(live), Some(retained)) = (&mut measured.live, retained) {
            let (_, of_harness) = self::sites(retained, location);
            live.blocks = live.blocks.saturating_sub(of_harness.events());
            live.bytes = live.bytes.saturating_sub(of_harness.bytes);
        }
        let (sites, of_harness) = (Some(sites), of_harness.events());
        Self { measurement, recorded: None, sites, of_harness }
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
