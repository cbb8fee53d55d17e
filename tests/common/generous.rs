//! An allocator that grants what no machine has.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};

/// Grants any size. No more than the first gibibyte may be touched.
pub(crate) struct Generous;

fn granted(layout: Layout) -> Layout {
    Layout::from_size_align(layout.size().min(1 << 30), layout.align()).expect("smaller")
}

// SAFETY: it does as `System` does, for all memory that is touched.
unsafe impl GlobalAlloc for Generous {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc(granted(layout)) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, granted(layout)) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, granted(layout), new_size.min(1 << 30)) }
    }
}
