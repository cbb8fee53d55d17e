//! Cold: `Order`, what comes first in a list of call sites.

use std::cmp::Ordering;

/// The larger number first. What is equal in both is ordered by what it says, so every order is total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Allocations,
    /// Where only a limit on bytes is broken.
    Bytes,
}

impl Order {
    /// Sorts what has `(events, bytes)`; `compare` tells equals apart.
    pub(super) fn sort<T>(
        self,
        list: &mut [T],
        numbers: impl Fn(&T) -> (u64, u64),
        compare: impl Fn(&T, &T) -> Ordering,
    ) {
        list.sort_by(|a, b| {
            let ((events_a, bytes_a), (events_b, bytes_b)) = (numbers(a), numbers(b));
            let by_numbers = match self {
                Self::Allocations => (events_b, bytes_b).cmp(&(events_a, bytes_a)),
                Self::Bytes => (bytes_b, events_b).cmp(&(bytes_a, events_a)),
            };
            by_numbers.then_with(|| compare(a, b))
        });
    }
}
