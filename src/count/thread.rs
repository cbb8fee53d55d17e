//! Hot: what a thread does with its own ledger, beyond the frequent half of an event: adopt it and give it back, count a
//! rare event, flush to the process totals. `Own` stands for "this ledger is the current thread's", and is the only way
//! to the parts of a ledger that the owner alone may touch.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{compiler_fence, fence};

use super::counts::{Counts, HUGE};
use super::current;
use super::events::Event;
use super::frames::{Block, Frames, Noted};
use super::ledger::{add_freed, add_got, count_alloc, count_dealloc, count_realloc};
use super::ledger::{ceiling, floor, store, Counters, Ledger, Line, Loan, State, Word};
use super::pool::Pooled;
use super::registry::{self, LEDGERS};
use super::{peak, thread_exit};
use crate::record::{self, Stack, Taken, Tracer};
use crate::system_vec::OutOfMemory;
use crate::walk::{self, Registers};

/// Bytes by which a thread's net may move before the process totals hear of it: the bound on the error of the process
/// peak for each thread.
pub(super) const FLUSH_BYTES: i64 = 16 << 10;

/// The ceiling that sends every allocation and reallocation to the slow half.
pub(super) const EVERY_ALLOC: i64 = i64::MIN;

/// The floor that sends every deallocation and reallocation there.
pub(super) const EVERY_DEALLOC: i64 = i64::MAX;

/// The current thread's own ledger.
#[derive(Clone, Copy)]
pub(super) struct Own {
    pub(super) ledger: &'static Ledger,
    /// Not to be sent to another thread.
    _thread: PhantomData<*const ()>,
}

/// The current thread's ledger, adopted now if it has none yet; `None` past the thread's end or without memory.
pub(super) fn own_or_register() -> Option<Own> {
    match current::current_state() {
        State::Registered => own(),
        State::New => register(),
        State::Retired | State::Ignored => None,
    }
}

/// `None` also in a signal handler that has interrupted the library at work on the ledger.
#[inline]
pub(super) fn own() -> Option<Own> {
    own_of(current::current())
}

/// The same, where [`current`](current::current) has just been asked.
#[inline]
pub(super) fn own_of(current: *const Line) -> Option<Own> {
    own_if_busy_too(current).filter(|own| !own.ledger.is_busy.load(Relaxed))
}

/// To count an event on.
#[inline]
pub(super) fn own_if_busy_too(current: *const Line) -> Option<Own> {
    current::ledger_of(current).map(|ledger| Own { ledger, _thread: PhantomData })
}

/// The ledger to open a frame on. It is one on loan, for as long as frames are open there, in a destructor of a thread-local that runs
/// after the thread's end, and in a signal handler that has interrupted the library at work.
#[cold]
pub(super) fn own_or_on_loan() -> Result<Own, OutOfMemory> {
    let own = match current::current_state() {
        State::New => own_or_register(),
        State::Registered => own(),
        State::Ignored | State::Retired => None,
    };
    own.or_else(lend).ok_or(OutOfMemory)
}

fn lend() -> Option<Own> {
    let (before, is_past_end) = (current::current(), current::current_state() == State::Retired);
    let own = adopt()?;
    own.ledger.loan.set(Some(Loan { before, start: own.counts() }));
    if is_past_end {
        // For a frame that is forgotten, or stays until the thread ends.
        thread_exit::retire_at_exit(own.ledger as *const Ledger as *mut c_void);
    }
    Some(own)
}

#[cold]
fn register() -> Option<Own> {
    let Some(own) = adopt() else {
        current::set_retired();
        return None;
    };
    // After `adopt` has set the pointer: should this allocate, it is counted rather than recursed into.
    thread_exit::retire_at_exit(own.ledger as *const Ledger as *mut c_void);
    walk::watch_forks();
    Some(own)
}

/// Makes a free ledger the current thread's.
fn adopt() -> Option<Own> {
    let ledger = LEDGERS.take()?;
    current::set_current(ledger);
    let own = Own { ledger, _thread: PhantomData };
    let net = own.counts().current();
    own.ledger.flushed.store(net, Relaxed);
    own.start_flush_interval(net);
    Some(own)
}

