//! Cold: `CompactCounts`, the counts of a stack or a site in little memory. A recording may have a
//! million, and nothing grows at most of them.

use crate::stacks::SiteCounts;

#[derive(Clone, Default)]
pub(crate) struct CompactCounts {
    allocs: u32,
    reallocs: u32,
    pub(crate) bytes: u64,
    /// All of the counts, where the numbers above are not enough.
    rare: Option<Box<SiteCounts>>,
}

impl CompactCounts {
    pub(crate) fn of(counts: &SiteCounts) -> Self {
        let SiteCounts { allocs, reallocs, bytes, .. } = *counts;
        let (allocs, reallocs) = (allocs as u32, reallocs as u32);
        let plain = Self { allocs, reallocs, bytes, rare: None };
        if plain.get() == *counts {
            return plain;
        }
        Self { rare: Some(Box::new(*counts)), ..plain }
    }

    pub(crate) fn get(&self) -> SiteCounts {
        if let Some(rare) = &self.rare {
            return **rare;
        }
        let (allocs, reallocs) = (self.allocs.into(), self.reallocs.into());
        SiteCounts { allocs, reallocs, bytes: self.bytes, ..SiteCounts::ZERO }
    }

    /// Of allocations.
    pub(crate) fn events(&self) -> u64 {
        match &self.rare {
            Some(rare) => rare.events(),
            None => u64::from(self.allocs) + u64::from(self.reallocs),
        }
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
            SiteCounts { allocs: 1 << 32, ..plain },
            SiteCounts { reallocs: u64::MAX >> 1, ..plain },
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
