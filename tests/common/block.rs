//! Blocks that random programs allocate, reallocate and free.
#![allow(unsafe_code)]

use std::alloc::{alloc, alloc_zeroed, dealloc, realloc, Layout};
use std::hint::black_box;

use crate::random::Random;

#[derive(Clone, Copy)]
pub(crate) struct Block {
    address: usize,
    layout: Layout,
}

impl Block {
    /// Mostly a small size. Some are beyond the 16 KiB at which a thread reports to the process's
    /// totals.
    pub(crate) fn random_size(random: &mut Random) -> usize {
        let magnitude = [3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 10, 11, 12, 13, 15, 17][random.below(16)];
        1 + random.below(1 << magnitude)
    }

    /// Allocates a block of at least one byte.
    pub(crate) fn new(size: usize, align: usize, zeroed: bool) -> Self {
        let layout = Layout::from_size_align(size, align).expect("a small size");
        let allocate = if zeroed { alloc_zeroed } else { alloc };
        // SAFETY: programs allocate at least one byte.
        let block = unsafe { allocate(layout) };
        assert!(!block.is_null());
        Self { address: black_box(block) as usize, layout }
    }

    pub(crate) fn resized(self, size: usize) -> Self {
        // SAFETY: the block came from `alloc` with this layout; programs ask for at least one byte.
        let block = unsafe { realloc(self.address as *mut u8, self.layout, size) };
        assert!(!block.is_null());
        let layout = Layout::from_size_align(size, self.layout.align()).expect("a small size");
        Self { address: black_box(block) as usize, layout }
    }

    pub(crate) fn free(self) {
        // SAFETY: the block came from `alloc` with this layout, and its slot is empty now.
        unsafe { dealloc(self.address as *mut u8, self.layout) }
    }
}
