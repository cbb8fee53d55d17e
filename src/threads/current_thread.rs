//! Hot: what a thread does with its own state, beyond the frequent half of an event: adopt it and give it back, count a
//! rare event, flush to the process totals. `CurrentThread` stands for "this state is the current thread's", and is the only way
//! to the parts of a state that the owner alone may touch.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{compiler_fence, fence};

use super::event::Event;
use super::registry::{self, THREADS};
use super::state::{Loan, ThreadState};
use super::{process_peak, thread_exit};
use crate::blocks::{self, Block, MovingBlock};
use crate::counters::current;
use crate::counters::thread_counters::{add_freed, add_got, count_alloc, count_dealloc};
use crate::counters::thread_counters::{ceiling, count_realloc, floor, store, Counters};
use crate::counters::thread_counters::{EVERY_ALLOC, EVERY_DEALLOC, FLUSH_BYTES};
use crate::counters::{Counts, Line, Registration, Word, HUGE};
use crate::open_scopes::{Noted, ScopeStack};
use crate::stacks::{self, Stack, Tracer};
use crate::sys::{OutOfMemory, Pooled};
use crate::walk::{self, Registers};

/// The current thread's own state.
#[derive(Clone, Copy)]
pub(super) struct CurrentThread {
    pub(super) thread: &'static ThreadState,
    /// Not to be sent to another thread.
    _thread: PhantomData<*const ()>,
}

/// The current thread's state, adopted now if it has none yet; `None` past the thread's end or without memory.
pub(super) fn current_or_register() -> Option<CurrentThread> {
    match current::current_registration() {
        Registration::Registered => current_thread(),
        Registration::New => register(),
        Registration::Retired | Registration::Ignored => None,
    }
}

/// `None` also in a signal handler that has interrupted the library at work on the state.
#[inline]
pub(super) fn current_thread() -> Option<CurrentThread> {
    current_thread_of(current::current())
}

/// The same, where [`current`](current::current) has just been asked.
#[inline]
pub(super) fn current_thread_of(current: *const Line) -> Option<CurrentThread> {
    current_even_if_busy(current).filter(|own| !own.thread.is_busy.load(Relaxed))
}

/// To count an event on.
#[inline]
pub(super) fn current_even_if_busy(current: *const Line) -> Option<CurrentThread> {
    ThreadState::of(current).map(|thread| CurrentThread { thread, _thread: PhantomData })
}

/// The state to open a frame on. It is one on loan, for as long as frames are open there, in a destructor of a thread-local that runs
/// after the thread's end, and in a signal handler that has interrupted the library at work.
#[cold]
pub(super) fn current_or_lent() -> Result<CurrentThread, OutOfMemory> {
    let own = match current::current_registration() {
        Registration::New => current_or_register(),
        Registration::Registered => current_thread(),
        Registration::Ignored | Registration::Retired => None,
    };
    own.or_else(lend).ok_or(OutOfMemory)
}

fn lend() -> Option<CurrentThread> {
    let (before, is_past_end) =
        (current::current(), current::current_registration() == Registration::Retired);
    let own = adopt()?;
    own.thread.loan.set(Some(Loan { before, start: own.counts() }));
    if is_past_end {
        // For a frame that is forgotten, or stays until the thread ends.
        thread_exit::retire_at_exit(own.thread as *const ThreadState as *mut c_void);
    }
    Some(own)
}

#[cold]
fn register() -> Option<CurrentThread> {
    let Some(own) = adopt() else {
        current::set_retired();
        return None;
    };
    // After `adopt` has set the pointer: should this allocate, it is counted rather than recursed into.
    thread_exit::retire_at_exit(own.thread as *const ThreadState as *mut c_void);
    walk::watch_forks();
    Some(own)
}

/// Makes a free state the current thread's.
fn adopt() -> Option<CurrentThread> {
    let thread = THREADS.take()?;
    current::set_line(thread.as_line());
    let own = CurrentThread { thread, _thread: PhantomData };
    let net = own.counts().current();
    own.thread.counters.flushed.store(net, Relaxed);
    own.start_flush_interval(net);
    Some(own)
}

/// The end of a thread that had the state at `address`.
///
/// Does nothing if that is not the current thread's: a thread may run the end of another one's fiber.
pub(super) fn retire_thread_at(address: *const c_void) {
    if current_thread().is_some_and(|own| std::ptr::eq(address.cast(), own.thread)) {
        retire();
    }
}

