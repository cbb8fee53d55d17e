//! The other crate named `mod-alloc`, with its profiler running.

use std::hint::black_box;

use published::{ModAlloc, Profiler};
use workloads::Workload;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn main() {
    let profiler = Profiler::start();
    workloads::main(&[Workload::new("nested", nested)]);
    black_box(profiler.stop());
}

fn nested(iterations: u64) {
    workloads::nested(iterations, |work| {
        let profiler = Profiler::start();
        work();
        black_box(profiler.stop());
    });
}
