//! divan's `AllocProfiler`, installed. Each thread's events are counted at all times; the benchmark runner reads them.

use divan::AllocProfiler;

#[global_allocator]
static GLOBAL: AllocProfiler = AllocProfiler::system();

fn main() {
    workloads::main(&[]);
}