/// Gives the current thread's state back. Later events of the thread count as orphans.
pub(super) fn retire() {
    if let Some(own) = current_thread() {
        own.flush();
        let counts = own.counts();
        own.with_scopes(|scopes| scopes.clear(counts));
        match own.thread.loan.take() {
            None => current::set_retired(),
            Some(loan) => own.end_loan(loan),
        }
        own.thread.links().give_back();
    }
}

/// Tells the process totals of what this thread has not told them yet.
pub(crate) fn flush() {
    if let Some(own) = current_thread() {
        own.flush();
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
        Some(own) if !own.thread.tracer.get().is_null() => {
            own.aside(own.thread.tracer.get(), work);
        }
        _ => work(),
    }
}

/// The current thread is at work on its state.
struct Busy {
    own: CurrentThread,
    was_busy: bool,
}

impl Drop for Busy {
    #[inline]
    fn drop(&mut self) {
        if !self.was_busy {
            self.own.set_idle();
        }
    }
}

impl CurrentThread {
    #[inline]
    fn counters(self) -> Counters {
        // SAFETY: the line is the current thread's own: no other thread writes to its counters.
        unsafe { (*self.thread.counters.line()).counters }
    }

    #[inline]
    fn store(self, word: Word, value: i64) {
        // SAFETY: the current thread owns this state.
        unsafe { store(self.thread.counters.line(), word, value) }
    }

    /// Whether somebody wants to know of each allocation event, or of each deallocation.
    #[inline]
    pub(super) fn is_watched(self) -> bool {
        // SAFETY: the line of a state.
        let ceiling = unsafe { ceiling(self.thread.counters.line()) };
        // SAFETY: as above.
        let floor = unsafe { floor(self.thread.counters.line()) };
        ceiling == EVERY_ALLOC || floor == EVERY_DEALLOC
    }

