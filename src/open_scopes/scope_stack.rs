//! Hot: `ScopeStack`, the scopes that are open on one thread, innermost last. Pure bookkeeping over
//! numbers that the owner of the state hands in; it reads no counter itself.
//!
//! An entry remembers the counts at its opening, and what it has counted is the difference. Four
//! things need more than that:
//!
//! **Peaks.** The state of the thread keeps one running maximum. At each opening and closing the
//! innermost entry takes it in, and it starts anew. So each entry holds the maximum of the
//! stretches in which it was the innermost one, and its peak is the maximum over itself and all
//! entries above it. An entry that is closed hands its maximum down. Nothing is kept in the guards,
//! so a guard that is forgotten, or dropped out of order, spoils no other peak: its entry stays as
//! a closed one until all above it are closed too.
//!
//! **Uncounted stretches** ([`uncounted`]). When an entry of [`Kind::Uncounted`] is closed, every
//! entry below it moves its start by what was counted in the stretch, and its peak by the net
//! bytes. So the stretch cancels out. An uncounted entry does not hand its maximum down. While it
//! is open, the entries below show their numbers at its opening, and the reading is marked: the
//! thread may have left the stretch without ending it, as a coroutine may be suspended inside.
//!
//! **Call sites.** An entry that records has a record ([`ScopeRecords`]), which is handed down as
//! the peaks are, and not out of an uncounted stretch either. Records stand apart, in the order of
//! the entries that record: few do, and a record is kept for the next scope, with its memory.
//!
//! **Other threads** ([`sharing`]). The entry of a scope that others attach to has a
//! [`SharedScope`](super::SharedScope). On an attached thread stands an entry of
//! [`Kind::Attached`], which counts by its [`Share`](super::share::Share) of that scope.

mod sharing;
#[cfg(test)]
mod tests;
mod uncounted;

use super::entry::{hands_down, Kind, NewEntry, Reading, ScopeEntry, ScopeId};
use crate::blocks::Tracked;
use crate::counters::{Counts, Event, Sums};
use crate::stacks::{FirstOverrun, LargestBlocks, Records, ScopeRecords, Stack};
use crate::sys::{OutOfMemory, SystemVec};

pub(crate) struct ScopeStack {
    entries: SystemVec<ScopeEntry>,
    records: ScopeRecords,
    serials: u64,
}

