//! Hot: the highest net bytes of the process, batched. Threads report here when their net has moved by 16 KiB, so the
//! peak is exact while one thread allocates, and otherwise within 16 KiB for each thread.
//!
//! Peaks are kept in *flushed* bytes: what the threads have reported so far. That differs from the sum of all ledgers
//! by what each thread has yet to report; an observer therefore notes the flushed bytes at its start, and
//! reads its peak relative to those. What the other threads had unreported at the start then cancels out.

use std::ptr;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

use super::pool::{Links, Pool, Pooled};

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

/// A thread's net moved by `net` since it last reported, and was at the most `high` in between.
pub(super) fn flush(net: i64, high: i64) {
    let before = FLUSHED.0.fetch_add(net, Relaxed);
    let highest = before.wrapping_add(high.max(0));
    PROCESS.raise(highest);
    OBSERVERS.iter().filter(|o| o.links.in_use()).for_each(|o| o.raise(highest));
}

/// The peak above some moment.
pub(crate) struct PeakFrom {
    observer: &'static Observer,
    /// Flushed bytes at that moment.
    start: i64,
}

/// The process's own peak, above the moment at which `start` bytes had been flushed (0: the beginning).
pub(crate) fn process_peak(start: i64) -> PeakFrom {
    PeakFrom { observer: &PROCESS, start }
}

/// The peak from now on, until dropped; `None` without memory. The caller has flushed.
pub(crate) fn start_peak() -> Option<PeakFrom> {
    let observer = OBSERVERS.take()?;
    let start = FLUSHED.0.load(Relaxed);
    observer.highest.store(start, Relaxed);
    Some(PeakFrom { observer, start })
}

impl PeakFrom {
    /// The peak above the start, given that the net bytes above the start are `current` now. Never less than those, and
    /// never less than it was.
    pub(crate) fn read(&self, current: i64) -> i64 {
        self.observer.raise(self.start.wrapping_add(current));
        self.observer.highest.load(Relaxed).wrapping_sub(self.start)
    }

    /// Moves the start to now; returns the flushed bytes.
    pub(crate) fn restart(&mut self) -> i64 {
        self.start = FLUSHED.0.load(Relaxed);
        self.observer.highest.store(self.start, Relaxed);
        self.start
    }
}

impl Drop for PeakFrom {
    fn drop(&mut self) {
        if !ptr::eq(self.observer, &PROCESS) {
            self.observer.links.give_back();
        }
    }
}
