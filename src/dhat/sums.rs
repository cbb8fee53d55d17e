//! Cold: `HeapSums`, what all points of a heap profile come to.

use crate::record::{Blocks, Points};

#[derive(Clone, Copy, Default)]
pub(super) struct HeapSums {
    pub(super) total: Blocks,
    pub(super) live: Blocks,
    /// When there were the most bytes, the latest such moment.
    pub(super) at_peak: Blocks,
}

impl HeapSums {
    /// By now. To be called while the profile goes on.
    pub(super) fn of(points: &Points) -> Self {
        let mut sums = Self::default();
        points.visit(&mut |_, numbers| {
            sums.total = sums.total + numbers.total;
            sums.live = sums.live + numbers.live;
            sums.at_peak = sums.at_peak + numbers.at_peak;
        });
        sums
    }
}
