//! Hot: what a thread does with its own ledger, beyond the frequent half of an event: count a rare event, flush to the
//! process totals, open and close frames. `Own` stands for "this ledger is the current thread's", and is the only way
//! to the parts of a ledger that the owner alone may touch.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::sync::atomic::Ordering::Relaxed;

use super::counts::Counts;
use super::current;
use super::frames::{Frames, Kind, Measured, Ticket};
use super::ledger::{store, word, Ledger, Line, State};
use super::pool::Pooled;
use super::registry::LEDGERS;
use super::system_vec::OutOfMemory;
use super::{peak, thread_exit};

/// Bytes by which a thread's net may move before the process totals hear of it: the bound on the error of the process
/// peak for each thread.
const FLUSH_BYTES: i64 = 16 << 10;

/// The current thread's own ledger.
#[derive(Clone, Copy)]
pub(super) struct Own {
    ledger: &'static Ledger,
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
fn own() -> Option<Own> {
    current::current_ledger().map(|ledger| Own { ledger, _thread: PhantomData })
}

#[cold]
fn register() -> Option<Own> {
    let Some(own) = adopt() else {
        current::set_retired();
        return None;
    };
    // After `adopt` has set the pointer: should this allocate, it is counted rather than recursed into.
    thread_exit::call_at_exit(retire);
    Some(own)
}

/// Makes a free ledger the current thread's.
fn adopt() -> Option<Own> {
    let ledger = LEDGERS.take()?;
    current::set_current(ledger);
    let own = Own { ledger, _thread: PhantomData };
    let net = own.counts().current();
    own.ledger.flushed.set(net);
    own.start_flush_interval(net);
    Some(own)
}

/// Gives the current thread's ledger back: the thread ends. Later events of the thread count as orphans.
fn retire() {
    if let Some(own) = own() {
        own.flush();
        own.with_frames(Frames::clear);
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
    fn line(self) -> Line {
        // SAFETY: the line is the current thread's own: no other thread writes to it.
        unsafe { *self.ledger.line() }
    }

    #[inline]
    fn store(self, word: usize, value: i64) {
        debug_assert!(word < word::COUNT);
        // SAFETY: the current thread owns this ledger; all callers pass a constant of `word`.
        unsafe { store(self.ledger.line(), word, value) }
    }

    #[inline]
    fn counts(self) -> Counts {
        let Line { got, freed, allocs, deallocs, reallocs, .. } = self.line();
        Counts { got, freed, allocs, deallocs, reallocs, failed: self.ledger.failed.load(Relaxed) }
    }

    /// Lends the frames to `work`, which must not allocate through `ModAlloc` nor unwind.
    #[inline]
    fn with_frames<R>(self, work: impl FnOnce(&mut Frames) -> R) -> R {
        // SAFETY: only the owner comes here, and `work`, one of the calls in this file, does not come here again.
        work(unsafe { &mut *self.ledger.frames.get() })
    }

    pub(super) fn count_failure(self) {
        let failed = &self.ledger.failed;
        failed.store(failed.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Counts an event that the frequent half left: the first of a thread, or one that crosses a limit.
    pub(super) fn count(self, count: usize, got: i64, freed: i64) {
        let line = self.line();
        self.store(word::GOT, line.got.wrapping_add(got));
        self.store(word::FREED, line.freed.wrapping_add(freed));
        let counted = self.ledger.word(count).load(Relaxed);
        self.store(count, counted.wrapping_add(1));

        let line = self.line();
        let net = line.got.wrapping_sub(line.freed);
        self.store(word::HIGH, line.high.max(net));
        if net > line.ceiling || net < line.floor {
            self.flush();
        }
    }

    /// Ends the stretch over which `high` is the maximum, at an opening, a closing or a flush: takes the maximum in
    /// wherever it is wanted, and starts anew from the present net bytes, which it returns.
    #[inline]
    fn cut(self) -> i64 {
        let line = self.line();
        let net = line.got.wrapping_sub(line.freed);
        self.with_frames(|frames| frames.fold(line.high));
        self.ledger.flush_high.set(self.ledger.flush_high.get().max(line.high));
        self.store(word::HIGH, net);
        net
    }

    fn flush(self) {
        let net = self.cut();
        let (flushed, high) = (self.ledger.flushed.get(), self.ledger.flush_high.get());
        peak::flush(net.wrapping_sub(flushed), high.wrapping_sub(flushed));
        self.ledger.flushed.set(net);
        self.start_flush_interval(net);
    }

    fn start_flush_interval(self, net: i64) {
        self.ledger.flush_high.set(net);
        self.store(word::HIGH, net);
        self.store(word::CEILING, net.wrapping_add(FLUSH_BYTES));
        self.store(word::FLOOR, net.wrapping_sub(FLUSH_BYTES));
    }
}

/// An open frame of the current thread. Dropping it closes the frame.
pub(crate) struct OpenFrame {
    ledger: &'static Ledger,
    ticket: Ticket,
    _thread: PhantomData<*const ()>,
}

/// Why no frame could be opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// The system has no memory for the thread's counters.
    OutOfMemory,
    /// The library is at work for itself.
    Ignored,
}

impl From<OutOfMemory> for OpenError {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

/// Opens a frame on the current thread. `tag` is for [`freeze`]; 0 for none.
#[inline]
pub(crate) fn open(kind: Kind, tag: u64) -> Result<OpenFrame, OpenError> {
    let own = match own() {
        Some(own) => own,
        None => own_for_a_scope()?,
    };
    own.cut();
    let counts = own.counts();
    let ticket = own.with_frames(|frames| frames.open(kind, tag, counts))?;
    Ok(OpenFrame { ledger: own.ledger, ticket, _thread: PhantomData })
}

#[cold]
fn own_for_a_scope() -> Result<Own, OpenError> {
    match current::current_state() {
        State::Ignored => Err(OpenError::Ignored),
        State::New | State::Registered => own_or_register().ok_or(OpenError::OutOfMemory),
        State::Retired => {
            // A destructor of a thread-local that runs after the thread's end measures something: it gets a ledger for
            // as long as its frames are open.
            let own = adopt().ok_or(OpenError::OutOfMemory)?;
            own.ledger.on_loan.set(true);
            Ok(own)
        }
    }
}

/// Ends the count of the innermost frame of this thread that is tagged `tag`, if there is one.
pub(crate) fn freeze(tag: u64) {
    if let Some(own) = own() {
        own.cut();
        let counts = own.counts();
        own.with_frames(|frames| frames.freeze(tag, counts));
    }
}

impl OpenFrame {
    /// The ledger, if the current thread still writes to the one that the frame was opened on.
    #[inline]
    fn own(&self) -> Option<Own> {
        own().filter(|own| std::ptr::eq(own.ledger, self.ledger))
    }

    /// Closes the frame and says what it has counted; `None` as for [`measure`](Self::measure).
    #[inline]
    pub(crate) fn close(self) -> Option<Measured> {
        let measured = self.own().and_then(|own| self.close_on(own));
        std::mem::forget(self);
        measured
    }

    #[inline]
    fn close_on(&self, own: Own) -> Option<Measured> {
        own.cut();
        let counts = own.counts();
        let measured = own.with_frames(|frames| frames.close(self.ticket, counts));
        if own.ledger.on_loan.get() && own.with_frames(|frames| frames.is_empty()) {
            retire();
        }
        measured
    }

    /// What the frame has counted so far; `None` if the thread has given its ledger back since, or the library is at work
    /// for itself.
    #[inline]
    pub(crate) fn measure(&self) -> Option<Measured> {
        let own = self.own()?;
        own.cut();
        let counts = own.counts();
        own.with_frames(|frames| frames.measure(self.ticket, counts))
    }
}

impl Drop for OpenFrame {
    #[inline]
    fn drop(&mut self) {
        if let Some(own) = self.own() {
            self.close_on(own);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::{freeze, open, retire};
    use crate::count::{registry, Kind};

    fn allocate(bytes: usize) {
        drop(black_box(Vec::<u8>::with_capacity(bytes)));
    }

    /// Runs `work` on a thread that has a ledger, which it may retire at will.
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
            let frame = open(Kind::Scope, 0).expect("memory");
            allocate(10);
            retire();
            assert_eq!(frame.measure(), None);
            // Nor does it take those of another frame in its place.
            let other = open(Kind::Scope, 0).expect("memory");
            allocate(20);
            assert_eq!(frame.measure(), None);
            drop(frame);
            assert_eq!(other.close().expect("its own ledger").counts.got, 20);
        });
    }

    #[test]
    fn past_the_end_of_a_thread_a_ledger_is_on_loan_while_frames_are_open() {
        on_a_thread(|| {
            retire();
            for _ in 0..100 {
                let (outer, inner) = (open(Kind::Scope, 0), open(Kind::Scope, 0));
                let (outer, inner) = (outer.expect("memory"), inner.expect("memory"));
                allocate(30);
                assert_eq!(outer.close().expect("on loan").counts.got, 30);
                assert_eq!(inner.close().expect("on loan").counts.got, 30);
                assert!(super::own().is_none(), "given back");
            }
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
            assert!(orphaned.got >= 12_345 && orphaned.freed >= 12_345 && orphaned.allocs >= 1);
        });
    }

    #[test]
    fn a_frozen_frame_stands_still_while_those_below_count_on() {
        let below = open(Kind::Scope, 0).expect("memory");
        let frozen = open(Kind::Scope, 7).expect("memory");
        allocate(10);
        freeze(8); // Nobody's.
        allocate(100);
        freeze(7);
        let hidden = open(Kind::Hidden, 0).expect("memory");
        let kept = black_box(Vec::<u8>::with_capacity(5_000));
        drop(hidden);
        allocate(1_000);
        let frozen = frozen.close().expect("open");
        assert_eq!((frozen.counts.got, frozen.peak), (110, 100));
        let below = below.close().expect("open");
        assert_eq!((below.counts.got, below.peak), (1_110, 1_000));
        drop(kept);
    }
}
