//! alloc_tracker, with a session running.

use std::alloc::System;

use alloc_tracker::{Allocator, Session};
use workloads::Workload;

#[global_allocator]
static GLOBAL: Allocator<System> = Allocator::system();

fn main() {
    let _session = silent_session();
    workloads::main(&[Workload::new("nested", nested)]);
}

fn nested(iterations: u64) {
    workloads::nested(iterations, |work| {
        let session = silent_session();
        let _span = session.operation("nested").measure_thread().iterations(1);
        work();
    });
}

fn silent_session() -> Session {
    Session::new().no_stdout().no_file()
}
