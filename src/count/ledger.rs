//! Hot: `Ledger`, the counters of one thread, and how its owner writes them.
//!
//! In plain words: each thread has 64 bytes of counters that it alone writes, with plain loads and relaxed stores, and that
//! anyone may read. Next to the totals stand three limits on the thread's net bytes: `high` (the running maximum),
//! `ceiling` and `floor`. An event compares the net bytes with them, and everything rare hides behind the compare with
//! `ceiling` or `floor`: it is made to fail by choosing the limits.
//!
//! A thread without a ledger points at a read-only [`Dummy`] whose limits no event can hold, so its first event takes the
//! slow path, which finds the reason in the word after the counters ([`State`]). So do a thread that is past its end
//! and a stretch in which the library works for itself (`current::ignored`).
#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::mem::{align_of, size_of};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

use super::counts::Counts;
use super::frames::Frames;
use super::interruptions::Interruptions;
use super::pool::{Links, Pooled};
use crate::record::Tracer;

/// What an event reads and writes: one cache line.
#[repr(C)]
pub(super) struct Line {
    pub(super) counters: Counters,
    /// Net bytes below this take the slow path, or above the next. Who wants to know of every event of every thread, as a profiler
    /// does, stores them into the lines of all threads; so they are read atomically, by [`floor`] and [`ceiling`].
    floor: i64,
    ceiling: i64,
}

/// What the owning thread alone writes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Counters {
    /// As in [`Counts`].
    pub(super) got: i64,
    pub(super) freed: i64,
    /// Highest net bytes since the last cut (see `thread::Own::cut`).
    pub(super) high: i64,
    pub(super) allocs: i64,
    pub(super) deallocs: i64,
    pub(super) reallocs: i64,
}

/// The words of a [`Line`], in its order.
#[repr(usize)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Got,
    Freed,
    High,
    Allocs,
    Deallocs,
    Reallocs,
    Floor,
    Ceiling,
}

impl Word {
    #[inline(always)]
    const fn of(self, line: *const Line) -> *mut i64 {
        line.cast::<i64>().cast_mut().wrapping_add(self as usize)
    }
}

/// What the current thread's pointer points at.
#[repr(i64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A ledger of its own.
    Registered,
    /// A dummy: the thread has not allocated yet.
    New,
    /// A dummy: the thread has given its ledger back, or there was no memory for one.
    Retired,
    /// A dummy: the library is at work; its events count nowhere.
    Ignored,
}

/// What the pointer of a thread without a ledger points at. Never written.
#[repr(C, align(128))]
pub(super) struct Dummy {
    line: Line,
    state: State,
}

const NO_EVENTS: Counters =
    Counters { got: 0, freed: 0, high: i64::MIN, allocs: 0, deallocs: 0, reallocs: 0 };

/// Where the net bytes of a ledger begin.
const LOWEST: i64 = -(1 << 62);

impl Dummy {
    pub(super) const fn new(state: State) -> Self {
        Self { line: Line { counters: NO_EVENTS, floor: i64::MAX, ceiling: i64::MIN }, state }
    }
}

/// A ledger that stands in for what the thread pointed at before: a dummy, past the thread's end and where the library is at work, or a
/// ledger that is busy.
#[derive(Clone, Copy)]
pub(super) struct Loan {
    pub(super) before: *const Line,
    /// What the ledger on loan had counted then.
    pub(super) start: Counts,
}

/// The counters of one thread. Allocated once, never freed, handed from a thread that ended to one that starts.
#[repr(C, align(128))]
pub(crate) struct Ledger {
    /// Written by the owning thread, through [`store`], [`add_got`] and their like; but for the
    /// limits, by no other.
    line: UnsafeCell<Line>,
    state: State,
    /// As in [`Counts`]; too rare for the line.
    pub(super) failed: AtomicI64,
    /// Likewise.
    pub(super) huge: AtomicI64,
    /// Net bytes at the last flush; any thread may read it.
    pub(super) flushed: AtomicI64,
    /// Highest net bytes since the last flush, up to the last cut. Owner only, as what follows.
    pub(super) flush_high: Cell<i64>,
    /// Adopted for as long as a scope is open on it.
    pub(super) loan: Cell<Option<Loan>>,
    /// The frames or the tracer are in use: what a signal handler does meanwhile is kept in `interruptions`.
    pub(super) is_busy: AtomicBool,
    pub(super) interruptions: Interruptions,
    /// The owner's, from when it first records.
    pub(super) tracer: Cell<*mut Tracer>,
    /// Never borrowed across anything that could allocate.
    pub(super) frames: UnsafeCell<Frames>,
    links: Links<Ledger>,
}

