//! Hot: what of the process's blocks was live at its peak, by stack: kept with the interned stacks for one profiler at a time.
//!
//! In plain words: at each new highest net bytes, one would note how much is live at every stack. That is put off until a stack's
//! number is about to change: peaks are numbered, each stack remembers of which peak its noted number is, and one that
//! has not changed since the latest peak has what it has now. So a peak costs nothing, and an event looks at its own
//! stack only.
//!
//! Exact while one thread at a time allocates. Where several do, a stack's number may miss what they did at the very moment of
//! the peak, as nobody waits for another.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

use super::nodes::Entry;
use super::retained::Retained;
use super::stack::Stack;

/// What was live at one stack.
pub(super) struct AtPeak {
    /// Now.
    blocks: AtomicI64,
    bytes: AtomicI64,
    /// At the peak of this number.
    peak: AtomicU64,
    peak_blocks: AtomicI64,
    peak_bytes: AtomicI64,
}

/// The blocks of all threads, while a profiler tracks them.
pub(super) static BLOCKS: Retained = Retained::NEW;

static IS_TAKEN: AtomicBool = AtomicBool::new(false);
static NET: AtomicI64 = AtomicI64::new(0);
static HIGHEST: AtomicI64 = AtomicI64::new(0);

/// How many peaks there were, in all profiles.
static PEAKS: AtomicU64 = AtomicU64::new(0);

/// The number of the first one that is this profile's.
static FIRST_PEAK: AtomicU64 = AtomicU64::new(1);

/// Of blocks without a stack.
static LOST: AtPeak = AtPeak::new();

impl AtPeak {
    pub(super) const fn new() -> Self {
        Self {
            blocks: AtomicI64::new(0),
            bytes: AtomicI64::new(0),
            peak: AtomicU64::new(0),
            peak_blocks: AtomicI64::new(0),
            peak_bytes: AtomicI64::new(0),
        }
    }

    fn change(&self, blocks: i64, bytes: i64) {
        let peak = PEAKS.load(Relaxed);
        let (old_blocks, old_bytes) = (self.blocks.load(Relaxed), self.bytes.load(Relaxed));
        match self.peak.swap(peak, Relaxed) {
            noted if noted == peak => {}
            noted if noted < FIRST_PEAK.load(Relaxed) => {
                // The numbers were an earlier profiler's. Taken off rather than set: another thread may have changed them since.
                self.blocks.fetch_sub(old_blocks, Relaxed);
                self.bytes.fetch_sub(old_bytes, Relaxed);
                self.note(0, 0);
            }
            _ => self.note(old_blocks, old_bytes),
        }
        self.blocks.fetch_add(blocks, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
        let net = NET.fetch_add(bytes, Relaxed).wrapping_add(bytes);
        if bytes > 0 && net > HIGHEST.load(Relaxed) {
            HIGHEST.fetch_max(net, Relaxed);
            PEAKS.fetch_add(1, Relaxed);
        }
    }

    fn note(&self, blocks: i64, bytes: i64) {
        self.peak_blocks.store(blocks, Relaxed);
        self.peak_bytes.store(bytes, Relaxed);
    }

    /// Blocks and bytes at the latest peak.
    fn read(&self) -> (u64, u64) {
        let (blocks, bytes) = match self.peak.load(Relaxed) {
            noted if noted < FIRST_PEAK.load(Relaxed) => return (0, 0),
            noted if noted == PEAKS.load(Relaxed) => (&self.peak_blocks, &self.peak_bytes),
            _ => (&self.blocks, &self.bytes),
        };
        let number = |number: &AtomicI64| u64::try_from(number.load(Relaxed)).unwrap_or(0);
        (number(blocks), number(bytes))
    }
}

/// Begins to track the blocks of all threads; `false` if somebody does already, or there is no memory. The caller then sets the
/// limits of all threads, as for any tracking.
pub(crate) fn track_all_blocks() -> bool {
    if IS_TAKEN.swap(true, Acquire) {
        return false;
    }
    NET.store(0, Relaxed);
    HIGHEST.store(0, Relaxed);
    FIRST_PEAK.store(PEAKS.fetch_add(1, Relaxed) + 1, SeqCst);
    let has_begun = BLOCKS.begin();
    if !has_begun {
        IS_TAKEN.store(false, Release);
    }
    has_begun
}

pub(crate) fn stop_tracking_all() {
    BLOCKS.end();
    IS_TAKEN.store(false, Release);
}

/// Enters a fresh block, if anybody tracks all. `is_first` as for [`Retained::insert`].
#[inline]
pub(crate) fn enter_block(
    address: usize,
    size: u64,
    stack: Option<&'static Stack>,
    is_first: bool,
) {
    let serial = BLOCKS.serial();
    if serial != 0 && BLOCKS.insert(serial, address, size, stack, is_first) {
        at(stack).change(1, size as i64);
    }
}

/// One of those blocks is freed, or has another size now.
#[inline]
pub(super) fn changed(entry: &Entry, blocks: i64, bytes: i64) {
    if std::ptr::eq(entry.scope, &BLOCKS) && entry.serial == BLOCKS.serial() {
        at(entry.stack).change(blocks, bytes);
    }
}

/// Blocks and bytes that were live at the peak.
pub(crate) fn live_at_peak(stack: Option<&'static Stack>) -> (u64, u64) {
    at(stack).read()
}

fn at(stack: Option<&'static Stack>) -> &'static AtPeak {
    stack.map_or(&LOST, |stack| &stack.at_peak)
}
