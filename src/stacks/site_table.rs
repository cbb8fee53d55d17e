//! Hot: `SiteTable`, what was counted at each stack of one scope, by the thread that the scope is
//! on. It grows as it fills; its memory comes from the system itself.
//!
//! [`SharedSiteTable`](super::shared_site_table) is a second one, on purpose. This one is used by
//! its scope's thread alone, so plain numbers do, in rows that move when it grows and are given
//! back. One table for both would cost each recorded allocation 28 instructions more than the 1,300
//! that it takes at 15 frames.

use std::ptr;

use super::site_counts::SiteCounts;
use super::stack::Stack;
use super::stack_index::{StackIndex, NO_ROW};
use crate::counters::Event;
use crate::sys::SystemVec;

/// What was counted at one stack.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// `None` for events that have no stack.
    pub(super) stack: Option<&'static Stack>,
    pub(super) counts: SiteCounts,
    /// The part of `counts` that the scopes below have already, or must not see.
    settled: SiteCounts,
}

/// A row as it is kept: in a fifth of the bytes, for most stacks have fresh blocks only.
struct Site {
    stack: &'static Stack,
    fresh: Fresh,
    settled: Fresh,
    /// From 1, the number of the row with all the rest.
    rest: usize,
}

/// Fresh blocks.
#[derive(Clone, Copy)]
struct Fresh {
    allocs: u64,
    bytes: u64,
}

pub(super) struct SiteTable {
    sites: SystemVec<Site>,
    /// What was counted at those with reallocations, but for what is with the site.
    rests: SystemVec<Row>,
    index: StackIndex,
    /// What has no stack, or found no room.
    unattributed: Row,
}

/// Tables beyond this many rows give their memory back when they are emptied.
const KEPT_ROWS: usize = 512;

impl Row {
    const fn new(stack: Option<&'static Stack>) -> Self {
        Self { stack, counts: SiteCounts::ZERO, settled: SiteCounts::ZERO }
    }

    /// What is to be handed down.
    pub(super) fn unsettled(&self) -> SiteCounts {
        self.counts.since(&self.settled)
    }

    fn settle(&mut self) {
        self.settled = self.counts;
    }
}

impl Fresh {
    const NONE: Self = Self { allocs: 0, bytes: 0 };

    #[inline]
    fn add(&mut self, allocs: u64, bytes: u64) {
        self.allocs += allocs;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn counts(self) -> SiteCounts {
        SiteCounts { allocs: self.allocs, bytes: self.bytes, ..SiteCounts::ZERO }
    }
}

impl SiteTable {
    pub(super) const fn new() -> Self {
        Self {
            sites: SystemVec::new(),
            rests: SystemVec::new(),
            index: StackIndex::new(),
            unattributed: Row::new(None),
        }
    }

    #[inline]
    pub(super) fn count(&mut self, stack: Option<&'static Stack>, event: &Event) {
        let at = stack.map_or(NO_ROW, |stack| self.place(stack));
        match self.sites.as_mut_slice().get_mut(at) {
            Some(site) if event.is_fresh() => site.fresh.add(1, event.size()),
            _ => self.count_otherwise(stack, at, event),
        }
    }

    /// A reallocation, or at a stack that is new, or none.
    #[inline(never)]
    fn count_otherwise(&mut self, stack: Option<&'static Stack>, at: usize, event: &Event) {
        let at = if at == NO_ROW { self.insert(stack) } else { at };
        match self.sites.as_mut_slice().get_mut(at) {
            Some(site) if event.is_fresh() => site.fresh.add(1, event.size()),
            _ => self.rest(at).counts.count(event),
        }
    }

    pub(super) fn add(&mut self, stack: Option<&'static Stack>, counts: &SiteCounts) {
        let known = stack.map_or(NO_ROW, |stack| self.place(stack));
        let at = if known == NO_ROW { self.insert(stack) } else { known };
        let fresh = Fresh { allocs: counts.allocs, bytes: counts.bytes };
        match self.sites.as_mut_slice().get_mut(at) {
            Some(site) if *counts == fresh.counts() => site.fresh.add(fresh.allocs, fresh.bytes),
            _ => self.rest(at).counts.add(counts),
        }
    }

