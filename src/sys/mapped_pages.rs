//! Hot: pages, mapped by the system. Not from the system's allocator: a signal handler may have
//! interrupted that. So they may be asked for in a handler, wherever it has interrupted the
//! program.
//!
//! Relies on: POSIX for what these functions do. It does not say that a signal handler may call
//! them, but on these systems they are system calls with nothing around them.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_long, c_void};
use std::ptr;

/// What is asked for is a multiple of this, or is rounded up to one.
pub(crate) const PAGE_BYTES: usize = 4 << 10;

const PROT_NONE: c_int = 0;
const PROT_READ_WRITE: c_int = 3;
const MAP_PRIVATE: c_int = 2;
const MAP_ANONYMOUS: c_int = if cfg!(target_vendor = "apple") { 0x1000 } else { 0x20 };

extern "C" {
    fn mmap(
        at: *mut c_void,
        size: usize,
        protection: c_int,
        flags: c_int,
        file: c_int,
        offset: c_long,
    ) -> *mut c_void;
    fn munmap(memory: *mut c_void, size: usize) -> c_int;
    fn mprotect(at: *mut c_void, size: usize, protection: c_int) -> c_int;
}

/// Zeroed memory, aligned to a page; null if there is none. To be given back by [`free`].
pub(crate) fn allocate(size: usize) -> *mut u8 {
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
/// `memory` is from [`allocate`] with the same size, and nobody uses it any more.
pub(crate) unsafe fn free(memory: *mut u8, size: usize) {
    // SAFETY: the caller's promise.
    unsafe { munmap(memory.cast(), size) };
}

/// Makes a page unreadable: whoever comes there crashes. If the system refuses, it stays as it is.
///
/// # Safety
/// `page` is one of those from [`allocate`], and nobody uses it.
pub(crate) unsafe fn guard(page: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { mprotect(page.cast(), PAGE_BYTES, PROT_NONE) };
}
