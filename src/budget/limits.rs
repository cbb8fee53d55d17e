//! Cold: `Metric`, what a budget can limit; `Limit`, what is allowed of it; `Limits`, all of those
//! of a budget.

use crate::scope::Measured;

/// A number that a budget can limit. They are in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    Allocations,
    Bytes,
    PeakBytes,
    LargestBlock,
    Reallocations,
    Deallocations,
    Retained,
    RetainedBytes,
}

impl Metric {
    pub(crate) const ALL: [Self; 8] = [
        Self::Allocations,
        Self::Bytes,
        Self::PeakBytes,
        Self::LargestBlock,
        Self::Reallocations,
        Self::Deallocations,
        Self::Retained,
        Self::RetainedBytes,
    ];

    pub(crate) fn of(self, measured: &Measured) -> u64 {
        let Measured { stats, live, largest_block, .. } = measured;
        match self {
            Self::Allocations => stats.alloc_count,
            Self::Bytes => stats.total_bytes,
            Self::PeakBytes if stats.peak_bytes == i64::MAX => u64::MAX,
            Self::PeakBytes => stats.peak_bytes as u64, // Never negative.
            Self::LargestBlock => *largest_block,
            Self::Reallocations => stats.realloc_count,
            Self::Deallocations => stats.dealloc_count,
            Self::Retained => live.map_or(0, |live| live.blocks + live.lost),
            Self::RetainedBytes => live.map_or(0, |live| live.bytes),
        }
    }

    /// The key of the upper limit.
    pub(crate) const fn max_key(self) -> &'static str {
        match self {
            Self::Allocations => "max",
            Self::Bytes => "max_bytes",
            Self::PeakBytes => "max_peak_bytes",
            Self::LargestBlock => "max_block_bytes",
            Self::Reallocations => "max_reallocs",
            Self::Deallocations => "max_deallocs",
            Self::Retained => "max_retained",
            Self::RetainedBytes => "max_retained_bytes",
        }
    }

    #[cfg(feature = "backtraces")]
    pub(crate) const fn is_of_retained(self) -> bool {
        matches!(self, Self::Retained | Self::RetainedBytes)
    }

    #[cfg(feature = "backtraces")]
    pub(crate) const fn is_of_bytes(self) -> bool {
        matches!(self, Self::Bytes | Self::PeakBytes | Self::LargestBlock | Self::RetainedBytes)
    }

    /// Its name in a report. What code retains is leaked, if it returns nothing.
    pub(crate) const fn label(self, returns_nothing: bool) -> &'static str {
        match self {
            Self::Retained if returns_nothing => "leaked blocks",
            Self::RetainedBytes if returns_nothing => "leaked bytes",
            Self::Allocations => "allocations",
            Self::Bytes => "bytes",
            Self::PeakBytes => "peak bytes",
            Self::LargestBlock => "largest block",
            Self::Reallocations => "reallocations",
            Self::Deallocations => "deallocations",
            Self::Retained => "retained blocks",
            Self::RetainedBytes => "retained bytes",
        }
    }
}

/// The limits of a budget. In few words, as a budget is handed around whenever it is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Of each [`Metric`]; the highest number where there is none.
    max: [u64; Metric::ALL.len()],
    /// Of allocations, which alone may have one; 0 without.
    min: u64,
    /// Which of them are set: a bit for each `max`, and one for `min`.
    set: u16,
}

impl Limits {
    pub(super) const NONE: Self = Self { max: [u64::MAX; Metric::ALL.len()], min: 0, set: 0 };
    const MIN: u16 = 1 << Metric::ALL.len();

    pub(super) const fn is_empty(&self) -> bool {
        self.set == 0
    }

    pub(super) const fn with_max(mut self, metric: Metric, max: u64) -> Self {
        self.max[metric as usize] = max;
        self.set |= 1 << metric as u16;
        self
    }

    pub(super) const fn with_min(mut self, min: u64) -> Self {
        self.min = min;
        self.set |= Self::MIN;
        self
    }

    /// Without those of allocations.
    pub(super) const fn without_allocations(mut self) -> Self {
        self.max[Metric::Allocations as usize] = u64::MAX;
        self.min = 0;
        self.set &= !(Self::MIN | 1 << Metric::Allocations as u8);
        self
    }

