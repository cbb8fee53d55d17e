//! Cold: `caller`, which addresses the system's unwinder may be shown.
//!
//! Relies on: the C++ ABI for Itanium, whose function only looks.
#![allow(unsafe_code)]

use std::ffi::c_void;

use crate::sys::unwinder::_Unwind_FindEnclosingFunction;
use crate::walk::{caller_at, Caller};

/// The rule of an address, unless the system's unwinder might follow one there that we do not know:
/// then there is no telling what it would read. The tables of its module are read.
pub(crate) fn caller(return_address: usize) -> Option<Caller> {
    let caller = caller_at(return_address);
    if caller == Caller::Unknown {
        // SAFETY: looks the address up in the unwind tables of what is loaded.
        let function = unsafe { _Unwind_FindEnclosingFunction(return_address as *const c_void) };
        return function.is_null().then_some(caller);
    }
    Some(caller)
}
