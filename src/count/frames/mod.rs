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
//! hand its maximum down. While one is open, the frames below it are read as of its opening, and what is read says so: the
//! thread may have left the stretch without ending it, where a coroutine was suspended inside.
//!
//! **Call sites.** A frame that records has a layer ([`Layers`]), which is handed down and hidden as the peaks are.
//!
//! **Other threads.** A frame that others attach to has a [`Shared`] ([`sharing`]); on the attached thread stands a frame of
//! [`Kind::Attached`], which counts by its [`Part`](super::shared::Part) of it.

mod hidden;
mod sharing;
#[cfg(test)]
mod tests;

pub(crate) use sharing::Attached;

use super::counts::Counts;
use super::shared::{Others, Part, Shared};
use super::tracking::Tracked;
use crate::record::{self, FirstPast, Layers, Records, Stack, Sums};
use crate::system_vec::{OutOfMemory, SystemVec};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Counts.
    Scope,
    /// Counts, and records call sites: each has a layer in [`Layers`], in the same order.
    Recording,
    /// Counts for a scope of another thread.
    Attached,
    /// Hides what happens in it from the frames below.
    Hidden,
}

#[derive(Clone, Copy)]
struct Frame {
    /// The thread's counts at the opening, and what was hidden since.
    start: Counts,
    /// The allocation events that were hidden since.
    hidden: i64,
    /// Highest net bytes of the thread while innermost, handed down on closing.
    peak: i64,
    /// The same, for stretches that the frames below must not see.
    own_peak: i64,
    /// Tells this frame from an earlier one at the same depth.
    serial: u64,
    /// How [`Frames::freeze`] finds the frame; 0 for none.
    tag: u64,
    /// Of a hidden frame: where on the stack it was opened.
    at: usize,
    /// The result, where the count has ended before the frame is closed.
    frozen: Option<Measured>,
    kind: Kind,
    /// Closed out of order: gone as soon as all above it are closed.
    is_closed: bool,
    /// Whether somebody asks for the peak, so that it must be exact when other threads attach.
    wants_peak: bool,
    /// Of an attached frame: it has no guard, and stays until the scope ends.
    stays: bool,
    /// The scope that other threads may attach to, or that this one is attached to: a reference of the frame's own.
    shared: Option<&'static Shared>,
    /// Of an attached frame; `None` if a frame below counts for the same scope.
    part: Option<&'static Part>,
    /// Where its blocks are entered, if somebody asks which are live at the end.
    tracked: Option<Tracked>,
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
    /// Allocation events in hidden stretches.
    pub(crate) hidden: i64,
    /// Where on the stack a hidden stretch was begun that is still open: nothing was counted since.
    pub(crate) open_stretch: Option<usize>,
}

/// What was counted in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// On its own thread.
    pub(crate) own: Measured,
    /// On others, where it is shared.
    pub(crate) others: Option<Others>,
}

impl Reading {
    /// What was counted on all threads, and the highest net bytes. Where nobody asked for the peak of a scope that is shared, that
    /// is no more than the highest known: the own thread's, or the net bytes now.
    #[inline]
    pub(crate) fn total(&self) -> (Counts, i64) {
        let Self { own, others: Some(others) } = self else {
            return (self.own.counts, self.own.peak);
        };
        let mut counts = own.counts;
        counts += others.counts;
        (counts, others.highest.unwrap_or(own.peak).max(counts.current()))
    }

    /// The allocation events that were hidden from the scope.
    pub(crate) fn hidden(&self) -> i64 {
        self.own.hidden + self.others.map_or(0, |others| others.hidden)
    }
}

/// An event as those see it who want to know of each.
#[derive(Clone, Copy)]
pub(super) struct Noted {
    /// Where it happened, if anybody asks.
    pub(super) stack: Option<&'static Stack>,
    /// `None` for a deallocation.
    pub(super) event: Option<record::Event>,
    /// What it adds to the net bytes.
    pub(super) net: i64,
    /// The block, as it is now.
    pub(super) block: Block,
}

#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) address: usize,
    pub(super) size: u64,
}

