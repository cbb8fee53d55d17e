//! Hot: the highest net bytes of the process. Threads report here when their net bytes have moved
//! by 16 KiB. So the peak is exact while one thread allocates, and otherwise within 16 KiB for each
//! thread.
//!
//! Peaks are kept in *flushed* bytes: what the threads have reported so far. That differs from the
//! sum over all threads by what each has yet to report. So an observer notes the flushed bytes at
//! its start, and reads its peak relative to those. What the other threads had not reported at the
//! start then cancels out.
//!
//! The observer of `ModAlloc::snapshot` is replaced by a new one at each `reset`. So one load finds
//! what a snapshot starts from, and nobody waits for anybody: a forked child may lack the thread
//! that was at it.
//!
//! Relies on: observers are never freed.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use super::flushed;
use super::registry::{self, Totals};
use crate::counters::{Above, AtomicCounts, Counts};
use crate::sys::{AtomicI64, Links, Pool, Pooled};

/// One observer of the peak.
struct Observer {
    highest: AtomicI64,
    start: Start,
    links: Links<Observer>,
}

/// The [`Totals`] that an observer starts from. They are not written while others look.
struct Start {
    counts: AtomicCounts,
    current: AtomicI64,
    flushed: AtomicI64,
}

/// The first observer of `ModAlloc::snapshot`: from the start of the process.
static FIRST: Observer = Observer::NEW;

/// The present one.
static PROCESS: AtomicPtr<Observer> = AtomicPtr::new(&FIRST as *const Observer as *mut Observer);

/// All others.
static OBSERVERS: Pool<Observer> = Pool::new();

impl Pooled for Observer {
    const NEW: Self = Self { highest: AtomicI64::new(0), start: Start::ZERO, links: Links::NEW };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl Start {
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    const ZERO: Self = Self {
        counts: AtomicCounts::zero(),
        current: AtomicI64::new(0),
        flushed: AtomicI64::new(0),
    };

    fn store(&self, totals: Totals) {
        self.counts.store(totals.counts);
        self.current.store(totals.current, Relaxed);
        self.flushed.store(totals.flushed, Relaxed);
    }

    fn load(&self) -> Totals {
        Totals {
            counts: self.counts.load(),
            current: self.current.load(Relaxed),
            flushed: self.flushed.load(Relaxed),
        }
    }
}

impl Observer {
    fn raise(&self, flushed: i64) {
        if flushed > self.highest.load(Relaxed) {
            self.highest.fetch_max(flushed, Relaxed);
        }
    }
}

/// A thread's net bytes have moved by `net` since it last reported, and were `high` at the most in
/// between.
pub(super) fn flush(net: i64, high: i64) {
    let before = flushed::add(net);
    let highest = before.saturating_add(high.max(0));
    FIRST.raise(highest);
    OBSERVERS.iter().filter(|o| o.links.in_use()).for_each(|o| o.raise(highest));
}

/// The peak above some moment.
pub(crate) struct PeakFrom {
    observer: &'static Observer,
}

/// The process's own peak, above its start or its last [`restart`](restart_process_peak).
pub(crate) fn process_peak() -> PeakFrom {
    loop {
        let present = PROCESS.load(Acquire);
        // SAFETY: `FIRST`, or of the pool, which keeps its items for ever.
        let observer = unsafe { &*present };
        observer.links.join();
        let joined = PeakFrom { observer };
        // Otherwise it was replaced before it was joined, and may be somebody else's by now.
        if PROCESS.load(Acquire) == present {
            return joined;
        }
    }
}

/// Starts the process's own peak anew at this moment, if there is memory for that. The caller has
/// flushed.
pub(crate) fn restart_process_peak() -> bool {
    let Some(started) = start_peak() else { return false };
    // Given back by the next restart.
    let PeakFrom { observer } = *ManuallyDrop::new(started);
    let new = (observer as *const Observer).cast_mut();
    // SAFETY: as in `process_peak`.
    let old = unsafe { &*PROCESS.swap(new, AcqRel) };
    old.links.give_back();
    true
}

/// The peak from now on, until dropped; `None` without memory. The caller has flushed.
pub(crate) fn start_peak() -> Option<PeakFrom> {
    let observer = OBSERVERS.take()?;
    let start = registry::totals();
    observer.highest.store(start.flushed, Relaxed);
    observer.start.store(start);
    Some(PeakFrom { observer })
}

impl PeakFrom {
    /// What was counted since the start, and the peak above it. That is never less than what is
    /// live now, and never less than before. The caller has flushed.
    pub(crate) fn read(&self) -> (Counts, Above) {
        let (start, now) = (self.observer.start.load(), registry::totals());
        let current = now.current.wrapping_sub(start.current);
        self.observer.raise(start.flushed.wrapping_add(current));
        let peak = self.observer.highest.load(Relaxed).wrapping_sub(start.flushed);
        (now.counts - start.counts, Above { current, peak })
    }
}

impl Drop for PeakFrom {
    fn drop(&mut self) {
        self.observer.links.give_back();
    }
}
