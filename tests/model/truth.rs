//! The totals of the process, counted in the plainest way: atomics are updated around every event,
//! and the library is underneath.
//!
//! Peaks can be compared only if an event and its update here are one step. So a program can ask
//! for one event at a time, by a spin lock. Other programs run freely.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::SeqCst};

use mod_alloc::{AllocStats, ModAlloc, Profiler};

/// The numbers are those since the last start, so that they fit on any processor.
pub(crate) struct Truth {
    counted: ModAlloc,
    allocs: AtomicUsize,
    reallocs: AtomicUsize,
    deallocs: AtomicUsize,
    bytes: AtomicUsize,
    current: AtomicIsize,
    peak: AtomicIsize,
    one_at_a_time: AtomicBool,
    busy: AtomicBool,
}

struct Turn<'a>(Option<&'a AtomicBool>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(busy) = self.0 {
            busy.store(false, SeqCst);
        }
    }
}

/// Where a program starts.
pub(crate) struct Start {
    snapshot: AllocStats,
    profiler: Profiler,
}

/// How many bytes one thread may have not reported yet.
const FLUSH_BYTES: i64 = 16 << 10;

impl Truth {
    pub(crate) const fn new() -> Self {
        Self {
            counted: ModAlloc::new(),
            allocs: AtomicUsize::new(0),
            reallocs: AtomicUsize::new(0),
            deallocs: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            current: AtomicIsize::new(0),
            peak: AtomicIsize::new(0),
            one_at_a_time: AtomicBool::new(false),
            busy: AtomicBool::new(false),
        }
    }

    fn turn(&self) -> Turn<'_> {
        if !self.one_at_a_time.load(SeqCst) {
            return Turn(None);
        }
        while self.busy.swap(true, SeqCst) {
            std::thread::yield_now();
        }
        Turn(Some(&self.busy))
    }

    fn moved(&self, by: isize) {
        let current = self.current.fetch_add(by, SeqCst) + by;
        self.peak.fetch_max(current, SeqCst);
    }

    fn totals(&self) -> AllocStats {
        let mut stats = AllocStats::default();
        let [allocs, reallocs, deallocs, bytes] =
            [&self.allocs, &self.reallocs, &self.deallocs, &self.bytes]
                .map(|number| number.load(SeqCst) as u64);
        stats.alloc_count = allocs + reallocs;
        stats.realloc_count = reallocs;
        stats.dealloc_count = deallocs;
        stats.total_bytes = bytes;
        stats.current_bytes = self.current.load(SeqCst) as i64;
        stats.peak_bytes = self.peak.load(SeqCst) as i64;
        stats.live_count = allocs as i64 - deallocs as i64;
        stats
    }

    pub(crate) fn start(&self, one_at_a_time: bool) -> Start {
        self.one_at_a_time.store(one_at_a_time, SeqCst);
        let profiler = Profiler::start();
        let snapshot = self.counted.snapshot();
        for number in [&self.allocs, &self.reallocs, &self.deallocs, &self.bytes] {
            number.store(0, SeqCst);
        }
        for number in [&self.current, &self.peak] {
            number.store(0, SeqCst);
        }
        Start { snapshot, profiler }
    }

    /// Compares the library's totals since `start` with the truth. All threads but this one have
    /// ended.
    ///
    /// The peak is exact if one thread did everything. If not, it is within the bound for each
    /// thread and for this one.
    pub(crate) fn compare(&self, start: Start, threads: usize, seed: u64) {
        let (truth, snapshot) = (self.totals(), self.counted.snapshot());
        let profile = start.profiler.stop();
        let exact = |now: AllocStats, then: AllocStats| {
            [
                now.alloc_count - then.alloc_count,
                now.realloc_count - then.realloc_count,
                now.dealloc_count - then.dealloc_count,
                now.total_bytes - then.total_bytes,
                (now.current_bytes - then.current_bytes) as u64,
                (now.live_count - then.live_count) as u64,
            ]
        };
        let expected = exact(truth, AllocStats::default());
        assert_eq!(exact(snapshot, start.snapshot), expected, "snapshot, seed {seed}");
        assert_eq!(exact(profile, AllocStats::default()), expected, "profiler, seed {seed}");

        let peak = truth.peak_bytes;
        if self.one_at_a_time.load(SeqCst) {
            let bound = if threads == 1 { 0 } else { (threads as i64 + 1) * FLUSH_BYTES };
            let error = profile.peak_bytes - peak;
            assert!(
                error.abs() <= bound,
                "peak {peak}: {profile:?}, {threads} threads, seed {seed}"
            );
        }
        assert!(profile.peak_bytes >= profile.current_bytes);
        assert!(snapshot.peak_bytes >= snapshot.current_bytes);
        assert!(snapshot.peak_bytes >= start.snapshot.peak_bytes, "a peak fell, seed {seed}");
    }
}

// SAFETY: it forwards to `ModAlloc`.
unsafe impl GlobalAlloc for Truth {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _turn = self.turn();
        self.allocs.fetch_add(1, SeqCst);
        self.bytes.fetch_add(layout.size(), SeqCst);
        self.moved(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { self.counted.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let _turn = self.turn();
        self.allocs.fetch_add(1, SeqCst);
        self.bytes.fetch_add(layout.size(), SeqCst);
        self.moved(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { self.counted.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let _turn = self.turn();
        self.deallocs.fetch_add(1, SeqCst);
        self.moved(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { self.counted.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let _turn = self.turn();
        self.reallocs.fetch_add(1, SeqCst);
        self.bytes.fetch_add(new_size, SeqCst);
        self.moved(new_size as isize - layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { self.counted.realloc(block, layout, new_size) }
    }
}
