//! Hot: pages from the system's allocator, on targets where they are not mapped
//! (`mapped_pages.rs`).
//!
//! Relies on: `System` keeps the contract of `GlobalAlloc`.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

/// What is asked for is a multiple of this, or is rounded up to one.
pub(crate) const PAGE_BYTES: usize = 4 << 10;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.max(1), PAGE_BYTES).ok()
}

/// Zeroed memory, aligned to a page; null if there is none. To be given back by [`free`].
pub(crate) fn allocate(size: usize) -> *mut u8 {
    // SAFETY: the size is not zero.
    layout(size).map_or(ptr::null_mut(), |layout| unsafe { System.alloc_zeroed(layout) })
}

/// # Safety
/// `memory` is from [`allocate`] with the same size, and nobody uses it any more.
pub(crate) unsafe fn free(memory: *mut u8, size: usize) {
    if let Some(layout) = layout(size) {
        // SAFETY: from `allocate`, with this layout, by the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}
