//! Hot: `OpenScope`, a scope's hold on its thread's counters: opens a frame, reads it, closes it.

use std::marker::PhantomData;

use super::adoption::{current_or_adopted, current_or_lent};
use super::current_thread::{current_thread, CurrentThread};
use super::retirement::retire_unused_loan;
use super::state::ThreadState;
use super::tracking::Tracking;
use crate::counters::ignored;
use crate::open_scopes::{Kind, Opening, Reading, ScopeId, SharedScopeRef};
use crate::stacks::{FirstOverrun, Records, Stack};
use crate::sys::OutOfMemory;
use crate::walk::{self, Registers};

/// An open frame of the current thread. Dropping it closes the frame.
pub(crate) struct OpenScope {
    state: &'static ThreadState,
    id: ScopeId,
    _thread: PhantomData<*const ()>,
}

/// Opens a frame on the current thread. `tag` is for [`freeze`]; 0 for none. With `wants_peak`, its peak is exact when other
/// threads attach to it too, which costs those an atomic addition an event.
#[inline]
pub(crate) fn open(kind: Kind, tag: u64, wants_peak: bool) -> Result<OpenScope, OutOfMemory> {
    open_plain(Opening { kind, tag, wants_peak })
}

/// Opens a hidden frame on the current thread. `at` is where on the stack its guard is, or near to that.
#[inline]
pub(crate) fn open_uncounted(at: usize) -> Result<OpenScope, OutOfMemory> {
    open_plain(Opening { kind: Kind::Uncounted { at }, tag: 0, wants_peak: false })
}

#[inline]
fn open_plain(opening: Opening) -> Result<OpenScope, OutOfMemory> {
    let thread = current_or_lent()?;
    let id = thread.at_segment_end(|scopes, counts| scopes.open(opening, counts))?;
    Ok(OpenScope { state: thread.state, id, _thread: PhantomData })
}

/// Opens a frame on the current thread that records call sites.
#[inline(never)]
pub(crate) fn open_recording(
    tag: u64,
    wants_peak: bool,
    first_overrun: FirstOverrun,
) -> Result<OpenScope, OutOfMemory> {
    let thread = current_or_lent()?;
    walk::prepare();
    let at = thread.stack(Registers::here());
    let opening = Opening { kind: Kind::Recording, tag, wants_peak };
    let id = thread.change_scopes(|scopes, counts| {
        scopes.open_recording(opening, counts, at, first_overrun)
    })?;
    Ok(OpenScope { state: thread.state, id, _thread: PhantomData })
}

/// The stack of the caller; `None` where it cannot be had.
#[inline(never)]
pub(crate) fn stack_here() -> Option<&'static Stack> {
    walk::prepare();
    current_or_adopted()?.stack(Registers::here())
}

/// Ends the count of the innermost frame of this thread that is tagged `tag`, if there is one.
pub(crate) fn freeze(tag: u64) {
    if let Some(thread) = current_thread() {
        thread.at_segment_end(|scopes, counts| scopes.freeze(tag, counts));
    }
}

impl OpenScope {
    /// The state, if the current thread still writes to the one that the frame was opened on.
    #[inline]
    fn thread(&self) -> Option<CurrentThread> {
        current_thread().filter(|thread| std::ptr::eq(thread.state, self.state))
    }

    /// Closes the frame and says what it has counted; `None` as for [`measure`](Self::measure).
    #[inline]
    pub(crate) fn close(self) -> Option<Reading> {
        let reading = self.thread().and_then(|thread| self.close_on(thread));
        std::mem::forget(self);
        reading
    }

    #[inline]
    fn close_on(&self, thread: CurrentThread) -> Option<Reading> {
        let reading = thread.at_segment_end(|scopes, counts| scopes.close(self.id, counts));
        if thread.is_watched() {
            thread.set_limits();
        }
        retire_unused_loan(thread);
        reading
    }

    /// What the frame has counted so far; `None` if the thread has given its state back since, or the library is at work
    /// for itself.
    #[inline]
    pub(crate) fn measure(&self) -> Option<Reading> {
        self.thread()?.at_segment_end(|scopes, counts| scopes.measure(self.id, counts))
    }

    /// Lends `read`, which counts as the library's own work, what the frame has recorded; `None` as for
    /// [`measure`](Self::measure), and if it does not record.
    pub(crate) fn read_records<R>(&self, read: impl FnOnce(Records<'_>) -> R) -> Option<R> {
        let thread = self.thread()?;
        thread.with_scopes(|scopes| ignored(|_| scopes.records(self.id).map(read)))
    }

    /// The scope, for other threads to attach to.
    pub(crate) fn share(&self) -> Result<SharedScopeRef, ShareError> {
        let thread = self.thread().ok_or(ShareError::Outlived)?;
        let shared = thread.change_scopes(|scopes, counts| scopes.share(self.id, counts));
        shared.ok_or(ShareError::OutOfMemory)
    }

    /// What other threads have added to, if any could.
    pub(crate) fn shared(&self) -> Option<SharedScopeRef> {
        self.thread()?.with_scopes(|scopes| scopes.shared(self.id))
    }

    /// Makes this the frame of a scope that was shared before: of a future, in an earlier poll.
    pub(crate) fn set_shared(&self, shared: SharedScopeRef) {
        if let Some(thread) = self.thread() {
            thread.change_scopes(|scopes, counts| scopes.set_shared(self.id, shared, counts));
        }
    }

    /// Enters the blocks that are allocated in it from now on.
    pub(crate) fn set_tracked(&self, tracking: &Tracking) {
        if let Some(thread) = self.thread() {
            thread.change_scopes(|scopes, _| scopes.set_tracked(self.id, tracking.tracked()));
        }
    }

    /// Takes the scope out, so that it outlives this frame.
    pub(crate) fn take_shared(&self) -> Option<SharedScopeRef> {
        let counters = &self.state.counters;
        self.thread()?.change_scopes(|scopes, now| scopes.take_shared(self.id, counters, now))
    }
}

/// Why a scope could not be shared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ShareError {
    OutOfMemory,
    /// It has outlived the counters of its thread.
    Outlived,
}

