//! What the tests of threads and tasks share: work of a known size, and other threads that allocate
//! all the time.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Once;
use std::thread;

use mod_alloc::AllocStats;

/// How often [`repeat`] runs the body of a test, at least.
const REPETITIONS: u64 = 1_000;

/// Allocates blocks of this size, and frees each at once.
pub fn allocate(times: u64, bytes: usize) {
    for _ in 0..times {
        drop(block(bytes));
    }
}

/// One allocation.
pub fn block(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(bytes))
}

/// Allocation events, frees, requested bytes, and net bytes.
pub fn numbers(stats: AllocStats) -> (u64, u64, u64, i64) {
    (stats.alloc_count, stats.dealloc_count, stats.total_bytes, stats.current_bytes)
}

/// Runs `work` time and again, while other threads allocate, grow and free blocks without a pause.
pub fn repeat(mut work: impl FnMut()) {
    static BEGIN: Once = Once::new();
    static EVENTS: AtomicU64 = AtomicU64::new(0);
    // These threads go on until the process ends.
    BEGIN.call_once(|| {
        for _ in 0..2 {
            thread::spawn(|| loop {
                for _ in 0..100 {
                    let mut noise = block(100);
                    noise.reserve_exact(1_000);
                    drop(black_box(noise));
                }
                EVENTS.fetch_add(200, Relaxed);
                thread::yield_now(); // The threads of the tests wait for each other.
            });
        }
    });
    let before = EVENTS.load(Relaxed);
    let mut repetitions = 0;
    while repetitions < REPETITIONS || EVENTS.load(Relaxed) - before < REPETITIONS {
        work();
        repetitions += 1;
    }
}
