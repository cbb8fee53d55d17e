//! The system allocator.

use std::alloc::System;

#[global_allocator]
static GLOBAL: System = System;

fn main() {
    workloads::main(&[]);
}