    /// Every row, that of unattributed events last.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let rows = self.sites.as_slice().iter().map(|site| {
            let rest = site.rest.checked_sub(1).and_then(|at| self.rests.as_slice().get(at));
            let mut row = rest.copied().unwrap_or(Row::new(Some(site.stack)));
            row.counts.add(&site.fresh.counts());
            row.settled.add(&site.settled.counts());
            row
        });
        rows.chain([self.unattributed])
    }

    /// Marks all that was counted so far as handed down.
    pub(super) fn settle(&mut self) {
        self.sites.as_mut_slice().iter_mut().for_each(|site| site.settled = site.fresh);
        self.rests.as_mut_slice().iter_mut().for_each(Row::settle);
        self.unattributed.settle();
    }

    pub(super) fn clear(&mut self) {
        // Not more than is needed: a scope opens and closes in nanoseconds.
        if self.unattributed.counts.events() > 0 {
            self.unattributed = Row::new(None);
        }
        if self.sites.as_slice().len() > KEPT_ROWS {
            self.free();
        } else if !self.sites.as_slice().is_empty() {
            self.sites.clear();
            self.rests.clear();
            self.index.clear();
        }
    }

    /// Gives all memory back.
    pub(super) fn free(&mut self) {
        self.sites.free();
        self.rests.free();
        self.index.free();
    }

    /// The number of its site, or [`NO_ROW`].
    #[inline]
    fn place(&self, stack: &'static Stack) -> usize {
        let likely = stack.likely_row();
        if self.is_at(likely, stack) {
            return likely;
        }
        self.find(stack)
    }

    /// The same, by the index: for a stack that another table has met since.
    #[inline(never)]
    fn find(&self, stack: &'static Stack) -> usize {
        self.index.find(stack, |at| self.is_at(at, stack))
    }

    #[inline]
    fn is_at(&self, at: usize, stack: &'static Stack) -> bool {
        self.sites.as_slice().get(at).is_some_and(|site| ptr::eq(site.stack, stack))
    }

    /// The number of a new site; [`NO_ROW`] without memory, and for no stack.
    #[cold]
    fn insert(&mut self, stack: Option<&'static Stack>) -> usize {
        let at = self.sites.as_slice().len();
        let mut insert = |stack| {
            self.index.reserve(|at| Some(self.sites.as_slice().get(at)?.stack)).ok()?;
            let (fresh, settled) = (Fresh::NONE, Fresh::NONE);
            self.sites.push(Site { stack, fresh, settled, rest: 0 }).ok()?;
            self.index.insert(stack, at);
            stack.set_likely_row(at);
            Some(at)
        };
        stack.and_then(&mut insert).unwrap_or(NO_ROW)
    }

    /// Where reallocations at a site are counted; the unattributed row for those without a site,
    /// and without memory.
    fn rest(&mut self, at: usize) -> &mut Row {
        let rest = self.sites.as_mut_slice().get_mut(at).and_then(|site| {
            if site.rest == 0 {
                self.rests.push(Row::new(Some(site.stack))).ok()?;
                site.rest = self.rests.as_slice().len();
            }
            self.rests.as_mut_slice().get_mut(site.rest - 1)
        });
        rest.unwrap_or(&mut self.unattributed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ptr;

    use super::{SiteCounts, SiteTable, KEPT_ROWS};
    use crate::counters::Event;
    use crate::stacks::made_up_stack;
    use crate::stacks::stack::made_up_collision;
    use crate::sys::memory::refusals;
    use crate::sys::random_tests::Random;

    #[test]
    fn a_table_grows_with_its_stacks_and_starts_anew_when_it_is_cleared() {
        let mut sites = SiteTable::new();
        for stacks in [10, 8, KEPT_ROWS + 1, 3_000, 1] {
            for size in 1..=3 {
                for stack in 0..stacks {
                    let stack = made_up_stack(&[7, stack]);
                    sites.count(Some(stack), &Event::alloc(0, size));
                }
            }
            sites.count(None, &Event::realloc(0, 8, 9));
            let rows: Vec<_> = sites.rows().collect();
            let (unattributed, rows) = rows.split_last().expect("one for what is unattributed");
            assert_eq!(rows.len(), stacks);
            for (at, row) in rows.iter().enumerate() {
                assert_eq!(row.stack.expect("one").return_addresses(), [7, at]);
                assert_eq!((row.counts.allocs, row.counts.bytes), (3, 6));
            }
            assert_eq!((unattributed.counts.reallocs, unattributed.counts.bytes), (1, 9));
            // More would be left of former rows: they fill the index, up to where a search never
            // ends.
            assert_eq!(sites.index.used(), stacks);
            sites.clear();
        }
        sites.free();
    }

    #[test]
    fn random_events_are_counted_as_if_each_stack_had_all_numbers() {
        let mut random = Random(7);
        let mut sites = SiteTable::new();
        for _ in 0..30 {
            let mut model = BTreeMap::<usize, [SiteCounts; 2]>::new();
            for _ in 0..200 {
                // 0 stands for no stack.
                let at = random.below(12);
                let stack = (at > 0).then(|| made_up_stack(&[19, at]));
                let (old, new) = (random.below(100) as u64, random.below(100) as u64);
                let event =
                    [Event::alloc(0, new), Event::realloc(0, old, new)][random.below(8) / 7];
                let [counts, _] = model.entry(at).or_default();
                match random.below(20) {
                    0 => {
                        sites.settle();
                        model.values_mut().for_each(|[counts, settled]| *settled = *counts);
                    }
                    1..=4 => {
                        let mut sum = SiteCounts::ZERO;
                        (0..random.below(3)).for_each(|_| sum.count(&event));
                        counts.add(&sum);
                        sites.add(stack, &sum);
                    }
                    _ => {
                        counts.count(&event);
                        sites.count(stack, &event);
                    }
                }
            }
            for row in sites.rows() {
                let at = row.stack.map_or(0, |stack| stack.return_addresses()[1]);
                let [counts, settled] = model.remove(&at).unwrap_or_default();
                assert_eq!(row.counts, counts);
                assert_eq!(row.unsettled(), counts.since(&settled));
            }
            assert!(model.is_empty());
            sites.clear();
        }
        sites.free();
    }

    #[test]
    fn what_finds_no_memory_is_counted_as_unattributed() {
        let stacks: Vec<_> = (0..300).map(|at| made_up_stack(&[23, at])).collect();
        let mut attributed = Vec::new();
        for granted in 0..30 {
            let mut sites = SiteTable::new();
            refusals::after(granted, || {
                for stack in &stacks {
                    sites.count(Some(stack), &Event::alloc(0, 3));
                    sites.count(Some(stack), &Event::realloc(0, 3, 5));
                }
            });
            let rows: Vec<_> = sites.rows().collect();
            let mut sum = SiteCounts::ZERO;
            rows.iter().for_each(|row| sum.add(&row.counts));
            assert_eq!((sum.allocs, sum.reallocs, sum.bytes), (300, 300, 300 * 8));
            for (row, stack) in rows.iter().zip(&stacks) {
                assert!(row.stack.is_none() || ptr::eq(row.stack.expect("one"), *stack));
                assert!(row.stack.is_none() || (row.counts.allocs == 1 && row.counts.reallocs < 2));
            }
            attributed.push(600 - rows.last().expect("the unattributed").counts.events());
            sites.free();
        }
        // More each time that more is granted: the index, the sites, and the rests.
        assert!(attributed[..2] == [0, 0] && attributed.last() == Some(&600), "{attributed:?}");
        assert!(attributed.windows(2).all(|two| two[0] <= two[1]), "{attributed:?}");
    }

    #[test]
    fn stacks_of_the_same_hash_have_rows_of_their_own() {
        let mut sites = SiteTable::new();
        for stack in made_up_collision() {
            sites.count(Some(stack), &Event::alloc(0, 1));
        }
        let stacks: Vec<_> = sites.rows().filter_map(|row| row.stack).collect();
        assert_eq!(stacks.iter().map(|s| s.return_addresses()[0]).collect::<Vec<_>>(), [1, 2]);
        sites.free();
    }
}
