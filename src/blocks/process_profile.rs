//! Hot: the heap profiles of the whole process: all threads enter their blocks in them.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::heap_profile::{HeapProfile, IDLE};
use crate::counters::Event;
use crate::stacks::Stack;

/// How many profiles of the whole process there can be at a time.
const MAX_OF_PROCESS: usize = 4;

/// One of them.
pub(crate) struct ProcessHeapProfile {
    is_taken: AtomicBool,
    points: HeapProfile,
}

#[allow(clippy::declare_interior_mutable_const)] // A template for the array.
const NEW: ProcessHeapProfile =
    ProcessHeapProfile { is_taken: AtomicBool::new(false), points: HeapProfile::NEW };

static OF_PROCESS: [ProcessHeapProfile; MAX_OF_PROCESS] = [NEW; MAX_OF_PROCESS];

/// How many of them are in use.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

impl ProcessHeapProfile {
    /// Begins a profile of all threads' blocks; `None` if there are too many, or no memory.
    /// `watch_frees` sets the limits of all threads, as for any tracking.
    pub(crate) fn begin(depth: usize, watch_frees: fn()) -> Option<&'static Self> {
        let free = OF_PROCESS.iter().find(|one| !one.is_taken.swap(true, Acquire))?;
        if !free.points.begin(depth) {
            free.is_taken.store(false, Release);
            return None;
        }
        // First: another profiler may have all allocations recorded already, and a block that is
        // entered must not be freed unseen.
        watch_frees();
        IN_USE.fetch_add(1, Release);
        Some(free)
    }

    pub(crate) fn points(&'static self) -> &'static HeapProfile {
        &self.points
    }

    /// One that is used up is not begun again.
    pub(crate) fn end(&'static self) {
        IN_USE.fetch_sub(1, Relaxed);
        self.points.end();
        self.is_taken.store(self.points.is_used_up(), Release);
    }
}

/// Shows an allocation event to all profiles of the process, after it was done. `is_first` as for
/// [`LeakCounter::insert`](super::LeakCounter).
#[cfg_attr(not(debug_assertions), inline(always))] // It spares each event a call.
pub(crate) fn profile_event(stack: Option<&'static Stack>, event: &Event, is_first: bool) {
    if IN_USE.load(Acquire) == 0 {
        return;
    }
    let (address, size, mut is_first) = (event.address, event.size(), is_first);
    for ProcessHeapProfile { points, .. } in &OF_PROCESS {
        match points.number() {
            IDLE => {}
            number if event.is_fresh() => {
                points.enter(number, address, size, stack, is_first);
                is_first = false;
            }
            number => points.reenter(number, address, size, stack),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::ProcessHeapProfile;

    #[test]
    fn one_that_is_used_up_is_not_begun_again() {
        let profile = ProcessHeapProfile::begin(usize::MAX, || {}).expect("one is idle");
        profile.points().use_up();
        profile.end();
        assert!(profile.is_taken.load(Relaxed));
    }
}
