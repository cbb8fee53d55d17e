//! Cold: `call_under`, a call from which an unwinder climbs into memory that we laid out.
//!
//! In plain words: the standard library turns return addresses into functions, files and lines, but
//! only those of a stack that it has unwound itself. So we show it a stack. To an unwinder, a
//! function is a row of a table (`.eh_frame`) that says where the caller's frame begins (the CFA)
//! and where the caller's registers were saved. The table of the function below says: "the caller's
//! frame begins where the register `rbx` points, and its `rbp` is the one you see". In `rbx` we put
//! the address of memory of our own, which `layout` has filled so that each step of the unwinder
//! leads from one of our addresses to the next. Real calls and returns are not touched: the
//! function returns as any other does, through the real stack.
//!
//! The function is assembly because no compiler writes such a table. While its callee runs, nothing
//! may unwind *through* it: the callee catches its panics.
//!
//! Relies on: the System V ABI, by which a function keeps `rbx` and `rbp` for its caller; the
//! caller, for the memory that an unwinder is led to.
#![allow(unsafe_code)]

use std::ffi::c_void;

use crate::sys::asm_symbol;

std::arch::global_asm!(
    // Link-time optimisation may put all assembly of a program into one file.
    concat!(".ifndef ", asm_symbol!("call_under")),
    ".pushsection .text",
    ".p2align 4",
    concat!(".weak ", asm_symbol!("call_under")),
    concat!(".hidden ", asm_symbol!("call_under")),
    concat!(".type ", asm_symbol!("call_under"), ", @function"),
    concat!(".weak ", asm_symbol!("called_under")),
    concat!(".hidden ", asm_symbol!("called_under")),
    concat!(asm_symbol!("call_under"), ":"),
    ".cfi_startproc",
    // As usual: keep the caller's registers, and say where they are.
    "push rbp",
    ".cfi_adjust_cfa_offset 8",
    ".cfi_rel_offset rbp, 0",
    "push rbx",
    ".cfi_adjust_cfa_offset 8",
    ".cfi_rel_offset rbx, 0",
    "sub rsp, 8", // The stack is aligned to 16 at a call.
    ".cfi_adjust_cfa_offset 8",
    "mov rbx, rdi",
    "mov rbp, rsi",
    "mov rdi, rcx",
    // From here to the return of the call: the other caller.
    ".cfi_remember_state",
    ".cfi_def_cfa rbx, 0",
    ".cfi_same_value rbp",
    ".cfi_same_value rbx",
    "call rdx",
    concat!(asm_symbol!("called_under"), ":"),
    ".cfi_restore_state",
    "add rsp, 8",
    ".cfi_adjust_cfa_offset -8",
    "pop rbx",
    ".cfi_adjust_cfa_offset -8",
    ".cfi_restore rbx",
    "pop rbp",
    ".cfi_adjust_cfa_offset -8",
    ".cfi_restore rbp",
    "ret",
    ".cfi_endproc",
    concat!(".size ", asm_symbol!("call_under"), ", . - ", asm_symbol!("call_under")),
    ".popsection",
    ".endif",
);

extern "C" {
    /// Calls `work(argument)` so that, to an unwinder, the caller's frame begins at `cfa` (its
    /// return address lies 8 bytes below) and the caller's `rbp` is `fp`.
    ///
    /// # Safety
    /// `work` may be called with `argument` and does not unwind. Unwinding from `cfa` and `fp`, by
    /// the rules of the addresses that are found, must read mapped memory only.
    #[link_name = asm_symbol!("call_under")]
    pub(crate) fn call_under(
        cfa: usize,
        fp: usize,
        work: extern "C" fn(*mut c_void),
        argument: *mut c_void,
    );

    #[link_name = asm_symbol!("called_under")]
    static CALLED_UNDER: u8;
}

/// Where `work` returns to: the address that stands in a backtrace just before the first of those
/// laid out.
pub(crate) fn return_address() -> usize {
    #[allow(unused_unsafe)] // Needed before Rust 1.82.
    // SAFETY: only the address is taken.
    let place = unsafe { std::ptr::addr_of!(CALLED_UNDER) };
    place as usize
}

/// A return address as an unwinder expects it: there are no signatures here.
pub(crate) fn signed(address: usize, _cfa: usize) -> usize {
    address
}
