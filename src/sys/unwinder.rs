//! Hot: the system's unwinder, which std links: libgcc, or LLVM's.
//!
//! Relies on: the C++ ABI for Itanium, "Exception Handling", whose functions these are.
#![allow(unsafe_code)]

use std::ffi::c_void;

extern "C" {
    /// The address of the function that an address before `pc` belongs to; null if there is none.
    pub(crate) fn _Unwind_FindEnclosingFunction(pc: *const c_void) -> *const c_void;
}
