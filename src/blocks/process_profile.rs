//! Hot: the heap profiles of the whole process: all threads enter their blocks in them.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::heap_profile::HeapProfile;
use super::uses::{InUse, IDLE};
use crate::counters::Event;
use crate::stacks::Stack;
use crate::sys::Pool;

static OF_PROCESS: Pool<HeapProfile> = Pool::new();

/// So many there are at a time, or one more for each thread that begins one at the same moment.
/// Each takes its time of every allocation.
const MAX_IN_USE: usize = 4;

/// How many there are.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// A heap profile of all threads' blocks. Dropping it ends that.
pub(crate) struct ProcessProfile(InUse<HeapProfile>);

impl ProcessProfile {
    /// Begins one, whose points are told apart by so many innermost addresses; `None` if there are
    /// too many, or no memory. `watch_frees` sets the floors of all threads, as for any tracking.
    pub(crate) fn begin(depth: usize, watch_frees: fn()) -> Option<Self> {
        if IN_USE.load(Relaxed) >= MAX_IN_USE {
            return None;
        }
        let profile = InUse::new(&OF_PROCESS, |profile| profile.begin(depth))?;
        // First: another profiler may have all allocations recorded already, and a block that is
        // entered must not be freed unseen.
        watch_frees();
        IN_USE.fetch_add(1, Release);
        Some(Self(profile))
    }

    pub(crate) fn points(&self) -> &'static HeapProfile {
        self.0.get()
    }
}

impl Drop for ProcessProfile {
    fn drop(&mut self) {
        IN_USE.fetch_sub(1, Relaxed);
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
    for profile in OF_PROCESS.iter() {
        match profile.serial() {
            IDLE => {}
            serial if event.is_fresh() => {
                profile.enter(serial, address, size, stack, is_first);
                is_first = false;
            }
            serial => profile.reenter(serial, address, size, stack),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::uses::Reused;
    use super::ProcessProfile;

    #[test]
    fn one_that_is_used_up_is_not_begun_again() {
        let begin = || ProcessProfile::begin(usize::MAX, || {}).expect("memory");
        let used_up = begin();
        let points = used_up.points();
        points.use_up();
        drop(used_up);
        assert!(!std::ptr::eq(begin().points(), points));
    }
}
