//! Hot: `Frames`, the scopes that are open on one thread, innermost last. Pure bookkeeping over numbers that the owner
//! of the ledger hands in; it reads no counter itself.
//!
//! A frame remembers the counts at its opening, and its own count is the difference. Two things need more than that:
//!
//! **Peaks.** The ledger keeps one running maximum. At each opening and closing it is folded into the innermost frame
//! and starts anew, so each frame holds the maximum of the stretches in which it was innermost. The peak of a frame is the
//! maximum over itself and all frames above it; a frame that closes hands its maximum down. Nothing is kept in the
//! guards, so one that is forgotten, or dropped out of order, spoils no other's peak: its frame stays as a closed
//! one until all above it are closed too.
//!
//! **Hidden stretches** (`uncounted`). When a frame of [`Kind::Hidden`] closes, every frame below it moves its start by what
//! was counted in the stretch, and its peak by the net bytes, so that the stretch cancels out; and a hidden frame does not
//! hand its maximum down. While one is open, the frames below it are read as of its opening.
//!
//! **Call sites.** A frame that records has a layer ([`Layers`]), which is handed down and hidden as the peaks are.

use super::counts::Counts;
use crate::record::{self, FirstPast, Layers, Records, Stack, Sums};
use crate::system_vec::{OutOfMemory, SystemVec};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Counts.
    Scope,
    /// Counts, and records call sites: each has a layer in [`Layers`], in the same order.
    Recording,
    /// Hides what happens in it from the frames below.
    Hidden,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    /// The thread's counts at the opening, and what was hidden since.
    start: Counts,
    /// Highest net bytes of the thread while innermost, handed down on closing.
    peak: i64,
    /// The same, for stretches that the frames below must not see.
    own_peak: i64,
    /// Tells this frame from an earlier one at the same depth.
    serial: u64,
    /// How [`Frames::freeze`] finds the frame; 0 for none.
    tag: u64,
    /// The result, where the count has ended before the frame is closed.
    frozen: Option<Measured>,
    kind: Kind,
    /// Closed out of order: gone as soon as all above it are closed.
    is_closed: bool,
}

/// Where a frame is; what its guard holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(super) depth: usize,
    serial: u64,
}

/// What was counted in a frame. `peak` is the highest net bytes above the frame's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) counts: Counts,
    pub(crate) peak: i64,
}

pub(super) struct Frames {
    stack: SystemVec<Frame>,
    layers: Layers,
    serials: u64,
}

