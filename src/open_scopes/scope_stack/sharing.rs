//! Hot: entries of scopes that several threads count for: how a scope comes to be shared, how a
//! thread attaches to one and detaches, and of which events such scopes are to hear.

use super::ScopeStack;
use crate::counters::{Counts, ThreadCounters};
use crate::open_scopes::entry::{Kind, NewEntry, ScopeEntry, ScopeId, ScopeIds};
use crate::open_scopes::shared_scope::{SharedScope, SharedScopeRef};
use crate::stacks::{FirstOverrun, Stack, Watch};
use crate::sys::OutOfMemory;

/// Which events the open scopes of a thread have to hear of, each and every one.
#[derive(Clone, Copy)]
pub(crate) struct EventsToNote {
    /// Allocation events.
    pub(crate) allocs: bool,
    pub(crate) deallocs: bool,
}

impl ScopeStack {
    pub(crate) fn events_to_note(&self) -> EventsToNote {
        let mut events = EventsToNote { allocs: self.is_recording(), deallocs: false };
        // By a pattern: unoptimised, iterators are calls upon calls.
        let mut entries = self.entries.as_slice();
        while let [below @ .., entry] = entries {
            entries = below;
            if entry.tracked.is_none() && entry.shared.is_none() {
                continue;
            }
            events.allocs |= entry.tracked.is_some();
            if let Some(shared) = entry.shared.as_ref().filter(|shared| !shared.has_ended()) {
                let watch = shared.watch();
                events.allocs |= watch.peak || watch.limits.is_some() || shared.is_recording();
                events.deallocs |= watch.peak;
            }
        }
        events
    }

    /// Whether the thread is attached to a scope that records.
    pub(crate) fn wants_stacks(&self) -> bool {
        let is_recorded = |entry: &ScopeEntry| {
            entry.share.is_some()
                && entry.shared.as_ref().is_some_and(|shared| shared.is_recording())
        };
        self.entries.as_slice().iter().any(is_recorded)
    }

    /// The scope of an entry, for other threads to attach to. It is shared from now on, and so are
    /// those around it. `None` without memory, or if the entry is no longer there.
    pub(crate) fn share(&mut self, id: ScopeId, now: Counts) -> Option<SharedScopeRef> {
        self.get(id)?;
        self.share_at(id.depth, now)
    }

    /// The innermost scope that counts here, likewise. `Ok(None)` if there is none.
    pub(crate) fn share_innermost(
        &mut self,
        now: Counts,
    ) -> Result<Option<SharedScopeRef>, OutOfMemory> {
        let counts =
            |entry: &ScopeEntry| !entry.is_closed && entry.frozen.is_none() && !entry.has_ended();
        let innermost = self.entries.as_slice().iter().rposition(counts);
        match innermost {
            // No panic: the position of one of them.
            Some(depth) if !self.entries.as_slice()[depth].is_uncounted() => {
                self.share_at(depth, now).map(Some).ok_or(OutOfMemory)
            }
            _ => Ok(None),
        }
    }

    fn share_at(&mut self, depth: usize, now: Counts) -> Option<SharedScopeRef> {
        let outermost = self.outermost_counting_at(depth);
        for at in outermost..=depth {
            let (below, rest) =
                (self.entries.as_slice().get(..at)?, self.entries.as_slice().get(at..)?);
            let (entry, above) = rest.split_first()?;
            let is_scope = matches!(entry.kind, Kind::Scope | Kind::Recording);
            if entry.shared.is_some() || entry.is_closed || entry.frozen.is_some() || !is_scope {
                continue;
            }
            let measured = entry.measure(above, now);
            let limits = match self.records_at(at).map(|records| records.first_overrun()) {
                Some(FirstOverrun::After(limits)) => Some(limits),
                _ => None,
            };
            let watch = Watch { peak: entry.wants_peak, limits };
            let is_recording = entry.kind == Kind::Recording;
            let tracked = entry.tracked;
            let enclosing = below.get(outermost..)?.iter().filter_map(ScopeEntry::counts_for);
            let sums = measured.counts.sums();
            let shared =
                SharedScopeRef::new(watch, is_recording, tracked, enclosing, sums, measured.peak)?;
            // No panic: `entry` was there.
            self.entries.as_mut_slice()[at].shared = Some(shared);
        }
        self.entries.as_slice().get(depth)?.shared.clone()
    }

