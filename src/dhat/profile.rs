//! Cold: `Profile`, what a DHAT file says, as plain data.

use crate::blocks::{PointNumbers, Times};
use crate::counters::Blocks;
use crate::reading::{ProgramPoints, Recording};
use crate::stacks::Stack;

/// Of a heap, or of events that the user has called so.
#[derive(Clone)]
pub(crate) struct Profile {
    pub(super) kind: Kind,
    /// `None` stands for what belongs to no stack.
    pub(super) points: Vec<(Option<&'static Stack>, PointNumbers)>,
    /// Where the profile was begun: what other stacks share with one of these at their outer ends is left out.
    pub(super) openings: Vec<&'static Stack>,
    pub(super) is_trimmed: bool,
    /// Nanoseconds from the beginning to the peak, and to the end.
    pub(super) peak_at: u64,
    pub(super) end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Blocks and their lifetimes.
    Heap,
    /// Allocations alone.
    Allocations,
    /// Events and units of the user's.
    AdHoc,
}

impl Profile {
    pub(super) fn of_heap(heap: ProgramPoints, openings: Vec<&'static Stack>) -> Self {
        let Times { peak: peak_at, now: end } = heap.times;
        Self { kind: Kind::Heap, points: heap.points, openings, is_trimmed: true, peak_at, end }
    }

    /// Without a heap profile, a recording knows of the allocations alone.
    pub(crate) fn of_recording(recording: &Recording) -> Self {
        let openings = recording.openings.clone();
        if let Some(heap) = &recording.heap {
            return Self::of_heap(heap.clone(), openings);
        }
        let tallies = recording.tallies.iter().map(|(stack, tally)| (Some(*stack), tally));
        let points = tallies.chain([(None, &recording.lost)]).map(|(stack, tally)| {
            let total = Blocks { blocks: tally.events(), bytes: tally.bytes };
            (stack, PointNumbers { total, ..PointNumbers::default() })
        });
        let points = points.filter(|(_, numbers)| numbers.total.blocks > 0).collect();
        Self { kind: Kind::Allocations, points, openings, is_trimmed: true, peak_at: 0, end: 0 }
    }
}
