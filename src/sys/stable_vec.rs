//! Hot: `StableVec`, an array that one thread at a time appends to while any thread reads it: items
//! never move, and live for ever. Its memory comes from the system itself.
//!
//! Relies on: one thread at a time appends or clears, as the callers of the unsafe methods promise;
//! memory of `memory::keep` belongs to nobody else and is never freed; items are `Sync`.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::mem::size_of;
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use super::memory;
use super::vec::OutOfMemory;

/// Chunk `n` holds `FIRST << n` items, so that none ever has to move.
pub(crate) struct StableVec<T> {
    chunks: [AtomicPtr<T>; CHUNKS],
    len: AtomicUsize,
}

const FIRST: usize = 16;
const CHUNKS: usize = 24;

/// The chunk that item number `at` is in, and its place there.
const fn place(at: usize) -> (usize, usize) {
    let blocks = at / FIRST + 1;
    // No panic: at least 1.
    let chunk = blocks.ilog2() as usize;
    (chunk, at - FIRST * ((1 << chunk) - 1))
}

impl<T: Sync> StableVec<T> {
    const NOT_ZERO_SIZED: () = assert!(size_of::<T>() > 0);
    #[allow(clippy::declare_interior_mutable_const)] // A template for arrays.
    const EMPTY: AtomicPtr<T> = AtomicPtr::new(ptr::null_mut());

    pub(crate) const fn new() -> Self {
        Self { chunks: [Self::EMPTY; CHUNKS], len: AtomicUsize::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        if at >= self.len() {
            return None;
        }
        let (chunk, offset) = place(at);
        let first = self.chunks.get(chunk)?.load(Acquire);
        let item = first.wrapping_add(offset);
        // SAFETY: `push` wrote every item below `len`, which was published after it; items are not
        // written again while others may read (`push`, `clear`).
        unsafe { item.as_ref() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).map_while(|at| self.get(at))
    }

    /// Appends `item`.
    ///
    /// # Safety
    /// No other thread appends or clears at the same time, nor did so before without a
    /// happens-before edge to this call.
    pub(crate) unsafe fn push(&self, item: T) -> Result<(), OutOfMemory> {
        let () = Self::NOT_ZERO_SIZED;
        let len = self.len.load(Relaxed);
        let (chunk, offset) = place(len);
        let place = self.chunks.get(chunk).ok_or(OutOfMemory)?;
        let mut first = place.load(Relaxed);
        if first.is_null() {
            let layout = Layout::array::<T>(FIRST << chunk).map_err(|_| OutOfMemory)?;
            first = memory::keep(layout).cast();
            if first.is_null() {
                return Err(OutOfMemory);
            }
            place.store(first, Release);
        }
        // SAFETY: `offset` lies in the chunk, by `place`; nobody reads the item before `len` says
        // that it is there.
        unsafe { first.wrapping_add(offset).write(item) };
        self.len.store(len + 1, Release);
        Ok(())
    }

    /// Forgets all items; the memory is kept.
    ///
    /// # Safety
    /// As for [`push`](Self::push), and nobody holds or takes a reference to an item.
    pub(crate) unsafe fn clear(&self) {
        self.len.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{place, StableVec, FIRST};

    #[test]
    fn chunks_are_filled_one_after_the_other() {
        let mut expected = (0, 0);
        for at in 0..10_000 {
            assert_eq!(place(at), expected);
            expected.1 += 1;
            if expected.1 == FIRST << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
    }

    #[test]
    fn items_stay_where_they_are_while_others_read() {
        static ITEMS: StableVec<usize> = StableVec::new();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut seen = 0;
                while seen < 5_000 {
                    assert!(ITEMS.iter().enumerate().all(|(at, item)| at == *item));
                    assert!(ITEMS.len() >= seen);
                    seen = ITEMS.len();
                }
            });
            for item in 0..5_000 {
                // SAFETY: only this thread appends.
                unsafe { ITEMS.push(item) }.expect("memory");
            }
            reader.join().expect("all items are right");
        });
        assert_eq!(ITEMS.get(5_000), None);
    }
}