impl ScopeStack {
    pub(crate) const fn new() -> Self {
        Self { entries: SystemVec::new(), records: ScopeRecords::new(), serials: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.as_slice().is_empty()
    }

    /// Forgets all entries: the thread ends.
    pub(crate) fn clear(&mut self, now: Counts) {
        let mut above = self.entries.as_slice();
        while let [attached, rest @ ..] = above {
            above = rest;
            if attached.is_attached() && rest.iter().any(ScopeEntry::is_uncounted) {
                attached.shared.iter().for_each(|shared| shared.note_still_uncounted());
            }
        }
        for depth in 0..self.entries.as_slice().len() {
            self.let_go(depth, now);
        }
        self.entries.clear();
        self.records.clear();
    }

    pub(crate) fn is_recording(&self) -> bool {
        !self.records.is_empty()
    }

    /// Takes in the maximum of the net bytes since the last call. To be called before each of the
    /// methods below.
    #[inline]
    pub(crate) fn fold(&mut self, high: i64) {
        // By a pattern and a compare: unoptimised, methods are calls upon calls.
        if let [.., top] = self.entries.as_mut_slice() {
            if top.peak < high {
                top.peak = high;
            }
        }
    }

    /// Opens an entry. `now` is the thread's counts, here and below.
    #[inline]
    pub(crate) fn open(&mut self, new: NewEntry, now: Counts) -> Result<ScopeId, OutOfMemory> {
        let NewEntry { kind, tag, wants_peak } = new;
        // The entries by which a thread is attached must stand one upon the other.
        let is_attached = matches!(kind, Kind::Attached { .. });
        if let [.., top] = self.entries.as_slice() {
            if !is_attached && top.stays() {
                self.drop_closed(now);
            }
        }
        let peak = now.net;
        self.serials += 1;
        let id = ScopeId { depth: self.entries.as_slice().len(), serial: self.serials };
        self.entries.push(ScopeEntry {
            start: now,
            uncounted: 0,
            peak,
            own_peak: peak,
            serial: self.serials,
            tag,
            frozen: None,
            kind,
            is_closed: false,
            wants_peak,
            shared: None,
            share: None,
            tracked: None,
        })?;
        if matches!(kind, Kind::Uncounted { .. }) {
            self.pause_below(id.depth, now);
        }
        Ok(id)
    }

    /// Opens an entry that records. `at` is the stack here and now.
    pub(crate) fn open_recording(
        &mut self,
        new: NewEntry,
        now: Counts,
        at: Option<&'static Stack>,
        first_overrun: FirstOverrun,
    ) -> Result<ScopeId, OutOfMemory> {
        // First the entry: closed ones may go then, and each takes the innermost record with it.
        let id = self.open(new, now)?;
        if let Err(error) = self.records.open(at, first_overrun) {
            self.entries.pop();
            return Err(error);
        }
        Ok(id)
    }

    /// Notes an event for all scopes that want to know of it: those that record, those that are
    /// shared, and those whose blocks or their sizes are asked for. `stack` is where it happened,
    /// if anybody asks; `now` is the thread's sums, with this event. Returns whether a fresh block
    /// was entered anywhere.
    #[cfg_attr(not(debug_assertions), inline(always))] // One call less for each that is recorded.
    pub(crate) fn note(&mut self, stack: Option<&'static Stack>, event: &Event, now: Sums) -> bool {
        let is_allocation = event.is_allocation();
        // By patterns: iterators are calls upon calls in debug builds.
        let (mut scopes, mut records) = (self.entries.as_slice(), self.records.as_mut_slice());
        // Only the innermost recording entry counts the event. Those below get it when it closes.
        let (mut is_counted, mut is_entered) = (false, false);
        while let [below @ .., entry] = scopes {
            scopes = below;
            match entry.kind {
                Kind::Uncounted { .. } if entry.is_closed => {}
                Kind::Uncounted { .. } => break,
                Kind::Recording => {
                    let [below @ .., record] = records else { break };
                    records = below;
                    if is_allocation {
                        if !is_counted {
                            record.count(stack, event);
                            is_counted = true;
                        }
                        if entry.shared.is_none() {
                            record.look_out(now.since(entry.start.sums()), stack);
                        }
                    }
                }
                Kind::Attached { .. } if is_allocation => entry.record(stack, event),
                Kind::Scope | Kind::Attached { .. } => {}
            }
            if let Some(shared) = &entry.shared {
                entry.note(shared, stack, event);
            }
            if let (Some(tracked), true) = (entry.tracked, is_allocation) {
                if entry.has_ended() {
                    continue;
                }
                if let Some(largest) = tracked.largest {
                    entry.note_size(largest, stack, event, now);
                }
                // A reallocation leaves a block the one that it is.
                if event.is_fresh() {
                    tracked.insert(event, stack, !is_entered);
                    is_entered |= tracked.has_entries();
                } else {
                    tracked.count_moved(event, stack);
                }
            }
        }
        is_entered
    }

    /// Whether anybody asks for the largest block that is requested now.
    pub(crate) fn asks_for_sizes(&self) -> bool {
        self.largest_blocks().next().is_some()
    }

    /// Notes a request that was refused. `stack` is as for [`note`](Self::note). Returns the
    /// innermost one whose limit it is beyond.
    pub(crate) fn note_refused(
        &self,
        size: u64,
        stack: Option<&'static Stack>,
    ) -> Option<&'static LargestBlocks> {
        let mut innermost = None;
        for largest in self.largest_blocks() {
            if largest.note_refused(size, stack) {
                innermost = innermost.or(Some(largest));
            }
        }
        innermost
    }

    /// What is kept for those who ask for the largest block that is requested now, innermost first.
    fn largest_blocks(&self) -> impl Iterator<Item = &'static LargestBlocks> + '_ {
        let counting =
            self.entries.as_slice().iter().rev().take_while(|entry| !entry.is_uncounted());
        counting.filter(|entry| !entry.has_ended()).filter_map(|entry| entry.tracked?.largest)
    }

    /// Has the blocks entered that are allocated in the scope from now on.
    pub(crate) fn set_tracked(&mut self, id: ScopeId, tracked: Tracked) {
        if let Some(entry) = self.entries.as_mut_slice().get_mut(id.depth) {
            entry.tracked = Some(tracked);
        }
    }

