//! Cold: assertions about the running profile, which is saved when one of them fails.

use super::running::{with_phase, Phase, LOST_IN_FORK};
use crate::counters;

/// Whether `holds` says no. Then the profile has been saved, and the caller must panic.
#[track_caller]
pub fn fails(holds: impl FnOnce() -> bool) -> bool {
    let misuse = |phase: &mut Phase| match phase {
        Phase::Ready => Some("when no profiler is running"),
        Phase::Running(running) if !running.settings.is_testing => {
            Some("while not in testing mode")
        }
        Phase::Running(_) => None,
        Phase::PostAssert => Some("after the profiler has asserted"),
    };
    let Some(misuse) = counters::ignored(|at_work| with_phase(at_work, misuse)) else {
        panic!("dhat: asserting: {LOST_IN_FORK}");
    };
    if let Some(when) = misuse {
        panic!("dhat: asserting {when}");
    }
    if holds() {
        return false;
    }
    counters::ignored(|at_work| {
        let before = with_phase(at_work, |phase| std::mem::replace(phase, Phase::PostAssert));
        if let Some(Phase::Running(running)) = before {
            running.finish(at_work);
        }
    });
    true
}

#[doc(hidden)]
#[macro_export]
macro_rules! __dhat_assert {
    ($condition:expr $(,)?) => {
        if $crate::__private::dhat_fails(|| $condition) {
            ::core::panic!("dhat: assertion failed: {}", ::core::stringify!($condition))
        }
    };
    ($condition:expr, $($message:tt)+) => {
        if $crate::__private::dhat_fails(|| $condition) {
            ::core::panic!(
                "dhat: assertion failed: {}: {}",
                ::core::stringify!($condition),
                ::core::format_args!($($message)+)
            )
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __dhat_assert_eq {
    ($left:expr, $right:expr $(,)?) => {
        $crate::__dhat_compare!($left, ==, $right, "")
    };
    ($left:expr, $right:expr, $($message:tt)+) => {
        $crate::__dhat_compare!($left, ==, $right, ": {}", ::core::format_args!($($message)+))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __dhat_assert_ne {
    ($left:expr, $right:expr $(,)?) => {
        $crate::__dhat_compare!($left, !=, $right, "")
    };
    ($left:expr, $right:expr, $($message:tt)+) => {
        $crate::__dhat_compare!($left, !=, $right, ": {}", ::core::format_args!($($message)+))
    };
}

/// Each side is evaluated once.
#[doc(hidden)]
#[macro_export]
macro_rules! __dhat_compare {
    ($left:expr, $operator:tt, $right:expr, $end:literal $(, $message:expr)?) => {
        match (&$left, &$right) {
            (left, right) => {
                if $crate::__private::dhat_fails(|| *left $operator *right) {
                    ::core::panic!(
                        ::core::concat!(
                            "dhat: assertion failed: `(left {} right)`\n",
                            "  left: `{:?}`,\n right: `{:?}`",
                            $end
                        ),
                        ::core::stringify!($operator),
                        left,
                        right
                        $(, $message)?
                    )
                }
            }
        }
    };
}
