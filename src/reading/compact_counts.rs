//! Cold: `CompactCounts`, the counts of a stack or a site in little memory. A recording may have a
//! million, and nothing grows at most of them.

use crate::counters::Blocks;
use crate::stacks::{Growth, SiteCounts};

#[derive(Clone, Default)]
pub(crate) struct CompactCounts {
    allocs: u64,
    reallocs: u64,
    pub(crate) bytes: u64,
    rare: Option<Box<Rare>>,
}

#[derive(Clone)]
struct Rare {
    growth: Growth,
    at_peak: Blocks,
}

impl CompactCounts {
    pub(crate) fn of(counts: &SiteCounts) -> Self {
        let SiteCounts { allocs, reallocs, bytes, growth, at_peak } = *counts;
        let has_rare = growth != Growth::NONE || at_peak != Blocks::NONE;
        Self { allocs, reallocs, bytes, rare: has_rare.then(|| Box::new(Rare { growth, at_peak })) }
    }

    pub(crate) fn get(&self) -> SiteCounts {
        let Self { allocs, reallocs, bytes, .. } = *self;
        let (growth, at_peak) = match &self.rare {
            Some(rare) => (rare.growth, rare.at_peak),
            None => (Growth::NONE, Blocks::NONE),
        };
        SiteCounts { allocs, reallocs, bytes, growth, at_peak }
    }

    /// Of allocations.
    pub(crate) fn events(&self) -> u64 {
        self.allocs + self.reallocs
    }

    pub(crate) fn peak_bytes(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.at_peak.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::CompactCounts;
    use crate::counters::Blocks;
    use crate::stacks::{Growth, SiteCounts};

    #[test]
    fn nothing_is_lost() {
        let plain = SiteCounts { allocs: 1, reallocs: 2, bytes: u64::MAX, ..SiteCounts::ZERO };
        let growth = Growth { sizes: [8, 16, 0, 0], last: 16, steps: 1, ..Growth::NONE };
        let at_peak = Blocks { blocks: 3, bytes: 24 };
        for counts in [
            SiteCounts::ZERO,
            plain,
            SiteCounts { growth, ..plain },
            SiteCounts { at_peak, ..plain },
            SiteCounts { growth: Growth { least: 8, ..Growth::NONE }, at_peak, ..plain },
        ] {
            let compact = CompactCounts::of(&counts);
            assert_eq!(compact.get(), counts);
            assert_eq!(compact.events(), counts.events());
            assert_eq!((compact.bytes, compact.peak_bytes()), (counts.bytes, counts.at_peak.bytes));
        }
    }
}
