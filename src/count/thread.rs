//! Hot: what a thread does with its own ledger, beyond the frequent half of an event: adopt it and give it back, count a
//! rare event, flush to the process totals. `Own` stands for "this ledger is the current thread's", and is the only way
//! to the parts of a ledger that the owner alone may touch.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::atomic::fence;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::counts::Counts;
use super::current;
use super::events::Event;
use super::frames::{Block, Frames, Noted};
use super::ledger::{ceiling, floor, store, Counters, Ledger, Line, State, Word};
use super::pool::Pooled;
use super::registry::LEDGERS;
use super::{peak, thread_exit};
use crate::record::{self, Stack, Tracer};
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

#[inline]
pub(super) fn own() -> Option<Own> {
    own_of(current::current())
}

/// The same, where [`current`](current::current) has just been asked.
#[inline]
pub(super) fn own_of(current: *const Line) -> Option<Own> {
    current::ledger_of(current).map(|ledger| Own { ledger, _thread: PhantomData })
}

/// Why no frame could be opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// The system has no memory for the thread's counters.
    OutOfMemory,
    /// The library is at work for itself.
    Ignored,
}

/// The ledger to open a frame on: past the thread's end, one on loan.
#[cold]
pub(super) fn own_or_on_loan() -> Result<Own, OpenError> {
    match current::current_state() {
        State::Ignored => Err(OpenError::Ignored),
        State::New | State::Registered => own_or_register().ok_or(OpenError::OutOfMemory),
        State::Retired => {
            // A destructor of a thread-local that runs after the thread's end measures something: it gets a ledger for
            // as long as its frames are open.
            let own = adopt().ok_or(OpenError::OutOfMemory)?;
            own.ledger.on_loan.set(true);
            // For a frame that is forgotten, or stays until the thread ends.
            thread_exit::retire_at_exit(own.ledger as *const Ledger as *mut c_void);
            Ok(own)
        }
    }
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
        own.ledger.on_loan.set(false);
        current::set_retired();
        own.ledger.links().give_back();
    }
}

/// Tells the process totals of what this thread has not told them yet.
pub(crate) fn flush() {
    if let Some(own) = own() {
        own.flush();
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
        let Counters { got, freed, allocs, deallocs, reallocs, .. } = self.counters();
        Counts { got, freed, allocs, deallocs, reallocs, failed: self.ledger.failed.load(Relaxed) }
    }

    /// Lends the frames to `work`, which must not allocate through `ModAlloc` nor unwind.
    #[inline]
    pub(super) fn with_frames<R>(self, work: impl FnOnce(&mut Frames) -> R) -> R {
        // SAFETY: only the owner comes here; `work`, a single call of a method of `Frames`, does not come here again.
        work(unsafe { &mut *self.ledger.frames.get() })
    }

    pub(super) fn count_failure(self) {
        let failed = &self.ledger.failed;
        failed.store(failed.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Counts an event that the frequent half left: the first of a thread, one that crosses a limit, or one to record. That is
    /// done aside, where it has room.
    pub(super) fn count(self, event: &Event, from: &Registers) {
        let mut tracer = self.ledger.tracer.get();
        if tracer.is_null() && self.wants_room(event) {
            tracer = self.tracer();
        }
        let mut stops = false;
        if tracer.is_null() {
            stops = self.count_here(event, from);
        } else {
            // SAFETY: `Tracer::allocate` made it, and it is never freed.
            let aside = unsafe { (*tracer).side_stack() };
            aside.call(&mut || stops = self.count_here(event, from));
        }
        if stops {
            record::stop();
        }
    }

    /// Whether a debugger is to see this event.
    fn count_here(self, event: &Event, from: &Registers) -> bool {
        event.forget_freed();
        let Counters { got, freed, high, .. } = self.counters();
        let (got, freed) = (got.wrapping_add(event.got), freed.wrapping_add(event.freed));
        let net = got.wrapping_sub(freed);
        self.store(Word::Got, got);
        self.store(Word::Freed, freed);
        let counted = self.ledger.word(event.word).load(Relaxed);
        self.store(event.word, counted.wrapping_add(1));
        if net > high {
            self.store(Word::High, net);
        }
        if net.wrapping_sub(self.ledger.flushed.load(Relaxed)).wrapping_abs() > FLUSH_BYTES {
            self.flush();
        }
        if self.is_watched() {
            self.note(event, from);
        }
        record::is_passed()
    }

    /// Whether more than the counters will hear of the event.
    #[cold]
    fn wants_room(self, event: &Event) -> bool {
        event.recorded().is_some()
            && (record::is_profiling() || self.with_frames(|frames| frames.wanted().allocs))
    }

    /// Whether anybody asks where the event happened.
    fn wants_stack(self, event: &Event) -> bool {
        event.recorded().is_some()
            && (record::is_profiling()
                || self.with_frames(|frames| frames.is_recording() || frames.wants_stacks()))
    }

    /// Tells everyone who wants to know of it.
    #[inline]
    fn note(self, event: &Event, from: &Registers) {
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
        let stack = if self.wants_stack(event) { self.stack(*from) } else { None };
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
        // does not come here again.
        unsafe { self.tracer().as_mut() }?.stack(from)
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
        let Counters { got, freed, high, .. } = self.counters();
        let net = got.wrapping_sub(freed);
        self.with_frames(|frames| frames.fold(high));
        self.ledger.flush_high.set(self.ledger.flush_high.get().max(high));
        self.store(Word::High, net);
        net
    }

    fn flush(self) {
        let net = self.cut();
        let (flushed, high) = (self.ledger.flushed.load(Relaxed), self.ledger.flush_high.get());
        peak::flush(net.wrapping_sub(flushed), high.wrapping_sub(flushed));
        self.ledger.flushed.store(net, Relaxed);
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
        let ceiling = if wanted.allocs { EVERY_ALLOC } else { flushed.wrapping_add(FLUSH_BYTES) };
        let floor = if wanted.deallocs { EVERY_DEALLOC } else { flushed.wrapping_sub(FLUSH_BYTES) };
        self.store(Word::Ceiling, ceiling);
        self.store(Word::Floor, floor);
        // A profiler that starts at this moment has stored the ceiling too, maybe before: `record::profile` explains. So has a scope
        // that begins to track its blocks, the floor.
        fence(SeqCst);
        if record::is_profiling() {
            self.store(Word::Ceiling, EVERY_ALLOC);
        }
        if record::is_tracking() {
            self.store(Word::Floor, EVERY_DEALLOC);
        }
    }
}
