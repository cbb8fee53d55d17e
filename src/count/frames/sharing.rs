//! Hot: frames of scopes that several threads count for: how a scope comes to be shared, how a thread attaches to one, and
//! what frames note at each event for such scopes.

use super::{Frame, Frames, Kind, Noted, Opening, Ticket};
use crate::count::counts::Counts;
use crate::count::ledger::Ledger;
use crate::count::shared::{Shared, SharedRef};
use crate::record::{self, FirstPast, Stack, Watch};
use crate::system_vec::OutOfMemory;

/// The frames by which a thread is attached to a scope, and to those around it.
#[derive(Clone, Copy)]
pub(crate) struct Attached {
    first: Ticket,
    count: usize,
}

/// What the frames of a thread want to know of.
#[derive(Clone, Copy)]
pub(in crate::count) struct Wanted {
    /// Every allocation event.
    pub(in crate::count) allocs: bool,
    /// Every deallocation.
    pub(in crate::count) deallocs: bool,
}

impl Frames {
    pub(in crate::count) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted { allocs: self.is_recording(), deallocs: false };
        for frame in self.stack.as_slice() {
            wanted.allocs |= frame.tracked.is_some();
            if let Some(shared) = frame.shared.filter(|shared| !shared.has_ended()) {
                let watch = shared.watch();
                wanted.allocs |= watch.peak || watch.limits.is_some() || shared.records();
                wanted.deallocs |= watch.peak;
            }
        }
        wanted
    }

    /// Whether the thread is attached to a scope that records.
    pub(in crate::count) fn wants_stacks(&self) -> bool {
        let records =
            |frame: &Frame| frame.part.is_some() && frame.shared.is_some_and(Shared::records);
        self.stack.as_slice().iter().any(records)
    }

    /// The scope of a frame, for other threads to attach to: shared from now on, and so are those around it. `None` without
    /// memory, or if the frame is no longer there.
    pub(in crate::count) fn share(&mut self, ticket: Ticket, now: Counts) -> Option<SharedRef> {
        let frame = self.stack.as_slice().get(ticket.depth)?;
        if frame.serial != ticket.serial {
            return None;
        }
        self.share_at(ticket.depth, now)
    }

    /// The innermost scope that counts here, likewise. `Ok(None)` if there is none.
    pub(in crate::count) fn share_innermost(
        &mut self,
        now: Counts,
    ) -> Result<Option<SharedRef>, OutOfMemory> {
        let has_ended = |frame: &Frame| frame.shared.is_some_and(Shared::has_ended);
        let counts =
            |frame: &Frame| !frame.is_closed && frame.frozen.is_none() && !has_ended(frame);
        let innermost = self.stack.as_slice().iter().rposition(counts);
        match innermost {
            Some(depth) if !self.stack.as_slice()[depth].hides() => {
                self.share_at(depth, now).map(Some).ok_or(OutOfMemory)
            }
            _ => Ok(None),
        }
    }

    fn share_at(&mut self, depth: usize, now: Counts) -> Option<SharedRef> {
        let outermost = self.outermost_seen_from(depth);
        for at in outermost..=depth {
            let (below, rest) = self.stack.as_slice().split_at(at);
            let (frame, above) = rest.split_first()?;
            let is_scope = matches!(frame.kind, Kind::Scope | Kind::Recording);
            if frame.shared.is_some() || frame.is_closed || frame.frozen.is_some() || !is_scope {
                continue;
            }
            let measured = frame.measure(above, now);
            let first_past = self.records_at(at).map(|records| records.first_past());
            let limits = match first_past {
                Some(FirstPast::After(limits)) => Some(limits),
                _ => None,
            };
            let watch = Watch { peak: frame.wants_peak, limits };
            let records = frame.kind == Kind::Recording;
            let tracked = frame.tracked;
            let enclosing = below.get(outermost..)?.iter().filter_map(Frame::counts_for);
            let sums = measured.counts.sums();
            let shared = SharedRef::new(watch, records, tracked, enclosing, sums, measured.peak)?;
            self.stack.as_mut_slice()[at].shared = Some(shared.into_raw());
        }
        self.stack.as_slice().get(depth)?.shared.map(SharedRef::clone_of)
    }

    /// Gives a frame that has just been opened the scope that it stands for: that of a future, which was shared before. A frame
    /// below that is attached to the scope would count for it twice: its part ends.
    pub(in crate::count) fn set_shared(&mut self, ticket: Ticket, shared: SharedRef, now: Counts) {
        let Some((frame, below)) =
            self.stack.as_mut_slice().get_mut(..=ticket.depth).and_then(<[Frame]>::split_last_mut)
        else {
            return;
        };
        let seen = below.iter_mut().rev().take_while(|frame| !frame.hides());
        for twice in seen.filter(|frame| frame.is_attached_to(Some(&shared))) {
            twice.end_part(now);
        }
        frame.shared = Some(shared.into_raw());
    }

    /// Takes it out again, if the frame is still there, so that it outlives the frame. A guard that does so too counts from now on.
    pub(in crate::count) fn take_shared(
        &mut self,
        ticket: Ticket,
        ledger: &'static Ledger,
        now: Counts,
    ) -> Option<SharedRef> {
        let frame = self.stack.as_mut_slice().get_mut(ticket.depth)?;
        if frame.serial != ticket.serial {
            return None;
        }
        let shared = frame.shared.take()?;
        // The lowest one, for those above are its heirs.
        let seen = self.stack.as_mut_slice().iter_mut().rev().take_while(|f| !f.hides());
        if let Some(attached) = seen.filter(|f| f.is_attached_to(Some(shared))).last() {
            if let Some(part) = shared.take_part() {
                part.start(ledger, now, !attached.stays);
                attached.part = Some(part);
                attached.tracked = shared.tracked();
            }
        }
        Some(SharedRef::from_raw(shared))
    }

    /// What is shared of the frame's scope.
    pub(in crate::count) fn shared(&self, ticket: Ticket) -> Option<&'static Shared> {
        let frame = self.stack.as_slice().get(ticket.depth)?;
        frame.shared.filter(|_| frame.serial == ticket.serial)
    }

    /// Attaches the thread to a scope and to those around it. A scope that it counts for already is counted once. `Ok(None)` if
    /// the scope has ended. `at` is the stack here and now; without `is_guarded`, it stays attached until the scope ends.
    pub(in crate::count) fn attach(
        &mut self,
        shared: &SharedRef,
        ledger: &'static Ledger,
        at: Option<&'static Stack>,
        now: Counts,
        is_guarded: bool,
    ) -> Result<Option<Attached>, OutOfMemory> {
        self.drop_closed(now);
        let mut attached: Option<Attached> = None;
        let mut outcome = Ok(None);
        for scope in shared.enclosing().iter().copied().chain([shared.get()]) {
            outcome = self.attach_to(scope, ledger, at, now, is_guarded);
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
        scope: &'static Shared,
        ledger: &'static Ledger,
        at: Option<&'static Stack>,
        now: Counts,
        is_guarded: bool,
    ) -> Result<Option<Ticket>, OutOfMemory> {
        let is_seen = self.sees(scope);
        let part = if is_seen { None } else { scope.take_part() };
        if scope.has_ended() {
            part.into_iter().for_each(|part| part.finish(now));
            return Ok(None);
        }
        if part.is_none() && !is_seen {
            return Err(OutOfMemory);
        }
        let opening = Opening { kind: Kind::Attached, tag: 0, wants_peak: false, at: 0 };
        let ticket = match self.open(opening, now) {
            Ok(ticket) => ticket,
            Err(error) => {
                part.into_iter().for_each(|part| part.finish(now));
                return Err(error);
            }
        };
        if let Some(frame) = self.stack.as_mut_slice().last_mut() {
            frame.stays = !is_guarded;
            frame.shared = Some(SharedRef::clone_of(scope).into_raw());
            frame.part = part;
            frame.tracked = scope.tracked().filter(|_| part.is_some());
        }
        if let Some(part) = part {
            part.start(ledger, now, is_guarded);
            if let (true, Some(at)) = (scope.records(), at) {
                part.note_opening(at);
            }
        }
        Ok(Some(ticket))
    }

    /// Closes the frames of [`attach`](Self::attach).
    pub(in crate::count) fn detach(&mut self, attached: Attached, now: Counts) {
        for above in (0..attached.count).rev() {
            let Ticket { depth, serial } = attached.first;
            let ticket = Ticket { depth: depth + above, serial: serial + above as u64 };
            self.close(ticket, now);
        }
    }

    /// Where on the stack a hidden stretch was begun that is open above these frames.
    pub(in crate::count) fn open_stretch(&self, attached: Attached) -> Option<usize> {
        let Ticket { depth, serial } = attached.first;
        let (first, above) = self.stack.as_slice().get(depth..)?.split_first()?;
        above.iter().find(|frame| frame.hides()).filter(|_| first.serial == serial).map(|f| f.at)
    }

    /// Tells the scopes that these frames are attached to that it was left without its end.
    pub(in crate::count) fn note_still_hidden(&self, attached: Attached) {
        let frames = self.stack.as_slice().iter().skip(attached.first.depth);
        frames.take(attached.count).filter_map(|f| f.shared).for_each(Shared::note_still_hidden);
    }

    /// Gives up what the frame holds of a shared scope: the scope ends with its own frame, and an attached frame leaves its part to
    /// one above it that is attached to the same scope, or ends it.
    pub(super) fn let_go(&mut self, depth: usize, now: Counts) {
        let Some((frame, above)) =
            self.stack.as_mut_slice().get_mut(depth..).and_then(<[Frame]>::split_first_mut)
        else {
            return;
        };
        let tracked = frame.tracked.take();
        let Some(shared) = frame.shared.take() else { return };
        if frame.kind != Kind::Attached {
            shared.end();
        } else if let Some(part) = frame.part.take() {
            // Those in a hidden stretch have a part of their own.
            let mut seen = above.iter_mut().take_while(|frame| !frame.hides());
            let heir = seen.find(|f| f.is_attached_to(Some(shared)) && f.part.is_none());
            match heir {
                Some(heir) => (heir.part, heir.tracked) = (Some(part), tracked),
                None => part.finish(now),
            }
        }
        drop(SharedRef::from_raw(shared));
    }

    /// The lowest frame that sees what happens at `depth`.
    fn outermost_seen_from(&self, depth: usize) -> usize {
        let below = self.stack.as_slice().iter().take(depth + 1);
        depth + 1 - below.rev().take_while(|frame| !frame.hides()).count()
    }

    /// Whether a frame counts for this scope here.
    fn sees(&self, scope: &Shared) -> bool {
        let seen = self.stack.as_slice().iter().rev().take_while(|frame| !frame.hides());
        seen.filter_map(|frame| frame.shared).any(|shared| shared.is(scope))
    }
}

