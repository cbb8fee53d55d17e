//! Hot: `ThreadCounters`, what one thread counts.
//!
//! In plain words: each thread has counters in 64 bytes. It alone writes them, and anyone may read
//! them. Next to the totals stand `high`, the running maximum of the thread's net bytes, and
//! thresholds, which others may store, too. An event compares the net bytes with them
//! ([`frequent`](super::frequent)). Everything rare stands behind that compare: whoever wants
//! events to take the slow half chooses thresholds that every event crosses.
//!
//! | | usually | to have every event cross it |
//! |---|---|---|
//! | floor | up to 16 KiB below the last flush | [`EVERY_DEALLOC`] |
//! | ceiling | up to 16 KiB above the last flush | [`EVERY_ALLOC`] |
//! | gate | the lower one of `high` and the ceiling | its upper half is 0 |
//!
//! The gate has an owner's half and one for others. Its owner raises it at each new maximum, and
//! somebody else may want every event at that moment. Neither may write over what the other has
//! written, and the owner has no time for a fence. So at a maximum the owner writes the lower half
//! alone. The upper one is the same for all net bytes between the floor and the ceiling: these are
//! always in the same 4 GiB.
//!
//! A line keeps net bytes with the sign bit flipped ([`flip`]), so they begin in the middle of the
//! positive numbers. Blocks of a tebibyte or more are not among them, so they stay far from both
//! ends, and no compare wraps, whatever the size of the block.
//!
//! A thread without counters points at a read-only [`Dummy`] whose thresholds every event crosses.
//! So its first event takes the slow half, which finds the reason in the word after the line
//! ([`Registration`]). A thread that is past its end does the same, and so does a thread on which
//! the library works for itself ([`ignored`](super::current::ignored)).
//!
//! Relies on: the owner alone writes a line, but for its thresholds; lines live for ever. Its owner
//! is the thread that the pool of `threads::registry` has lent the state to.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::mem::size_of;
use std::sync::atomic::AtomicU32;

use super::counts::Counts;
use crate::sys::{AtomicI64, RelaxedWord};

/// What an event reads and writes: one cache line.
#[repr(C)]
#[allow(dead_code)] // Read and written by `own_line`, as a [`Word`] each.
pub(crate) struct Line {
    /// Net bytes, flipped, without those of huge blocks.
    net: i64,
    /// As in [`Counts`].
    got: i64,
    allocs: i64,
    deallocs: i64,
    reallocs: i64,
    /// The highest net bytes, flipped, of the present peak segment (see
    /// `CurrentThread::end_peak_segment`).
    high: i64,
    /// Net bytes above this are a new maximum, or above the ceiling.
    gate: i64,
    /// Net bytes below this take the slow half. Whoever wants to know of every event of every
    /// thread, as a profiler does, stores this into the lines of all threads. So it is read
    /// atomically.
    floor: i64,
}

/// The words of a [`Line`], in its order, and one behind it.
#[repr(usize)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Net,
    Got,
    Allocs,
    Deallocs,
    Reallocs,
    High,
    Gate,
    Floor,
    /// Behind the [`Registration`].
    Ceiling = 9,
}

impl Word {
    #[inline(always)]
    pub(super) const fn of(self, line: *const Line) -> *mut i64 {
        line.cast::<i64>().cast_mut().wrapping_add(self as usize)
    }
}

/// The halves of the gate.
#[derive(Clone, Copy)]
pub(super) enum GateHalf {
    /// The lower one, which the owner alone writes.
    Owners,
    /// The upper one.
    Others,
}

