//! Hot: `ScopeEntry`, one scope that is open on a thread, and what is read of it.

use super::share::Share;
use super::shared_scope::{Others, SharedScope, SharedScopeRef};
use crate::blocks::Tracked;
use crate::counters::{Counts, Event};
use crate::stacks::Stack;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Counts.
    Scope,
    /// Counts, and records call sites: each has a record in [`ScopeRecords`], in the same order.
    Recording,
    /// Counts for a scope of another thread. Without a guard, it stays until that scope ends.
    Attached { is_guarded: bool },
    /// Hides what happens in it from the entries below. `at` is where on the stack its guard is, or
    /// near to that.
    Uncounted { at: usize },
}

pub(super) struct ScopeEntry {
    /// The thread's counts at the opening, and what was hidden since.
    pub(super) start: Counts,
    /// The allocation events that were hidden since.
    pub(super) uncounted: i64,
    /// Highest net bytes of the thread while innermost, handed down on closing.
    pub(super) peak: i64,
    /// The same, for stretches that the frames below must not see.
    pub(super) own_peak: i64,
    /// Tells this frame from an earlier one at the same depth.
    pub(super) serial: u64,
    /// How [`ScopeStack::freeze`] finds the frame; 0 for none.
    pub(super) tag: u64,
    /// The result, where the count has ended before the frame is closed.
    pub(super) frozen: Option<Measured>,
    pub(super) kind: Kind,
    /// Closed out of order: gone as soon as all above it are closed.
    pub(super) is_closed: bool,
    /// Whether somebody asks for the peak, so that it must be exact when other threads attach.
    pub(super) wants_peak: bool,
    /// The scope that other threads may attach to, or that this one is attached to: a reference of the frame's own.
    pub(super) shared: Option<SharedScopeRef>,
    /// Of an attached frame; `None` if a frame below counts for the same scope.
    pub(super) share: Option<&'static Share>,
    /// Where its blocks are entered, if somebody asks which are live at the end.
    pub(super) tracked: Option<Tracked>,
}

/// Where a frame is; what its guard holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScopeId {
    pub(crate) depth: usize,
    pub(super) serial: u64,
}

/// What was counted in a frame. `peak` is the highest net bytes above the frame's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) counts: Counts,
    pub(crate) peak: i64,
    /// Allocation events in hidden stretches.
    pub(crate) uncounted: i64,
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
    pub(crate) fn uncounted(&self) -> i64 {
        self.own.uncounted + self.others.map_or(0, |others| others.uncounted)
    }
}

/// How a frame is opened.
#[derive(Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) kind: Kind,
    /// For [`ScopeStack::freeze`]; 0 for none.
    pub(crate) tag: u64,
    pub(crate) wants_peak: bool,
}

/// The frames by which a thread is attached to a scope, and to those around it.
#[derive(Clone, Copy)]
pub(crate) struct Attached {
    pub(super) first: ScopeId,
    pub(super) count: usize,
}

/// Whether a recording frame over these hands its record down to one of them.
pub(super) fn hands_down(below: &[ScopeEntry]) -> bool {
    let next = below.iter().rev().find(|entry| entry.kind == Kind::Recording || entry.hides());
    next.is_some_and(|entry| entry.kind == Kind::Recording)
}

impl ScopeEntry {
    /// What the scope has counted, given the frames above it.
    #[inline]
    pub(super) fn read(&self, above: &[ScopeEntry], now: Counts) -> Reading {
        let others = match &self.shared {
            Some(shared) if !self.is_attached() => Some(shared.others()),
            _ => None,
        };
        Reading { own: self.measure(above, now), others }
    }

    /// What the frame has counted, given those above it.
    #[inline]
    pub(super) fn measure(&self, above: &[ScopeEntry], now: Counts) -> Measured {
        if let Some(frozen) = self.frozen {
            return frozen;
        }
        let (end, seen, open_stretch) = match above.iter().position(ScopeEntry::hides) {
            // No panic: the position of one of them.
            Some(at) => (above[at].start, &above[..at], above[at].hides_from()),
            None => (now, above, None),
        };
        let peak = seen.iter().fold(self.peak.max(self.own_peak), |peak, f| peak.max(f.peak));
        Measured {
            counts: end - self.start,
            peak: peak.saturating_sub(self.start.current()),
            uncounted: self.uncounted,
            open_stretch,
        }
    }

    /// To be removed as soon as it is the innermost one.
    pub(super) fn is_over(&self) -> bool {
        self.is_closed || self.stays() && (self.shared.is_none() || self.has_ended())
    }

    /// Whether it is of a scope that is shared, and has ended.
    #[inline] // As a call it takes 50 instructions of each event that is profiled.
    pub(super) fn has_ended(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.has_ended())
    }

    /// Whether it is a stretch that is hidden from the entries below.
    pub(super) fn hides(&self) -> bool {
        self.hides_from().is_some()
    }

    /// Where on the stack that was begun.
    pub(super) fn hides_from(&self) -> Option<usize> {
        match self.kind {
            Kind::Uncounted { at } if !self.is_closed => Some(at),
            _ => None,
        }
    }

    pub(super) fn is_attached(&self) -> bool {
        matches!(self.kind, Kind::Attached { .. })
    }

    pub(super) fn stays(&self) -> bool {
        self.kind == Kind::Attached { is_guarded: false }
    }
}

impl ScopeEntry {
    /// The scope that other threads add to, unless a frame below counts for the same one.
    pub(super) fn counts_for(&self) -> Option<&SharedScopeRef> {
        self.shared.as_ref().filter(|_| !self.is_attached() || self.share.is_some())
    }

    /// Another frame counts for the scope that this one is attached to.
    pub(crate) fn end_share(&mut self, now: Counts) {
        self.tracked = None;
        if let Some(share) = self.share.take() {
            share.finish(now);
        }
    }

    pub(crate) fn is_attached_to(&self, scope: &SharedScope) -> bool {
        let is_it = |shared: &SharedScope| shared.is(scope);
        self.is_attached() && !self.is_closed && self.shared.as_deref().is_some_and(is_it)
    }

    /// Notes an event for the scope, unless another frame of this thread does.
    pub(crate) fn note(&self, shared: &SharedScope, stack: Option<&'static Stack>, event: &Event) {
        if self.counts_for().is_some() && !shared.has_ended() {
            shared.sums().note(shared.watch(), stack, event);
        }
    }

    /// Records an allocation event for the scope that the thread is attached to.
    pub(crate) fn record(&self, stack: Option<&'static Stack>, event: &Event) {
        if let (Some(share), Some(shared)) = (self.share, &self.shared) {
            if shared.records() && !shared.has_ended() {
                share.record(stack, event);
            }
        }
    }
}