/// The innermost scope that counts on this thread; `None` if there is none.
pub(crate) fn share_innermost() -> Result<Option<SharedScopeRef>, OutOfMemory> {
    let Some(thread) = current_thread() else { return Ok(None) };
    thread.change_scopes(|scopes, counts| scopes.share_innermost(counts))
}

/// Whether the caller is called by the code of the stretch that was opened at this address of a stack.
///
/// Stacks grow downwards. From the thread's own stack, a stretch that was opened on another one has been left, at least for now;
/// the other way round, a coroutine was resumed inside the stretch. Of two other stacks nothing is known but
/// how far they are from each other.
#[cold]
#[inline(never)]
pub(crate) fn is_inside(at: usize) -> bool {
    const NEAR: usize = 1 << 20;
    let local = 0_u8;
    let here = std::ptr::addr_of!(local) as usize;
    match (walk::is_on_first_stack(here), walk::is_on_first_stack(at)) {
        (true, true) => here < at,
        (true, false) => false,
        (false, true) => true,
        (false, false) => here < at && at - here < NEAR,
    }
}

impl Drop for OpenScope {
    #[inline]
    fn drop(&mut self) {
        if let Some(thread) = self.thread() {
            self.close_on(thread);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::{freeze, open, open_uncounted};
    use crate::open_scopes::Kind;
    use crate::threads::current_thread::current_thread;
    use crate::threads::registry;
    use crate::threads::retirement::retire;

    fn allocate(bytes: usize) {
        drop(black_box(Vec::<u8>::with_capacity(bytes)));
    }

    /// Runs `work` on a thread that has a state, which it may retire at will.
    fn on_a_thread(work: fn()) {
        let run = move || {
            allocate(1);
            work();
        };
        std::thread::spawn(run).join().expect("the thread ends well");
    }

    #[test]
    fn a_frame_that_outlives_the_ledger_of_its_thread_has_no_numbers() {
        on_a_thread(|| {
            let frame = open(Kind::Scope, 0, true).expect("memory");
            allocate(10);
            retire();
            assert_eq!(frame.measure(), None);
            // Nor does it take those of another frame in its place.
            let other = open(Kind::Scope, 0, true).expect("memory");
            allocate(20);
            assert_eq!(frame.measure(), None);
            drop(frame);
            assert_eq!(other.close().expect("its own thread").own.counts.got, 20);
        });
    }

    #[test]
    fn past_the_end_of_a_thread_a_ledger_is_on_loan_while_frames_are_open() {
        on_a_thread(|| {
            retire();
            for _ in 0..100 {
                let (outer, inner) = (open(Kind::Scope, 0, true), open(Kind::Scope, 0, true));
                let (outer, inner) = (outer.expect("memory"), inner.expect("memory"));
                allocate(30);
                assert_eq!(outer.close().expect("on loan").own.counts.got, 30);
                assert_eq!(inner.close().expect("on loan").own.counts.got, 30);
                assert!(current_thread().is_none(), "given back");
            }
        });
    }

    #[test]
    fn events_past_the_end_of_a_thread_are_in_the_totals() {
        on_a_thread(|| {
            retire();
            let before = registry::ORPHANS.counters.counts();
            allocate(12_345);
            let orphaned = registry::ORPHANS.counters.counts() - before;
            // Other threads may end at the same time.
            assert!(orphaned.got >= 12_345 && orphaned.freed >= 12_345 && orphaned.allocs >= 1);
        });
    }

    #[test]
    fn a_frozen_frame_stands_still_while_those_below_count_on() {
        let below = open(Kind::Scope, 0, true).expect("memory");
        let frozen = open(Kind::Scope, 7, true).expect("memory");
        allocate(10);
        freeze(8); // Nobody's.
        allocate(100);
        freeze(7);
        let hidden = open_uncounted(0).expect("memory");
        let kept = black_box(Vec::<u8>::with_capacity(5_000));
        drop(hidden);
        allocate(1_000);
        let frozen = frozen.close().expect("open");
        assert_eq!((frozen.own.counts.got, frozen.own.peak), (110, 100));
        let below = below.close().expect("open");
        assert_eq!((below.own.counts.got, below.own.peak), (1_110, 1_000));
        drop(kept);
    }

    #[test]
    fn freezing_neither_shows_what_is_hidden_nor_keeps_what_is_closed() {
        let below = open(Kind::Scope, 0, true).expect("memory");
        // A hidden frame stays one.
        let hidden = open(Kind::Uncounted { at: 0 }, 5, false).expect("memory");
        allocate(10);
        freeze(5);
        allocate(20);
        drop(hidden);
        assert_eq!(below.measure().expect("open").own.counts.got, 0);
        // One that was closed out of order stays closed, and goes.
        let closed = open(Kind::Scope, 6, true).expect("memory");
        let above = open(Kind::Scope, 0, true).expect("memory");
        drop(closed);
        freeze(6);
        drop(above);
        let again = open(Kind::Scope, 0, true).expect("memory");
        assert_eq!(again.id.depth, below.id.depth + 1, "nothing is left between them");
    }
}
