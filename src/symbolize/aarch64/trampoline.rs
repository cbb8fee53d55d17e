//! Cold: `call_under`, a call from which an unwinder climbs into memory that we laid out.
//!
//! In plain words: the standard library turns return addresses into functions, files and lines, but
//! only those of a stack that it has unwound itself. So we show it a stack. To an unwinder, a
//! function is a row of a table (`.eh_frame`) that says where the caller's frame begins (the CFA)
//! and where the caller's registers were saved. The table of the function below says: "the caller's
//! frame begins where the register `x19` points, and its `x29` is the one you see". In `x19` we put
//! the address of memory of our own, which `layout` has filled so that each step of the unwinder
//! leads from one of our addresses to the next. Real calls and returns are not touched: the
//! function returns as any other does, through the real stack.
//!
//! The function is assembly because no compiler writes such a table. While its callee runs, nothing
//! may unwind *through* it: the callee catches its panics.
//!
//! Relies on: the procedure call standard of aarch64, by which a function keeps `x19` and `x29` for
//! its caller; the caller, for the memory that an unwinder is led to.
#![allow(unsafe_code)]

use std::arch::asm;
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
    "hint #34", // bti c: it may be called through a register.
    // As usual: keep the caller's registers, and say where they are.
    "stp x29, x30, [sp, #-32]!",
    ".cfi_def_cfa_offset 32",
    ".cfi_offset x29, -32",
    ".cfi_offset x30, -24",
    "str x19, [sp, #16]",
    ".cfi_offset x19, -16",
    "mov x19, x0",
    "mov x29, x1",
    "mov x0, x3",
    // From here to the return of the call: the other caller.
    ".cfi_remember_state",
    ".cfi_def_cfa x19, 0",
    ".cfi_offset x30, -8",
    ".cfi_same_value x29",
    ".cfi_same_value x19",
    "blr x2",
    concat!(asm_symbol!("called_under"), ":"),
    ".cfi_restore_state",
    "ldr x19, [sp, #16]",
    ".cfi_restore x19",
    "ldp x29, x30, [sp], #32",
    ".cfi_def_cfa_offset 0",
    ".cfi_restore x29",
    ".cfi_restore x30",
    "ret",
    ".cfi_endproc",
    concat!(".size ", asm_symbol!("call_under"), ", . - ", asm_symbol!("call_under")),
    ".popsection",
    ".endif",
);

extern "C" {
    /// Calls `work(argument)` so that, to an unwinder, the caller's frame begins at `cfa` (its
    /// return address lies 8 bytes below) and the caller's `x29` is `fp`.
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

/// A return address as an unwinder expects it that finds it signed (key A) with this CFA. Where the
/// processor makes no signatures, it is the address.
pub(crate) fn signed(address: usize, cfa: usize) -> usize {
    let signed: usize;
    // SAFETY: changes this register only.
    unsafe {
        asm!(
            "hint #8", // pacia1716
            inlateout("x17") address => signed,
            in("x16") cfa,
            options(nomem, nostack, preserves_flags),
        );
    }
    signed
}
