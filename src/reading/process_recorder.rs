//! Cold: `ProcessRecorder`, what all threads allocate from its start on, by stack. It is the
//! difference between what `stacks` has counted at each stack then and now.

use super::compact_counts::CompactCounts;
use super::program_points::ProgramPoints;
use super::recording::Recording;
use crate::blocks::ProcessProfile;
use crate::ignored::Ignored;
use crate::sort::sort_by;
use crate::stacks::{self, SiteCounts, Stack};
use crate::threads::{self, EveryAllocation};

/// Records until it is dropped.
pub(crate) struct ProcessRecorder {
    opening: Option<&'static Stack>,
    /// What the process had counted at each stack before, in the order of the stacks' addresses.
    before: Ignored<Vec<(Option<&'static Stack>, SiteCounts)>>,
    /// `None` if too many others had one when this one started.
    profile: Option<ProcessProfile>,
    _recording: EveryAllocation,
}

impl ProcessRecorder {
    pub(crate) fn start() -> Self {
        let before = Ignored::new(|_| counted());
        let profile = threads::profile_process(usize::MAX);
        let recording = threads::record_everywhere(true);
        Self { opening: threads::stack_here(), before, profile, _recording: recording }
    }

    /// Whether it knows which blocks are live.
    pub(crate) fn has_heap_profile(&self) -> bool {
        self.profile.is_some()
    }

    /// What was recorded so far.
    pub(crate) fn recording(&self) -> Ignored<Recording> {
        Ignored::new(|_| self.read())
    }

    fn read(&self) -> Recording {
        let mut recording = Recording::default();
        // First, so that no stack has more at the peak than in all.
        let heap = self.profile.as_ref().map(|profile| ProgramPoints::of(profile.points()));
        for (stack, counts) in counted() {
            let before = self.before.binary_search_by_key(&address(stack), |(s, _)| address(*s));
            let before = before.map_or(SiteCounts::ZERO, |at| self.before[at].1);
            let counts = counts.since(&before);
            match stack {
                Some(stack) if counts.events() > 0 => {
                    recording.stacks.push((stack, CompactCounts::of(&counts)));
                }
                Some(_) => {}
                None => recording.unattributed = counts,
            }
        }
        recording.openings.extend(self.opening);
        if let Some(heap) = heap {
            recording.add_heap(heap);
        }
        recording
    }
}

/// What the process has counted by now at each stack, leaving out those with nothing, in the order
/// of the stacks' addresses.
fn counted() -> Vec<(Option<&'static Stack>, SiteCounts)> {
    let mut counted = vec![(None, stacks::profiled(None))];
    stacks::visit_stacks(&mut |stack| {
        let counts = stacks::profiled(Some(stack));
        if counts.events() > 0 {
            counted.push((Some(stack), counts));
        }
    });
    sort_by(&mut counted, |(a, _), (b, _)| address(*a).cmp(&address(*b)));
    counted
}

fn address(stack: Option<&'static Stack>) -> usize {
    stack.map_or(0, |stack| stack as *const Stack as usize)
}
