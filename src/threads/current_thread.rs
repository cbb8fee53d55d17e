//! Hot: `CurrentThread`, what a thread does with its own state: it reads its counters, looks at its
//! scopes, ends a peak segment, flushes to the process totals, and sets its thresholds. It stands
//! for "this state is the current thread's", and is the only way to what the owner of a state alone
//! may touch.
//!
//! Relies on: the line that the current thread's pointer is at is the thread's own
//! ([`set_line`](crate::counters::current::set_line)); who has a `CurrentThread` uses it no more
//! once the state is given back.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{compiler_fence, fence};

use super::state::ThreadState;
use super::{process_peak, registry};
use crate::blocks;
use crate::counters::current::{current, CurrentLine};
use crate::counters::own_line::{store, store_others_half, store_own, store_owners_half};
use crate::counters::thread_counters::{flip, flush_interval};
use crate::counters::{Counts, Word, HUGE};
use crate::open_scopes::ScopeStack;
use crate::stacks;
use crate::sys::RelaxedWord;

/// The current thread's own state. What reaches the scopes takes it by `&mut`, so that they are
/// lent to one at a time: meanwhile the state is busy, and [`current_thread`] gives no second one.
pub(super) struct CurrentThread {
    pub(super) state: &'static ThreadState,
    /// Not to be sent to another thread.
    _thread: PhantomData<*const ()>,
}

/// The current thread's state. `None` if it has none, if the library is at work for itself, and in
/// a signal handler that has interrupted the library at work on the state.
#[inline]
pub(super) fn current_thread() -> Option<CurrentThread> {
    // Not by a closure: unoptimised, it is a call or two.
    match current_even_if_busy(current()) {
        Some(thread) if !thread.state.is_busy.is_set() => Some(thread),
        _ => None,
    }
}

/// The same, and in such a signal handler as well: to count an event on. Where the state is busy,
/// the scopes are somebody else's.
#[inline]
pub(super) fn current_even_if_busy(current: CurrentLine) -> Option<CurrentThread> {
    ThreadState::of(current).map(CurrentThread::of)
}

/// Tells the process totals of what this thread has not told them yet.
pub(crate) fn flush() {
    if let Some(mut thread) = current_thread() {
        thread.flush();
    }
}

/// The current thread is at work on its state. Signal handlers leave that alone meanwhile.
pub(super) struct Busy {
    thread: CurrentThread,
    was_busy: bool,
}

impl Drop for Busy {
    #[inline]
    fn drop(&mut self) {
        if !self.was_busy {
            self.thread.set_idle();
        }
    }
}

impl CurrentThread {
    /// For the thread that owns this state.
    #[inline]
    fn of(state: &'static ThreadState) -> Self {
        Self { state, _thread: PhantomData }
    }

    #[inline]
    fn store(&self, word: Word, value: i64) {
        // SAFETY: the current thread owns this state.
        unsafe { store(self.state.counters.line(), word, value) }
    }

    #[inline]
    fn store_own(&self, word: Word, value: i64) {
        // SAFETY: the current thread owns this state.
        unsafe { store_own(self.state.counters.line(), word, value) }
    }

    /// The highest net bytes of the present peak segment.
    #[inline]
    pub(super) fn high(&self) -> i64 {
        flip(self.state.counters.word(Word::High).get())
    }

    #[inline]
    pub(super) fn set_high(&self, high: i64) {
        self.store_own(Word::High, flip(high));
        let gate = self.gate(high);
        // SAFETY: the current thread owns this state.
        unsafe { store_owners_half(self.state.counters.line(), gate) };
    }

    /// The gate where `high` is the maximum, unless every allocation is to cross it.
    #[inline]
    fn gate(&self, high: i64) -> i64 {
        let (floor, ceiling) = flush_interval(self.state.counters.flushed.get());
        // Not by methods: unoptimised, each is a call.
        let gate = if high < ceiling { high } else { ceiling };
        flip(if gate > floor { gate } else { floor })
    }

    /// Whether somebody wants to know of each allocation event, or of each deallocation.
    #[inline]
    pub(super) fn is_watched(&self) -> bool {
        self.state.counters.is_watched()
    }

