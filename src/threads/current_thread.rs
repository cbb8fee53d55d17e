//! Hot: what a thread does with its own state, beyond the frequent half of an event: count a rare
//! event, flush to the process totals. `CurrentThread` stands for "this state is the current thread's", and is the only way
//! to the parts of a state that the owner alone may touch.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{compiler_fence, fence};

use super::state::ThreadState;
use super::{process_peak, registry};
use crate::blocks::{self, MovingBlock};
use crate::counters::current;
use crate::counters::thread_counters::{add_freed, add_got, count_alloc, count_dealloc};
use crate::counters::thread_counters::{ceiling, count_realloc, floor, store, Counters};
use crate::counters::thread_counters::{EVERY_ALLOC, EVERY_DEALLOC, FLUSH_BYTES};
use crate::counters::{Counts, Event, EventKind, Line, Word, HUGE};
use crate::open_scopes::ScopeStack;
use crate::stacks::{self, Stack, Tracer};
use crate::walk::Registers;

/// The current thread's own state.
#[derive(Clone, Copy)]
pub(super) struct CurrentThread {
    pub(super) state: &'static ThreadState,
    /// Not to be sent to another thread.
    _thread: PhantomData<*const ()>,
}

/// `None` also in a signal handler that has interrupted the library at work on the state.
#[inline]
pub(super) fn current_thread() -> Option<CurrentThread> {
    current_thread_of(current::current())
}

/// The same, where [`current`](current::current) has just been asked.
#[inline]
pub(super) fn current_thread_of(current: *const Line) -> Option<CurrentThread> {
    current_even_if_busy(current).filter(|thread| !thread.state.is_busy.load(Relaxed))
}

/// To count an event on.
#[inline]
pub(super) fn current_even_if_busy(current: *const Line) -> Option<CurrentThread> {
    ThreadState::of(current).map(CurrentThread::of)
}

/// Tells the process totals of what this thread has not told them yet.
pub(crate) fn flush() {
    if let Some(thread) = current_thread() {
        thread.flush();
    }
}

/// A block is about to be reallocated: [`blocks::begin_realloc`], where this thread has room.
#[cold]
pub(crate) fn begin_realloc(address: usize) -> MovingBlock {
    let mut taken = MovingBlock::nothing(address);
    aside(&mut || taken = blocks::begin_realloc(address));
    taken
}

/// The block lives here now, and is so big: [`blocks::end_realloc`], likewise.
#[cold]
pub(crate) fn end_realloc(taken: &MovingBlock, address: usize, size: u64) {
    aside(&mut || blocks::end_realloc(taken, address, size));
}

/// Does `work` where this thread records, if it has recorded yet, and is not at it.
#[inline(always)]
fn aside(work: &mut impl FnMut()) {
    match current_thread() {
        Some(thread) if !thread.state.tracer.get().is_null() => {
            thread.aside(thread.state.tracer.get(), work);
        }
        _ => work(),
    }
}

/// The current thread is at work on its state.
struct Busy {
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
    /// For the thread whose state this is.
    #[inline]
    pub(super) fn of(state: &'static ThreadState) -> Self {
        Self { state, _thread: PhantomData }
    }

    #[inline]
    fn counters(self) -> Counters {
        // SAFETY: the line is the current thread's own: no other thread writes to its counters.
        unsafe { (*self.state.counters.line()).counters }
    }

    #[inline]
    fn store(self, word: Word, value: i64) {
        // SAFETY: the current thread owns this state.
        unsafe { store(self.state.counters.line(), word, value) }
    }

    /// Whether somebody wants to know of each allocation event, or of each deallocation.
    #[inline]
    pub(super) fn is_watched(self) -> bool {
        // SAFETY: the line of a state.
        let ceiling = unsafe { ceiling(self.state.counters.line()) };
        // SAFETY: as above.
        let floor = unsafe { floor(self.state.counters.line()) };
        ceiling == EVERY_ALLOC || floor == EVERY_DEALLOC
    }

