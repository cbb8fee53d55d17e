//! What is measured in the program of 40 modules.

use std::alloc::{alloc, alloc_zeroed, dealloc, handle_alloc_error, realloc, Layout};
use std::hint::black_box;

const SMALL: Layout = Layout::new::<[u64; 8]>();
const LARGE: Layout = Layout::new::<[u64; 9]>();

/// A block of 64 bytes, as the compiler cannot know it.
fn shown(block: *mut u8) -> *mut u8 {
    if block.is_null() {
        handle_alloc_error(SMALL);
    }
    black_box(block)
}

/// Allocates and frees 64 bytes.
pub(super) fn pair(iterations: u64) {
    for _ in 0..iterations {
        // SAFETY: the layout is not of size zero.
        let block = shown(unsafe { alloc(SMALL) });
        // SAFETY: allocated above with this layout, and not used again.
        unsafe { dealloc(block, SMALL) };
    }
}

/// Does the same with 64 bytes of zeros.
pub(super) fn zeroed(iterations: u64) {
    for _ in 0..iterations {
        // SAFETY: the layout is not of size zero.
        let block = shown(unsafe { alloc_zeroed(SMALL) });
        // SAFETY: allocated above with this layout, and not used again.
        unsafe { dealloc(block, SMALL) };
    }
}

/// Reallocates one block, from 64 bytes to 72 and back. `System` leaves it where it is.
pub(super) fn one_realloc(iterations: u64) {
    // SAFETY: the layout is not of size zero.
    let mut block = shown(unsafe { alloc(SMALL) });
    let (mut old, mut new) = (SMALL, LARGE);
    for _ in 0..iterations {
        // SAFETY: allocated with `old`. `new` is a layout of the same alignment.
        block = shown(unsafe { realloc(block, old, new.size()) });
        (old, new) = (new, old);
    }
    // SAFETY: allocated with `old`, and not used again.
    unsafe { dealloc(block, old) };
}

/// Pushes 256 numbers into a vector that grows.
pub(super) fn pushes(iterations: u64) {
    for i in 0..iterations {
        let mut numbers = Vec::new();
        for number in 0..256 {
            numbers.push(black_box(number ^ i));
        }
        black_box(numbers);
    }
}
