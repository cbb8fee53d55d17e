//! A program of 40 modules with mod-alloc installed.

mod program;

use mod_alloc::ModAlloc;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn main() {
    program::main();
}
