//! Hot: `ScopeEntry`, one scope that is open on a thread, and what is read of it.

use super::share::Share;
use super::shared_scope::{Others, SharedScope, SharedScopeRef};
use crate::blocks::Tracked;
use crate::counters::{Counts, Event, Sums};
use crate::stacks::{LargestBlocks, Stack};

/// What an entry is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Counts.
    Scope,
    /// Counts, and records call sites. Each such entry has a record in
    /// [`ScopeRecords`](crate::stacks::ScopeRecords), in the same order.
    Recording,
    /// Counts for a scope of another thread. Without a guard, it stays until that scope ends.
    Attached { is_guarded: bool },
    /// What happens in it counts for no entry below. `at` is where on the stack its guard is, or
    /// near to that.
    Uncounted { at: usize },
}

/// One open scope. What belongs to one kind of entry stands in its [`Kind`]. Scopes of this thread
/// and attached entries alike have the last three, so those stand here.
pub(super) struct ScopeEntry {
    /// The thread's counts at the opening, and what was not to be counted since.
    pub(super) start: Counts,
    /// The allocation events that were not to be counted since.
    pub(super) uncounted: i64,
    /// The highest net bytes of the thread while this was the innermost entry. Handed down when it
    /// is closed.
    pub(super) peak: i64,
    /// The maximum that is not handed down: reached inside an uncounted stretch.
    pub(super) own_peak: i64,
    /// Tells this entry from an earlier one at the same depth.
    pub(super) serial: u64,
    /// How [`ScopeStack::freeze`](super::ScopeStack::freeze) finds the entry; 0 for none.
    pub(super) tag: u64,
    /// The result, where the count has ended before the entry is closed.
    pub(super) frozen: Option<Own>,
    pub(super) kind: Kind,
    /// Closed out of order. It goes as soon as all above it are closed.
    pub(super) is_closed: bool,
    /// Whether somebody asks for the peak, so that it must be exact when other threads attach.
    pub(super) wants_peak: bool,
    /// The scope that other threads may attach to, or that this thread is attached to.
    pub(super) shared: Option<SharedScopeRef>,
    /// Of an attached entry: what it adds. `None` if an entry below counts for the same scope.
    pub(super) share: Option<&'static Share>,
    /// Where its blocks are entered, if somebody asks which are live at the end, or for the
    /// largest.
    pub(super) tracked: Option<Tracked>,
}

/// Where an entry is. This is what its guard holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScopeId {
    pub(crate) depth: usize,
    pub(super) serial: u64,
}

/// What an entry has counted. `peak` is the highest net bytes above its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) counts: Counts,
    pub(crate) peak: i64,
    /// Allocation events in uncounted stretches.
    pub(crate) uncounted: i64,
    /// Where on the stack an uncounted stretch was begun that is still open. Nothing was counted
    /// since.
    pub(crate) open_stretch: Option<usize>,
}

/// What was counted in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// On its own thread.
    pub(crate) own: Own,
    /// On others, where it is shared.
    pub(crate) others: Option<Others>,
}

impl Reading {
    /// What was counted on all threads, and the highest net bytes. If the scope is shared and
    /// nobody asked for its peak, the highest that is known stands for it: its own thread's peak,
    /// or the net bytes now.
    #[inline]
    pub(crate) fn total(&self) -> (Counts, i64) {
        let Self { own, others: Some(others) } = self else {
            return (self.own.counts, self.own.peak);
        };
        let mut counts = own.counts;
        counts += others.counts;
        (counts, others.highest.unwrap_or(own.peak).max(counts.net))
    }

    /// The allocation events in uncounted stretches, of all threads.
    pub(crate) fn uncounted(&self) -> i64 {
        match &self.others {
            Some(others) => self.own.uncounted + others.uncounted,
            None => self.own.uncounted,
        }
    }
}

/// How an entry is opened.
#[derive(Clone, Copy)]
pub(crate) struct NewEntry {
    pub(crate) kind: Kind,
    /// For [`ScopeStack::freeze`](super::ScopeStack::freeze); 0 for none.
    pub(crate) tag: u64,
    pub(crate) wants_peak: bool,
}

/// Where the entries are by which a thread is attached to a scope and to those around it: one above
/// the other.
#[derive(Clone, Copy)]
pub(crate) struct ScopeIds {
    pub(super) first: ScopeId,
    pub(super) count: usize,
}