    #[inline]
    pub(super) fn counts(self) -> Counts {
        loop {
            let Counters { got, freed, allocs, deallocs, reallocs, .. } = self.counters();
            let failed = self.state.counters.failed.load(Relaxed);
            let huge = self.state.counters.huge.load(Relaxed);
            // What a signal handler did in the midst would be in some of them only.
            compiler_fence(SeqCst);
            let again = self.counters();
            if again.allocs == allocs && again.deallocs == deallocs && again.reallocs == reallocs {
                return Counts { got, freed, allocs, deallocs, reallocs, failed, huge };
            }
        }
    }

    /// Lends the frames to `work`, which must not allocate through `ModAlloc` nor unwind.
    #[inline]
    pub(super) fn with_scopes<R>(self, work: impl FnOnce(&mut ScopeStack) -> R) -> R {
        let _busy = self.busy();
        // SAFETY: only the owner comes here; `work`, which calls methods of `ScopeStack` and looks at counters, does not come here
        // again, nor does a signal handler, which finds the state busy.
        work(unsafe { &mut *self.state.scopes.get() })
    }

    /// Until it is dropped, a signal handler leaves the state alone.
    #[inline]
    fn busy(self) -> Busy {
        let was_busy = self.state.is_busy.load(Relaxed);
        self.set_busy();
        Busy { thread: self, was_busy }
    }

    #[inline]
    fn set_busy(self) {
        self.state.is_busy.store(true, Relaxed);
        compiler_fence(SeqCst);
    }

    #[inline]
    fn set_idle(self) {
        compiler_fence(SeqCst);
        self.state.is_busy.store(false, Relaxed);
        compiler_fence(SeqCst);
        if !self.state.interruptions.is_none() {
            self.note_interruptions();
        }
    }

    #[cold]
    #[inline(never)]
    fn note_interruptions(self) {
        self.state.interruptions.take(|event| self.note(&event, None));
    }

    /// Adds what was counted elsewhere.
    pub(super) fn add(self, counts: Counts) {
        let Counts { got, freed, allocs, deallocs, reallocs, failed, huge } = counts;
        self.state.counters.word(Word::Got).fetch_add(got, Relaxed);
        self.state.counters.word(Word::Freed).fetch_add(freed, Relaxed);
        self.state.counters.word(Word::Allocs).fetch_add(allocs, Relaxed);
        self.state.counters.word(Word::Deallocs).fetch_add(deallocs, Relaxed);
        self.state.counters.word(Word::Reallocs).fetch_add(reallocs, Relaxed);
        self.state.counters.failed.fetch_add(failed, Relaxed);
        self.state.counters.huge.fetch_add(huge, Relaxed);
    }

    pub(super) fn count_failure(self) {
        self.state.counters.failed.fetch_add(1, Relaxed);
    }

    /// Counts an event that the frequent half left: the first of a thread, one that crosses a limit, or one to record. That is
    /// done aside, where it has room.
    pub(super) fn count(self, event: &Event, from: &Registers) {
        if self.state.is_busy.load(Relaxed) {
            return self.count_interruption(event);
        }
        let mut tracer = self.state.tracer.get();
        if tracer.is_null() && self.wants_room(event) {
            tracer = self.tracer();
        }
        let mut stops = false;
        if tracer.is_null() {
            stops = self.count_here(event, from);
        } else {
            self.aside(tracer, &mut || stops = self.count_here(event, from));
        }
        if stops {
            stacks::stop();
        }
    }

    /// Does `work` where this thread records. It is not there yet.
    // Unoptimised, a frame of its own takes of the stack that is to be spared.
    #[inline(always)]
    fn aside(self, tracer: *mut Tracer, work: &mut impl FnMut()) {
        // SAFETY: not null, so `Tracer::allocate` made it, and it is never freed.
        let stack = unsafe { (*tracer).side_stack() };
        self.set_busy();
        stack.call(work);
        self.set_idle();
    }

