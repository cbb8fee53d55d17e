//! A program of 40 modules without a global allocator.

mod program;

fn main() {
    program::main();
}
