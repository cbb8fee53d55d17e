//! Hot: `SystemVec`, a growable array in pages of the system ([`memory`]), which are
//! given back. For what a thread keeps of its open scopes.
//!
//! Relies on: `memory` hands out memory that belongs to nobody else until it is freed. A copy of an
//! item's bytes is the item: that is so in Rust.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::mem::size_of;
use std::ptr::{self, NonNull};

use super::memory::{self, PAGE_BYTES};

/// The least of `Vec` that the scopes need. What a thread keeps lives for ever, so it has no
/// destructor, and those of its items do not run.
pub(crate) struct SystemVec<T> {
    /// Dangling until there is a capacity.
    items: NonNull<T>,
    len: usize,
    capacity: usize,
}

/// The system had no memory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

impl<T> SystemVec<T> {
    pub(crate) const fn new() -> Self {
        Self { items: NonNull::dangling(), len: 0, capacity: 0 }
    }

    #[inline]
    pub(crate) fn push(&mut self, item: T) -> Result<(), OutOfMemory> {
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
    pub(crate) fn pop(&mut self) {
        if self.len > 0 {
            self.len -= 1;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// Makes it `len` long, or leaves it as it is; what is new is `item`.
    pub(crate) fn resize(&mut self, len: usize, item: T) -> Result<(), OutOfMemory>
    where
        T: Copy,
    {
        let before = self.len;
        self.len = before.min(len);
        while self.len < len {
            if let Err(error) = self.push(item) {
                self.len = before;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Forgets its items and gives its memory back.
    pub(crate) fn free(&mut self) {
        let Self { items, capacity, .. } = std::mem::replace(self, Self::new());
        if let (1.., Some(bytes)) = (capacity, bytes::<T>(capacity)) {
            // SAFETY: `grow` got the memory in this size, and `self` no longer points at it.
            unsafe { memory::free(items.as_ptr().cast(), bytes) };
        }
    }

    // By a pointer to a slice, here and below, for `from_raw_parts` makes 40 instructions of checks
    // in debug builds.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: the first `len` items are initialised by `push`, and `&self` keeps them from
        // changing.
        unsafe { &*ptr::slice_from_raw_parts(self.items.as_ptr(), self.len) }
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: the first `len` items are initialised by `push`, and `&mut self` is the only
        // access to them.
        unsafe { &mut *ptr::slice_from_raw_parts_mut(self.items.as_ptr(), self.len) }
    }

    /// The first `len` items; all, if there are less.
    #[inline]
    pub(crate) fn first_mut(&mut self, len: usize) -> &mut [T] {
        let len = if len < self.len { len } else { self.len };
        // SAFETY: as above, and `len` is not more.
        unsafe { &mut *ptr::slice_from_raw_parts_mut(self.items.as_ptr(), len) }
    }

    const FITS: () = assert!(0 < size_of::<T>() && size_of::<T>() <= PAGE_BYTES);

    #[cold]
    fn grow(&mut self) -> Result<(), OutOfMemory> {
        let () = Self::FITS;
        let bytes = bytes::<T>((self.capacity * 2).max(16)).ok_or(OutOfMemory)?;
        let items = NonNull::new(memory::allocate(bytes).cast()).ok_or(OutOfMemory)?;
        let len = self.len;
        // SAFETY: the new array is larger than the old one, of which the first `len` items are
        // initialised.
        unsafe { ptr::copy_nonoverlapping(self.items.as_ptr(), items.as_ptr(), len) };
        self.free();
        *self = Self { items, len, capacity: bytes / size_of::<T>() };
        Ok(())
    }
}

/// The size of the pages that hold so many items.
fn bytes<T>(capacity: usize) -> Option<usize> {
    let size = Layout::array::<T>(capacity).ok()?.size();
    size.checked_add(PAGE_BYTES - 1).map(|bytes| bytes & !(PAGE_BYTES - 1))
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
        items.resize(3, 5).unwrap();
        assert_eq!(items.as_slice(), [5; 3]);
        items.resize(2, 6).unwrap();
        assert_eq!(items.as_slice(), [5; 2]);
        items.free();
        assert!(items.as_slice().is_empty());
        items.push(1).unwrap();
        items.free();
    }
}