    /// Counts an event of a signal handler that has interrupted this thread at work on the state.
    #[cold]
    fn count_interruption(self, event: &Event) {
        blocks::forget_freed(event);
        self.add_event(event);
        self.state.interruptions.add(*event);
    }

    fn add_event(self, event: &Event) {
        let line = self.state.counters.line();
        // SAFETY: the current thread owns this state; likewise below.
        unsafe { add_got(line, event.got) };
        // SAFETY: as above.
        unsafe { add_freed(line, event.freed) };
        match event.kind {
            // SAFETY: as above.
            EventKind::Alloc => unsafe { count_alloc(line) },
            // SAFETY: as above.
            EventKind::Dealloc => unsafe { count_dealloc(line) },
            // SAFETY: as above.
            EventKind::Realloc => unsafe { count_realloc(line) },
        }
        if event.got >= HUGE {
            self.state.counters.huge.fetch_add(event.got / HUGE, Relaxed);
            registry::watch_everything();
        }
    }

    /// Whether a debugger is to see this event.
    fn count_here(self, event: &Event, from: &Registers) -> bool {
        blocks::forget_freed(event);
        self.add_event(event);
        let Counters { got, freed, high, .. } = self.counters();
        let net = got.wrapping_sub(freed);
        let grown = event.net();
        if net.wrapping_sub(grown).checked_add(grown).is_none() {
            self.store(Word::High, i64::MAX);
        } else if net > high {
            self.store(Word::High, net);
        }
        if net.wrapping_sub(self.state.counters.flushed.load(Relaxed)).wrapping_abs() > FLUSH_BYTES
        {
            self.flush();
        }
        if self.is_watched() {
            self.note(event, Some(from));
        }
        stacks::is_passed()
    }

    /// Whether more than the counters will hear of the event.
    #[cold]
    fn wants_room(self, event: &Event) -> bool {
        event.is_allocation()
            && (stacks::is_profiling() || self.with_scopes(|scopes| scopes.wanted().allocs))
    }

