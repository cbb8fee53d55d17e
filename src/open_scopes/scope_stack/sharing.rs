//! Hot: frames of scopes that several threads count for: how a scope comes to be shared, how a thread attaches to one, and
//! what frames note at each event for such scopes.

use super::ScopeStack;
use crate::counters::{Counts, ThreadCounters};
use crate::open_scopes::entry::{Attached, Kind, Opening, ScopeEntry, ScopeId};
use crate::open_scopes::shared_scope::{SharedScope, SharedScopeRef};
use crate::stacks::{FirstOverrun, Stack, Watch};
use crate::sys::OutOfMemory;

/// What the frames of a thread want to know of.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// Every allocation event.
    pub(crate) allocs: bool,
    /// Every deallocation.
    pub(crate) deallocs: bool,
}

impl ScopeStack {
    pub(crate) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted { allocs: self.is_recording(), deallocs: false };
        for entry in self.stack.as_slice() {
            wanted.allocs |= entry.tracked.is_some();
            if let Some(shared) = entry.shared.as_ref().filter(|shared| !shared.has_ended()) {
                let watch = shared.watch();
                wanted.allocs |= watch.peak || watch.limits.is_some() || shared.records();
                wanted.deallocs |= watch.peak;
            }
        }
        wanted
    }

    /// Whether the thread is attached to a scope that records.
    pub(crate) fn wants_stacks(&self) -> bool {
        let records = |entry: &ScopeEntry| {
            entry.share.is_some() && entry.shared.as_ref().is_some_and(|shared| shared.records())
        };
        self.stack.as_slice().iter().any(records)
    }

    /// The scope of a frame, for other threads to attach to: shared from now on, and so are those around it. `None` without
    /// memory, or if the frame is no longer there.
    pub(crate) fn share(&mut self, id: ScopeId, now: Counts) -> Option<SharedScopeRef> {
        let entry = self.stack.as_slice().get(id.depth)?;
        if entry.serial != id.serial {
            return None;
        }
        self.share_at(id.depth, now)
    }

    /// The innermost scope that counts here, likewise. `Ok(None)` if there is none.
    pub(crate) fn share_innermost(
        &mut self,
        now: Counts,
    ) -> Result<Option<SharedScopeRef>, OutOfMemory> {
        let counts =
            |entry: &ScopeEntry| !entry.is_closed && entry.frozen.is_none() && !entry.has_ended();
        let innermost = self.stack.as_slice().iter().rposition(counts);
        match innermost {
            // No panic: the position of one of them.
            Some(depth) if !self.stack.as_slice()[depth].hides() => {
                self.share_at(depth, now).map(Some).ok_or(OutOfMemory)
            }
            _ => Ok(None),
        }
    }

    fn share_at(&mut self, depth: usize, now: Counts) -> Option<SharedScopeRef> {
        let outermost = self.outermost_seen_from(depth);
        for at in outermost..=depth {
            let (below, rest) =
                (self.stack.as_slice().get(..at)?, self.stack.as_slice().get(at..)?);
            let (entry, above) = rest.split_first()?;
            let is_scope = matches!(entry.kind, Kind::Scope | Kind::Recording);
            if entry.shared.is_some() || entry.is_closed || entry.frozen.is_some() || !is_scope {
                continue;
            }
            let measured = entry.measure(above, now);
            let first_overrun = self.records_at(at).map(|records| records.first_overrun());
            let limits = match first_overrun {
                Some(FirstOverrun::After(limits)) => Some(limits),
                _ => None,
            };
            let watch = Watch { peak: entry.wants_peak, limits };
            let records = entry.kind == Kind::Recording;
            let tracked = entry.tracked;
            let enclosing = below.get(outermost..)?.iter().filter_map(ScopeEntry::counts_for);
            let sums = measured.counts.sums();
            let shared =
                SharedScopeRef::new(watch, records, tracked, enclosing, sums, measured.peak)?;
            // No panic: `entry` was there.
            self.stack.as_mut_slice()[at].shared = Some(shared);
        }
        self.stack.as_slice().get(depth)?.shared.clone()
    }

    /// Gives a frame that has just been opened the scope that it stands for: that of a future, which was shared before. A frame
    /// below that is attached to the scope would count for it twice: its part ends.
    pub(crate) fn set_shared(&mut self, id: ScopeId, shared: SharedScopeRef, now: Counts) {
        let Some((entry, below)) =
            self.stack.as_mut_slice().get_mut(..=id.depth).and_then(<[ScopeEntry]>::split_last_mut)
        else {
            return;
        };
        let seen = below.iter_mut().rev().take_while(|entry| !entry.hides());
        for twice in seen.filter(|entry| entry.is_attached_to(&shared)) {
            twice.end_share(now);
        }
        entry.shared = Some(shared);
    }

    /// Takes it out again, if the frame is still there, so that it outlives the frame. A guard that does so too counts from now on.
    pub(crate) fn take_shared(
        &mut self,
        id: ScopeId,
        thread: &'static ThreadCounters,
        now: Counts,
    ) -> Option<SharedScopeRef> {
        let entry = self.stack.as_mut_slice().get_mut(id.depth)?;
        if entry.serial != id.serial {
            return None;
        }
        let shared = entry.shared.take()?;
        // The lowest one, for those above are its heirs.
        let seen = self.stack.as_mut_slice().iter_mut().rev().take_while(|f| !f.hides());
        if let Some(attached) = seen.filter(|f| f.is_attached_to(&shared)).last() {
            if let Some(share) = shared.take_share() {
                share.start(thread, now, !attached.stays());
                attached.share = Some(share);
                attached.tracked = shared.tracked();
            }
        }
        Some(shared)
    }

    /// What is shared of the frame's scope.
    pub(crate) fn shared(&self, id: ScopeId) -> Option<SharedScopeRef> {
        let entry = self.stack.as_slice().get(id.depth)?;
        entry.shared.clone().filter(|_| entry.serial == id.serial)
    }

    /// Attaches the thread to a scope and to those around it. A scope that it counts for already is counted once. `Ok(None)` if
    /// the scope has ended. `at` is the stack here and now; without `is_guarded`, it stays attached until the scope ends.
    pub(crate) fn attach(
        &mut self,
        shared: &SharedScopeRef,
        thread: &'static ThreadCounters,
        at: Option<&'static Stack>,
        now: Counts,
        is_guarded: bool,
    ) -> Result<Option<Attached>, OutOfMemory> {
        self.drop_closed(now);
        let mut attached: Option<Attached> = None;
        let mut outcome = Ok(None);
        for scope in shared.with_enclosing() {
            outcome = self.attach_to(scope, thread, at, now, is_guarded);
            match (&outcome, &mut attached) {
                (Ok(None), _) => {}
                (Ok(Some(_)), Some(attached)) => attached.count += 1,
                (Ok(Some(first)), None) => attached = Some(Attached { first: *first, count: 1 }),
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
        let is_seen = self.sees(&scope);
        let share = if is_seen { None } else { scope.take_share() };
        if scope.has_ended() {
            share.into_iter().for_each(|share| share.finish(now));
            return Ok(None);
        }
        if share.is_none() && !is_seen {
            return Err(OutOfMemory);
        }
        let opening = Opening { kind: Kind::Attached { is_guarded }, tag: 0, wants_peak: false };
        let id = match self.open(opening, now) {
            Ok(id) => id,
            Err(error) => {
                share.into_iter().for_each(|share| share.finish(now));
                return Err(error);
            }
        };
        if let Some(share) = share {
            share.start(thread, now, is_guarded);
            if let (true, Some(at)) = (scope.records(), at) {
                share.note_opening(at);
            }
        }
        if let Some(entry) = self.stack.as_mut_slice().last_mut() {
            entry.share = share;
            entry.tracked = scope.tracked().filter(|_| share.is_some());
            entry.shared = Some(scope);
        }
        Ok(Some(id))
    }

    /// Closes the frames of [`attach`](Self::attach).
    pub(crate) fn detach(&mut self, attached: Attached, now: Counts) {
        for above in (0..attached.count).rev() {
            let ScopeId { depth, serial } = attached.first;
            let id = ScopeId { depth: depth + above, serial: serial + above as u64 };
            self.close(id, now);
        }
    }

    /// Where on the stack a hidden stretch was begun that is open above these frames.
    pub(crate) fn open_stretch(&self, attached: Attached) -> Option<usize> {
        let ScopeId { depth, serial } = attached.first;
        let (first, above) = self.stack.as_slice().get(depth..)?.split_first()?;
        above.iter().find_map(ScopeEntry::hides_from).filter(|_| first.serial == serial)
    }

    /// Tells the scopes that these frames are attached to that it was left without its end.
    pub(crate) fn note_still_uncounted(&self, attached: Attached) {
        let scopes = self.stack.as_slice().iter().skip(attached.first.depth);
        scopes
            .take(attached.count)
            .filter_map(|f| f.shared.as_ref())
            .for_each(|shared| shared.note_still_uncounted());
    }

    /// Gives up what the frame holds of a shared scope: the scope ends with its own frame, and an attached frame leaves its part to
    /// one above it that is attached to the same scope, or ends it.
    pub(crate) fn let_go(&mut self, depth: usize, now: Counts) {
        let Some((entry, above)) =
            self.stack.as_mut_slice().get_mut(depth..).and_then(<[ScopeEntry]>::split_first_mut)
        else {
            return;
        };
        let tracked = entry.tracked.take();
        let Some(shared) = entry.shared.take() else { return };
        if !entry.is_attached() {
            shared.end();
        } else if let Some(share) = entry.share.take() {
            // Those in a hidden stretch have a part of their own.
            let mut seen = above.iter_mut().take_while(|entry| !entry.hides());
            let heir = seen.find(|f| f.is_attached_to(&shared) && f.share.is_none());
            match heir {
                Some(heir) => (heir.share, heir.tracked) = (Some(share), tracked),
                None => share.finish(now),
            }
        }
    }

    /// The lowest frame that sees what happens at `depth`.
    fn outermost_seen_from(&self, depth: usize) -> usize {
        let below = self.stack.as_slice().iter().take(depth + 1);
        depth + 1 - below.rev().take_while(|entry| !entry.hides()).count()
    }

    /// Whether a frame counts for this scope here.
    fn sees(&self, scope: &SharedScope) -> bool {
        let seen = self.stack.as_slice().iter().rev().take_while(|entry| !entry.hides());
        seen.filter_map(|entry| entry.shared.as_ref()).any(|shared| shared.is(scope))
    }
}
