//! A program of 40 modules with `std::alloc::System` installed.

mod program;

use std::alloc::System;

#[global_allocator]
static GLOBAL: System = System;

fn main() {
    program::main();
}
