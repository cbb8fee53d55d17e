//! allocation-counter, which installs its allocator itself and counts all the time.

use std::hint::black_box;

use allocation_counter::measure;
use workloads::Workload;

fn main() {
    workloads::main(&[Workload::new("nested", nested)]);
}

fn nested(iterations: u64) {
    workloads::nested(iterations, |work| {
        black_box(measure(work));
    });
}
