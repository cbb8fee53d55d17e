//! Cold: `Order`, what comes first in a list of call sites.

use std::cmp::Ordering;

use super::sites::Numbers;

/// The larger number first. What is equal in both is ordered by what it says, so every order is total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Allocations,
    /// Where only a limit on bytes is broken.
    Bytes,
    /// Live at the peak.
    PeakBytes,
}

impl Order {
    /// Sorts what has numbers; `compare` tells equals apart.
    pub(super) fn sort<T>(
        self,
        list: &mut [T],
        numbers: impl Fn(&T) -> Numbers,
        compare: impl Fn(&T, &T) -> Ordering,
    ) {
        let weight = |numbers: Numbers| match self {
            Self::Allocations => [numbers.events, numbers.bytes, 0],
            Self::Bytes => [numbers.bytes, numbers.events, 0],
            Self::PeakBytes => [numbers.peak_bytes, numbers.bytes, numbers.events],
        };
        list.sort_by(|a, b| {
            let by_numbers = weight(numbers(b)).cmp(&weight(numbers(a)));
            by_numbers.then_with(|| compare(a, b))
        });
    }
}