/// The end of a thread that had the ledger at `address`.
///
/// Does nothing if that is not the current thread's: a thread may run the end of another one's fiber.
pub(super) fn retire_ledger_at(address: *const c_void) {
    if own().is_some_and(|own| std::ptr::eq(address.cast(), own.ledger)) {
        retire();
    }
}

/// Gives the current thread's ledger back. Later events of the thread count as orphans.
pub(super) fn retire() {
    if let Some(own) = own() {
        own.flush();
        let counts = own.counts();
        own.with_frames(|frames| frames.clear(counts));
        match own.ledger.loan.take() {
            None => current::set_retired(),
            Some(loan) => own.end_loan(loan),
        }
        own.ledger.links().give_back();
    }
}

/// Tells the process totals of what this thread has not told them yet.
pub(crate) fn flush() {
    if let Some(own) = own() {
        own.flush();
    }
}

/// A block is about to be reallocated: [`record::take`], where this thread has room.
#[cold]
pub(crate) fn take(address: usize) -> Taken {
    let mut taken = Taken::nothing(address);
    aside(&mut || taken = record::take(address));
    taken
}

/// The block lives here now, and is so big: [`record::put_back`], likewise.
#[cold]
pub(crate) fn put_back(taken: &Taken, address: usize, size: u64) {
    aside(&mut || record::put_back(taken, address, size));
}

/// Does `work` where this thread records, if it has recorded yet, and is not at it.
#[inline(always)]
fn aside(work: &mut impl FnMut()) {
    match own() {
        Some(own) if !own.ledger.tracer.get().is_null() => {
            own.aside(own.ledger.tracer.get(), work);
        }
        _ => work(),
    }
}

/// The current thread is at work on its ledger.
struct Busy {
    own: Own,
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

impl Own {
    #[inline]
    fn counters(self) -> Counters {
        // SAFETY: the line is the current thread's own: no other thread writes to its counters.
        unsafe { (*self.ledger.line()).counters }
    }

    #[inline]
    fn store(self, word: Word, value: i64) {
        // SAFETY: the current thread owns this ledger.
        unsafe { store(self.ledger.line(), word, value) }
    }

    /// Whether somebody wants to know of each allocation event, or of each deallocation.
    #[inline]
    pub(super) fn is_watched(self) -> bool {
        // SAFETY: the line of a ledger.
        let ceiling = unsafe { ceiling(self.ledger.line()) };
        // SAFETY: as above.
        let floor = unsafe { floor(self.ledger.line()) };
        ceiling == EVERY_ALLOC || floor == EVERY_DEALLOC
    }

