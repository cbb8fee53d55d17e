//! What is in a slot.

use std::alloc::{alloc, alloc_zeroed, dealloc, realloc, Layout};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

#[derive(Default)]
pub(super) enum Block {
    #[default]
    None,
    Bytes(Vec<u8>),
    Numbers(Vec<u64>),
    Text(String),
    Texts(Vec<String>),
    Boxed(Box<[u8; 48]>),
    Slice(Box<[u16]>),
    Shared(Arc<str>),
    Map(HashMap<usize, u8>),
    Tree(BTreeMap<usize, [u8; 16]>),
    Queue(VecDeque<u32>),
    Any(Box<dyn Fn() -> usize>),
    Raw(Raw),
}

/// Memory of the allocator without a collection around it.
pub(super) struct Raw {
    start: *mut u8,
    layout: Layout,
}

impl Raw {
    #[inline(never)]
    pub(super) fn new(size: usize, align: usize) -> Self {
        let layout = Layout::from_size_align(size, align).unwrap();
        assert_ne!(size, 0);
        // SAFETY: its size is not zero.
        let start = unsafe { alloc(layout) };
        Self { start, layout }
    }

    #[inline(never)]
    pub(super) fn zeroed(size: usize, align: usize) -> Self {
        let layout = Layout::from_size_align(size, align).unwrap();
        assert_ne!(size, 0);
        // SAFETY: its size is not zero.
        let start = unsafe { alloc_zeroed(layout) };
        Self { start, layout }
    }

    pub(super) fn size(&self) -> usize {
        self.layout.size()
    }

    #[inline(never)]
    pub(super) fn resize(&mut self, size: usize) {
        let layout = Layout::from_size_align(size, self.layout.align()).unwrap();
        assert_ne!(size, 0);
        // SAFETY: the block was allocated with this layout, and the new size is not zero and, as a
        // layout, not too large.
        self.start = unsafe { realloc(self.start, self.layout, size) };
        self.layout = layout;
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the block was allocated with this layout, and nobody else has it.
        unsafe { dealloc(self.start, self.layout) };
    }
}