    /// What the thread has counted so far.
    #[inline]
    pub(super) fn counts(&self) -> Counts {
        loop {
            let counts = self.state.counters.counts();
            // What a signal handler counts in the midst of this is in some of them only.
            compiler_fence(SeqCst);
            let now = &self.state.counters;
            if now.word(Word::Allocs).get() == counts.allocs
                && now.word(Word::Deallocs).get() == counts.deallocs
                && now.word(Word::Reallocs).get() == counts.reallocs
            {
                return counts;
            }
        }
    }

    /// Lends the scopes to `work`, which must neither allocate through `ModAlloc` nor unwind.
    #[inline]
    pub(super) fn with_scopes<R>(&mut self, work: impl FnOnce(&mut ScopeStack) -> R) -> R {
        let _busy = self.busy();
        // SAFETY: lent until `work` returns. `_busy` and the `&mut` keep everybody else away.
        work(unsafe { self.scopes() })
    }

    /// # Safety
    /// The state is busy for as long as they are lent, and `self` is not lent to anybody who asks
    /// for them again.
    #[inline]
    pub(super) unsafe fn scopes<'a>(&mut self) -> &'a mut ScopeStack {
        // SAFETY: `current_even_if_busy` makes a `CurrentThread` for the owner of the state alone,
        // and a signal handler leaves a busy one alone; the rest is the contract.
        unsafe { &mut *self.state.scopes.get() }
    }

    /// Until it is dropped, a signal handler leaves the state alone.
    #[inline]
    pub(super) fn busy(&self) -> Busy {
        let was_busy = self.state.is_busy.is_set();
        self.set_busy();
        Busy { thread: Self::of(self.state), was_busy }
    }

    #[inline]
    pub(super) fn set_busy(&self) {
        self.state.is_busy.set(true);
    }

    #[inline]
    pub(super) fn set_idle(&self) {
        self.state.is_busy.set(false);
        if !self.state.interruptions.is_none() {
            // By value, here and below: a reference would have the compiler keep `self` in memory.
            Self::of(self.state).note_interruptions();
        }
    }

    /// Does `work` where this thread records. The caller must not be on that stack already.
    ///
    /// # Safety
    /// The thread has a tracer.
    // Unoptimised, a frame of its own would take room on the stack that is to be spared.
    #[inline(always)]
    pub(super) unsafe fn aside(self, work: &mut impl FnMut(Self)) {
        let state = self.state;
        // SAFETY: not null, by the contract, so `Tracer::allocate` made it, and it is never freed.
        let stack = unsafe { (*state.tracer.get()).side_stack() };
        self.set_busy();
        stack.call(&mut || work(Self::of(state)));
        self.set_idle();
    }

    /// Adds what was counted elsewhere.
    pub(super) fn add(&self, counts: Counts) {
        let Counts { net, got, allocs, deallocs, reallocs, failed, huge } = counts;
        let is_huge = net.unsigned_abs() >= HUGE.unsigned_abs();
        let huge_net = if is_huge { net } else { 0 };
        self.state.counters.word(Word::Net).fetch_add(net.wrapping_sub(huge_net), Relaxed);
        self.state.counters.huge_net.fetch_add(huge_net, Relaxed);
        self.state.counters.word(Word::Got).fetch_add(got, Relaxed);
        self.state.counters.word(Word::Allocs).fetch_add(allocs, Relaxed);
        self.state.counters.word(Word::Deallocs).fetch_add(deallocs, Relaxed);
        self.state.counters.word(Word::Reallocs).fetch_add(reallocs, Relaxed);
        self.state.counters.failed.fetch_add(failed, Relaxed);
        self.state.counters.huge.fetch_add(huge, Relaxed);
    }

    /// Ends the peak segment, the stretch over which `high` is the maximum: at an opening, a
    /// closing or a flush. Everyone who wants the maximum takes it in. It starts anew from the
    /// present net bytes, which this returns.
    #[inline]
    pub(super) fn end_peak_segment(&mut self) -> i64 {
        let _busy = self.busy();
        // SAFETY: lent to the next call. `_busy` and the `&mut` keep everybody else away.
        let scopes = unsafe { self.scopes() };
        self.end_peak_segment_in(scopes)
    }

