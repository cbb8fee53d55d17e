//! Counts what a stretch of the program allocates: `cargo run --example quickstart`.

use mod_alloc::{ModAlloc, Profiler};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn main() {
    let profiler = Profiler::start();
    let numbers: Vec<u64> = (0..1_000).collect();
    drop(numbers);
    let stats = profiler.stop();

    println!("allocations: {}", stats.alloc_count);
    println!("total bytes: {}", stats.total_bytes);
    println!("peak bytes:  {}", stats.peak_bytes);
}
