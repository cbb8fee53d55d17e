//! A test with the crate stats_alloc. It must be alone in its binary.

use std::alloc::System;

use moving::{lines, TEXT};
use stats_alloc::{Region, StatsAlloc, INSTRUMENTED_SYSTEM};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn each_line_is_copied_once() {
    let region = Region::new(GLOBAL);
    let copies = lines(TEXT);
    let change = region.change();
    assert_eq!(change.allocations + change.reallocations, 7);
    assert_eq!(change.bytes_allocated, 206);
    drop(copies);
    let change = region.change();
    assert_eq!(change.allocations, change.deallocations);
}