    /// Ends the peak segment, and then lends the scopes to `work`, which may ask the thread for
    /// its counts. The same holds as for [`with_scopes`](Self::with_scopes).
    #[inline]
    pub(super) fn at_segment_end<R>(
        &mut self,
        work: impl FnOnce(&mut ScopeStack, &Self) -> R,
    ) -> R {
        let _busy = self.busy();
        // SAFETY: lent until `work` returns. `_busy` keeps handlers away, and what reaches the
        // scopes takes a `&mut` of the thread, which `work` has not.
        let scopes = unsafe { self.scopes() };
        self.end_peak_segment_in(scopes);
        work(scopes, self)
    }

    /// Lends the scopes to `work` as they are in the midst of a peak segment, which goes on: what
    /// they know of its maximum is what it has been so far.
    #[inline]
    pub(super) fn in_segment<R>(&mut self, work: impl FnOnce(&mut ScopeStack, &Self) -> R) -> R {
        let _busy = self.busy();
        // SAFETY: as in `at_segment_end`.
        let scopes = unsafe { self.scopes() };
        scopes.fold(self.high());
        work(scopes, self)
    }

    /// As [`at_segment_end`](Self::at_segment_end) with the present counts, for work that may
    /// change which events the scopes have to hear of.
    pub(super) fn change_scopes<R>(
        &mut self,
        work: impl FnOnce(&mut ScopeStack, Counts) -> R,
    ) -> R {
        let result = self.at_segment_end(|scopes, thread| work(scopes, thread.counts()));
        self.set_thresholds();
        result
    }

    #[inline]
    fn end_peak_segment_in(&self, scopes: &mut ScopeStack) -> i64 {
        let (net, high) = (self.state.counters.net(), self.high());
        scopes.fold(high);
        if self.state.flush_high.get() < high {
            self.state.flush_high.set(high);
        }
        if net != high {
            self.set_high(net);
        }
        net
    }

    pub(super) fn flush(&mut self) {
        let net = self.end_peak_segment();
        // In one step, for a signal handler may flush, too.
        let flushed = self.state.counters.flushed.swap(net, Relaxed);
        let high = self.state.flush_high.get();
        process_peak::flush(net.wrapping_sub(flushed), high.saturating_sub(flushed));
        self.start_flush_interval(net);
    }

    pub(super) fn start_flush_interval(&mut self, net: i64) {
        self.state.flush_high.set(net);
        self.store_own(Word::High, flip(net));
        self.set_thresholds();
    }

    /// Sets ceiling and floor as they must be now, to flush, or for those who want to know of every
    /// event. To be called whenever that changes.
    #[inline]
    pub(super) fn set_thresholds(&mut self) {
        Self::of(self.state).set_thresholds_now();
    }

    /// What [`set_thresholds`](Self::set_thresholds) comes to where nothing has changed but that a
    /// scope was opened that records. It takes no fence: whoever wants to know of each allocation
    /// of every thread stores the same.
    #[inline]
    pub(super) fn watch_allocs(&mut self) {
        self.state.counters.watch_allocs();
    }

    fn set_thresholds_now(mut self) {
        let events = self.with_scopes(|scopes| scopes.events_to_note());
        let counters = &self.state.counters;
        let (floor, ceiling) = flush_interval(counters.flushed.get());
        // Decided before anything is stored: a signal handler between two stores would find
        // thresholds that miss somebody who watches.
        let watches_everything = registry::watches_everything();
        let allocs = events.allocs || watches_everything || stacks::is_profiling();
        let deallocs = events.deallocs || watches_everything || blocks::is_tracking();
        if allocs {
            counters.watch_allocs();
        } else {
            let gate = self.gate(self.high());
            self.store(Word::Ceiling, flip(ceiling));
            // SAFETY: the current thread owns this state.
            unsafe { store_owners_half(counters.line(), gate) };
            // SAFETY: as above.
            unsafe { store_others_half(counters.line(), gate) };
        }
        if deallocs {
            counters.watch_deallocs();
        } else {
            self.store(Word::Floor, flip(floor));
        }
        // A profiler that starts at this moment stores thresholds, too, and may have done so
        // before (`stacks::process_sites` explains). So does a scope that begins to track its
        // blocks.
        fence(SeqCst);
        let watches_everything = registry::watches_everything();
        if watches_everything || stacks::is_profiling() {
            counters.watch_allocs();
        }
        if watches_everything || blocks::is_tracking() {
            counters.watch_deallocs();
        }
    }
}
