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

use super::counts::Counts;
use super::system_vec::{OutOfMemory, SystemVec};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Counts.
    Scope,
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
    serials: u64,
}

impl Frames {
    pub(super) const fn new() -> Self {
        Self { stack: SystemVec::new(), serials: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stack.as_slice().is_empty()
    }

    /// Forgets all frames: the thread ends.
    pub(super) fn clear(&mut self) {
        self.stack.clear();
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

    /// Removes closed frames from the top; each hands its maximum down.
    fn drop_closed(&mut self) {
        while let Some((top, below)) = self.stack.as_mut_slice().split_last_mut() {
            if !top.is_closed {
                break;
            }
            if let Some(below) = below.last_mut() {
                below.peak = below.peak.max(top.peak);
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
    }
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
