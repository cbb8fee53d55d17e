//! Hot: `Tracking`, a scope's hold on what is kept of its blocks. As long as one asks for live
//! blocks, all threads say which blocks they free.

use super::registry::watch_all_frees;
use crate::blocks::{HeapProfile, InUse, LeakCounter, ProcessProfile, Tracked};
use crate::stacks::{LargestBlocks, Stack};

/// The blocks that are allocated for one scope. Dropping it ends that.
pub(crate) struct Tracking {
    leak_counter: Option<InUse<LeakCounter>>,
    heap_profile: Option<InUse<HeapProfile>>,
    largest: Option<Largest>,
}

/// Dropping it gives that back.
struct Largest(&'static LargestBlocks);

impl Drop for Largest {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

/// Blocks that are live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    /// How many found no room in the table; they are in no other number.
    pub(crate) lost: u64,
}

/// Begins to follow blocks: which are live, what they come to by stack, and which is the largest,
/// as it is asked for. `None` without memory.
pub(crate) fn track(
    leaks: bool,
    heap_profile: bool,
    largest: Option<&'static LargestBlocks>,
) -> Option<Tracking> {
    let largest = largest.map(Largest);
    let mut tracking = Tracking { leak_counter: None, heap_profile: None, largest };
    if leaks {
        tracking.leak_counter = Some(LeakCounter::of_scope()?);
    }
    if heap_profile {
        tracking.heap_profile = Some(HeapProfile::of_scope()?);
    }
    if leaks || heap_profile {
        watch_all_frees();
    }
    Some(tracking)
}

/// Begins a heap profile of the whole process, whose points are told apart by so many innermost
/// addresses; `None` if there are too many, or no memory. The caller goes on to have all
/// allocations recorded.
pub(crate) fn profile_process(depth: usize) -> Option<ProcessProfile> {
    ProcessProfile::begin(depth, watch_all_frees)
}

impl Tracking {
    pub(crate) fn tracked(&self) -> Tracked {
        Tracked {
            leak_counter: self.leak_counter.as_ref().map(|it| (it.get(), it.get().serial())),
            heap_profile: self.heap_profile.as_ref().map(|it| (it.get(), it.get().serial())),
            largest: self.largest(),
        }
    }

    /// The largest blocks, if those were asked for.
    pub(crate) fn largest(&self) -> Option<&'static LargestBlocks> {
        self.largest.as_ref().map(|largest| largest.0)
    }

    /// What is live, if that was asked for.
    pub(crate) fn live(&self) -> Option<Live> {
        let retained = self.leak_counter.as_ref()?.get();
        Some(Live {
            blocks: u64::try_from(retained.blocks()).unwrap_or(0),
            bytes: retained.bytes(),
            lost: retained.lost(),
        })
    }

    /// Shows `visit` where each live block was allocated first, and its size.
    pub(crate) fn visit_live(&self, visit: &mut dyn FnMut(Option<&'static Stack>, u64)) {
        if let Some(leak_counter) = &self.leak_counter {
            leak_counter.get().visit(visit);
        }
    }

    /// The heap profile, if that was asked for.
    pub(crate) fn points(&self) -> Option<&'static HeapProfile> {
        self.heap_profile.as_ref().map(InUse::get)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::track;
    use crate::blocks::Reused;
    use crate::counters::Event;

    #[test]
    fn a_hold_that_is_dropped_tracks_no_more() {
        let tracking = track(true, true, None).expect("memory");
        let tracked = tracking.tracked();
        let (retained, serial) = tracked.leak_counter.expect("it was asked for");
        let (points, of_points) = tracked.heap_profile.expect("likewise");
        assert_eq!((retained.serial(), points.serial()), (serial, of_points));
        drop(tracking);
        // Another test may have taken them since.
        assert_ne!(retained.serial(), serial);
        assert_ne!(points.serial(), of_points);
    }

    #[test]
    fn a_block_is_both_live_and_in_the_profile() {
        let tracking = track(true, true, None).expect("memory");
        let block = Box::new([0_u8; 40]);
        let address = block.as_ptr() as usize;
        tracking.tracked().insert(&Event::alloc(address, 40), None, true);
        let live = || {
            let mut in_profile = 0;
            let points = tracking.points().expect("it was asked for");
            points.visit(&mut |_, numbers| in_profile += numbers.live.bytes);
            (tracking.live().expect("likewise").bytes, in_profile)
        };
        assert_eq!(live(), (40, 40));
        drop(block);
        assert_eq!(live(), (0, 0));
    }

    #[test]
    fn what_a_hold_was_on_is_used_again() {
        let track = || track(true, true, None).expect("memory");
        let used: BTreeSet<_> = (0..200)
            .map(|_| track())
            .map(|tracking| tracking.points().expect("it was asked for") as *const _ as usize)
            .collect();
        assert!(used.len() < 100, "{}", used.len());
    }

    #[test]
    fn one_that_is_used_up_is_not_used_again() {
        let profile = || track(false, true, None).expect("memory");
        for _ in 0..3 {
            let used_up = profile();
            let points = used_up.points().expect("it was asked for");
            points.use_up();
            drop(used_up);
            assert!(!std::ptr::eq(profile().points().expect("likewise"), points));
        }
    }
}