/// How a frame is opened.
#[derive(Clone, Copy)]
pub(super) struct Opening {
    pub(super) kind: Kind,
    /// For [`Frames::freeze`]; 0 for none.
    pub(super) tag: u64,
    pub(super) wants_peak: bool,
    /// Of a hidden frame: an address near to its guard's.
    pub(super) at: usize,
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
    pub(super) fn clear(&mut self, now: Counts) {
        let mut above = self.stack.as_slice();
        while let [attached, rest @ ..] = above {
            above = rest;
            if attached.kind == Kind::Attached && rest.iter().any(Frame::hides) {
                attached.shared.into_iter().for_each(Shared::note_still_hidden);
            }
        }
        for depth in 0..self.stack.as_slice().len() {
            self.let_go(depth, now);
        }
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
    pub(super) fn open(&mut self, opening: Opening, now: Counts) -> Result<Ticket, OutOfMemory> {
        let Opening { kind, tag, wants_peak, at } = opening;
        // The frames by which a thread is attached stand one upon the other.
        if kind != Kind::Attached {
            if let Some(Frame { stays: true, .. }) = self.stack.as_slice().last() {
                self.drop_closed(now);
            }
        }
        let peak = now.current();
        self.serials += 1;
        let ticket = Ticket { depth: self.stack.as_slice().len(), serial: self.serials };
        let frame = Frame {
            start: now,
            hidden: 0,
            peak,
            own_peak: peak,
            serial: self.serials,
            tag,
            at,
            frozen: None,
            kind,
            is_closed: false,
            wants_peak,
            stays: false,
            shared: None,
            part: None,
            tracked: None,
        };
        self.stack.push(frame)?;
        if kind == Kind::Hidden {
            self.pause_below(ticket.depth, now);
        }
        Ok(ticket)
    }

    /// Opens a frame that records. `at` is the stack here and now.
    pub(super) fn open_recording(
        &mut self,
        opening: Opening,
        now: Counts,
        at: Option<&'static Stack>,
        first_past: FirstPast,
    ) -> Result<Ticket, OutOfMemory> {
        self.layers.open(at, first_past)?;
        let ticket = self.open(opening, now);
        if ticket.is_err() {
            self.layers.close(false);
        }
        ticket
    }

    /// Notes an event for all frames that want to know of it: those that record, those of shared scopes, and those whose blocks are
    /// tracked. `now` is the thread's sums, with this event. Whether a fresh block was entered anywhere.
    #[inline]
    pub(super) fn note(&mut self, noted: &Noted, now: Sums) -> bool {
        let Noted { stack, event, block, .. } = *noted;
        // By patterns: iterators are calls upon calls in debug builds.
        let (mut frames, mut layers) = (self.stack.as_slice(), self.layers.as_mut_slice());
        // What frames below the innermost one that records keep is handed down to them.
        let (mut is_counted, mut is_entered) = (false, false);
        while let [below @ .., frame] = frames {
            frames = below;
            match frame.kind {
                Kind::Hidden if frame.is_closed => {}
                Kind::Hidden => break,
                Kind::Scope => {}
                Kind::Recording => {
                    let [below @ .., layer] = layers else { break };
                    layers = below;
                    if let Some(event) = event {
                        if !is_counted {
                            layer.count(stack, event);
                            is_counted = true;
                        }
                        if frame.shared.is_none() {
                            layer.look_out(now.since(frame.start.sums()), stack);
                        }
                    }
                }
                Kind::Attached => frame.record(stack, event),
            }
            if let Some(shared) = frame.shared {
                frame.note(shared, noted);
            }
            if let (Some(tracked), Some(event)) = (frame.tracked, event) {
                if frame.shared.is_some_and(Shared::has_ended) {
                    continue;
                }
                // A reallocation leaves a block the one that it is.
                if event.old_size.is_none() {
                    tracked.insert(block, stack, !is_entered);
                    is_entered = true;
                } else {
                    tracked.count_moved(block, stack);
                }
            }
        }
        is_entered
    }

    /// Enters the blocks that are allocated in the frame from now on.
    pub(super) fn set_tracked(&mut self, ticket: Ticket, tracked: Tracked) {
        if let Some(frame) = self.stack.as_mut_slice().get_mut(ticket.depth) {
            frame.tracked = Some(tracked);
        }
    }

    /// What the frame has recorded; `None` if it does not record, or is no longer there.
    pub(super) fn records(&self, ticket: Ticket) -> Option<Records<'_>> {
        let frame = self.stack.as_slice().get(ticket.depth)?;
        if frame.serial != ticket.serial {
            return None;
        }
        self.records_at(ticket.depth)
    }

