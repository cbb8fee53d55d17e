//! `std::alloc::System`, installed: what everything else is compared with.

use std::alloc::System;

#[global_allocator]
static GLOBAL: System = System;

fn main() {
    workloads::main(&[]);
}
