//! Hot: memory for what the library keeps: whole pages, which may be given back, and small things,
//! which stay for ever.
//!
//! Relies on: `pages` hands out zeroed memory that belongs to nobody else until it is freed; a
//! chunk that others have seen is never freed.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use super::pages;
pub(crate) use super::pages::{free, PAGE_BYTES};

const _: () = assert!(CHUNK_BYTES % PAGE_BYTES == 0);

const CHUNK_BYTES: usize = 256 << 10;

/// What is kept takes a multiple of this.
const GRANULE: usize = 16;

const _: () = assert!(std::mem::size_of::<Chunk>() <= GRANULE);

/// Where small things are kept, one behind the other.
struct Chunk {
    /// In bytes, from the beginning of the chunk.
    used: AtomicUsize,
}

static CHUNK: AtomicPtr<Chunk> = AtomicPtr::new(ptr::null_mut());

/// As `pages::allocate`.
pub(crate) fn allocate(size: usize) -> *mut u8 {
    #[cfg(test)]
    if refusals::is_refused() {
        return ptr::null_mut();
    }
    pages::allocate(size)
}

/// Zeroed memory that is never given back; null if there is none.
pub(crate) fn keep(layout: Layout) -> *mut u8 {
    #[cfg(test)]
    if refusals::is_refused() {
        return ptr::null_mut();
    }
    if layout.align() > PAGE_BYTES {
        return ptr::null_mut();
    }
    // Each begins where the one before it ends, in whole granules.
    let most = layout.size().saturating_add(layout.align().max(GRANULE) - 1) & !(GRANULE - 1);
    if most > CHUNK_BYTES / 4 {
        return allocate(layout.size());
    }
    loop {
        let memory = CHUNK.load(Acquire);
        // SAFETY: null, or the beginning of a chunk, which is never given back once it is here.
        if let Some(chunk) = unsafe { memory.as_ref() } {
            let start = chunk.used.fetch_add(most, Relaxed);
            let start = (start + layout.align() - 1) & !(layout.align() - 1);
            if start + layout.size() <= CHUNK_BYTES {
                return memory.cast::<u8>().wrapping_add(start);
            }
        }
        let new: *mut Chunk = allocate(CHUNK_BYTES).cast();
        // SAFETY: null, or zeroed memory, which is a chunk.
        let Some(chunk) = (unsafe { new.as_ref() }) else { return ptr::null_mut() };
        chunk.used.store(GRANULE, Relaxed);
        if CHUNK.compare_exchange(memory, new, AcqRel, Relaxed).is_err() {
            // SAFETY: allocated above with this size, and nobody else has seen it.
            unsafe { free(new.cast(), CHUNK_BYTES) };
        }
    }
}

/// A reference for ever to what `make` makes; `None` without memory.
pub(crate) fn keep_new<T>(make: impl FnOnce() -> T) -> Option<&'static T> {
    let memory: *mut T = keep(Layout::new::<T>()).cast();
    if memory.is_null() {
        return None;
    }
    // SAFETY: fresh, and of the layout of a `T`.
    unsafe { memory.write(make()) };
    // SAFETY: written above, and never freed.
    Some(unsafe { &*memory })
}

/// For tests: memory that is refused.
#[cfg(test)]
pub(crate) mod refusals {
    use std::cell::Cell;

    thread_local!(static GRANTED: Cell<usize> = const { Cell::new(usize::MAX) });

    /// Does `work`; on this thread, no more than the first so many requests are granted meanwhile.
    pub(crate) fn after<R>(granted: usize, work: impl FnOnce() -> R) -> R {
        GRANTED.with(|left| left.set(granted));
        let result = work();
        GRANTED.with(|left| left.set(usize::MAX));
        result
    }

    pub(super) fn is_refused() -> bool {
        GRANTED.with(|left| match left.get() {
            usize::MAX => false,
            0 => true,
            granted => {
                left.set(granted - 1);
                false
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::Layout;

    use super::{allocate, free, keep, CHUNK_BYTES, PAGE_BYTES};

    #[test]
    fn what_is_kept_is_aligned_and_nobody_elses() {
        let layouts = [(1, 1), (24, 8), (300, 128), (CHUNK_BYTES / 5, 16), (CHUNK_BYTES, 64)];
        let work = || {
            let mut kept = Vec::new();
            for (size, align) in layouts.into_iter().cycle().take(500) {
                let memory = keep(Layout::from_size_align(size, align).expect("valid"));
                assert!(!memory.is_null() && memory as usize % align == 0);
                // SAFETY: of that size.
                let bytes = unsafe { std::slice::from_raw_parts_mut(memory, size) };
                assert!(bytes.iter().all(|byte| *byte == 0), "of somebody else");
                bytes.fill(1);
                kept.push(bytes);
            }
        };
        std::thread::scope(|threads| {
            (0..4).for_each(|_| {
                threads.spawn(work);
            });
        });
    }

    #[test]
    fn pages_come_and_go() {
        for size in [PAGE_BYTES, 5 * PAGE_BYTES] {
            let memory = allocate(size);
            assert!(!memory.is_null() && memory as usize % PAGE_BYTES == 0);
            // SAFETY: of that size.
            unsafe { memory.write_bytes(7, size) };
            // SAFETY: from above, and not used any more.
            unsafe { free(memory, size) };
        }
        // Half of all addresses may be had: by a program of 32 bits, of a system of 64.
        assert!(allocate(usize::MAX - PAGE_BYTES).is_null());
    }
}
