//! Cold: `HeapSums`, what all points of a heap profile come to.

use crate::blocks::PointNumbers;
use crate::counters::Blocks;

#[derive(Clone, Copy, Default)]
pub(super) struct HeapSums {
    pub(super) total: Blocks,
    pub(super) live: Blocks,
    /// When there were the most bytes, the latest such moment.
    pub(super) at_peak: Blocks,
}

impl HeapSums {
    pub(super) fn add(&mut self, numbers: &PointNumbers) {
        self.total = self.total + numbers.total;
        self.live = self.live + numbers.live;
        self.at_peak = self.at_peak + numbers.at_peak;
    }
}
