//! stats_alloc, with a region open.

use std::alloc::System;
use std::hint::black_box;

use stats_alloc::{Region, StatsAlloc, INSTRUMENTED_SYSTEM};
use workloads::Workload;

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let region = Region::new(GLOBAL);
    workloads::main(&[Workload::new("nested", nested)]);
    black_box(region.change());
}

fn nested(iterations: u64) {
    workloads::nested(iterations, |work| {
        let region = Region::new(GLOBAL);
        work();
        black_box(region.change());
    });
}