    fn records_at(&self, depth: usize) -> Option<Records<'_>> {
        if self.stack.as_slice().get(depth)?.kind != Kind::Recording {
            return None;
        }
        let (depth, above) = self.layers_of(depth);
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
    pub(super) fn measure(&self, ticket: Ticket, now: Counts) -> Option<Reading> {
        let stack = self.stack.as_slice();
        let (frame, above) = stack.get(ticket.depth..)?.split_first()?;
        if frame.serial != ticket.serial {
            return None;
        }
        Some(frame.read(above, now))
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
        let frame = &mut self.stack.as_mut_slice()[depth];
        frame.frozen = Some(measured);
        frame.tracked = None;
        if let Some(shared) = frame.shared {
            shared.end();
        }
    }

    /// Closes the frame and says what it has counted, or `None` if it is no longer there.
    #[inline]
    pub(super) fn close(&mut self, ticket: Ticket, now: Counts) -> Option<Reading> {
        let [.., top] = self.stack.as_slice() else {
            return None;
        };
        // The common case first, and all of it here: the innermost frame, a scope, over one that is open.
        if top.serial != ticket.serial || top.kind != Kind::Scope || top.shared.is_some() {
            return self.close_any(ticket, now);
        }
        let own = top.measure(&[], now);
        let handed_down = top.peak;
        self.stack.pop();
        if let Some(below) = self.stack.as_mut_slice().last_mut() {
            below.peak = below.peak.max(handed_down);
            if below.is_closed {
                self.drop_closed(now);
            }
        }
        Some(Reading { own, others: None })
    }

    #[cold]
    fn close_any(&mut self, ticket: Ticket, now: Counts) -> Option<Reading> {
        let reading = self.measure(ticket, now)?;
        self.let_go(ticket.depth, now);
        let frame = &mut self.stack.as_mut_slice()[ticket.depth];
        frame.is_closed = true;
        if frame.kind == Kind::Hidden {
            self.hide(ticket.depth, now);
            self.resume_below(ticket.depth, now);
        }
        self.drop_closed(now);
        Some(reading)
    }

    /// Removes closed frames from the top; each hands its maximum and its layer down.
    fn drop_closed(&mut self, now: Counts) {
        while let Some((top, below)) = self.stack.as_mut_slice().split_last_mut() {
            if !top.is_over() {
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
            self.let_go(self.stack.as_slice().len() - 1, now);
            self.stack.pop();
        }
    }
}

/// Whether a recording frame over these hands its layer down to one of them.
fn hands_down(below: &[Frame]) -> bool {
    let next = below.iter().rev().find(|frame| frame.kind == Kind::Recording || frame.hides());
    next.is_some_and(|frame| frame.kind == Kind::Recording)
}

impl Frame {
    /// What the scope has counted, given the frames above it.
    #[inline]
    fn read(&self, above: &[Frame], now: Counts) -> Reading {
        let others = match self.shared {
            Some(shared) if self.kind != Kind::Attached => Some(shared.others()),
            _ => None,
        };
        Reading { own: self.measure(above, now), others }
    }

    /// What the frame has counted, given those above it.
    #[inline]
    fn measure(&self, above: &[Frame], now: Counts) -> Measured {
        if let Some(frozen) = self.frozen {
            return frozen;
        }
        let (end, seen, open_stretch) = match above.iter().position(Frame::hides) {
            Some(at) => (above[at].start, &above[..at], Some(above[at].at)),
            None => (now, above, None),
        };
        let peak = seen.iter().fold(self.peak.max(self.own_peak), |peak, f| peak.max(f.peak));
        Measured {
            counts: end - self.start,
            peak: peak.saturating_sub(self.start.current()),
            hidden: self.hidden,
            open_stretch,
        }
    }

    /// To be removed as soon as it is the innermost one.
    fn is_over(&self) -> bool {
        self.is_closed || self.stays && self.shared.map_or(true, Shared::has_ended)
    }

    fn hides(&self) -> bool {
        self.kind == Kind::Hidden && !self.is_closed
    }
}
