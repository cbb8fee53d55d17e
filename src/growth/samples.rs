//! Cold: `Samples`, what was measured at each size.

#[cfg(feature = "backtraces")]
use std::sync::OnceLock;

use super::limits::Orders;
use super::plan::Plan;
#[cfg(feature = "backtraces")]
use crate::budget::sites_without_harness;
use crate::budget::{self, Broken, Metric, Origin};
#[cfg(feature = "backtraces")]
use crate::call_sites::CallSites;
use crate::ignored::Ignored;
use crate::scope::{Measurement, MostLive, Wants};
use crate::sort::sort_by;
use crate::stacks::{FirstOverrun, LargestBlocks};

/// What was measured at one size.
pub(super) struct Sample {
    pub(super) size: usize,
    pub(super) measurement: Measurement,
    /// Where the allocations were made, once somebody has looked.
    #[cfg(feature = "backtraces")]
    sites: OnceLock<CallSites>,
}

/// What was measured so far, and at which sizes to measure still.
pub(super) struct Samples {
    /// The smallest is the last.
    sizes: Ignored<Vec<usize>>,
    /// The smallest is the first.
    measured: Ignored<Vec<Sample>>,
}

/// What to find out of one run.
///
/// # Panics
/// If an environment variable has no valid value, and without memory.
#[track_caller]
pub(super) fn wants(orders: &Orders, origin: &Origin) -> Wants {
    let has = |metric: Metric| orders[metric as usize].is_some();
    let is_recorded = budget::are_call_sites_recorded();
    Wants {
        peak: has(Metric::PeakBytes),
        call_sites: is_recorded.then_some(FirstOverrun::Never),
        leaks: has(Metric::Retained).then_some(MostLive { blocks: 0, bytes: 0 }),
        heap_profile: has(Metric::PeakBytes) && is_recorded,
        largest_blocks: has(Metric::LargestBlock).then(|| {
            let blocks = LargestBlocks::begin(u64::MAX, origin.code());
            blocks.expect("no memory for the sizes of blocks")
        }),
        elsewhere: false,
    }
}

impl Samples {
    /// Of the sizes that the user has given, and of those of the plan.
    pub(super) fn new(plan: &Plan, given: &[usize]) -> Self {
        let sizes = || {
            let mut sizes: Vec<usize> = plan.sizes().chain(given.iter().copied()).collect();
            sort_by(&mut sizes, |a, b| b.cmp(a));
            sizes.dedup();
            sizes
        };
        Self { sizes: Ignored::new(|_| sizes()), measured: Ignored::new(|_| Vec::new()) }
    }

    /// The next size to measure; they rise.
    pub(super) fn next_size(&mut self) -> Option<usize> {
        self.sizes.change(Vec::pop)
    }

    pub(super) fn add(&mut self, size: usize, measurement: Measurement) {
        let sample = Sample {
            size,
            measurement,
            #[cfg(feature = "backtraces")]
            sites: OnceLock::new(),
        };
        self.measured.change(|measured| measured.push(sample));
    }

    pub(super) fn all(&self) -> &[Sample] {
        &self.measured
    }

    /// Where in the list a size is, if it was measured.
    pub(super) fn place(&self, size: usize) -> Option<usize> {
        self.measured.binary_search_by_key(&size, |sample| sample.size).ok()
    }

    pub(super) fn at(&self, size: usize) -> Option<&Sample> {
        self.measured.get(self.place(size)?)
    }

    /// Takes what the test harness has allocated out of the numbers.
    pub(super) fn leave_out_harness(&mut self, origin: &Origin) {
        let location = origin.location;
        let without = |sample: Sample| {
            let broken = Broken::without_harness(sample.measurement, location);
            Sample {
                size: sample.size,
                measurement: broken.measurement,
                #[cfg(feature = "backtraces")]
                sites: broken.sites.map_or_else(OnceLock::new, OnceLock::from),
            }
        };
        self.measured.change(|measured| {
            let samples = std::mem::take(measured);
            measured.extend(samples.into_iter().map(without));
        });
    }
}

impl Sample {
    pub(super) fn number(&self, metric: Metric) -> u64 {
        metric.of(&self.measurement.measured)
    }

    /// Where the allocations were made that a metric is about, if that was recorded.
    #[cfg(feature = "backtraces")]
    pub(super) fn call_sites(&self, metric: Metric, origin: &Origin) -> Option<CallSites> {
        let location = origin.location;
        if metric.is_of_retained() {
            let recording = self.measurement.retained.as_ref()?;
            return Some(sites_without_harness(recording, location).0);
        }
        let recording = self.measurement.recording.as_ref()?;
        let sites = self.sites.get_or_init(|| sites_without_harness(recording, location).0);
        Some(sites.clone())
    }
}
