//! Hot: `OpenScope`, a scope's hold on its thread: opens it, reads it, closes it.

use std::marker::PhantomData;

use super::adoption::{current_or_adopted, current_or_lent};
use super::current_thread::{current_thread, CurrentThread};
use super::registry;
use super::retirement::retire_unused_loan;
use super::state::ThreadState;
use super::tracking::Tracking;
use crate::counters::ignored;
use crate::open_scopes::{Kind, NewEntry, Reading, ScopeId, SharedScopeRef};
use crate::stacks::{FirstOverrun, Records, Stack};
use crate::sys::OutOfMemory;
use crate::walk::{self, Registers};

/// A scope that is open on the current thread. Dropping this closes it.
pub(crate) struct OpenScope {
    state: &'static ThreadState,
    id: ScopeId,
    _thread: PhantomData<*const ()>,
}

/// Opens a scope on the current thread. `tag` is for [`freeze`]; 0 for none. With `wants_peak`, its
/// peak is exact when other threads attach to it, too, which costs those an atomic addition an
/// event.
#[inline]
pub(crate) fn open(kind: Kind, tag: u64, wants_peak: bool) -> Result<OpenScope, OutOfMemory> {
    let mut thread = current_or_lent()?;
    let new = NewEntry { kind, tag, wants_peak };
    let id = thread.at_segment_end(|scopes, thread| scopes.open(new, thread.counts()))?;
    Ok(OpenScope { state: thread.state, id, _thread: PhantomData })
}

/// Opens an uncounted stretch on the current thread. `at` is where on the stack its guard is, or
/// near to that.
pub(crate) fn open_uncounted(at: usize) -> Result<OpenScope, OutOfMemory> {
    open(Kind::Uncounted { at }, 0, false)
}

/// Opens a scope on the current thread that records call sites. If it is `closed_by_opener`, the
/// function that opens it is the one that closes it, and can tell then what its stack is.
#[inline(never)]
pub(crate) fn open_recording(
    tag: u64,
    wants_peak: bool,
    first_overrun: FirstOverrun,
    closed_by_opener: bool,
) -> Result<OpenScope, OutOfMemory> {
    let mut thread = current_or_lent()?;
    walk::prepare();
    let here = Registers::here();
    // A function on the thread's first stack has the same callers at its end. One of a coroutine
    // may have others by then.
    let at = if closed_by_opener && here.are_on_first_stack() {
        // It is made now: an event may have less of a stack.
        thread.tracer();
        None
    } else {
        thread.stack(here)
    };
    let new = NewEntry { kind: Kind::Recording, tag, wants_peak };
    let id = thread.at_segment_end(|scopes, thread| {
        scopes.open_recording(new, thread.counts(), at, first_overrun)
    })?;
    thread.watch_allocs();
    Ok(OpenScope { state: thread.state, id, _thread: PhantomData })
}

/// The stack of the caller; `None` where it cannot be had.
#[inline(never)]
pub(crate) fn stack_here() -> Option<&'static Stack> {
    walk::prepare();
    current_or_adopted()?.stack(Registers::here())
}

/// Ends the count of the innermost scope of this thread that is tagged `tag`, if there is one.
pub(crate) fn freeze(tag: u64) {
    if let Some(mut thread) = current_thread() {
        thread.at_segment_end(|scopes, thread| scopes.freeze(tag, thread.counts()));
    }
}

impl OpenScope {
    /// The current thread, if it still has the state that the scope was opened on.
    #[inline]
    fn thread(&self) -> Option<CurrentThread> {
        match current_thread() {
            Some(thread) if std::ptr::eq(thread.state, self.state) => Some(thread),
            _ => None,
        }
    }

    /// Closes the scope and says what it has counted; `None` as for [`measure`](Self::measure).
    #[cfg_attr(not(debug_assertions), inline)]
    pub(crate) fn close(self) -> Option<Reading> {
        let mut reading = None;
        if let Some(mut thread) = self.thread() {
            reading =
                thread.at_segment_end(|scopes, thread| scopes.close(self.id, thread.counts()));
            after_closing(thread);
        }
        std::mem::forget(self);
        reading
    }

    /// What the scope has counted so far; `None` if the thread has given its state back since, or
    /// the library is at work for itself.
    #[cfg_attr(not(debug_assertions), inline)]
    pub(crate) fn measure(&self) -> Option<Reading> {
        self.thread()?.in_segment(|scopes, thread| scopes.measure(self.id, thread.counts()))
    }

    /// The allocation events, so far, of all threads but the scope's own and the first of the
    /// process.
    pub(crate) fn events_elsewhere(&self) -> i64 {
        registry::events_elsewhere(self.state)
    }

