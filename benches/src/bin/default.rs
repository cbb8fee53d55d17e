//! No global allocator: the standard library then uses `System` by itself, through code that it was shipped with.
//!
//! In release builds that takes two more instructions a pair than `System` installed. In debug builds it is the faster
//! one: whatever is installed, `System` itself included, is compiled anew and unoptimised.

fn main() {
    workloads::main(&[]);
}