/// Whether a recording entry over these hands its record down to one of them.
pub(super) fn hands_down(below: &[ScopeEntry]) -> bool {
    let mut rest = below;
    while let [below @ .., entry] = rest {
        rest = below;
        if matches!(entry.kind, Kind::Recording) {
            return true;
        }
        if entry.is_uncounted() {
            return false;
        }
    }
    false
}

impl ScopeEntry {
    /// What the scope has counted, given the entries above it.
    #[inline]
    pub(super) fn read(&self, above: &[ScopeEntry], now: Counts) -> Reading {
        let others = match &self.shared {
            Some(shared) if !self.is_attached() => Some(shared.others()),
            _ => None,
        };
        Reading { own: self.measure(above, now), others }
    }

    /// What the entry has counted, given those above it.
    #[inline]
    pub(super) fn measure(&self, above: &[ScopeEntry], now: Counts) -> Own {
        if let Some(frozen) = self.frozen {
            return frozen;
        }
        let mut peak = if self.peak > self.own_peak { self.peak } else { self.own_peak };
        let (mut end, mut open_stretch) = (now, None);
        // By a pattern: unoptimised, iterators are calls upon calls.
        let mut rest = above;
        while let [entry, above @ ..] = rest {
            rest = above;
            open_stretch = entry.uncounted_from();
            if open_stretch.is_some() {
                end = entry.start;
                break;
            }
            if entry.peak > peak {
                peak = entry.peak;
            }
        }
        Own {
            counts: end - self.start,
            peak: peak.saturating_sub(self.start.net),
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

    /// Whether it is an uncounted stretch, for the entries below.
    pub(super) fn is_uncounted(&self) -> bool {
        self.uncounted_from().is_some()
    }

    /// Where on the stack that was begun.
    pub(super) fn uncounted_from(&self) -> Option<usize> {
        match self.kind {
            Kind::Uncounted { at } if !self.is_closed => Some(at),
            _ => None,
        }
    }

    pub(super) fn is_attached(&self) -> bool {
        matches!(self.kind, Kind::Attached { .. })
    }

    pub(super) fn stays(&self) -> bool {
        matches!(self.kind, Kind::Attached { is_guarded: false })
    }

    /// Whether it is that of a scope of this thread which no other thread counts for.
    #[inline]
    pub(super) fn is_plain(&self, id: ScopeId) -> bool {
        let is_scope = matches!(self.kind, Kind::Scope | Kind::Recording);
        self.serial == id.serial && is_scope && self.shared.is_none()
    }
}

impl ScopeEntry {
    /// The scope that other threads add to, unless an entry below counts for the same one.
    pub(super) fn counts_for(&self) -> Option<&SharedScopeRef> {
        self.shared.as_ref().filter(|_| !self.is_attached() || self.share.is_some())
    }

    /// Another entry counts for the scope that this one is attached to.
    pub(crate) fn end_share(&mut self, now: Counts) {
        self.tracked = None;
        if let Some(share) = self.share.take() {
            share.finish(now);
        }
    }

    pub(crate) fn is_attached_to(&self, scope: &SharedScope) -> bool {
        let is_it = self.shared.as_ref().is_some_and(|shared| shared.is(scope));
        is_it && self.is_attached() && !self.is_closed
    }

    /// Notes an event for the scope, unless another entry of this thread does.
    pub(crate) fn note(&self, shared: &SharedScope, stack: Option<&'static Stack>, event: &Event) {
        if self.counts_for().is_some() && !shared.has_ended() {
            shared.sums().note(shared.watch(), stack, event);
        }
    }

    /// Notes the size of the block of an allocation event; `now` is the thread's sums, with it.
    #[inline(never)]
    pub(crate) fn note_size(
        &self,
        largest: &'static LargestBlocks,
        stack: Option<&'static Stack>,
        event: &Event,
        now: Sums,
    ) {
        if largest.note(event.size(), stack) {
            let events = match &self.shared {
                Some(shared) => shared.sums().events(),
                None => now.since(self.start.sums()).events,
            };
            largest.claim(events as u64, stack);
        }
    }

    /// Records an allocation event for the scope that the thread is attached to.
    pub(crate) fn record(&self, stack: Option<&'static Stack>, event: &Event) {
        if let (Some(share), Some(shared)) = (self.share, &self.shared) {
            if shared.is_recording() && !shared.has_ended() {
                share.record(stack, event);
            }
        }
    }
}
