//! Cold: `Unmeasured`, why what ran in a scope was not measured, and the words for it. Its numbers
//! would be wrong: a scope has none, a budget fails.

use crate::open_scopes::Reading;
use crate::threads::is_inside;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmeasured {
    /// A stretch of `uncounted` was begun within, and has not ended.
    StillUncounted,
    /// It is read on another thread, or after its thread has given back its counters.
    Outlived,
}

impl Unmeasured {
    /// Of a scope whose code has come to its end.
    #[inline]
    pub(crate) fn at_end(reading: Option<&Reading>) -> Option<Self> {
        match reading {
            None => Some(Self::Outlived),
            Some(reading) if reading.own.open_stretch.is_some() => Some(Self::StillUncounted),
            Some(reading) => Self::by_others(reading),
        }
    }

    /// Of a scope that may be read anywhere. Where it is read inside a stretch of `uncounted`, that
    /// stretch has not ended either, but nothing was missed.
    #[inline]
    pub(crate) fn here(reading: Option<&Reading>) -> Option<Self> {
        match reading {
            None => Some(Self::Outlived),
            Some(reading) if reading.own.open_stretch.is_some_and(|at| !is_inside(at)) => {
                Some(Self::StillUncounted)
            }
            Some(reading) => Self::by_others(reading),
        }
    }

    #[inline]
    fn by_others(reading: &Reading) -> Option<Self> {
        match &reading.others {
            Some(others) if others.is_still_uncounted => Some(Self::StillUncounted),
            _ => None,
        }
    }

    /// What went wrong, and what to do.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::StillUncounted => {
                "A stretch of `uncounted` that began within it has not ended, so nothing was \
                 counted since. Was a coroutine suspended inside `uncounted`, or resumed on \
                 another thread? Let `uncounted` return before the coroutine is suspended, or \
                 measure inside the coroutine"
            }
            Self::Outlived => {
                "It has outlived the counters of its thread. Is it kept in a thread-local, or in a \
                 coroutine that was resumed on another thread? Read it before the thread ends and \
                 on the thread where it was entered, or enter it in the destructor that wants to \
                 measure"
            }
        }
    }
}

/// # Panics
/// If the scope was not measured.
#[track_caller]
#[inline]
pub(super) fn measured(reading: &Option<Reading>, unmeasured: Option<Unmeasured>) -> &Reading {
    match (reading, unmeasured) {
        (Some(reading), None) => reading,
        (_, why) => not_measured(why.unwrap_or(Unmeasured::Outlived)),
    }
}

#[cold]
#[track_caller]
pub(super) fn not_measured(why: Unmeasured) -> ! {
    panic!("this `AllocScope` has no numbers. {}", why.reason())
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use crate::scope::uncounted::open_uncounted;
    use crate::{measure, Budget, Growth, Order};

    /// As a coroutine does that is suspended in it and never resumed.
    fn leave_a_stretch() {
        let here = 0_u8;
        std::mem::forget(open_uncounted(std::ptr::addr_of!(here) as usize));
    }

    #[test]
    fn code_that_leaves_an_uncounted_stretch_open_breaks_every_budget() {
        let exceeded = Budget::new().max(10).check(leave_a_stretch).expect_err("nobody counted");
        let report = exceeded.to_string();
        let (head, reason) = report.split_once("\n\n").expect("two paragraphs");
        let title = "allocation budget not measured: scope::unmeasured::tests::leave_a_stretch\n";
        assert!(head.starts_with(title), "{head}");
        let lines = [
            "  A stretch of `uncounted` that began within it has not ended, so nothing was",
            "  counted since. Was a coroutine suspended inside `uncounted`, or resumed on",
            "  another thread? Let `uncounted` return before the coroutine is suspended, or",
            "  measure inside the coroutine",
        ];
        assert_eq!(reason, lines.join("\n"));
        // What begins now is measured.
        Budget::new().exact(1).check(|| std::hint::black_box(vec![1])).expect("one");
    }

    #[test]
    fn code_that_leaves_one_open_breaks_every_growth() {
        let growth = Growth::new().max(Order::Quadratic);
        let outgrown = growth.check(|_| leave_a_stretch).expect_err("nobody counted");
        let report = outgrown.to_string();
        let title = "allocation growth not measured: scope::unmeasured::tests::";
        assert!(report.starts_with(title), "{report}");
        assert!(report.contains("\n\n  A stretch of `uncounted` that began within"), "{report}");
    }

    #[test]
    fn a_scope_has_no_numbers_if_its_code_left_an_uncounted_stretch_open() {
        let panic = catch_unwind(|| measure(leave_a_stretch)).expect_err("it panics");
        let text = panic.downcast_ref::<String>().expect("a formatted text");
        assert!(text.starts_with("this `AllocScope` has no numbers. A stretch of"), "{text}");
    }
}