impl Frames {
    pub(super) const fn new() -> Self {
        Self { stack: SystemVec::new(), layers: Layers::new(), serials: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stack.as_slice().is_empty()
    }

    /// Forgets all frames: the thread ends.
    pub(super) fn clear(&mut self) {
        self.stack.clear();
        self.layers.clear();
    }

    pub(super) fn is_recording(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Takes in the maximum of the net bytes since the last call. To be called before each of the methods below.
    #[inline]
    pub(super) fn fold(&mut self, high: i64) {
        if let Some(top) = self.stack.as_mut_slice().last_mut() {
            top.peak = top.peak.max(high);
        }
    }

    /// Opens a frame. `now` is the thread's counts, here and below.
    #[inline]
    pub(super) fn open(
        &mut self,
        kind: Kind,
        tag: u64,
        now: Counts,
    ) -> Result<Ticket, OutOfMemory> {
        let peak = now.current();
        self.serials += 1;
        let ticket = Ticket { depth: self.stack.as_slice().len(), serial: self.serials };
        let frame = Frame {
            start: now,
            peak,
            own_peak: peak,
            serial: self.serials,
            tag,
            frozen: None,
            kind,
            is_closed: false,
        };
        self.stack.push(frame)?;
        Ok(ticket)
    }

    /// Opens a frame that records. `opening` is the stack here and now.
    pub(super) fn open_recording(
        &mut self,
        tag: u64,
        now: Counts,
        opening: Option<&'static Stack>,
        first_past: FirstPast,
    ) -> Result<Ticket, OutOfMemory> {
        self.layers.open(opening, first_past)?;
        let ticket = self.open(Kind::Recording, tag, now);
        if ticket.is_err() {
            self.layers.close(false);
        }
        ticket
    }

    /// Counts an event at its stack, in the innermost frame that records, for it and all below to have. `now` is the thread's,
    /// with this event.
    #[inline]
    pub(super) fn record(
        &mut self,
        stack: Option<&'static Stack>,
        event: record::Event,
        now: Sums,
    ) {
        // By patterns: iterators are calls upon calls in debug builds.
        let (mut frames, mut layers) = (self.stack.as_slice(), self.layers.as_mut_slice());
        let mut is_counted = false;
        while let [below @ .., frame] = frames {
            frames = below;
            match frame.kind {
                Kind::Hidden if frame.is_closed => {}
                Kind::Hidden => return,
                Kind::Scope => {}
                Kind::Recording => {
                    let [below @ .., layer] = layers else { return };
                    layers = below;
                    if !is_counted {
                        layer.count(stack, event);
                        is_counted = true;
                    }
                    layer.look_out(now.since(frame.start.sums()), stack);
                }
            }
        }
    }

    /// What the frame has recorded; `None` if it does not record, or is no longer there.
    pub(super) fn records(&self, ticket: Ticket) -> Option<Records<'_>> {
        let frame = self.stack.as_slice().get(ticket.depth)?;
        if frame.serial != ticket.serial || frame.kind != Kind::Recording {
            return None;
        }
        let (depth, above) = self.layers_of(ticket.depth);
        self.layers.records(depth, above)
    }

    /// The layer of the recording frame at `depth`, and how many above it hand theirs down to it.
    fn layers_of(&self, depth: usize) -> (usize, usize) {
        let records = |frame: &&Frame| frame.kind == Kind::Recording;
        let (below, rest) = self.stack.as_slice().split_at(depth);
        let above = rest.iter().skip(1).take_while(|frame| !frame.hides());
        (below.iter().filter(records).count(), above.filter(records).count())
    }

    /// What the frame has counted, or `None` if it is no longer there.
    #[inline]
    pub(super) fn measure(&self, ticket: Ticket, now: Counts) -> Option<Measured> {
        let stack = self.stack.as_slice();
        let (frame, above) = stack.get(ticket.depth..)?.split_first()?;
        if frame.serial != ticket.serial {
            return None;
        }
        Some(frame.measure(above, now))
    }

    /// Ends the count of the innermost frame tagged `tag`, if there is one; the frame stays until it is closed.
    pub(super) fn freeze(&mut self, tag: u64, now: Counts) {
        let Some(depth) = self.stack.as_slice().iter().rposition(|f| f.tag == tag) else {
            return;
        };
        let (frame, above) = (&self.stack.as_slice()[depth], &self.stack.as_slice()[depth + 1..]);
        let measured = frame.measure(above, now);
        if frame.kind == Kind::Recording {
            let (layer, above) = self.layers_of(depth);
            self.layers.freeze(layer, above);
        }
        self.stack.as_mut_slice()[depth].frozen = Some(measured);
    }

    /// Closes the frame and says what it has counted, or `None` if it is no longer there.
    #[inline]
    pub(super) fn close(&mut self, ticket: Ticket, now: Counts) -> Option<Measured> {
        let [.., top] = self.stack.as_slice() else {
            return None;
        };
        // The common case first, and all of it here: the innermost frame, a scope, over one that is open.
        if top.serial != ticket.serial || top.kind != Kind::Scope {
            return self.close_any(ticket, now);
        }
        let measured = top.measure(&[], now);
        let handed_down = top.peak;
        self.stack.pop();
        if let Some(below) = self.stack.as_mut_slice().last_mut() {
            below.peak = below.peak.max(handed_down);
            if below.is_closed {
                self.drop_closed();
            }
        }
        Some(measured)
    }

    #[cold]
    fn close_any(&mut self, ticket: Ticket, now: Counts) -> Option<Measured> {
        let measured = self.measure(ticket, now)?;
        let frame = &mut self.stack.as_mut_slice()[ticket.depth];
        frame.is_closed = true;
        if frame.kind == Kind::Hidden {
            self.hide(ticket.depth, now);
        }
        self.drop_closed();
        Some(measured)
    }

    /// Removes closed frames from the top; each hands its maximum and its layer down.
    fn drop_closed(&mut self) {
        while let Some((top, below)) = self.stack.as_mut_slice().split_last_mut() {
            if !top.is_closed {
                break;
            }
            let is_recording = top.kind == Kind::Recording;
            let hand_down = hands_down(below);
            if let Some(below) = below.last_mut() {
                below.peak = below.peak.max(top.peak);
            }
            if is_recording {
                self.layers.close(hand_down);
            }
            self.stack.pop();
        }
    }

    /// Takes what was counted in the hidden frame at `depth` out of the frames below.
    ///
    /// Frames above it were opened inside it and outlived it. They keep all that they have counted; their peaks so far
    /// become their own alone, so that they are not handed down.
    #[cold]
    fn hide(&mut self, depth: usize, now: Counts) {
        let (below, rest) = self.stack.as_mut_slice().split_at_mut(depth);
        let Some((hidden, above)) = rest.split_first_mut() else { return };
        let stretch = now - hidden.start;
        for frame in below {
            frame.start += stretch;
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
}

/// Whether a recording frame over these hands its layer down to one of them.
fn hands_down(below: &[Frame]) -> bool {
    let next = below.iter().rev().find(|frame| frame.kind == Kind::Recording || frame.hides());
    next.is_some_and(|frame| frame.kind == Kind::Recording)
}

impl Frame {
    /// What the frame has counted, given those above it.
    #[inline]
    fn measure(&self, above: &[Frame], now: Counts) -> Measured {
        if let Some(frozen) = self.frozen {
            return frozen;
        }
        let (end, seen) = match above.iter().position(Frame::hides) {
            Some(at) => (above[at].start, &above[..at]),
            None => (now, above),
        };
        let peak = seen.iter().fold(self.peak.max(self.own_peak), |peak, f| peak.max(f.peak));
        Measured { counts: end - self.start, peak: peak.wrapping_sub(self.start.current()) }
    }

    fn hides(&self) -> bool {
        self.kind == Kind::Hidden && !self.is_closed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ptr;

    use super::{Counts, Frames, Kind, Ticket};
    use crate::record::{Event, FirstPast, Stack, Sums, Tally};

    /// A scope as the plain model has it: it looks at every event.
    struct Scope {
        ticket: Ticket,
        tag: u64,
        kind: Kind,
        limit: u64,
        is_frozen: bool,
        first_past: Option<usize>,
        /// For each stack: allocations, reallocations, bytes.
        counted: BTreeMap<usize, (u64, u64, u64)>,
    }

    impl Scope {
        fn count(&mut self, stack: usize, event: Event) {
            let entry = self.counted.entry(stack).or_default();
            match event.old_size {
                None => entry.0 += 1,
                Some(_) => entry.1 += 1,
            }
            entry.2 += event.size;
            let events: u64 = self.counted.values().map(|counted| counted.0 + counted.1).sum();
            if events == self.limit + 1 {
                self.first_past = Some(stack);
            }
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, n: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 32) as usize % n
        }
    }

    /// Stack number `stack` of a few; 0 stands for an event without one.
    fn stack_of(stacks: &[&'static Stack], stack: usize) -> Option<&'static Stack> {
        stack.checked_sub(1).map(|at| stacks[at])
    }

    fn check(frames: &Frames, scope: &Scope, stacks: &[&'static Stack], program: u64) {
        let number = |stack: Option<&'static Stack>| {
            let at = |stack| stacks.iter().position(|s| ptr::eq(*s, stack)).expect("one of them");
            stack.map_or(0, |stack| at(stack) + 1)
        };
        let records = frames.records(scope.ticket);
        assert_eq!(records.is_some(), scope.kind == Kind::Recording, "program {program}");
        let Some(records) = records else { return };
        let mut counted = BTreeMap::<usize, (u64, u64, u64)>::new();
        records.visit(&mut |stack, tally: &Tally| {
            if tally.events() > 0 {
                let entry = counted.entry(number(stack)).or_default();
                entry.0 += tally.allocs;
                entry.1 += tally.reallocs;
                entry.2 += tally.bytes;
            }
        });
        assert_eq!(counted, scope.counted, "program {program}");
        let first_past = match records.first_past() {
            FirstPast::At(event, stack) => {
                assert_eq!(event, scope.limit + 1);
                Some(number(stack))
            }
            _ => None,
        };
        assert_eq!(first_past, scope.first_past, "program {program}");
    }

    #[test]
    fn what_scopes_record_agrees_with_a_model_that_looks_at_every_event() {
        let addresses: Vec<[usize; 2]> = (0..200).map(|i| [usize::MAX, i]).collect();
        let stacks: Vec<_> = addresses.iter().map(|a| crate::record::made_up_stack(a)).collect();
        let mut checks = 0;
        for program in 1..=4_000_u64 {
            let mut random = Random(program.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let (mut frames, mut now, mut open) =
                (Frames::new(), Counts::ZERO, Vec::<Scope>::new());
            let different_stacks = [2, 10, 200][random.below(3)];
            for step in 0..random.below(150) {
                match random.below(12) {
                    0 | 1 => {
                        let kinds = [Kind::Recording, Kind::Recording, Kind::Scope, Kind::Hidden];
                        let kind = kinds[random.below(4)];
                        let limit = random.below(10) as u64;
                        let tag = step as u64 + 1;
                        frames.fold(now.current());
                        let ticket = match kind {
                            Kind::Recording => {
                                let limits = Sums { events: limit as i64, ..Sums::MAX };
                                let look_out = FirstPast::After(limits);
                                frames.open_recording(tag, now, None, look_out)
                            }
                            _ => frames.open(kind, tag, now),
                        };
                        let ticket = ticket.expect("memory");
                        let (is_frozen, first_past) = (false, None);
                        let counted = BTreeMap::new();
                        open.push(Scope {
                            ticket,
                            tag,
                            kind,
                            limit,
                            is_frozen,
                            first_past,
                            counted,
                        });
                    }
                    2 if !open.is_empty() => {
                        // Mostly the innermost one.
                        let last = open.len() - 1;
                        let at = if random.below(3) > 0 { last } else { random.below(open.len()) };
                        // A stretch is hidden by a function with a closure: such close in order.
                        let is_hidden = |scope: &Scope| scope.kind == Kind::Hidden;
                        if is_hidden(&open[at]) && open[at + 1..].iter().any(is_hidden) {
                            continue;
                        }
                        let scope = open.remove(at);
                        check(&frames, &scope, &stacks, program);
                        checks += 1;
                        frames.close(scope.ticket, now);
                    }
                    3 if !open.is_empty() => {
                        let at = random.below(open.len());
                        frames.freeze(open[at].tag, now);
                        open[at].is_frozen |= open[at].kind == Kind::Recording;
                    }
                    4 if !open.is_empty() => {
                        check(&frames, &open[random.below(open.len())], &stacks, program);
                        checks += 1;
                    }
                    _ => {
                        let size = random.below(100) as u64;
                        let old_size = (random.below(3) == 0).then_some(size / 2);
                        let event = Event { size, old_size };
                        match old_size {
                            None => now.allocs += 1,
                            Some(_) => now.reallocs += 1,
                        }
                        let stack = random.below(different_stacks);
                        frames.record(stack_of(&stacks, stack), event, now.sums());
                        let seen = open.iter_mut().rev().take_while(|s| s.kind != Kind::Hidden);
                        for scope in seen.filter(|s| s.kind == Kind::Recording && !s.is_frozen) {
                            scope.count(stack, event);
                        }
                    }
                }
            }
            for scope in open.iter().filter(|scope| scope.kind == Kind::Recording) {
                check(&frames, scope, &stacks, program);
            }
            frames.clear();
            assert!(!frames.is_recording(), "program {program}");
        }
        assert!(checks > 10_000, "{checks}");
    }
}
