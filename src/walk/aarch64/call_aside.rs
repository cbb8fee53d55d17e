//! Hot: `call_aside`, a call on another stack.
//!
//! Unwinders find the way back: its table says where the caller's frame is.
//!
//! Relies on: the procedure call standard of aarch64, by which a function keeps `x29` for its
//! caller.
#![allow(unsafe_code)]

use std::ffi::c_void;

use crate::sys::asm_symbol;

std::arch::global_asm!(
    // Link-time optimisation may put all assembly of a program into one file.
    concat!(".ifndef ", asm_symbol!("call_aside")),
    ".pushsection .text",
    ".p2align 4",
    concat!(".weak ", asm_symbol!("call_aside")),
    concat!(".hidden ", asm_symbol!("call_aside")),
    concat!(".type ", asm_symbol!("call_aside"), ", @function"),
    concat!(asm_symbol!("call_aside"), ":"),
    ".cfi_startproc",
    "hint #34", // bti c: it may be called through a register.
    "stp x29, x30, [sp, #-16]!",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset x29, -16",
    ".cfi_offset x30, -8",
    "mov x29, sp",
    ".cfi_def_cfa x29, 16",
    "mov sp, x2",
    "blr x1",
    "mov sp, x29",
    ".cfi_def_cfa sp, 16",
    "ldp x29, x30, [sp], #16",
    ".cfi_def_cfa_offset 0",
    ".cfi_restore x29",
    ".cfi_restore x30",
    "ret",
    ".cfi_endproc",
    concat!(".size ", asm_symbol!("call_aside"), ", . - ", asm_symbol!("call_aside")),
    ".popsection",
    ".endif",
);

extern "C" {
    /// Calls `work(argument)` on the stack that ends at `end`.
    ///
    /// # Safety
    /// `work` may be called with `argument`, and does not unwind. Nobody is on the stack, which
    /// is aligned and has room.
    #[link_name = asm_symbol!("call_aside")]
    pub(crate) fn call_aside(argument: *mut c_void, work: extern "C" fn(*mut c_void), end: usize);
}
