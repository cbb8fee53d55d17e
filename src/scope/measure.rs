//! Cold: `measure`, a closure in a scope of its own.

use super::measurement::stats;
use super::unmeasured::{measured, Unmeasured};
use super::wants::Wants;
use crate::counters::AllocStats;
use crate::installed;
use crate::threads::OpenScope;
use crate::value::Value;

/// Runs `work` and says what it allocated and freed on this thread.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// let (text, stats) = mod_alloc::measure(|| "a b".replace(' ', ""));
/// assert_eq!(text, "ab");
/// assert_eq!(stats.live_count, 1);
/// ```
///
/// A future that `work` only makes would not be counted: it does not compile, see
/// [`Budget`](crate::Budget#futures-and-closures-as-values).
///
/// # Panics
/// As [`AllocScope::enter`](crate::AllocScope::enter) and
/// [`AllocScope::stats`](crate::AllocScope::stats), and as `work` does.
#[track_caller]
#[must_use = "the statistics are what it is for"]
#[allow(non_camel_case_types)]
pub fn measure<R, F, for_a_future_use_check_future>(work: F) -> (R, AllocStats)
where
    F: FnOnce() -> R,
    R: Value<for_a_future_use_check_future>,
{
    let scope = open();
    let value = work();
    (value, close(scope))
}

// Not generic, so that a user who optimises this package alone in debug builds gets them optimised.

#[track_caller]
fn open() -> OpenScope {
    installed::require();
    Wants::COUNTS.open(0, false)
}

#[track_caller]
fn close(scope: OpenScope) -> AllocStats {
    let reading = scope.close();
    stats(measured(&reading, Unmeasured::at_end(reading.as_ref())))
}
