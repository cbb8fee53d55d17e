//! Hot: `ThreadCounters`, what one thread counts.
//!
//! In plain words: each thread has counters in 64 bytes. It alone writes them, and anyone may read
//! them. Next to the totals stand `high`, the running maximum of the thread's net bytes, and two
//! thresholds, `ceiling` and `floor`, which others may store, too. An event compares the net bytes
//! with them. Everything rare stands behind the compare with a threshold: whoever wants events to
//! take the slow half chooses one that every event crosses.
//!
//! A thread without counters points at a read-only [`Dummy`] whose thresholds every event crosses.
//! So its first event takes the slow half, which finds the reason in the word after the counters
//! ([`Registration`]). A thread that is past its end does the same, and so does a thread on which
//! the library works for itself ([`ignored`](super::current::ignored)).
//!
//! Relies on: the owner alone writes a line, but for its thresholds; lines live for ever. Its owner
//! is the thread that the pool of `threads::registry` has lent the state to.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::mem::size_of;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::counts::Counts;

/// What an event reads and writes: one cache line.
#[repr(C)]
pub(crate) struct Line {
    pub(crate) counters: Counters,
    /// Net bytes below this take the slow half. Whoever wants to know of every event of every
    /// thread, as a profiler does, stores this into the lines of all threads. So it is read
    /// atomically.
    floor: i64,
    /// Net bytes above this take the slow half. Otherwise as the floor.
    ceiling: i64,
}

/// What the owning thread alone writes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Counters {
    /// As in [`Counts`].
    pub(crate) got: i64,
    pub(crate) freed: i64,
    /// The highest net bytes of the present peak segment (see `CurrentThread::end_peak_segment`).
    pub(crate) high: i64,
    pub(crate) allocs: i64,
    pub(crate) deallocs: i64,
    pub(crate) reallocs: i64,
}

/// The words of a [`Line`], in its order.
#[repr(usize)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
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
    pub(super) const fn of(self, line: *const Line) -> *mut i64 {
        line.cast::<i64>().cast_mut().wrapping_add(self as usize)
    }
}

/// What the current thread's pointer points at.
#[repr(i64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registration {
    /// Counters of its own.
    Registered,
    /// A dummy: the thread has not allocated yet.
    New,
    /// A dummy: the thread has given its counters back, or there was no memory for them.
    Retired,
    /// A dummy: the library is at work; its events count nowhere.
    Ignored,
}

/// What the pointer of a thread without counters points at. Never written.
#[repr(C, align(128))]
pub(crate) struct Dummy {
    line: Line,
    registration: Registration,
}

const NO_EVENTS: Counters =
    Counters { got: 0, freed: 0, high: i64::MIN, allocs: 0, deallocs: 0, reallocs: 0 };

/// Where the net bytes of a thread begin.
const LOWEST: i64 = -(1 << 62);

impl Dummy {
    pub(crate) const fn new(registration: Registration) -> Self {
        Self {
            line: Line { counters: NO_EVENTS, floor: i64::MAX, ceiling: i64::MIN },
            registration,
        }
    }
}

/// Bytes by which a thread's net may move before the process totals hear of it: the bound on the
/// error of the process peak for each thread.
pub(crate) const FLUSH_BYTES: i64 = 16 << 10;

/// The ceiling that sends every allocation and reallocation to the slow half.
pub(crate) const EVERY_ALLOC: i64 = i64::MIN;

/// The floor that sends every deallocation and reallocation there.
pub(crate) const EVERY_DEALLOC: i64 = i64::MAX;

/// The counters of one thread, as any thread may read them.
#[repr(C)]
pub(crate) struct ThreadCounters {
    /// Written by the owning thread, through [`own_line`](super::own_line). Other threads write
    /// nothing but the thresholds.
    line: UnsafeCell<Line>,
    registration: Registration,
    /// As in [`Counts`]; too rare for the line.
    pub(crate) failed: AtomicI64,
    /// Likewise.
    pub(crate) huge: AtomicI64,
    /// Net bytes at the last flush.
    pub(crate) flushed: AtomicI64,
}

// SAFETY: any thread may read all of it, atomically; the owner alone writes the line, but for the
// thresholds, which anyone may store, atomically.
unsafe impl Sync for ThreadCounters {}

const _: () = assert!(size_of::<Line>() == 64 && Word::Ceiling as usize == 7);
const _: () = assert!(size_of::<Dummy>() == 128);

impl ThreadCounters {
    /// The thresholds send the first event of the thread to the slow half. Its net bytes begin so
    /// low that no block, however large, makes them wrap.
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    pub(crate) const NEW: Self = Self {
        line: UnsafeCell::new(Line {
            counters: Counters { freed: -LOWEST, high: LOWEST, ..NO_EVENTS },
            floor: i64::MAX,
            ceiling: i64::MIN,
        }),
        registration: Registration::Registered,
        failed: AtomicI64::new(0),
        huge: AtomicI64::new(0),
        flushed: AtomicI64::new(LOWEST),
    };

    pub(crate) fn line(&self) -> *const Line {
        self.line.get()
    }

    /// One word of the line; any thread may ask.
    pub(crate) fn word(&self, word: Word) -> &AtomicI64 {
        // SAFETY: the word lies in this thread's line, is aligned, and is written atomically only.
        // The reference lives no longer than `self`.
        unsafe { AtomicI64::from_ptr(word.of(self.line.get())) }
    }

    /// The counts as any thread may read them. Each number is exact. They are all of one moment if
    /// the thread does not allocate meanwhile.
    pub(crate) fn counts(&self) -> Counts {
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