    /// Tells everyone who wants to know of it. Without registers, it happened in a signal handler.
    // Both are called from two places, the rarer of which would keep them out of line.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn note(self, event: &Event, from: Option<&Registers>) {
        let busy = self.busy();
        // SAFETY: as in `with_scopes`, which would have its work be a call.
        let scopes = unsafe { &mut *self.state.scopes.get() };
        if self.note_on(scopes, event, from) {
            drop(busy);
            self.set_limits();
        }
    }

    /// Whether nobody wants to know of such events any more: the last profiler has stopped, or a
    /// scope of another thread has ended.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn note_on(self, scopes: &mut ScopeStack, event: &Event, from: Option<&Registers>) -> bool {
        let is_profiling = stacks::is_profiling();
        let is_recording = scopes.is_recording();
        let is_allocation = event.is_allocation();
        if !is_allocation || !is_profiling && !is_recording {
            let wanted = scopes.wanted();
            if !(if is_allocation { wanted.allocs } else { wanted.deallocs }) {
                let is_any = wanted.allocs || wanted.deallocs;
                return !is_any && !is_profiling && !blocks::is_tracking();
            }
        }
        // Whether anybody asks where it happened.
        let wants_stack = is_allocation && (is_profiling || is_recording || scopes.wants_stacks());
        let stack = match from {
            _ if !wants_stack => None,
            Some(from) => self.stack(*from),
            None => stacks::interrupting_stack(),
        };
        let is_entered = scopes.note(stack, event, self.counts().sums());
        if is_profiling && is_allocation {
            stacks::profile_event(stack, event);
            blocks::profile_event(stack, event, !is_entered);
        }
        false
    }

    /// The stack that ends at these registers; `None` if there is no room for it.
    // Left to the compiler, it is a call of 30 instructions in each event that is recorded.
    // Unoptimised, it would take of the stack of its caller.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn stack(self, from: Registers) -> Option<&'static Stack> {
        // SAFETY: null, or `allocate` made it; it is never freed, and belongs to the state, hence to this thread alone; the method
        // does not come here again, nor does a signal handler, which finds the state busy.
        let tracer = unsafe { self.tracer().as_mut() }?;
        let _busy = self.busy();
        tracer.stack(from)
    }

    /// Null without memory.
    #[inline]
    fn tracer(self) -> *mut Tracer {
        if self.state.tracer.get().is_null() {
            self.state.tracer.set(Tracer::allocate().unwrap_or(std::ptr::null_mut()));
        }
        self.state.tracer.get()
    }

    /// Ends the stretch over which `high` is the maximum, at an opening, a closing or a flush: takes the maximum in
    /// wherever it is wanted, and starts anew from the present net bytes, which it returns.
    #[inline]
    pub(super) fn end_peak_segment(self) -> i64 {
        self.with_scopes(|scopes| self.end_peak_segment_in(scopes))
    }

    /// [Cuts](Self::end_peak_segment), and then lends the frames to `work`, with the present counts. As for
    /// [`with_scopes`](Self::with_scopes).
    #[inline]
    pub(super) fn at_segment_end<R>(self, work: impl FnOnce(&mut ScopeStack, Counts) -> R) -> R {
        self.with_scopes(|scopes| {
            self.end_peak_segment_in(scopes);
            work(scopes, self.counts())
        })
    }

    #[inline]
    fn end_peak_segment_in(self, scopes: &mut ScopeStack) -> i64 {
        let Counters { got, freed, high, .. } = self.counters();
        let net = got.wrapping_sub(freed);
        scopes.fold(high);
        self.state.flush_high.set(self.state.flush_high.get().max(high));
        self.store(Word::High, net);
        net
    }

    pub(super) fn flush(self) {
        let net = self.end_peak_segment();
        // At once, for a signal handler may flush, too.
        let flushed = self.state.counters.flushed.swap(net, Relaxed);
        let high = self.state.flush_high.get();
        process_peak::flush(net.wrapping_sub(flushed), high.saturating_sub(flushed));
        self.start_flush_interval(net);
    }

    pub(super) fn start_flush_interval(self, net: i64) {
        self.state.flush_high.set(net);
        self.store(Word::High, net);
        self.set_limits();
    }

    /// Sets ceiling and floor as they must be now: to flush, or for those who want to know of every event. To be called whenever
    /// that changes.
    pub(super) fn set_limits(self) {
        let wanted = self.with_scopes(|scopes| scopes.wanted());
        let flushed = self.state.counters.flushed.load(Relaxed);
        // Not first as if nobody else asked: a signal handler may come in between.
        let watches_everything = registry::watches_everything();
        let allocs = wanted.allocs || watches_everything || stacks::is_profiling();
        let deallocs = wanted.deallocs || watches_everything || blocks::is_tracking();
        let ceiling = if allocs { EVERY_ALLOC } else { flushed.wrapping_add(FLUSH_BYTES) };
        let floor = if deallocs { EVERY_DEALLOC } else { flushed.wrapping_sub(FLUSH_BYTES) };
        self.store(Word::Ceiling, ceiling);
        self.store(Word::Floor, floor);
        // A profiler that starts at this moment has stored the ceiling too, maybe before: `stacks::profile` explains. So has a scope
        // that begins to track its blocks, the floor.
        fence(SeqCst);
        let watches_everything = registry::watches_everything();
        if watches_everything || stacks::is_profiling() {
            self.store(Word::Ceiling, EVERY_ALLOC);
        }
        if watches_everything || blocks::is_tracking() {
            self.store(Word::Floor, EVERY_DEALLOC);
        }
    }
}
