//! Cold: `Recording`, what a recording scope or profiler has counted at each stack, copied out of
//! the tables of the hot side.

use super::{CompactCounts, ProgramPoints};
use crate::counters::Blocks;
use crate::ignored::Ignored;
use crate::index::{Index, WordMap};
use crate::open_scopes::SharedScope;
use crate::stacks::{FirstOverrun, LargestBlocks, Records, SiteCounts, Stack};
use crate::threads::{OpenScope, Tracking};

/// The recording of one scope, or of the polls of one future.
#[derive(Clone, Default)]
pub(crate) struct Recording {
    /// In no particular order. A stack may come more than once.
    pub(crate) stacks: Vec<(&'static Stack, CompactCounts)>,
    /// With more entries than this in `stacks`, those of the same stack are united: a future may be
    /// polled millions of times.
    most: usize,
    /// The stack where the scope was opened. Of a future, one for each different way to its polls.
    /// What a stack shares with one of them at its outer end lies above the scope.
    pub(crate) openings: Vec<&'static Stack>,
    /// Events that belong to no stack, for want of room.
    pub(crate) unattributed: SiteCounts,
    /// Which allocation event was the first past the limit, counted from 1, and where. Without a
    /// stack, it is one of the unattributed events.
    pub(crate) first_overrun: Option<(u64, Option<&'static Stack>)>,
    /// The largest block of each stack, if that was asked for. The stack that was there first comes
    /// last.
    pub(crate) largest_blocks: Vec<(Option<&'static Stack>, u64)>,
    /// The heap profile, if that was asked for.
    pub(crate) heap: Option<ProgramPoints>,
}

impl Recording {
    /// What the scope has recorded. `None` if it does not record, or has outlived the counters of
    /// its thread. It is in a box since it passes through many functions, on a thread whose stack
    /// may be small. `opening` is where the scope was opened, if it has left that open.
    pub(crate) fn of(
        scope: &OpenScope,
        opening: Option<&'static Stack>,
    ) -> Option<Ignored<Box<Self>>> {
        let mut recording = Ignored::new(|_| Box::<Self>::default());
        let read = |records: Records<'_>| {
            recording.change(|recording| {
                recording.add(records, 0);
                if recording.openings.is_empty() {
                    recording.openings.extend(opening);
                }
            });
        };
        scope.read_records(read)?;
        if let Some(shared) = scope.shared() {
            recording.change(|recording| recording.add_shared(&shared, 0));
        }
        Some(recording)
    }

    /// Adds what the attached threads have recorded. The scope was shared after so many allocation
    /// events.
    pub(crate) fn add_shared(&mut self, shared: &SharedScope, earlier_events: u64) {
        shared.visit(&mut |stack, counts, is_opening| match stack {
            Some(stack) => {
                self.openings.extend(is_opening.then_some(stack));
                if counts.events() > 0 {
                    self.stacks.push((stack, CompactCounts::of(counts)));
                }
            }
            None => self.unattributed.add(counts),
        });
        if let (None, Some((event, stack))) = (self.first_overrun, shared.first_overrun()) {
            self.first_overrun = Some((earlier_events + event, stack));
        }
        self.unite();
    }

    /// Adds what one poll of a future has recorded, or a scope as a whole. The polls before had so
    /// many allocation events.
    pub(crate) fn add(&mut self, records: Records<'_>, earlier_events: u64) {
        records.visit(&mut |stack, counts| match stack {
            Some(stack) => self.stacks.push((stack, CompactCounts::of(counts))),
            None => self.unattributed.add(counts),
        });
        if let Some(opening) = records.opening() {
            if !self.openings.iter().any(|known| std::ptr::eq(*known, opening)) {
                self.openings.push(opening);
            }
        }
        if let (None, FirstOverrun::At(event, stack)) =
            (self.first_overrun, records.first_overrun())
        {
            self.first_overrun = Some((earlier_events + event, stack));
        }
        if self.stacks.len() > self.most {
            self.unite();
            self.most = 2 * self.stacks.len() + 64;
        }
    }

    /// Of the same scope, where the blocks were allocated that are live now.
    pub(crate) fn of_live_blocks(&self, tracking: &Tracking) -> Self {
        let mut live = Self { openings: self.openings.clone(), ..Self::default() };
        tracking.visit_live(&mut |stack, size| {
            let counts = SiteCounts { allocs: 1, bytes: size, ..SiteCounts::ZERO };
            match stack {
                Some(stack) => live.stacks.push((stack, CompactCounts::of(&counts))),
                None => live.unattributed.add(&counts),
            }
        });
        live.unite();
        live
    }

    /// Adds the largest blocks of the same scope, and the first event past their limit, if no other
    /// limit was passed before.
    pub(crate) fn add_largest_blocks(&mut self, largest: &LargestBlocks) {
        largest.visit(&mut |stack, size| self.largest_blocks.push((stack, size)));
        let past = [self.first_overrun, largest.first_past()].into_iter().flatten();
        self.first_overrun = past.min_by_key(|(event, _)| *event);
    }

    /// Adds the heap profile of the same scope or profiler, and to each stack what of its blocks
    /// was live at the peak.
    pub(crate) fn add_heap(&mut self, heap: ProgramPoints) {
        self.unite();
        let address = |stack: Option<&Stack>| stack.map_or(0, |stack| stack as *const _ as usize);
        let mut known = WordMap::EMPTY;
        for (stack, numbers) in &heap.points {
            known.get_or_insert(address(*stack), numbers.at_peak);
        }
        let at_peak = |stack| known.get(address(stack)).copied().unwrap_or(Blocks::NONE);
        for (stack, counts) in &mut self.stacks {
            let at_peak = at_peak(Some(stack));
            *counts = CompactCounts::of(&SiteCounts { at_peak, ..counts.get() });
        }
        self.unattributed.at_peak = at_peak(None);
        self.heap = Some(heap);
    }

    /// Makes one entry of all that have the same stack.
    fn unite(&mut self) {
        let mut places = Index::default();
        let stacks = self.stacks.as_mut_slice();
        let mut united = 0;
        for at in 0..stacks.len() {
            match places.find_or_insert(stacks[at].0 as *const Stack as usize, united) {
                Some(known) => {
                    let mut sum = stacks[known].1.get();
                    sum.add(&stacks[at].1.get());
                    stacks[known].1 = CompactCounts::of(&sum);
                }
                None => {
                    stacks.swap(united, at);
                    united += 1;
                }
            }
        }
        self.stacks.truncate(united);
    }
}