    pub(super) const fn has_max(&self, metric: Metric) -> bool {
        self.set & 1 << metric as u16 != 0
    }

    /// The highest number where there is none.
    pub(super) const fn max(&self, metric: Metric) -> u64 {
        self.max[metric as usize]
    }

    pub(super) const fn of(&self, metric: Metric) -> Limit {
        let has_min = matches!(metric, Metric::Allocations) && self.set & Self::MIN != 0;
        Limit {
            min: if has_min { Some(self.min) } else { None },
            max: if self.has_max(metric) { Some(self.max(metric)) } else { None },
        }
    }

    /// Whether all of them hold.
    pub(super) fn hold(&self, measured: &Measured) -> bool {
        // By a plain loop over those that are set: this is what a budget that holds pays for.
        let mut left = self.set & !Self::MIN;
        while left != 0 {
            let metric = Metric::ALL[left.trailing_zeros() as usize];
            let measured = metric.of(measured);
            // The highest number is above every limit, as in `Limit::excess`.
            if measured > self.max(metric) || measured == u64::MAX {
                return false;
            }
            left &= left - 1;
        }
        measured.stats.alloc_count >= self.min
    }
}

/// The limits of one metric; none at all where both are `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) min: Option<u64>,
    pub(crate) max: Option<u64>,
}

impl Limit {
    pub(crate) const fn is_none(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    pub(crate) const fn holds(&self, measured: u64) -> bool {
        self.excess(measured) == 0
    }

    /// Whether the `min` is above what was measured.
    pub(crate) fn is_above(&self, measured: u64) -> bool {
        self.min.is_some_and(|min| measured < min)
    }

    /// How far `measured` is above the `max` or below the `min`. The highest number stands for any
    /// that does not fit into a `u64`, so it is above each `max`.
    pub(crate) const fn excess(&self, measured: u64) -> u64 {
        match (self.min, self.max) {
            (_, Some(u64::MAX)) if measured == u64::MAX => 1,
            (_, Some(max)) if measured > max => measured - max,
            (Some(min), _) if measured < min => min - measured,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Limits, Metric};
    use crate::counters::AllocStats;
    use crate::scope::Measured;
    use crate::threads::Live;

    #[test]
    fn a_block_that_was_lost_may_be_live() {
        let live = Some(Live { blocks: 1, bytes: 10, lost: 2 });
        let stats = AllocStats::default();
        let measured = Measured { stats, live, largest_block: 0, uncounted: 0, unmeasured: None };
        assert_eq!(Metric::Retained.of(&measured), 3);
    }

    #[test]
    fn limits_hold_if_each_of_them_does() {
        const NUMBERS: [u64; 4] = [0, 1, u64::MAX - 1, u64::MAX];
        let check = |limits: Limits| {
            for (alloc_count, total_bytes) in NUMBERS.map(|n| NUMBERS.map(|m| (n, m))).concat() {
                let stats = AllocStats { alloc_count, total_bytes, ..AllocStats::default() };
                let measured = Measured {
                    stats,
                    live: None,
                    largest_block: 0,
                    uncounted: 0,
                    unmeasured: None,
                };
                let holds = |metric: &Metric| limits.of(*metric).holds(metric.of(&measured));
                let (of_allocations, of_bytes) = (limits.of(Metric::Allocations), limits.max[1]);
                let expected = Metric::ALL.iter().all(holds);
                assert_eq!(limits.hold(&measured), expected, "{of_allocations:?} {of_bytes}");
            }
        };
        check(Limits::NONE);
        for number in NUMBERS {
            let max = Limits::NONE.with_max(Metric::Allocations, number);
            check(max);
            check(Limits::NONE.with_min(number));
            for other in NUMBERS {
                check(max.with_min(other));
                check(max.with_max(Metric::Bytes, other));
            }
        }
    }

    #[test]
    fn the_highest_number_is_above_every_limit() {
        let limit = Limit { min: None, max: Some(u64::MAX) };
        assert!(limit.holds(u64::MAX - 1) && !limit.holds(u64::MAX));
        assert!(Limit { min: Some(u64::MAX), max: None }.holds(u64::MAX));
    }
}