impl GateHalf {
    #[inline(always)]
    pub(super) const fn of(self, line: *const Line) -> *mut u32 {
        let is_second = matches!(self, Self::Others) == cfg!(target_endian = "little");
        Word::Gate.of(line).cast::<u32>().wrapping_add(is_second as usize)
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
    ceiling: i64,
}

/// Where the net bytes of a thread begin: so low that no block makes them wrap, and in the middle
/// of their 4 GiB.
pub(crate) const LOWEST: i64 = -(1 << 62) + (1 << 31);

/// Net bytes, as a line has them, and back.
#[inline(always)]
pub(crate) const fn flip(net: i64) -> i64 {
    net ^ i64::MIN
}

/// The ceiling that every allocation and reallocation crosses.
const EVERY_ALLOC: i64 = 0;

/// The floor that every deallocation and reallocation crosses.
const EVERY_DEALLOC: i64 = i64::MAX;

/// A line that every event crosses. Its net bytes are above all its gate may be.
const EVERY_EVENT: Line = Line {
    net: 1 << 32,
    got: 0,
    allocs: 0,
    deallocs: 0,
    reallocs: 0,
    high: 0,
    gate: 0,
    floor: EVERY_DEALLOC,
};

impl Dummy {
    pub(crate) const fn new(registration: Registration) -> Self {
        Self { line: EVERY_EVENT, registration, ceiling: EVERY_ALLOC }
    }
}

/// Bytes by which a thread's net may move before the process totals hear of it: the bound on the
/// error of the process peak for each thread.
pub(crate) const FLUSH_BYTES: i64 = 16 << 10;

/// Between which net bytes a thread need not flush that has last done so at `flushed`.
pub(crate) fn flush_interval(flushed: i64) -> (i64, i64) {
    const LOWER_HALF: i64 = (1 << 32) - 1;
    let (lowest, highest) = (flushed & !LOWER_HALF, flushed | LOWER_HALF);
    let (floor, ceiling) = (flushed.wrapping_sub(FLUSH_BYTES), flushed.wrapping_add(FLUSH_BYTES));
    // Not by methods: unoptimised, each is a call.
    let floor = if floor > lowest { floor } else { lowest };
    (floor, if ceiling < highest { ceiling } else { highest })
}

/// The counters of one thread, as any thread may read them.
#[repr(C)]
pub(crate) struct ThreadCounters {
    /// Written by the owning thread, through [`own_line`](super::own_line). Other threads write
    /// nothing but the thresholds.
    line: UnsafeCell<Line>,
    registration: Registration,
    /// Net bytes above this take the slow half.
    ceiling: AtomicI64,
    /// As in [`Counts`]; too rare for the line.
    pub(crate) failed: AtomicI64,
    /// Likewise.
    pub(crate) huge: AtomicI64,
    /// The net bytes of huge blocks.
    pub(crate) huge_net: AtomicI64,
    /// Net bytes at the last flush.
    pub(crate) flushed: AtomicI64,
}

// SAFETY: any thread may read all of it, atomically; the owner alone writes the line, but for the
// thresholds, which anyone may store, atomically.
unsafe impl Sync for ThreadCounters {}

const _: () = assert!(size_of::<Line>() == 64 && size_of::<Dummy>() == 128);

impl ThreadCounters {
    /// The thresholds send the first event of the thread to the slow half.
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    pub(crate) const NEW: Self = Self {
        line: UnsafeCell::new(Line { net: flip(LOWEST), high: flip(LOWEST), ..EVERY_EVENT }),
        registration: Registration::Registered,
        ceiling: AtomicI64::new(EVERY_ALLOC),
        failed: AtomicI64::new(0),
        huge: AtomicI64::new(0),
        huge_net: AtomicI64::new(0),
        flushed: AtomicI64::new(LOWEST),
    };

    /// The line, and what follows it.
    #[inline(always)] // Here and below: unoptimised, a call takes longer than what it does.
    pub(crate) fn line(&self) -> *const Line {
        (self as *const Self).cast()
    }

    /// One word of the line, or the ceiling; any thread may ask.
    #[inline(always)]
    pub(crate) fn word(&self, word: Word) -> &AtomicI64 {
        // SAFETY: the word lies in these counters, is aligned, and is written atomically only. The
        // reference lives no longer than `self`.
        unsafe { &*word.of(self.line()).cast::<AtomicI64>() }
    }

    /// Sends every allocation and reallocation to the slow half; any thread may ask for it.
    pub(crate) fn watch_allocs(&self) {
        self.ceiling.set(EVERY_ALLOC);
        // SAFETY: this half of the gate lies in these counters, is aligned, and is written
        // atomically only.
        unsafe { &*GateHalf::Others.of(self.line()).cast::<AtomicU32>() }.set(0);
    }

    /// Sends every deallocation and reallocation there; any thread may ask for it.
    pub(crate) fn watch_deallocs(&self) {
        self.word(Word::Floor).set(EVERY_DEALLOC);
    }

    /// Whether every allocation goes there, or every deallocation.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.ceiling.get() == EVERY_ALLOC || self.word(Word::Floor).get() == EVERY_DEALLOC
    }

