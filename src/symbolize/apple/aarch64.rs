//! Cold: what symbolising has of the processor, on aarch64 with Apple's systems: the
//! [`trampoline`], and the call that it is made of.
//!
//! Relies on: the system's ABI, by which a function keeps the register for its caller in which the
//! frame pointer is kept here.
#![allow(unsafe_code)]

#[path = "trampoline.rs"]
pub(crate) mod trampoline;

use std::arch::asm;
use std::ffi::c_void;

/// Calls `work(call)` with another frame record, and writes into the first word of `call` where
/// that returns to.
///
/// # Safety
/// The word can be written; `work` may be called so, and does not unwind.
#[inline(never)]
unsafe fn call_with_record(record: usize, call: *mut c_void, work: extern "C" fn(*mut c_void)) {
    // SAFETY: the contract. The frame pointer is back when this is over.
    unsafe {
        asm!(
            "adr x20, 2f",
            "str x20, [x0]",
            "mov x20, x29",
            "mov x29, {record}",
            "blr {work}",
            "2:",
            "mov x29, x20",
            record = in(reg) record,
            work = in(reg) work,
            in("x0") call,
            out("x20") _,
            clobber_abi("C"),
        );
    }
}
