//! Cold: what is asked of the system's unwinder.
#![allow(unsafe_code)]

use std::ffi::c_void;

extern "C" {
    /// Of the system's unwinder; the address of the function that an address before `pc` belongs
    /// to, null if there is none.
    pub(super) fn _Unwind_FindEnclosingFunction(pc: *const c_void) -> *const c_void;
}
