//! Hot: memory for what the library keeps. From the system itself, page by page, and not from the
//! system's allocator: a signal handler may have interrupted that. Hence it may be asked for in a
//! handler, wherever the handler has interrupted the program.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

/// What is asked for is a multiple of this, or is rounded up to one.
pub(crate) const PAGE_BYTES: usize = 4 << 10;

const _: () = assert!(CHUNK_BYTES % PAGE_BYTES == 0);

/// Zeroed memory, aligned to a page; null if there is none. To be given back by [`free`].
pub(crate) fn allocate(size: usize) -> *mut u8 {
    imp::map(size)
}

/// # Safety
/// `memory` is from [`allocate`] with the same size, and nobody uses it any more.
pub(crate) unsafe fn free(memory: *mut u8, size: usize) {
    // SAFETY: the caller's promise.
    unsafe { imp::unmap(memory, size) }
}

const CHUNK_BYTES: usize = 256 << 10;

/// Where small things are kept, one behind the other.
struct Chunk {
    /// In bytes, from the beginning of the chunk.
    used: AtomicUsize,
}

static CHUNK: AtomicPtr<Chunk> = AtomicPtr::new(ptr::null_mut());

/// Zeroed memory that is never given back; null if there is none.
pub(crate) fn keep(layout: Layout) -> *mut u8 {
    if layout.align() > PAGE_BYTES {
        return ptr::null_mut();
    }
    let most = layout.size().saturating_add(layout.align());
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
        chunk.used.store(std::mem::size_of::<Chunk>(), Relaxed);
        if CHUNK.compare_exchange(memory, new, AcqRel, Relaxed).is_err() {
            // SAFETY: allocated above with this size, and nobody else has seen it.
            unsafe { free(new.cast(), CHUNK_BYTES) };
        }
    }
}

#[cfg(all(
    any(
        all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
        ),
        target_vendor = "apple"
    ),
    not(miri)
))]
mod imp {
    use std::ffi::{c_int, c_long, c_void};
    use std::ptr;

    const PROT_READ_WRITE: c_int = 3;
    const MAP_PRIVATE: c_int = 2;
    const MAP_ANONYMOUS: c_int = if cfg!(target_vendor = "apple") { 0x1000 } else { 0x20 };

    extern "C" {
        /// POSIX does not say that a signal handler may call these two. They are system calls with
        /// nothing around them.
        fn mmap(
            at: *mut c_void,
            size: usize,
            protection: c_int,
            flags: c_int,
            file: c_int,
            offset: c_long,
        ) -> *mut c_void;
        fn munmap(memory: *mut c_void, size: usize) -> c_int;
    }

    pub(super) fn map(size: usize) -> *mut u8 {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS;
        // SAFETY: fresh pages, at a place that the system chooses.
        let memory = unsafe { mmap(ptr::null_mut(), size, PROT_READ_WRITE, flags, -1, 0) };
        // `MAP_FAILED` is minus one.
        if memory as usize == usize::MAX {
            return ptr::null_mut();
        }
        memory.cast()
    }

    /// # Safety
    /// As for `free`.
    pub(super) unsafe fn unmap(memory: *mut u8, size: usize) {
        // SAFETY: the caller's promise.
        unsafe { munmap(memory.cast(), size) };
    }
}

/// Elsewhere from the system's allocator, after all.
#[cfg(not(all(
    any(
        all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
        ),
        target_vendor = "apple"
    ),
    not(miri)
)))]
mod imp {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::ptr;

    fn layout(size: usize) -> Option<Layout> {
        Layout::from_size_align(size.max(1), super::PAGE_BYTES).ok()
    }

    pub(super) fn map(size: usize) -> *mut u8 {
        // SAFETY: the size is not zero.
        layout(size).map_or(ptr::null_mut(), |layout| unsafe { System.alloc_zeroed(layout) })
    }

    /// # Safety
    /// As for `free`.
    pub(super) unsafe fn unmap(memory: *mut u8, size: usize) {
        if let Some(layout) = layout(size) {
            // SAFETY: from `map`, with this layout, by the caller's promise.
            unsafe { System.dealloc(memory, layout) }
        }
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
        assert!(allocate(usize::MAX / 2).is_null());
    }
}
