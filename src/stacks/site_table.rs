//! Hot: `SiteTable`, what was counted at each stack of one scope, by the thread that the scope is
//! on. It grows as it fills; its memory comes from the system itself.
//!
//! [`SharedSiteTable`](super::shared_site_table) is a second one, on purpose. This one is used by
//! its scope's thread alone, so plain numbers do, in rows that move when it grows and are given
//! back. One table for both would cost each recorded allocation 28 instructions more than the 1,300
//! that it takes at 15 frames.

use super::site_counts::SiteCounts;
use super::stack::Stack;
use super::stack_index::StackIndex;
use crate::counters::Event;
use crate::sys::SystemVec;

pub(super) struct Row {
    /// `None` for events that have no stack.
    pub(super) stack: Option<&'static Stack>,
    pub(super) counts: SiteCounts,
    /// The part of `counts` that the scopes below have already, or must not see.
    settled: SiteCounts,
}

pub(super) struct SiteTable {
    rows: SystemVec<Row>,
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
}

impl SiteTable {
    pub(super) const fn new() -> Self {
        Self { rows: SystemVec::new(), index: StackIndex::new(), unattributed: Row::new(None) }
    }

    #[inline]
    pub(super) fn count(&mut self, stack: Option<&'static Stack>, event: &Event) {
        self.row(stack).counts.count(event);
    }

    pub(super) fn add(&mut self, stack: Option<&'static Stack>, counts: &SiteCounts) {
        self.row(stack).counts.add(counts);
    }

    /// Every row, that of unattributed events last.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.as_slice().iter().chain([&self.unattributed])
    }

    /// Marks all that was counted so far as handed down.
    pub(super) fn settle(&mut self) {
        for row in self.rows.as_mut_slice().iter_mut().chain([&mut self.unattributed]) {
            row.settled = row.counts;
        }
    }

    pub(super) fn clear(&mut self) {
        // Not more than is needed: a scope opens and closes in nanoseconds.
        if self.unattributed.counts.events() > 0 {
            self.unattributed = Row::new(None);
        }
        if self.rows.as_slice().len() > KEPT_ROWS {
            self.free();
        } else if !self.rows.as_slice().is_empty() {
            self.rows.clear();
            self.index.clear();
        }
    }

    /// Gives all memory back.
    pub(super) fn free(&mut self) {
        self.rows.free();
        self.index.free();
    }

    #[inline]
    fn row(&mut self, stack: Option<&'static Stack>) -> &mut Row {
        let Some(stack) = stack else { return &mut self.unattributed };
        let Some(at) = self.index.find(stack).or_else(|| self.insert(stack)) else {
            return &mut self.unattributed;
        };
        match self.rows.as_mut_slice().get_mut(at) {
            Some(row) => row,
            None => &mut self.unattributed,
        }
    }

    #[cold]
    fn insert(&mut self, stack: &'static Stack) -> Option<usize> {
        let row = self.rows.as_slice().len();
        self.index.reserve().ok()?;
        self.rows.push(Row::new(Some(stack))).ok()?;
        self.index.insert(stack, row);
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::{SiteTable, KEPT_ROWS};
    use crate::counters::Event;
    use crate::stacks::made_up_stack;
    use crate::stacks::stack::made_up_collision;

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
