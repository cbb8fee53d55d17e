//! Hot: `SystemVec`, a growable array whose memory comes from the system allocator directly, never through `ModAlloc`:
//! what the library needs for itself is not counted. Used for the open frames of a thread.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;

/// The least of `Vec` that the frames need; never frees its memory, as ledgers live for ever.
pub(super) struct SystemVec<T: Copy> {
    /// Dangling until there is a capacity.
    items: NonNull<T>,
    len: usize,
    capacity: usize,
}

/// The system allocator had no memory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

impl<T: Copy> SystemVec<T> {
    pub(super) const fn new() -> Self {
        Self { items: NonNull::dangling(), len: 0, capacity: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, item: T) -> Result<(), OutOfMemory> {
        if self.len == self.capacity {
            self.grow()?;
        }
        // SAFETY: `len < capacity` after `grow`, so the place lies in the array.
        let place = unsafe { self.items.as_ptr().add(self.len) };
        // SAFETY: `place` is aligned and in the array, which `self` owns.
        unsafe { place.write(item) };
        self.len += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn pop(&mut self) {
        if self.len > 0 {
            self.len -= 1;
        }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[T] {
        // SAFETY: the first `len` items are initialised by `push`, and `&self` keeps them from changing.
        unsafe { std::slice::from_raw_parts(self.items.as_ptr(), self.len) }
    }

    #[inline]
    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: the first `len` items are initialised by `push`, and `&mut self` is the only access to them.
        unsafe { std::slice::from_raw_parts_mut(self.items.as_ptr(), self.len) }
    }

    #[cold]
    fn grow(&mut self) -> Result<(), OutOfMemory> {
        let capacity = (self.capacity * 2).max(16);
        let layout = Layout::array::<T>(capacity).map_err(|_| OutOfMemory)?;
        let items = if self.capacity == 0 {
            // SAFETY: `capacity >= 16` and `T` is not zero-sized, so neither is the layout.
            unsafe { System.alloc(layout) }
        } else {
            let old = Layout::array::<T>(self.capacity).map_err(|_| OutOfMemory)?;
            // SAFETY: `items` came from `System` with the layout `old`; the new size is that of a valid layout.
            unsafe { System.realloc(self.items.as_ptr().cast(), old, layout.size()) }
        };
        self.items = NonNull::new(items.cast()).ok_or(OutOfMemory)?;
        self.capacity = capacity;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::SystemVec;

    #[test]
    fn keeps_its_items_while_it_grows() {
        let mut items = SystemVec::new();
        assert_eq!(items.as_slice(), &[] as &[u64]);
        for i in 0..1_000_u64 {
            items.push(i).unwrap();
        }
        items.as_mut_slice()[7] = 700;
        items.pop();
        assert_eq!(items.as_slice().len(), 999);
        assert_eq!((items.as_slice()[7], items.as_slice()[998]), (700, 998));
        items.clear();
        items.pop();
        assert!(items.as_slice().is_empty());
    }
}