    /// Lends what the scope has recorded to `read`, which counts as the library's own work. `None`
    /// as for [`measure`](Self::measure), and if the scope does not record.
    pub(crate) fn read_records<R>(&self, read: impl FnOnce(Records<'_>) -> R) -> Option<R> {
        let mut thread = self.thread()?;
        thread.with_scopes(|scopes| ignored(|_| scopes.records(self.id).map(read)))
    }

    /// The scope, for other threads to attach to.
    pub(crate) fn share(&self) -> Result<SharedScopeRef, ShareError> {
        let mut thread = self.thread().ok_or(ShareError::Outlived)?;
        let shared = thread.change_scopes(|scopes, counts| scopes.share(self.id, counts));
        shared.ok_or(ShareError::OutOfMemory)
    }

    /// What other threads have added to, if any could.
    pub(crate) fn shared(&self) -> Option<SharedScopeRef> {
        self.thread()?.with_scopes(|scopes| scopes.shared(self.id))
    }

    /// Makes this go on with a scope that was shared before: that of a future, in an earlier poll.
    pub(crate) fn set_shared(&self, shared: SharedScopeRef) {
        if let Some(mut thread) = self.thread() {
            thread.change_scopes(|scopes, counts| scopes.set_shared(self.id, shared, counts));
        }
    }

    /// Has the blocks entered that are allocated in it from now on.
    pub(crate) fn set_tracked(&self, tracking: &Tracking) {
        if let Some(mut thread) = self.thread() {
            thread.change_scopes(|scopes, _| scopes.set_tracked(self.id, tracking.tracked()));
        }
    }

    /// Takes what is shared out, so that it outlives this.
    pub(crate) fn withdraw_shared(&self) -> Option<SharedScopeRef> {
        let counters = &self.state.counters;
        self.thread()?.change_scopes(|scopes, now| scopes.withdraw_shared(self.id, counters, now))
    }
}

/// What a thread has to do when one of its scopes is closed.
#[inline]
fn after_closing(mut thread: CurrentThread) {
    if thread.is_watched() {
        thread.set_thresholds();
    }
    retire_unused_loan(thread);
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
    let Some(mut thread) = current_thread() else { return Ok(None) };
    thread.change_scopes(|scopes, counts| scopes.share_innermost(counts))
}

/// Whether the caller runs inside the stretch that was opened at this address of a stack.
///
/// Stacks grow downwards. On the thread's own stack, a stretch that was opened on another one has
/// been left, at least for now. On another stack, a stretch that was opened on the thread's own
/// goes on: a coroutine was resumed inside it. If both are on other stacks, nothing is known but
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
    #[cfg_attr(not(debug_assertions), inline)]
    fn drop(&mut self) {
        if let Some(mut thread) = self.thread() {
            thread
                .at_segment_end(|scopes, thread| scopes.close_unread(self.id, || thread.counts()));
            after_closing(thread);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::sync::atomic::Ordering::Relaxed;

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
    fn a_scope_that_outlives_the_state_of_its_thread_has_no_numbers() {
        on_a_thread(|| {
            let scope = open(Kind::Scope, 0, true).expect("memory");
            allocate(10);
            retire();
            assert_eq!(scope.measure(), None);
            // Nor does it take those of another scope in its place.
            let other = open(Kind::Scope, 0, true).expect("memory");
            allocate(20);
            assert_eq!(scope.measure(), None);
            drop(scope);
            assert_eq!(other.close().expect("its own thread").own.counts.got, 20);
        });
    }

    #[test]
    fn past_its_end_a_thread_has_a_state_on_loan_while_scopes_are_open() {
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
    fn a_state_that_was_on_loan_in_a_signal_handler_has_nothing_left_to_report() {
        on_a_thread(|| {
            let mut thread = current_thread().expect("it has allocated");
            // As a handler that has interrupted this.
            let (lent, kept) = thread.with_scopes(|_| {
                let scope = open(Kind::Scope, 0, true).expect("memory");
                let kept = black_box(Vec::<u8>::with_capacity(1 << 20));
                let lent = scope.state;
                drop(scope);
                (&lent.counters, kept)
            });
            let unreported = lent.net() - lent.flushed.load(Relaxed);
            // Another test may use it by now.
            assert!(unreported.abs() <= 32 << 10, "{unreported}");
            drop(kept);
        });
    }

    #[test]
    fn events_past_the_end_of_a_thread_are_in_the_totals() {
        on_a_thread(|| {
            retire();
            let before = registry::ORPHANS.counts();
            allocate(12_345);
            let orphaned = registry::ORPHANS.counts() - before;
            // Other threads may end at the same time.
            assert!(orphaned.got >= 12_345 && orphaned.allocs >= 1 && orphaned.deallocs >= 1);
        });
    }

    #[test]
    fn where_a_scope_was_opened_can_be_told_at_its_end_on_the_threads_first_stack_alone() {
        use super::{open_recording, FirstOverrun};
        use crate::walk::SideStack;

        // Without side stacks, there is but the first one.
        if SideStack::FOR_RECORDING == 0 {
            return;
        }
        let tells_now = |closed_by_opener| {
            let scope = open_recording(0, true, FirstOverrun::Never, closed_by_opener);
            let scope = scope.expect("memory");
            scope.read_records(|records| records.opening().is_some()).expect("it records")
        };
        assert!(tells_now(false) && !tells_now(true));
        let mut of_coroutine = false;
        let coroutine = SideStack::allocate(SideStack::FOR_RECORDING);
        coroutine.call(&mut || of_coroutine = tells_now(true));
        assert!(of_coroutine);
    }

    #[test]
    fn a_frozen_scope_stands_still_while_those_below_count_on() {
        let below = open(Kind::Scope, 0, true).expect("memory");
        let frozen = open(Kind::Scope, 7, true).expect("memory");
        allocate(10);
        freeze(8); // Nobody's.
        allocate(100);
        freeze(7);
        let uncounted = open_uncounted(0).expect("memory");
        let kept = black_box(Vec::<u8>::with_capacity(5_000));
        drop(uncounted);
        allocate(1_000);
        let frozen = frozen.close().expect("open");
        assert_eq!((frozen.own.counts.got, frozen.own.peak), (110, 100));
        let below = below.close().expect("open");
        assert_eq!((below.own.counts.got, below.own.peak), (1_110, 1_000));
        drop(kept);
    }

    #[test]
    fn freezing_neither_counts_what_is_uncounted_nor_keeps_what_is_closed() {
        let below = open(Kind::Scope, 0, true).expect("memory");
        // An uncounted stretch stays one.
        let uncounted = open(Kind::Uncounted { at: 0 }, 5, false).expect("memory");
        allocate(10);
        freeze(5);
        allocate(20);
        drop(uncounted);
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
