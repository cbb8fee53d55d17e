//! Hot: hidden stretches (`uncounted`): how the frames below pass over them. The module `frames` says what that means.

use super::{hands_down, Frame, Frames, Kind};
use crate::count::counts::Counts;

impl Frames {
    /// Takes what was counted in the hidden frame at `depth` out of the frames below. What another one above hides, which is still
    /// open, is for that to take out.
    ///
    /// Frames above it were opened inside it and outlived it. They keep all that they have counted; their peaks so far
    /// become their own alone, so that they are not handed down.
    #[cold]
    pub(super) fn hide(&mut self, depth: usize, now: Counts) {
        let (below, rest) = self.stack.as_mut_slice().split_at_mut(depth);
        let Some((hidden, above)) = rest.split_first_mut() else { return };
        let end = above.iter().find(|frame| frame.hides()).map_or(now, |frame| frame.start);
        let stretch = end - hidden.start;
        let events = stretch.sums().events;
        for frame in below {
            frame.start += stretch;
            frame.hidden += events;
            if let Some(part) = frame.part {
                part.add_hidden(events);
            }
            frame.peak = frame.peak.saturating_add(stretch.current());
            frame.own_peak = frame.own_peak.saturating_add(stretch.current());
        }
        let mut highest = i64::MIN;
        for frame in above.iter_mut().rev() {
            highest = highest.max(frame.peak);
            frame.peak = i64::MIN;
            frame.own_peak = frame.own_peak.max(highest);
        }
        hidden.peak = i64::MIN;
        let is_recording = |frame: &Frame| frame.kind == Kind::Recording;
        let recording_below =
            self.stack.as_slice().iter().take(depth).filter(|f| is_recording(f)).count();
        let above = self.stack.as_slice().get(depth + 1..).unwrap_or(&[]);
        let mut layer = recording_below + above.iter().filter(|frame| is_recording(frame)).count();
        for (at, _) in above.iter().enumerate().rev().filter(|(_, frame)| is_recording(frame)) {
            layer -= 1;
            self.layers.settle(layer, hands_down(&above[..at]));
        }
    }

    /// Stops the parts that count for other threads' scopes below the hidden frame at `depth`, which opens.
    pub(super) fn pause_below(&self, depth: usize, now: Counts) {
        let below = self.stack.as_slice().iter().take(depth).rev();
        for part in below.take_while(|frame| !frame.hides()).filter_map(|frame| frame.part) {
            part.pause(now);
        }
    }

    /// Lets them go on when it is closed, unless another one still hides them.
    ///
    /// A frame above that was opened in it, and attached to a scope that is seen again, would count for it twice: its part ends.
    pub(super) fn resume_below(&mut self, depth: usize, now: Counts) {
        let (below, rest) = self.stack.as_mut_slice().split_at_mut(depth);
        if rest.iter().any(Frame::hides) {
            return;
        }
        for frame in below.iter().rev().take_while(|frame| !frame.hides()) {
            if let Some(part) = frame.part {
                part.resume(now);
            }
            for twice in rest.iter_mut().filter(|above| above.is_attached_to(frame.shared)) {
                twice.end_part(now);
            }
        }
    }
}