    #[inline]
    pub(super) fn counts(self) -> Counts {
        loop {
            let Counters { got, freed, allocs, deallocs, reallocs, .. } = self.counters();
            let failed = self.ledger.failed.load(Relaxed);
            let huge = self.ledger.huge.load(Relaxed);
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
    pub(super) fn with_frames<R>(self, work: impl FnOnce(&mut Frames) -> R) -> R {
        let _busy = self.busy();
        // SAFETY: only the owner comes here; `work`, which calls methods of `Frames` and looks at counters, does not come here
        // again, nor does a signal handler, which finds the ledger busy.
        work(unsafe { &mut *self.ledger.frames.get() })
    }

    /// Until it is dropped, a signal handler leaves the ledger alone.
    #[inline]
    fn busy(self) -> Busy {
        let was_busy = self.ledger.is_busy.load(Relaxed);
        self.set_busy();
        Busy { own: self, was_busy }
    }

    #[inline]
    fn set_busy(self) {
        self.ledger.is_busy.store(true, Relaxed);
        compiler_fence(SeqCst);
    }

    #[inline]
    fn set_idle(self) {
        compiler_fence(SeqCst);
        self.ledger.is_busy.store(false, Relaxed);
        compiler_fence(SeqCst);
        if !self.ledger.interruptions.is_none() {
            self.note_interruptions();
        }
    }

    #[cold]
    #[inline(never)]
    fn note_interruptions(self) {
        self.ledger.interruptions.take(|event| self.note(&event, None));
    }

    /// Gives the thread what it had before. What was counted meanwhile, a ledger that was interrupted has counted, too.
    #[cold]
    fn end_loan(self, loan: Loan) {
        let counted = self.counts() - loan.start;
        current::set_line(loan.before);
        let Some(interrupted) = own_if_busy_too(loan.before) else { return };
        self.add(Counts::ZERO - counted);
        peak::flush(counted.current().wrapping_neg(), i64::MIN);
        interrupted.add(counted);
        let events = counted.sums().events;
        interrupted.ledger.interruptions.miss(usize::try_from(events).unwrap_or(0));
    }

    fn add(self, counts: Counts) {
        let Counts { got, freed, allocs, deallocs, reallocs, failed, huge } = counts;
        self.ledger.word(Word::Got).fetch_add(got, Relaxed);
        self.ledger.word(Word::Freed).fetch_add(freed, Relaxed);
        self.ledger.word(Word::Allocs).fetch_add(allocs, Relaxed);
        self.ledger.word(Word::Deallocs).fetch_add(deallocs, Relaxed);
        self.ledger.word(Word::Reallocs).fetch_add(reallocs, Relaxed);
        self.ledger.failed.fetch_add(failed, Relaxed);
        self.ledger.huge.fetch_add(huge, Relaxed);
    }

    pub(super) fn count_failure(self) {
        self.ledger.failed.fetch_add(1, Relaxed);
    }

    /// Counts an event that the frequent half left: the first of a thread, one that crosses a limit, or one to record. That is
    /// done aside, where it has room.
    pub(super) fn count(self, event: &Event, from: &Registers) {
        if self.ledger.is_busy.load(Relaxed) {
            return self.count_interruption(event);
        }
        let mut tracer = self.ledger.tracer.get();
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
            record::stop();
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

    /// Counts an event of a signal handler that has interrupted this thread at work on the ledger.
    #[cold]
    fn count_interruption(self, event: &Event) {
        event.forget_freed();
        self.add_event(event);
        self.ledger.interruptions.add(*event);
    }

    fn add_event(self, event: &Event) {
        let line = self.ledger.line();
        // SAFETY: the current thread owns this ledger; likewise below.
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
            self.ledger.huge.fetch_add(event.got / HUGE, Relaxed);
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
        if net.wrapping_sub(self.ledger.flushed.load(Relaxed)).wrapping_abs() > FLUSH_BYTES {
            self.flush();
        }
        if self.is_watched() {
            self.note(event, Some(from));
        }
        record::is_passed()
    }

    /// Whether more than the counters will hear of the event.
    #[cold]
    fn wants_room(self, event: &Event) -> bool {
        event.recorded().is_some()
            && (record::is_profiling() || self.with_frames(|frames| frames.wanted().allocs))
    }

    /// Tells everyone who wants to know of it. Without registers, it happened in a signal handler.
    #[inline]
    fn note(self, event: &Event, from: Option<&Registers>) {
        let is_profiling = record::is_profiling();
        let is_recording = self.with_frames(|frames| frames.is_recording());
        let recorded = event.recorded();
        if recorded.is_none() || !is_profiling && !is_recording {
            let wanted = self.with_frames(|frames| frames.wanted());
            if !(if recorded.is_some() { wanted.allocs } else { wanted.deallocs }) {
                let is_any = wanted.allocs || wanted.deallocs;
                if !is_any && !is_profiling && !record::is_tracking() {
                    // The last profiler has stopped, or a scope of another thread has ended.
                    self.set_limits();
                }
                return;
            }
        }
        // Whether anybody asks where it happened.
        let wants_stack = recorded.is_some()
            && (is_profiling || is_recording || self.with_frames(|frames| frames.wants_stacks()));
        let stack = match from {
            _ if !wants_stack => None,
            Some(from) => self.stack(*from),
            None => record::interrupting_stack(),
        };
        let net = event.got.wrapping_sub(event.freed);
        let noted = Noted { stack, event: recorded, net, block: event.block() };
        let now = self.counts().sums();
        let is_entered = self.with_frames(|frames| frames.note(&noted, now));
        if let (true, Some(event)) = (is_profiling, recorded) {
            record::profile_event(stack, event);
            let Block { address, size } = noted.block;
            match event.old_size {
                None => record::enter_block(address, size, stack, !is_entered),
                Some(_) => record::reenter_block(address, size, stack),
            }
        }
    }

    /// The stack that ends at these registers; `None` if there is no room for it.
    #[inline]
    pub(super) fn stack(self, from: Registers) -> Option<&'static Stack> {
        // SAFETY: null, or `allocate` made it; it is never freed, and belongs to the ledger, hence to this thread alone; the method
        // does not come here again, nor does a signal handler, which finds the ledger busy.
        let tracer = unsafe { self.tracer().as_mut() }?;
        let _busy = self.busy();
        tracer.stack(from)
    }

    /// Null without memory.
    #[inline]
    fn tracer(self) -> *mut Tracer {
        if self.ledger.tracer.get().is_null() {
            self.ledger.tracer.set(Tracer::allocate().unwrap_or(std::ptr::null_mut()));
        }
        self.ledger.tracer.get()
    }

    /// Ends the stretch over which `high` is the maximum, at an opening, a closing or a flush: takes the maximum in
    /// wherever it is wanted, and starts anew from the present net bytes, which it returns.
    #[inline]
    pub(super) fn cut(self) -> i64 {
        self.with_frames(|frames| self.cut_in(frames))
    }

    /// [Cuts](Self::cut), and then lends the frames to `work`, with the present counts. As for
    /// [`with_frames`](Self::with_frames).
    #[inline]
    pub(super) fn at_cut<R>(self, work: impl FnOnce(&mut Frames, Counts) -> R) -> R {
        self.with_frames(|frames| {
            self.cut_in(frames);
            work(frames, self.counts())
        })
    }

    #[inline]
    fn cut_in(self, frames: &mut Frames) -> i64 {
        let Counters { got, freed, high, .. } = self.counters();
        let net = got.wrapping_sub(freed);
        frames.fold(high);
        self.ledger.flush_high.set(self.ledger.flush_high.get().max(high));
        self.store(Word::High, net);
        net
    }

    fn flush(self) {
        let net = self.cut();
        // At once, for a signal handler may flush, too.
        let flushed = self.ledger.flushed.swap(net, Relaxed);
        let high = self.ledger.flush_high.get();
        peak::flush(net.wrapping_sub(flushed), high.saturating_sub(flushed));
        self.start_flush_interval(net);
    }

    fn start_flush_interval(self, net: i64) {
        self.ledger.flush_high.set(net);
        self.store(Word::High, net);
        self.set_limits();
    }

    /// Sets ceiling and floor as they must be now: to flush, or for those who want to know of every event. To be called whenever
    /// that changes.
    pub(super) fn set_limits(self) {
        let wanted = self.with_frames(|frames| frames.wanted());
        let flushed = self.ledger.flushed.load(Relaxed);
        // Not first as if nobody else asked: a signal handler may come in between.
        let watches_everything = registry::watches_everything();
        let allocs = wanted.allocs || watches_everything || record::is_profiling();
        let deallocs = wanted.deallocs || watches_everything || record::is_tracking();
        let ceiling = if allocs { EVERY_ALLOC } else { flushed.wrapping_add(FLUSH_BYTES) };
        let floor = if deallocs { EVERY_DEALLOC } else { flushed.wrapping_sub(FLUSH_BYTES) };
        self.store(Word::Ceiling, ceiling);
        self.store(Word::Floor, floor);
        // A profiler that starts at this moment has stored the ceiling too, maybe before: `record::profile` explains. So has a scope
        // that begins to track its blocks, the floor.
        fence(SeqCst);
        let watches_everything = registry::watches_everything();
        if watches_everything || record::is_profiling() {
            self.store(Word::Ceiling, EVERY_ALLOC);
        }
        if watches_everything || record::is_tracking() {
            self.store(Word::Floor, EVERY_DEALLOC);
        }
    }
}
