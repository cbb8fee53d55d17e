//! Hot: `call_aside`, a call on another stack.
//!
//! Unwinders find the way back: its table says where the caller's frame is.
//!
//! Relies on: the System V ABI, by which a function keeps `rbp` for its caller.
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
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "mov rsp, rdx",
    "call rsi",
    "mov rsp, rbp",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
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