    /// The net bytes; any thread may ask.
    #[inline]
    pub(crate) fn net(&self) -> i64 {
        flip(self.word(Word::Net).get()).wrapping_add(self.huge_net.get())
    }

    /// The counts as any thread may read them. Each number is exact. They are all of one moment if
    /// the thread does not allocate meanwhile.
    // Out of line, the numbers would go through memory: a scope takes a quarter more time.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            net: self.net(),
            got: self.word(Word::Got).get(),
            allocs: self.word(Word::Allocs).get(),
            deallocs: self.word(Word::Deallocs).get(),
            reallocs: self.word(Word::Reallocs).get(),
            failed: self.failed.get(),
            huge: self.huge.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::{null_mut, NonNull};
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

    use super::{flip, flush_interval, ThreadCounters, Word, FLUSH_BYTES, LOWEST};
    use crate::counters::current::{current, set_line};
    use crate::counters::frequent::{self, SlowHalf};
    use crate::counters::own_line::{gate, store, store_others_half, store_owners_half};

    #[test]
    fn an_interval_lies_in_4_gib() {
        assert_eq!(flush_interval(LOWEST), (LOWEST - FLUSH_BYTES, LOWEST + FLUSH_BYTES));
        for flushed in [0, 1, FLUSH_BYTES, (1 << 32) - 1, LOWEST - (1 << 31), LOWEST + (1 << 40)] {
            let (floor, ceiling) = flush_interval(flushed);
            assert!(floor <= flushed && flushed <= ceiling && ceiling - floor >= FLUSH_BYTES);
            assert_eq!(flip(floor) >> 32, flip(ceiling) >> 32);
        }
    }

    /// Tells by a null that the event was left to it.
    struct Null;

    impl SlowHalf for Null {
        extern "C" fn alloc(_: *mut u8, _: i64) -> *mut u8 {
            null_mut()
        }

        extern "C" fn dealloc(_: *mut u8, _: i64) -> *mut u8 {
            null_mut()
        }

        extern "C" fn realloc(_: *mut u8, _: i64, _: i64) -> *mut u8 {
            null_mut()
        }
    }

    /// Each round, a thread reaches a new maximum at each of its allocations, until another one
    /// wants to know of all of them.
    #[test]
    fn whoever_wants_every_allocation_is_not_written_over_by_the_owner() {
        const ROUNDS: usize = 3_000;
        let counters: &ThreadCounters = Box::leak(Box::new(ThreadCounters::NEW));
        let (_, ceiling) = flush_interval(LOWEST);
        let (begun, watched) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
        let wait_for = |what: &AtomicUsize, round| {
            while what.load(Acquire) < round {
                std::thread::yield_now();
            }
        };
        let begin = || {
            let net = flip(LOWEST);
            for (word, value) in
                [(Word::Net, net), (Word::High, net), (Word::Ceiling, flip(ceiling))]
            {
                // SAFETY: this thread owns the line, here and below.
                unsafe { store(counters.line(), word, value) };
            }
            // SAFETY: as above.
            unsafe { store_owners_half(counters.line(), net) };
            // SAFETY: as above.
            unsafe { store_others_half(counters.line(), net) };
        };
        let own = || {
            let before = current();
            // SAFETY: the test has made the counters for this thread. They are no `ThreadState`,
            // but nobody asks for that: it allocates nothing until it has its own again.
            unsafe { set_line(counters.line()) };
            let mut lost = 0;
            for round in 1..=ROUNDS {
                begin();
                begun.store(round, Release);
                while !frequent::alloc::<Null>(NonNull::dangling().as_ptr(), 1).is_null() {}
                wait_for(watched, round);
                // SAFETY: as above.
                lost += usize::from(unsafe { gate(counters.line()) } >> 32 != 0);
            }
            // SAFETY: the line that the thread had before.
            unsafe { set_line(before.as_ptr()) };
            lost
        };
        std::thread::scope(|threads| {
            let owner = threads.spawn(own);
            for round in 1..=ROUNDS {
                wait_for(begun, round);
                for _ in 0..round * 7 % 500 {
                    std::hint::spin_loop();
                }
                counters.watch_allocs();
                watched.store(round, Release);
            }
            assert_eq!(owner.join().expect("it does not panic"), 0);
        });
        assert!(counters.is_watched());
        // A round has many maxima, or it would have tried nothing.
        assert!(counters.word(Word::Allocs).load(Relaxed) > 2 * ROUNDS as i64);
    }
}
