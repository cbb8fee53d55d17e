//! Hot: `Part`, what one attached thread at a time adds to a shared scope. Counted by subtraction of the thread's own ledger, so
//! that an event on an attached thread costs what any event costs.
//!
//! Any thread may read a part at any moment: what is settled, and, while it runs, what the ledger has counted since its
//! start. Those numbers change together, so the writer makes a sequence number odd while it changes them, and a reader
//! that sees it odd, or changed, reads again.
#![allow(unsafe_code)]

use std::hint;
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{fence, AtomicBool, AtomicI64, AtomicPtr, AtomicUsize};

use crate::count::counts::{AtomicCounts, Counts};
use crate::count::ledger::Ledger;
use crate::count::pool::{Links, Pooled};
use crate::record::{self, SharedTallies, Stack};

pub(in crate::count) struct Part {
    sequence: AtomicUsize,
    /// The attached thread's.
    ledger: AtomicPtr<Ledger>,
    is_running: AtomicBool,
    /// What `ledger` had counted when the part began to run.
    start: AtomicCounts,
    settled: AtomicCounts,
    /// Allocation events in hidden stretches.
    hidden: AtomicI64,
    /// Where the attached threads allocated, if the scope records.
    tallies: SharedTallies,
    /// Whether a guard, rather than the end of the scope, will end it.
    is_guarded: AtomicBool,
    links: Links<Part>,
}

impl Pooled for Part {
    const NEW: Self = Self {
        sequence: AtomicUsize::new(0),
        ledger: AtomicPtr::new(ptr::null_mut()),
        is_running: AtomicBool::new(false),
        start: AtomicCounts::zero(),
        settled: AtomicCounts::zero(),
        hidden: AtomicI64::new(0),
        tallies: SharedTallies::new(),
        is_guarded: AtomicBool::new(false),
        links: Links::NEW,
    };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// After so many tries a reader takes what it has: in a forked child, the writer may no longer exist.
const TRIES: usize = 10_000;

/// By the one thread that has taken the part.
impl Part {
    /// Begins to run on the current thread's ledger, which has counted `now`.
    pub(in crate::count) fn start(&self, ledger: &'static Ledger, now: Counts, is_guarded: bool) {
        self.is_guarded.store(is_guarded, Relaxed);
        self.change(|| {
            self.ledger.store((ledger as *const Ledger).cast_mut(), Relaxed);
            self.start.store(now);
            self.is_running.store(true, Relaxed);
        });
    }

    /// What the ledger counts from `now` on is not counted here.
    pub(in crate::count) fn pause(&self, now: Counts) {
        if !self.is_running.load(Relaxed) {
            return;
        }
        let mut settled = self.settled.load();
        settled += now - self.start.load();
        self.change(|| {
            self.settled.store(settled);
            self.is_running.store(false, Relaxed);
        });
    }

    /// Goes on after [`pause`](Self::pause).
    pub(in crate::count) fn resume(&self, now: Counts) {
        if !self.is_running.load(Relaxed) {
            self.change(|| {
                self.start.store(now);
                self.is_running.store(true, Relaxed);
            });
        }
    }

    /// Ends for good, and is free for another thread.
    pub(in crate::count) fn finish(&self, now: Counts) {
        self.pause(now);
        self.is_guarded.store(false, Relaxed);
        self.links.give_back();
    }

    fn change(&self, change: impl FnOnce()) {
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Relaxed);
        fence(Release);
        change();
        self.sequence.store(sequence.wrapping_add(2), Release);
        // What the ledger counts from here on, a reader sees after the new sequence number.
        fence(Release);
    }

    pub(in crate::count) fn record(&self, stack: Option<&'static Stack>, event: record::Event) {
        // SAFETY: the thread that has taken the part is the one writer; the pool hands it on by release and acquire.
        unsafe { self.tallies.count(stack, event) }
    }

    pub(in crate::count) fn note_opening(&self, stack: &'static Stack) {
        // SAFETY: as above.
        unsafe { self.tallies.note_opening(stack) }
    }

    pub(in crate::count) fn add_hidden(&self, events: i64) {
        self.hidden.fetch_add(events, Relaxed);
    }

    /// Makes it as new. Nobody else knows of it any more.
    pub(super) fn clear(&self) {
        self.settled.store(Counts::ZERO);
        self.hidden.store(0, Relaxed);
        // SAFETY: the last reference to the scope is gone, so nobody writes or reads.
        unsafe { self.tallies.clear() }
    }
}

/// By any thread.
impl Part {
    /// What was counted so far.
    pub(super) fn read(&self) -> Counts {
        for _ in 0..TRIES {
            let before = self.sequence.load(Acquire);
            let counts = self.read_once();
            fence(Acquire);
            if before % 2 == 0 && self.sequence.load(Relaxed) == before {
                return counts;
            }
            hint::spin_loop();
        }
        self.read_once()
    }

    fn read_once(&self) -> Counts {
        let mut counts = self.settled.load();
        if self.is_running.load(Relaxed) {
            // SAFETY: null or a ledger, and ledgers live for ever.
            if let Some(ledger) = unsafe { self.ledger.load(Relaxed).as_ref() } {
                counts += ledger.counts() - self.start.load();
            }
        }
        counts
    }

    pub(super) fn hidden(&self) -> i64 {
        self.hidden.load(Relaxed)
    }

    /// Whether a thread is attached by a guard.
    pub(super) fn is_attached(&self) -> bool {
        self.links.in_use() && self.is_guarded.load(Relaxed)
    }

    pub(super) fn tallies(&self) -> &SharedTallies {
        &self.tallies
    }
}