    /// Gives an entry that has just been opened the scope that it stands for: the one of a future,
    /// which was shared before. An entry below that is attached to that scope would count for it
    /// twice, so its share ends.
    pub(crate) fn set_shared(&mut self, id: ScopeId, shared: SharedScopeRef, now: Counts) {
        let Some((entry, below)) = self
            .entries
            .as_mut_slice()
            .get_mut(..=id.depth)
            .and_then(<[ScopeEntry]>::split_last_mut)
        else {
            return;
        };
        let counting = below.iter_mut().rev().take_while(|entry| !entry.is_uncounted());
        for twice in counting.filter(|entry| entry.is_attached_to(&shared)) {
            twice.end_share(now);
        }
        entry.shared = Some(shared);
    }

    /// Takes it out again, if the entry is still there, so that the scope outlives the entry. An
    /// entry below that is attached to it counts for it from now on.
    pub(crate) fn withdraw_shared(
        &mut self,
        id: ScopeId,
        thread: &'static ThreadCounters,
        now: Counts,
    ) -> Option<SharedScopeRef> {
        self.get(id)?;
        let shared = self.entries.as_mut_slice().get_mut(id.depth)?.shared.take()?;
        // The outermost one takes the share; when it closes, `let_go` passes it inwards.
        let counting =
            self.entries.as_mut_slice().iter_mut().rev().take_while(|entry| !entry.is_uncounted());
        if let Some(attached) = counting.filter(|entry| entry.is_attached_to(&shared)).last() {
            if let Ok(Some(share)) = shared.lend_share() {
                share.start(thread, now, !attached.stays());
                attached.share = Some(share);
                attached.tracked = shared.tracked();
            }
        }
        Some(shared)
    }

    /// The scope of an entry, if it is shared.
    pub(crate) fn shared(&self, id: ScopeId) -> Option<SharedScopeRef> {
        self.get(id)?.shared.clone()
    }

    /// Attaches the thread to a scope and to those around it. For a scope that it counts for
    /// already, it still counts once. `Ok(None)` if the scope has ended. `at` is the stack here and
    /// now. If it is not `is_guarded`, the thread stays attached until the scope ends.
    pub(crate) fn attach(
        &mut self,
        shared: &SharedScopeRef,
        thread: &'static ThreadCounters,
        at: Option<&'static Stack>,
        now: Counts,
        is_guarded: bool,
    ) -> Result<Option<ScopeIds>, OutOfMemory> {
        self.drop_closed(now);
        let mut attached: Option<ScopeIds> = None;
        let mut outcome = Ok(None);
        for scope in shared.with_enclosing() {
            outcome = self.attach_to(scope, thread, at, now, is_guarded);
            match (&outcome, &mut attached) {
                (Ok(None), _) => {}
                (Ok(Some(_)), Some(attached)) => attached.count += 1,
                (Ok(Some(first)), None) => attached = Some(ScopeIds { first: *first, count: 1 }),
                (Err(OutOfMemory), _) => break,
            }
        }
        // The last one was the scope itself. Without it, those around it do not count either.
        if let Ok(Some(_)) = outcome {
            return Ok(attached);
        }
        attached.into_iter().for_each(|attached| self.detach(attached, now));
        outcome.map(|_| None)
    }

