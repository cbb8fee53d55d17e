//! Hot: hidden stretches (`uncounted`): how the frames below pass over them. The module `frames` says what that means.

use super::ScopeStack;
use crate::counters::Counts;
use crate::open_scopes::entry::{hands_down, Kind, ScopeEntry};

impl ScopeStack {
    /// Takes what was counted in the hidden frame at `depth` out of the frames below. What another one above hides, which is still
    /// open, is for that to take out.
    ///
    /// ScopeStack above it were opened inside it and outlived it. They keep all that they have counted; their peaks so far
    /// become their own alone, so that they are not handed down.
    #[cold]
    pub(super) fn hide(&mut self, depth: usize, now: Counts) {
        // No panic: the caller has found the entry.
        let (below, rest) = self.stack.as_mut_slice().split_at_mut(depth);
        let Some((uncounted, above)) = rest.split_first_mut() else { return };
        let end = above.iter().find(|entry| entry.hides()).map_or(now, |entry| entry.start);
        let stretch = end - uncounted.start;
        let events = stretch.sums().events;
        for entry in below {
            entry.start += stretch;
            entry.uncounted += events;
            if let Some(share) = entry.share {
                share.add_uncounted(events);
            }
            entry.peak = entry.peak.saturating_add(stretch.current());
            entry.own_peak = entry.own_peak.saturating_add(stretch.current());
        }
        let mut highest = i64::MIN;
        for entry in above.iter_mut().rev() {
            highest = highest.max(entry.peak);
            entry.peak = i64::MIN;
            entry.own_peak = entry.own_peak.max(highest);
        }
        uncounted.peak = i64::MIN;
        let is_recording = |entry: &ScopeEntry| entry.kind == Kind::Recording;
        let recording_below =
            self.stack.as_slice().iter().take(depth).filter(|f| is_recording(f)).count();
        let above = self.stack.as_slice().get(depth + 1..).unwrap_or(&[]);
        let mut record = recording_below + above.iter().filter(|entry| is_recording(entry)).count();
        for (at, _) in above.iter().enumerate().rev().filter(|(_, entry)| is_recording(entry)) {
            record -= 1;
            // No panic: the position of one of them.
            self.records.settle(record, hands_down(&above[..at]));
        }
    }

    /// Stops the parts that count for other threads' scopes below the hidden frame at `depth`, which opens.
    pub(super) fn pause_below(&self, depth: usize, now: Counts) {
        let below = self.stack.as_slice().iter().take(depth).rev();
        for share in below.take_while(|entry| !entry.hides()).filter_map(|entry| entry.share) {
            share.pause(now);
        }
    }

    /// Lets them go on when it is closed, unless another one still hides them.
    ///
    /// A frame above that was opened in it, and attached to a scope that is seen again, would count for it twice: its part ends.
    pub(super) fn resume_below(&mut self, depth: usize, now: Counts) {
        // No panic: the caller has found the entry.
        let (below, rest) = self.stack.as_mut_slice().split_at_mut(depth);
        if rest.iter().any(ScopeEntry::hides) {
            return;
        }
        for entry in below.iter().rev().take_while(|entry| !entry.hides()) {
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