impl Frame {
    /// The scope that other threads add to, unless a frame below counts for the same one.
    fn counts_for(&self) -> Option<&'static Shared> {
        self.shared.filter(|_| self.kind != Kind::Attached || self.part.is_some())
    }

    /// Another frame counts for the scope that this one is attached to.
    pub(super) fn end_part(&mut self, now: Counts) {
        self.tracked = None;
        if let Some(part) = self.part.take() {
            part.finish(now);
        }
    }

    pub(super) fn is_attached_to(&self, scope: Option<&Shared>) -> bool {
        let is_it = |shared: &Shared| scope.is_some_and(|scope| shared.is(scope));
        self.kind == Kind::Attached && !self.is_closed && self.shared.is_some_and(is_it)
    }

    /// Notes an event for the scope, unless another frame of this thread does.
    pub(super) fn note(&self, shared: &Shared, noted: &Noted) {
        if (self.kind != Kind::Attached || self.part.is_some()) && !shared.has_ended() {
            let Noted { stack, event, net, .. } = *noted;
            shared.sums().note(shared.watch(), stack, event, net);
        }
    }

    /// Records an event for the scope that the thread is attached to.
    pub(super) fn record(&self, stack: Option<&'static Stack>, event: Option<record::Event>) {
        if let (Some(part), Some(shared), Some(event)) = (self.part, self.shared, event) {
            if shared.records() && !shared.has_ended() {
                part.record(stack, event);
            }
        }
    }
}
