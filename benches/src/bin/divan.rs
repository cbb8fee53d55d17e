//! divan's `AllocProfiler`, installed. It counts each thread's events at all times, for divan's
//! benchmark runner to read.

use divan::AllocProfiler;

#[global_allocator]
static GLOBAL: AllocProfiler = AllocProfiler::system();

fn main() {
    workloads::main(&[]);
}
