//! What the random programs of `tests/model` and `tests/attribution_model` are made of.
#![allow(unsafe_code)]

use std::alloc::{alloc, alloc_zeroed, dealloc, realloc, Layout};
use std::hint::black_box;

/// xorshift64*: small, and the same on every machine.
pub(crate) struct Numbers {
    state: u64,
}

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    /// Of a block. Mostly small; some beyond the 16 KiB at which a thread reports to the process totals.
    pub(crate) fn size(&mut self) -> usize {
        let magnitude =
            [3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 10, 11, 12, 13, 15, 17][self.below(16) as usize];
        1 + self.below(1 << magnitude) as usize
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Block {
    address: usize,
    layout: Layout,
}

impl Block {
    /// Of at least one byte.
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
