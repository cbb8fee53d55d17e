//! Allocations whose number and size a test can tell.

use std::hint::black_box;

/// Allocates blocks of so many bytes, and frees each at once.
pub(crate) fn allocate(times: usize, bytes: usize) {
    for _ in 0..times {
        drop(black_box(Vec::<u8>::with_capacity(bytes)));
    }
}
