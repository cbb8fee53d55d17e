//! Hot: the heap profiles of the whole process: all threads enter their blocks in them.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::points::{Points, IDLE};
use super::stack::Stack;

/// How many profiles of the whole process there can be at a time.
const MAX_OF_PROCESS: usize = 4;

#[allow(clippy::declare_interior_mutable_const)] // A template for the array.
const NEW: Points = Points::NEW;

static OF_PROCESS: [Points; MAX_OF_PROCESS] = [NEW; MAX_OF_PROCESS];

/// How many of them are in use.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// Begins a profile of all threads' blocks; `None` if there are too many, or no memory. `watch_frees` sets the limits of all threads, as for
/// any tracking.
pub(crate) fn profile_process(depth: usize, watch_frees: fn()) -> Option<&'static Points> {
    let points = OF_PROCESS.iter().find(|points| points.take())?;
    if !points.begin(depth) {
        points.give_back();
        return None;
    }
    // First: another profiler may have all allocations recorded already, and a block that is entered must not be freed unseen.
    watch_frees();
    IN_USE.fetch_add(1, Release);
    Some(points)
}

/// Ends one of those.
pub(crate) fn end_profile_of_process(points: &'static Points) {
    IN_USE.fetch_sub(1, Relaxed);
    points.end();
    points.give_back();
}

/// Enters a fresh block in all profiles of the process. `is_first` as for [`Retained::insert`](super::Retained).
#[inline]
pub(crate) fn enter_block(
    address: usize,
    size: u64,
    stack: Option<&'static Stack>,
    is_first: bool,
) {
    let mut is_first = is_first;
    if IN_USE.load(Acquire) > 0 {
        for points in &OF_PROCESS {
            let number = points.number();
            if number != IDLE {
                points.enter(number, address, size, stack, is_first);
                is_first = false;
            }
        }
    }
}

/// Counts a reallocation, after it was done, in all profiles of the process.
#[inline]
pub(crate) fn reenter_block(address: usize, size: u64, stack: Option<&'static Stack>) {
    if IN_USE.load(Acquire) > 0 {
        for points in &OF_PROCESS {
            let number = points.number();
            if number != IDLE {
                points.reenter(number, address, size, stack);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{end_profile_of_process, profile_process, IDLE};

    #[test]
    fn one_of_the_process_that_is_used_up_is_not_begun_again() {
        let points = profile_process(usize::MAX, || {}).expect("one is idle");
        points.use_up();
        end_profile_of_process(points);
        assert!(!points.take() && points.number() == IDLE);
    }
}
