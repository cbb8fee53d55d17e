//! Hot: `call_aside`, a call on another stack, on aarch64.
//!
//! In a function of Rust, which has a frame record on Apple's systems: so unwinders find the way
//! back, whatever the stack pointer.
//!
//! Relies on: the system's ABI, by which a function keeps the register for its caller in which the
//! stack pointer is kept here.
#![allow(unsafe_code)]

use std::arch::asm;
use std::ffi::c_void;

/// Calls `work(argument)` on the stack that ends at `end`.
///
/// # Safety
/// `work` may be called with `argument`, and does not unwind. Nobody is on the stack, which is
/// aligned and has room.
#[inline(never)]
pub(crate) unsafe fn call_aside(
    argument: *mut c_void,
    work: extern "C" fn(*mut c_void),
    end: usize,
) {
    // SAFETY: the contract; the stack pointer is back when this is over.
    unsafe {
        asm!(
            "mov x20, sp",
            "mov sp, {end}",
            "blr {work}",
            "mov sp, x20",
            end = in(reg) end,
            work = in(reg) work,
            in("x0") argument,
            out("x20") _,
            clobber_abi("C"),
        );
    }
}
