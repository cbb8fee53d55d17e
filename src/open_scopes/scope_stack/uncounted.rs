//! Hot: how the entries below pass over an uncounted stretch. The module [`scope_stack`](super)
//! says what that means.

use super::ScopeStack;
use crate::counters::Counts;
use crate::open_scopes::entry::{hands_down, Kind, ScopeEntry};

impl ScopeStack {
    /// Takes what was counted in the uncounted entry at `depth` out of the entries below. If
    /// another one is open above it, what happened since that was opened is for that one to take
    /// out.
    ///
    /// Entries above it were opened inside it, and outlive it. They keep all that they have
    /// counted. Their peaks so far become their own alone, so that they are not handed down.
    #[cold]
    pub(super) fn cancel_out(&mut self, depth: usize, now: Counts) {
        // No panic: the caller has found the entry.
        let (below, rest) = self.entries.as_mut_slice().split_at_mut(depth);
        let Some((uncounted, above)) = rest.split_first_mut() else { return };
        let end = above.iter().find(|entry| entry.is_uncounted()).map_or(now, |entry| entry.start);
        let stretch = end - uncounted.start;
        let events = stretch.sums().events;
        for entry in below {
            entry.start += stretch;
            entry.uncounted += events;
            if let Some(share) = entry.share {
                share.add_uncounted(events);
            }
            entry.peak = entry.peak.saturating_add(stretch.net);
            entry.own_peak = entry.own_peak.saturating_add(stretch.net);
        }
        let mut highest = i64::MIN;
        for entry in above.iter_mut().rev() {
            highest = highest.max(entry.peak);
            entry.peak = i64::MIN;
            entry.own_peak = entry.own_peak.max(highest);
        }
        uncounted.peak = i64::MIN;
        // Those above are the last ones.
        let mut record = self.records.as_slice().len();
        let mut above: &[_] = above;
        while let [below @ .., entry] = above {
            above = below;
            if entry.kind == Kind::Recording {
                record -= 1;
                self.records.settle(record, hands_down(below));
            }
        }
    }

    /// Pauses the shares of other threads' scopes below the uncounted entry at `depth`, which
    /// opens.
    pub(super) fn pause_below(&self, depth: usize, now: Counts) {
        let below = self.entries.as_slice().iter().take(depth).rev();
        for share in below.take_while(|entry| !entry.is_uncounted()).filter_map(|entry| entry.share)
        {
            share.pause(now);
        }
    }

    /// Has them go on when it is closed, unless another one is still open.
    ///
    /// An entry above it that is attached to the scope of one of them would count for that scope
    /// twice. So its share ends.
    pub(super) fn resume_below(&mut self, depth: usize, now: Counts) {
        // No panic: the caller has found the entry.
        let (below, rest) = self.entries.as_mut_slice().split_at_mut(depth);
        if rest.iter().any(ScopeEntry::is_uncounted) {
            return;
        }
        for entry in below.iter().rev().take_while(|entry| !entry.is_uncounted()) {
            if let Some(share) = entry.share {
                share.resume(now);
            }
            let Some(shared) = &entry.shared else { continue };
            for twice in rest.iter_mut().filter(|above| above.is_attached_to(shared)) {
                twice.end_share(now);
            }
        }
    }
}
