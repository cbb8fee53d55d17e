//! A program of 40 modules with an allocator that forwards and does nothing else: the least that
//! any allocator of a user's costs in a debug build.

mod program;

use std::alloc::{GlobalAlloc, Layout, System};

struct Bare;

#[global_allocator]
static GLOBAL: Bare = Bare;

// SAFETY: all is left to `System`, which is a correct allocator.
unsafe impl GlobalAlloc for Bare {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: promised by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: promised by the caller.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: promised by the caller.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

fn main() {
    program::main();
}
