//! Why tests with a counting allocator of one's own fail now and then: they count what other tests
//! allocate.

mod counting;

use std::hint::black_box;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::Barrier;
use std::thread;

use counting::ALLOCATIONS;
use moving::{lines, TEXT};

#[test]
fn what_a_thread_beside_allocates_is_counted() {
    let (start, end) = (&Barrier::new(2), &Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            drop(black_box(Box::new(1)));
            end.wait();
        });
        let before = ALLOCATIONS.load(Relaxed);
        start.wait();
        let copies = lines(TEXT);
        end.wait();
        // Not exactly 8: what a barrier allocates to wait is its own affair.
        assert!(ALLOCATIONS.load(Relaxed) - before >= 8);
        drop(copies);
    });
}
