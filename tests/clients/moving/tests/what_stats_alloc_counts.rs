//! What the crate stats_alloc counts: a reallocation is apart, and adds what it grew by. Runs
//! without the harness, for it counts the whole process.

use std::alloc::System;

use moving::{lines, programs, TEXT};
use stats_alloc::{Region, StatsAlloc, INSTRUMENTED_SYSTEM};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let region = Region::new(GLOBAL);
    drop(lines(TEXT));
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations, change.bytes_allocated), (6, 1, 206));

    for program in programs() {
        let region = Region::new(GLOBAL);
        let events = program.run();
        let change = region.change();
        assert_eq!(change.allocations as u64, events.allocs, "{program:?}");
        assert_eq!(change.reallocations as u64, events.reallocs, "{program:?}");
        assert_eq!(change.deallocations as u64, events.deallocs, "{program:?}");
        assert_eq!(change.bytes_allocated as u64, events.grown_bytes, "{program:?}");
        let left = change.bytes_allocated - change.bytes_deallocated;
        assert_eq!(left as u64, events.retained_bytes, "{program:?}");
    }
}
