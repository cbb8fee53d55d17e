//! Hot: `ScopeRecords`, what the recording scopes of one thread keep, innermost last. Each has a
//! table of its own; events go into the innermost one, and a scope that ends hands its table down
//! to the one below. So every scope has counted exactly its own stretch, at the cost of one table
//! an event. `open_scopes` says when to open, freeze, withhold and close.

use super::first_overrun::FirstOverrun;
use super::site_counts::SiteCounts;
use super::site_table::SiteTable;
use super::stack::Stack;
use crate::counters::{Event, Sums};
use crate::sys::{OutOfMemory, SystemVec};

/// What one recording scope keeps.
pub(crate) struct ScopeRecord {
    sites: SiteTable,
    /// The result, where the count has ended before the scope: see `ScopeStack::freeze`.
    frozen: Option<SiteTable>,
    /// Where the scope was opened.
    opening: Option<&'static Stack>,
    first_overrun: FirstOverrun,
}

pub(crate) struct ScopeRecords {
    /// The first `open` are in use; the others keep their memory for later.
    records: SystemVec<ScopeRecord>,
    open: usize,
}

impl ScopeRecord {
    const fn new() -> Self {
        Self {
            sites: SiteTable::new(),
            frozen: None,
            opening: None,
            first_overrun: FirstOverrun::Never,
        }
    }

    /// Notes an event that has brought the scope to `now`.
    #[inline]
    pub(crate) fn look_out(&mut self, now: Sums, stack: Option<&'static Stack>) {
        if self.frozen.is_none() {
            self.first_overrun.look_out(now, stack);
        }
    }

    #[inline]
    pub(crate) fn count(&mut self, stack: Option<&'static Stack>, event: &Event) {
        self.sites.count(stack, event);
    }
}

impl ScopeRecords {
    pub(crate) const fn new() -> Self {
        Self { records: SystemVec::new(), open: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// Those in use, innermost last.
    pub(crate) fn as_slice(&self) -> &[ScopeRecord] {
        self.records.as_slice().get(..self.open).unwrap_or(&[])
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [ScopeRecord] {
        self.records.first_mut(self.open)
    }

    pub(crate) fn open(
        &mut self,
        opening: Option<&'static Stack>,
        first_overrun: FirstOverrun,
    ) -> Result<(), OutOfMemory> {
        if self.open == self.records.as_slice().len() {
            self.records.push(ScopeRecord::new())?;
        }
        self.open += 1;
        if let [.., record] = self.as_mut_slice() {
            record.opening = opening;
            record.first_overrun = first_overrun;
        }
        Ok(())
    }

    /// What the record at `depth` holds, together with what the `above` next ones will hand down to
    /// it.
    pub(crate) fn read(&self, depth: usize, above: usize) -> Option<Records<'_>> {
        let (record, rest) = self.as_slice().get(depth..)?.split_first()?;
        Some(Records { record, above: rest.get(..above).unwrap_or(rest) })
    }

    /// Fixes the result of the record at `depth`: what [`read`](Self::read) has of it by now.
    #[cold]
    pub(crate) fn freeze(&mut self, depth: usize, above: usize) {
        let mut frozen = SiteTable::new();
        if let Some(records) = self.read(depth, above) {
            records.visit(&mut |stack, counts| frozen.add(stack, counts));
        }
        if let Some(record) = self.as_mut_slice().get_mut(depth) {
            record.frozen = Some(frozen);
        }
    }

    /// Closes the innermost record, and hands down what it has counted if `hand_down`.
    pub(crate) fn close(&mut self, hand_down: bool) {
        let Some(depth) = self.open.checked_sub(1) else { return };
        if hand_down {
            self.settle(depth, true);
        }
        if let [.., top] = self.as_mut_slice() {
            top.sites.clear();
            if let Some(frozen) = &mut top.frozen {
                frozen.free();
                top.frozen = None;
            }
        }
        self.open = depth;
    }

    /// Hands what the record at `depth` has counted down to the one below, or, without `hand_down`,
    /// sees to it that it never will be. What it counts from now on is to be settled later.
    pub(crate) fn settle(&mut self, depth: usize, hand_down: bool) {
        let up_to = self.as_mut_slice().get_mut(..=depth);
        let Some((record, below)) = up_to.and_then(<[_]>::split_last_mut) else { return };
        if let (true, Some(below)) = (hand_down, below.last_mut()) {
            for row in record.sites.rows() {
                let counts = row.unsettled();
                if counts.events() > 0 {
                    below.sites.add(row.stack, &counts);
                }
            }
        }
        record.sites.settle();
    }

    /// Forgets all: the thread ends.
    pub(crate) fn clear(&mut self) {
        while !self.is_empty() {
            self.close(false);
        }
    }
}

/// What a scope has recorded, to be read.
#[derive(Clone, Copy)]
pub(crate) struct Records<'a> {
    record: &'a ScopeRecord,
    above: &'a [ScopeRecord],
}

impl Records<'_> {
    /// Shows `visit` what was counted at each stack; `None` stands for events without one. A stack
    /// may come more than once.
    pub(crate) fn visit(self, visit: &mut dyn FnMut(Option<&'static Stack>, &SiteCounts)) {
        if let Some(frozen) = &self.record.frozen {
            return frozen.rows().for_each(|row| visit(row.stack, &row.counts));
        }
        self.record.sites.rows().for_each(|row| visit(row.stack, &row.counts));
        for record in self.above {
            for row in record.sites.rows() {
                visit(row.stack, &row.unsettled());
            }
        }
    }

    /// Where the scope was opened.
    pub(crate) fn opening(self) -> Option<&'static Stack> {
        self.record.opening
    }

    pub(crate) fn first_overrun(self) -> FirstOverrun {
        self.record.first_overrun
    }
}