// SAFETY: any thread may read `line`, `failed` and `flushed` (atomically) and the pool's links; the cells are used by the
// owning thread only, and ownership passes through the pool with acquire and release.
unsafe impl Sync for Ledger {}

const _: () = assert!(size_of::<Line>() == 64 && Word::Ceiling as usize == 7);
const _: () = assert!(align_of::<Ledger>() == 128 && size_of::<Dummy>() == 128);

impl Pooled for Ledger {
    /// A ledger in use. Its limits send the first event to the slow path. Its net bytes begin so low that no block, however large, makes
    /// them wrap.
    const NEW: Self = Self {
        line: UnsafeCell::new(Line {
            counters: Counters { freed: -LOWEST, high: LOWEST, ..NO_EVENTS },
            floor: i64::MAX,
            ceiling: i64::MIN,
        }),
        state: State::Registered,
        failed: AtomicI64::new(0),
        huge: AtomicI64::new(0),
        flushed: AtomicI64::new(LOWEST),
        flush_high: Cell::new(0),
        loan: Cell::new(None),
        is_busy: AtomicBool::new(false),
        interruptions: Interruptions::NONE,
        tracer: Cell::new(ptr::null_mut()),
        frames: UnsafeCell::new(Frames::new()),
        links: Links::NEW,
    };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl Ledger {
    pub(super) fn is_on_loan(&self) -> bool {
        self.loan.get().is_some()
    }

    pub(super) fn line(&self) -> *const Line {
        self.line.get()
    }

    /// One word of the line; any thread may ask.
    pub(super) fn word(&self, word: Word) -> &AtomicI64 {
        // SAFETY: the word lies in this ledger's line, which lives for ever, is aligned, and is written atomically only.
        unsafe { AtomicI64::from_ptr(word.of(self.line.get())) }
    }

    /// The counts as any thread may read them: each number exact, the set consistent while its thread does not allocate.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            got: self.word(Word::Got).load(Relaxed),
            freed: self.word(Word::Freed).load(Relaxed),
            allocs: self.word(Word::Allocs).load(Relaxed),
            deallocs: self.word(Word::Deallocs).load(Relaxed),
            reallocs: self.word(Word::Reallocs).load(Relaxed),
            failed: self.failed.load(Relaxed),
            huge: self.huge.load(Relaxed),
        }
    }
}

// The limits, which other threads may store meanwhile.
macro_rules! limit {
    ($name:ident, $word:ident, $offset:literal) => {
        /// # Safety
        /// `line` is the line of a [`Ledger`] or of a [`Dummy`].
        #[inline(always)]
        pub(super) unsafe fn $name(line: *const Line) -> i64 {
            const _: () = assert!(Word::$word as usize * 8 == $offset);
            // As in `store`.
            #[cfg(all(debug_assertions, target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
            {
                let limit: i64;
                // SAFETY: in bounds, aligned and alive by the contract; other threads store it atomically.
                unsafe {
                    std::arch::asm!(
                        concat!("mov {}, [{} + ", $offset, "]"),
                        out(reg) limit,
                        in(reg) line,
                        options(nostack, preserves_flags, readonly),
                    );
                }
                limit
            }
            #[cfg(not(all(
                debug_assertions,
                target_arch = "x86_64",
                target_pointer_width = "64",
                not(miri)
            )))]
            // SAFETY: as above; a dummy is in read-only memory, which a relaxed load may read.
            unsafe { AtomicI64::from_ptr(Word::$word.of(line)) }.load(Relaxed)
        }
    };
}
limit!(floor, Floor, 48);
limit!(ceiling, Ceiling, 56);

