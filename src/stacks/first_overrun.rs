//! Hot: `FirstOverrun`, which looks out for the allocation event that first takes a scope past a
//! limit of its budget.

use super::breakpoint;
use super::stack::Stack;
use crate::counters::Sums;

#[derive(Clone, Copy)]
pub(crate) enum FirstOverrun {
    /// There is no limit, or it was passed before.
    Never,
    /// Not yet met.
    After(Sums),
    /// It was the one of this number, from 1, here.
    At(u64, Option<&'static Stack>),
}

impl FirstOverrun {
    /// For the part of a scope that begins when it has come as far as `earlier`.
    pub(crate) fn from(self, earlier: Sums) -> Self {
        match self {
            Self::After(limits) => Self::After(Sums {
                events: limits.events.saturating_sub(earlier.events),
                reallocs: limits.reallocs.saturating_sub(earlier.reallocs),
                bytes: limits.bytes.saturating_sub(earlier.bytes),
                net_bytes: limits.net_bytes.saturating_sub(earlier.net_bytes),
            }),
            met => met,
        }
    }

    /// Notes an event that has brought the scope to `now`.
    #[inline]
    pub(super) fn look_out(&mut self, now: Sums, stack: Option<&'static Stack>) {
        if let Self::After(limits) = *self {
            if now.exceed(limits) {
                *self = Self::At(now.events as u64, stack);
                breakpoint::pass();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FirstOverrun, Sums};

    #[test]
    fn any_limit_can_be_the_first_to_be_passed() {
        let now = Sums { events: 7, reallocs: 2, bytes: 300, net_bytes: -5 };
        let check = |limits: Sums, is_past: bool| {
            let mut first_overrun = FirstOverrun::After(limits);
            first_overrun.look_out(now, None);
            assert_eq!(matches!(first_overrun, FirstOverrun::At(7, None)), is_past, "{limits:?}");
        };
        check(Sums::MAX, false);
        check(now, false);
        check(Sums { events: 6, ..Sums::MAX }, true);
        check(Sums { reallocs: 1, ..Sums::MAX }, true);
        check(Sums { bytes: 299, ..Sums::MAX }, true);
        check(Sums { net_bytes: -6, ..Sums::MAX }, true);
    }

    #[test]
    fn the_limits_of_a_later_part_are_what_is_left() {
        let limits = Sums { events: 10, bytes: 100, ..Sums::MAX };
        let earlier = Sums { events: 4, reallocs: 1, bytes: 90, net_bytes: -50 };
        let FirstOverrun::After(left) = FirstOverrun::After(limits).from(earlier) else { panic!() };
        assert_eq!((left.events, left.bytes), (6, 10));
        assert!(left.net_bytes == i64::MAX && left.reallocs == i64::MAX - 1);
    }
}