    /// `Ok(None)` if the scope has ended.
    fn attach_to(
        &mut self,
        scope: SharedScopeRef,
        thread: &'static ThreadCounters,
        at: Option<&'static Stack>,
        now: Counts,
        is_guarded: bool,
    ) -> Result<Option<ScopeId>, OutOfMemory> {
        if scope.has_ended() {
            return Ok(None);
        }
        let is_counted = self.is_counting_for(&scope);
        let share = if is_counted { None } else { scope.lend_share()? };
        if share.is_none() && !is_counted {
            return Ok(None);
        }
        let new = NewEntry { kind: Kind::Attached { is_guarded }, tag: 0, wants_peak: false };
        let id = self.open(new, now);
        if let (Err(OutOfMemory), Some(share)) = (&id, share) {
            share.finish(now);
        }
        let id = id?;
        if let Some(share) = share {
            share.start(thread, now, is_guarded);
            if let (true, Some(at)) = (scope.is_recording(), at) {
                share.note_opening(at);
            }
        }
        if let Some(entry) = self.entries.as_mut_slice().last_mut() {
            entry.share = share;
            entry.tracked = scope.tracked().filter(|_| share.is_some());
            entry.shared = Some(scope);
        }
        Ok(Some(id))
    }

    /// Closes the entries of [`attach`](Self::attach).
    pub(crate) fn detach(&mut self, attached: ScopeIds, now: Counts) {
        for above in (0..attached.count).rev() {
            let ScopeId { depth, serial } = attached.first;
            let id = ScopeId { depth: depth + above, serial: serial + above as u64 };
            self.close(id, now);
        }
    }

    /// Where on the stack an uncounted stretch was begun that is open above these entries.
    pub(crate) fn open_stretch(&self, attached: ScopeIds) -> Option<usize> {
        let ScopeId { depth, serial } = attached.first;
        let (first, above) = self.entries.as_slice().get(depth..)?.split_first()?;
        above.iter().find_map(ScopeEntry::uncounted_from).filter(|_| first.serial == serial)
    }

    /// Tells the scopes that these entries are attached to that it was left without its end.
    pub(crate) fn note_still_uncounted(&self, attached: ScopeIds) {
        let entries =
            self.entries.as_slice().iter().skip(attached.first.depth).take(attached.count);
        entries.flat_map(|entry| &entry.shared).for_each(|shared| shared.note_still_uncounted());
    }

    /// Gives up what the entry holds of a shared scope. The scope ends with its own entry. An
    /// attached entry leaves its share to one above it that is attached to the same scope, or ends
    /// it.
    pub(crate) fn let_go(&mut self, depth: usize, now: Counts) {
        let Some((entry, above)) =
            self.entries.as_mut_slice().get_mut(depth..).and_then(<[ScopeEntry]>::split_first_mut)
        else {
            return;
        };
        let tracked = entry.tracked.take();
        let Some(shared) = entry.shared.take() else { return };
        if !entry.is_attached() {
            shared.end();
        } else if let Some(share) = entry.share.take() {
            // Those in an uncounted stretch have a share of their own.
            let mut counting = above.iter_mut().take_while(|entry| !entry.is_uncounted());
            let heir =
                counting.find(|entry| entry.is_attached_to(&shared) && entry.share.is_none());
            match heir {
                Some(heir) => (heir.share, heir.tracked) = (Some(share), tracked),
                None => share.finish(now),
            }
        }
    }

    /// The lowest entry for which counts what happens at `depth`.
    fn outermost_counting_at(&self, depth: usize) -> usize {
        let below = self.entries.as_slice().iter().take(depth + 1);
        depth + 1 - below.rev().take_while(|entry| !entry.is_uncounted()).count()
    }

    /// Whether an entry counts for this scope here.
    fn is_counting_for(&self, scope: &SharedScope) -> bool {
        let counting =
            self.entries.as_slice().iter().rev().take_while(|entry| !entry.is_uncounted());
        counting.flat_map(|entry| &entry.shared).any(|shared| shared.is(scope))
    }
}
