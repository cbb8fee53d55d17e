//! Hot: what the C library tells of this process and the thread that asks, and how it is spoken to.
//!
//! Relies on: POSIX, and the manual of Linux for what is of Linux alone.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_long, c_ulong, c_void};

extern "C" {
    pub(crate) fn getpid() -> c_int;
    #[allow(dead_code)] // For processors that have no instruction for it.
    pub(crate) fn raise(signal: c_int) -> c_int;
    pub(crate) fn write(file: c_int, bytes: *const c_void, length: usize) -> isize;

    // Of Linux.
    pub(crate) fn getauxval(entry: c_ulong) -> c_ulong;
    pub(crate) fn syscall(number: c_long, ...) -> c_long;
    /// The `errno` of the thread that asks.
    pub(crate) fn __errno_location() -> *mut c_int;
}
