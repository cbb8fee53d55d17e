//! Hot: the highest net bytes of the process, batched. Threads report here when their net has moved by 16 KiB, so the
//! peak is exact while one thread allocates, and otherwise within 16 KiB for each thread.
//!
//! Peaks are kept in *flushed* bytes: what the threads have reported so far. That differs from the sum of all ledgers
//! by what each thread has yet to report; an observer therefore notes the flushed bytes at its start, and
//! reads its peak relative to those. What the other threads had unreported at the start then cancels out.

use std::ptr;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

use super::counts::Counts;
use super::pool::{Links, Pool, Pooled};
use super::registry::{self, Totals};

/// On a cache line of its own: every thread writes it.
#[repr(align(128))]
struct Shared(AtomicI64);

static FLUSHED: Shared = Shared(AtomicI64::new(0));

/// One observer of the peak.
struct Observer {
    highest: AtomicI64,
    links: Links<Observer>,
}

/// The observer of `ModAlloc::snapshot`, there from the start of the process.
static PROCESS: Observer = Observer::NEW;

/// The observers of profilers.
static OBSERVERS: Pool<Observer> = Pool::new();

impl Pooled for Observer {
    const NEW: Self = Self { highest: AtomicI64::new(0), links: Links::NEW };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl Observer {
    fn raise(&self, flushed: i64) {
        if flushed > self.highest.load(Relaxed) {
            self.highest.fetch_max(flushed, Relaxed);
        }
    }
}

/// What all threads have reported.
pub(super) fn flushed() -> i64 {
    FLUSHED.0.load(Relaxed)
}

/// A thread's net moved by `net` since it last reported, and was at the most `high` in between.
pub(super) fn flush(net: i64, high: i64) {
    let before = FLUSHED.0.fetch_add(net, Relaxed);
    let highest = before.saturating_add(high.max(0));
    PROCESS.raise(highest);
    OBSERVERS.iter().filter(|o| o.links.in_use()).for_each(|o| o.raise(highest));
}

/// The peak above some moment.
pub(crate) struct PeakFrom {
    observer: &'static Observer,
    start: Totals,
}

/// The process's own peak, above the moment of `start`.
pub(crate) fn process_peak(start: Totals) -> PeakFrom {
    PeakFrom { observer: &PROCESS, start }
}

/// Starts the process's own peak anew, at the moment of `start`.
pub(crate) fn restart_process_peak(start: Totals) {
    PROCESS.highest.store(start.flushed, Relaxed);
}

/// The peak from now on, until dropped; `None` without memory. The caller has flushed.
pub(crate) fn start_peak() -> Option<PeakFrom> {
    let observer = OBSERVERS.take()?;
    let start = registry::totals();
    observer.highest.store(start.flushed, Relaxed);
    Some(PeakFrom { observer, start })
}

impl PeakFrom {
    /// What was counted since the start, and the peak above it: never less than what is live now, and never less than it
    /// was before. The caller has flushed.
    pub(crate) fn read(&self) -> (Counts, Above) {
        let now = registry::totals();
        let current = now.current.wrapping_sub(self.start.current);
        self.observer.raise(self.start.flushed.wrapping_add(current));
        let peak = self.observer.highest.load(Relaxed).wrapping_sub(self.start.flushed);
        (now.counts - self.start.counts, Above { current, peak })
    }
}

/// Net bytes above some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Above {
    pub(crate) current: i64,
    pub(crate) peak: i64,
}

impl Drop for PeakFrom {
    fn drop(&mut self) {
        if !ptr::eq(self.observer, &PROCESS) {
            self.observer.links.give_back();
        }
    }
}
