//! A program of 40 modules with divan's `AllocProfiler` installed.

mod program;

use divan::AllocProfiler;

#[global_allocator]
static GLOBAL: AllocProfiler = AllocProfiler::system();

fn main() {
    program::main();
}