/// Stores one word of the current thread's own line.
///
/// # Safety
/// `line` is the line of a [`Ledger`] (not of a dummy) that the current thread owns.
#[inline(always)]
pub(super) unsafe fn store(line: *const Line, word: Word, value: i64) {
    let at = word.of(line);
    // Unoptimised, `AtomicI64::store` is three calls, of 30 instructions. An aligned `mov` is the same store.
    #[cfg(all(debug_assertions, target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
    // SAFETY: in bounds, aligned and alive by the contract; other threads only read it, and atomically.
    unsafe {
        std::arch::asm!("mov [{}], {}", in(reg) at, in(reg) value, options(nostack, preserves_flags));
    }
    #[cfg(not(all(
        debug_assertions,
        target_arch = "x86_64",
        target_pointer_width = "64",
        not(miri)
    )))]
    // SAFETY: as above.
    unsafe { AtomicI64::from_ptr(at) }.store(value, Relaxed);
}

// What an event adds. On x86_64 each is one instruction, so that a signal handler that allocates in the midst of an event
// neither loses what it adds nor has it lost. It also spares a register for the sum, and unoptimised the calls of `AtomicI64`.
macro_rules! add {
    ($name:ident, $word:ident, $offset:literal) => {
        /// # Safety
        /// As for [`store`].
        #[inline(always)]
        pub(super) unsafe fn $name(line: *const Line, amount: i64) {
            const _: () = assert!(Word::$word as usize * 8 == $offset);
            #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
            // SAFETY: in bounds, aligned and alive by the contract; other threads only read it, and atomically.
            unsafe {
                std::arch::asm!(
                    concat!("add qword ptr [{} + ", $offset, "], {}"),
                    in(reg) line,
                    in(reg) amount,
                    options(nostack),
                );
            }
            #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", not(miri))))]
            {
                // SAFETY: as above.
                let own = unsafe { AtomicI64::from_ptr(Word::$word.of(line)) };
                own.store(own.load(Relaxed).wrapping_add(amount), Relaxed);
            }
        }
    };
}
/// Counts one, likewise.
macro_rules! count {
    ($name:ident, $word:ident, $offset:literal) => {
        /// # Safety
        /// As for [`store`].
        #[inline(always)]
        pub(super) unsafe fn $name(line: *const Line) {
            const _: () = assert!(Word::$word as usize * 8 == $offset);
            #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
            // SAFETY: as in `add`.
            unsafe {
                std::arch::asm!(
                    concat!("inc qword ptr [{} + ", $offset, "]"),
                    in(reg) line,
                    options(nostack),
                );
            }
            #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", not(miri))))]
            {
                // SAFETY: as above.
                let own = unsafe { AtomicI64::from_ptr(Word::$word.of(line)) };
                own.store(own.load(Relaxed).wrapping_add(1), Relaxed);
            }
        }
    };
}
add!(add_got, Got, 0);
add!(add_freed, Freed, 8);
count!(count_alloc, Allocs, 24);
count!(count_dealloc, Deallocs, 32);
count!(count_realloc, Reallocs, 40);

#[cfg(test)]
mod tests {
    use super::{add_freed, add_got, count_alloc, count_dealloc, count_realloc};
    use super::{ceiling, floor, store, Ledger, Pooled, Word};

    #[test]
    fn words_are_the_fields_of_the_line() {
        let ledger = Ledger::NEW;
        use Word::{Allocs, Ceiling, Deallocs, Floor, Freed, Got, High, Reallocs};
        let words = [Got, Freed, High, Allocs, Deallocs, Reallocs, Floor, Ceiling];
        for (word, value) in words.into_iter().zip(100..) {
            // SAFETY: this thread owns the ledger that it has just made.
            unsafe { store(ledger.line(), word, value) };
        }
        // SAFETY: as above.
        let counters = unsafe { (*ledger.line()).counters };
        assert_eq!((counters.got, counters.freed, counters.high), (100, 101, 102));
        assert_eq!((counters.allocs, counters.deallocs, counters.reallocs), (103, 104, 105));
        // SAFETY: as above.
        unsafe { add_got(ledger.line(), 7) };
        // SAFETY: as above.
        unsafe { add_freed(ledger.line(), -7) };
        for count in [count_alloc, count_dealloc, count_realloc] {
            // SAFETY: as above.
            unsafe { count(ledger.line()) };
        }
        let counts = ledger.counts();
        assert_eq!((counts.got, counts.freed), (107, 94));
        assert_eq!((counts.allocs, counts.deallocs, counts.reallocs), (104, 105, 106));
        // SAFETY: as above.
        assert_eq!(unsafe { floor(ledger.line()) }, 106);
        // SAFETY: as above.
        assert_eq!(unsafe { ceiling(ledger.line()) }, 107);
    }
}
