//! No global allocator. The standard library then uses `System` by itself, through code that it was
//! shipped with.
//!
//! In release builds, a pair takes two more instructions than with `System` installed. In debug
//! builds it takes less time, for whatever is installed is compiled anew and unoptimised, and so is
//! `System`.

fn main() {
    workloads::main(&[]);
}
