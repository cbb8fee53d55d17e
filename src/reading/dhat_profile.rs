//! Cold: `DhatProfile`, what a DHAT file says, as plain data.

use super::compact_counts::CompactCounts;
use super::program_points::ProgramPoints;
use super::recording::Recording;
use crate::blocks::{PointNumbers, Times};
use crate::counters::Blocks;
use crate::stacks::Stack;

/// Of a heap, or of events that the user has called so.
#[derive(Clone)]
pub(crate) struct DhatProfile {
    pub(crate) kind: DhatKind,
    /// `None` stands for what belongs to no stack.
    pub(crate) points: Vec<(Option<&'static Stack>, PointNumbers)>,
    /// Where the profile was begun. What other stacks share with one of these at their outer ends
    /// is left out.
    pub(crate) openings: Vec<&'static Stack>,
    pub(crate) is_trimmed: bool,
    /// Nanoseconds from the beginning to the peak, and to the end.
    pub(crate) peak_at: u64,
    pub(crate) end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DhatKind {
    /// Blocks and their lifetimes.
    Heap,
    /// Allocations alone.
    Allocations,
    /// Events and units of the user's.
    AdHoc,
}

impl DhatProfile {
    pub(crate) fn of_heap(heap: ProgramPoints, openings: Vec<&'static Stack>) -> Self {
        let Times { peak: peak_at, now: end } = heap.times;
        Self { kind: DhatKind::Heap, points: heap.points, openings, is_trimmed: true, peak_at, end }
    }

    /// Without a heap profile, a recording knows of the allocations alone.
    pub(crate) fn of_recording(recording: &Recording) -> Self {
        let openings = recording.openings.clone();
        if let Some(heap) = &recording.heap {
            return Self::of_heap(heap.clone(), openings);
        }
        let of_stack = |(stack, counts): &(&'static Stack, CompactCounts)| {
            (Some(*stack), Blocks { blocks: counts.events(), bytes: counts.bytes })
        };
        let others = &recording.unattributed;
        let others = Blocks { blocks: others.events(), bytes: others.bytes };
        let totals = recording.stacks.iter().map(of_stack).chain([(None, others)]);
        let points =
            totals.map(|(stack, total)| (stack, PointNumbers { total, ..PointNumbers::default() }));
        let points = points.filter(|(_, numbers)| numbers.total.blocks > 0).collect();
        Self { kind: DhatKind::Allocations, points, openings, is_trimmed: true, peak_at: 0, end: 0 }
    }
}