    /// What the entry has recorded; `None` if it does not record, or is no longer there.
    pub(crate) fn records(&self, id: ScopeId) -> Option<Records<'_>> {
        self.get(id).and_then(|_| self.records_at(id.depth))
    }

    /// The entry, if it is still there.
    fn get(&self, id: ScopeId) -> Option<&ScopeEntry> {
        self.entries.as_slice().get(id.depth).filter(|entry| entry.serial == id.serial)
    }

    fn records_at(&self, depth: usize) -> Option<Records<'_>> {
        if self.entries.as_slice().get(depth)?.kind != Kind::Recording {
            return None;
        }
        let (depth, above) = self.records_of(depth);
        self.records.read(depth, above)
    }

    /// The record of the recording entry at `depth`, and how many above it hand theirs down to it.
    fn records_of(&self, depth: usize) -> (usize, usize) {
        let is_recording = |entry: &&ScopeEntry| entry.kind == Kind::Recording;
        // No panic: the caller has found the entry.
        let (below, rest) = self.entries.as_slice().split_at(depth);
        let above = rest.iter().skip(1).take_while(|entry| !entry.is_uncounted());
        (below.iter().filter(is_recording).count(), above.filter(is_recording).count())
    }

    /// What the entry has counted, or `None` if it is no longer there.
    #[inline]
    pub(crate) fn measure(&self, id: ScopeId, now: Counts) -> Option<Reading> {
        // The innermost one first, likewise.
        let entries = self.entries.as_slice();
        let (entry, above): (_, &[_]) = match entries {
            [.., top] if top.serial == id.serial => (top, &[]),
            _ => entries.get(id.depth..)?.split_first()?,
        };
        if entry.serial != id.serial {
            return None;
        }
        Some(entry.read(above, now))
    }

    /// Ends the count of the innermost entry tagged `tag`, if there is one. The entry stays until
    /// it is closed.
    pub(crate) fn freeze(&mut self, tag: u64, now: Counts) {
        let Some(depth) = self.entries.as_slice().iter().rposition(|entry| entry.tag == tag) else {
            return;
        };
        let entries = self.entries.as_slice();
        // No panic: the position of one of them.
        let (entry, above) = (&entries[depth], &entries[depth + 1..]);
        let measured = entry.measure(above, now);
        if entry.kind == Kind::Recording {
            let (record, above) = self.records_of(depth);
            self.records.freeze(record, above);
        }
        // No panic: as above.
        let entry = &mut self.entries.as_mut_slice()[depth];
        entry.frozen = Some(measured);
        entry.tracked = None;
        if let Some(shared) = &entry.shared {
            shared.end();
        }
    }

    /// Closes the entry and says what it has counted, or `None` if it is no longer there.
    #[inline]
    pub(crate) fn close(&mut self, id: ScopeId, now: Counts) -> Option<Reading> {
        let own = match self.entries.as_slice() {
            [.., top] if top.is_plain(id) => top.measure(&[], now),
            _ => {
                let reading = self.measure(id, now);
                self.close_any(id, now);
                return reading;
            }
        };
        self.close_plain(|| now);
        Some(Reading { own, others: None })
    }

    /// Closes the entry, if it is still there. `now` is asked only where it must be.
    #[inline]
    pub(crate) fn close_unread(&mut self, id: ScopeId, now: impl FnOnce() -> Counts) {
        match self.entries.as_slice() {
            [.., top] if top.is_plain(id) => self.close_plain(now),
            _ => self.close_any(id, now()),
        }
    }

    /// The common case: closes the innermost entry, of a scope that no other thread counts for.
    #[inline(always)]
    fn close_plain(&mut self, now: impl FnOnce() -> Counts) {
        let [below @ .., top] = self.entries.as_mut_slice() else { return };
        let (handed_down, is_recording) = (top.peak, matches!(top.kind, Kind::Recording));
        let mut is_over_closed = false;
        let mut hand_down = false;
        if let [.., next] = &mut *below {
            if next.peak < handed_down {
                next.peak = handed_down;
            }
            is_over_closed = next.is_over();
            hand_down = is_recording && hands_down(below);
        }
        self.entries.pop();
        if is_recording {
            self.records.close(hand_down);
        }
        if is_over_closed {
            self.drop_closed(now());
        }
    }

    #[cold]
    fn close_any(&mut self, id: ScopeId, now: Counts) {
        if self.get(id).is_none() {
            return;
        }
        self.let_go(id.depth, now);
        // No panic: it is there.
        let entry = &mut self.entries.as_mut_slice()[id.depth];
        entry.is_closed = true;
        if matches!(entry.kind, Kind::Uncounted { .. }) {
            self.cancel_out(id.depth, now);
            self.resume_below(id.depth, now);
        }
        self.drop_closed(now);
    }

    /// Removes closed entries from the top. Each hands its maximum and its record down.
    fn drop_closed(&mut self, now: Counts) {
        while let Some((top, below)) = self.entries.as_mut_slice().split_last_mut() {
            if !top.is_over() {
                break;
            }
            let is_recording = top.kind == Kind::Recording;
            let hand_down = hands_down(below);
            if let Some(below) = below.last_mut() {
                below.peak = below.peak.max(top.peak);
            }
            if is_recording {
                self.records.close(hand_down);
            }
            self.let_go(self.entries.as_slice().len() - 1, now);
            self.entries.pop();
        }
    }
}