    #[inline]
    pub(super) fn counts(self) -> Counts {
        loop {
            let Counters { got, freed, allocs, deallocs, reallocs, .. } = self.counters();
            let failed = self.thread.counters.failed.load(Relaxed);
            let huge = self.thread.counters.huge.load(Relaxed);
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
        work(unsafe { &mut *self.thread.scopes.get() })
    }

    /// Until it is dropped, a signal handler leaves the state alone.
    #[inline]
    fn busy(self) -> Busy {
        let was_busy = self.thread.is_busy.load(Relaxed);
        self.set_busy();
        Busy { own: self, was_busy }
    }

    #[inline]
    fn set_busy(self) {
        self.thread.is_busy.store(true, Relaxed);
        compiler_fence(SeqCst);
    }

    #[inline]
    fn set_idle(self) {
        compiler_fence(SeqCst);
        self.thread.is_busy.store(false, Relaxed);
        compiler_fence(SeqCst);
        if !self.thread.interruptions.is_none() {
            self.note_interruptions();
        }
    }

    #[cold]
    #[inline(never)]
    fn note_interruptions(self) {
        self.thread.interruptions.take(|event| self.note(&event, None));
    }

    /// Gives the thread what it had before. What was counted meanwhile, a state that was interrupted has counted, too.
    #[cold]
    fn end_loan(self, loan: Loan) {
        let counted = self.counts() - loan.start;
        current::set_line(loan.before);
        let Some(interrupted) = current_even_if_busy(loan.before) else { return };
        self.add(Counts::ZERO - counted);
        process_peak::flush(counted.current().wrapping_neg(), i64::MIN);
        interrupted.add(counted);
        let events = counted.sums().events;
        interrupted.thread.interruptions.miss(usize::try_from(events).unwrap_or(0));
    }

    fn add(self, counts: Counts) {
        let Counts { got, freed, allocs, deallocs, reallocs, failed, huge } = counts;
        self.thread.counters.word(Word::Got).fetch_add(got, Relaxed);
        self.thread.counters.word(Word::Freed).fetch_add(freed, Relaxed);
        self.thread.counters.word(Word::Allocs).fetch_add(allocs, Relaxed);
        self.thread.counters.word(Word::Deallocs).fetch_add(deallocs, Relaxed);
        self.thread.counters.word(Word::Reallocs).fetch_add(reallocs, Relaxed);
        self.thread.counters.failed.fetch_add(failed, Relaxed);
        self.thread.counters.huge.fetch_add(huge, Relaxed);
    }

    pub(super) fn count_failure(self) {
        self.thread.counters.failed.fetch_add(1, Relaxed);
    }

    /// Counts an event that the frequent half left: the first of a thread, one that crosses a limit, or one to record. That is
    /// done aside, where it has room.
    pub(super) fn count(self, event: &Event, from: &Registers) {
        if self.thread.is_busy.load(Relaxed) {
            return self.count_interruption(event);
        }
        let mut tracer = self.thread.tracer.get();
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
        event.forget_freed();
        self.add_event(event);
        self.thread.interruptions.add(*event);
    }

    fn add_event(self, event: &Event) {
        let line = self.thread.counters.line();
        // SAFETY: the current thread owns this state; likewise below.
        unsafe { add_got(line, event.got) };
        // SAFETY: as above.
        unsafe { add_freed(line, event.freed) };
        match event.word {
            // SAFETY: as above.
            Word::Allocs => unsafe { count_alloc(line) },
            // SAFETY: as above.
            Word::Deallocs => unsafe { count_dealloc(line) },
            // SAFETY: as above.
            _ => unsafe { count_realloc(line) },
        }
        if event.got >= HUGE {
            self.thread.counters.huge.fetch_add(event.got / HUGE, Relaxed);
            registry::watch_everything();
        }
    }

    /// Whether a debugger is to see this event.
    fn count_here(self, event: &Event, from: &Registers) -> bool {
        event.forget_freed();
        self.add_event(event);
        let Counters { got, freed, high, .. } = self.counters();
        let net = got.wrapping_sub(freed);
        let grown = event.got.wrapping_sub(event.freed);
        if net.wrapping_sub(grown).checked_add(grown).is_none() {
            self.store(Word::High, i64::MAX);
        } else if net > high {
            self.store(Word::High, net);
        }
        if net.wrapping_sub(self.thread.counters.flushed.load(Relaxed)).wrapping_abs() > FLUSH_BYTES
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
        event.recorded().is_some()
            && (stacks::is_profiling() || self.with_scopes(|scopes| scopes.wanted().allocs))
    }

    /// Tells everyone who wants to know of it. Without registers, it happened in a signal handler.
    #[inline]
    fn note(self, event: &Event, from: Option<&Registers>) {
        let is_profiling = stacks::is_profiling();
        let is_recording = self.with_scopes(|scopes| scopes.is_recording());
        let recorded = event.recorded();
        if recorded.is_none() || !is_profiling && !is_recording {
            let wanted = self.with_scopes(|scopes| scopes.wanted());
            if !(if recorded.is_some() { wanted.allocs } else { wanted.deallocs }) {
                let is_any = wanted.allocs || wanted.deallocs;
                if !is_any && !is_profiling && !blocks::is_tracking() {
                    // The last profiler has stopped, or a scope of another thread has ended.
                    self.set_limits();
                }
                return;
            }
        }
        // Whether anybody asks where it happened.
        let wants_stack = recorded.is_some()
            && (is_profiling || is_recording || self.with_scopes(|scopes| scopes.wants_stacks()));
        let stack = match from {
            _ if !wants_stack => None,
            Some(from) => self.stack(*from),
            None => stacks::interrupting_stack(),
        };
        let net = event.got.wrapping_sub(event.freed);
        let noted = Noted { stack, event: recorded, net, block: event.block() };
        let now = self.counts().sums();
        let is_entered = self.with_scopes(|scopes| scopes.note(&noted, now));
        if let (true, Some(event)) = (is_profiling, recorded) {
            stacks::profile_event(stack, event);
            let Block { address, size } = noted.block;
            match event.old_size {
                None => blocks::enter_block(address, size, stack, !is_entered),
                Some(_) => blocks::reenter_block(address, size, stack),
            }
        }
    }

    /// The stack that ends at these registers; `None` if there is no room for it.
    #[inline]
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
        if self.thread.tracer.get().is_null() {
            self.thread.tracer.set(Tracer::allocate().unwrap_or(std::ptr::null_mut()));
        }
        self.thread.tracer.get()
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
        self.thread.flush_high.set(self.thread.flush_high.get().max(high));
        self.store(Word::High, net);
        net
    }

    fn flush(self) {
        let net = self.end_peak_segment();
        // At once, for a signal handler may flush, too.
        let flushed = self.thread.counters.flushed.swap(net, Relaxed);
        let high = self.thread.flush_high.get();
        process_peak::flush(net.wrapping_sub(flushed), high.saturating_sub(flushed));
        self.start_flush_interval(net);
    }

    fn start_flush_interval(self, net: i64) {
        self.thread.flush_high.set(net);
        self.store(Word::High, net);
        self.set_limits();
    }

    /// Sets ceiling and floor as they must be now: to flush, or for those who want to know of every event. To be called whenever
    /// that changes.
    pub(super) fn set_limits(self) {
        let wanted = self.with_scopes(|scopes| scopes.wanted());
        let flushed = self.thread.counters.flushed.load(Relaxed);
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
