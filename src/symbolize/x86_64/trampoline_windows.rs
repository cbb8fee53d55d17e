//! Cold: `call_under`, a call from which an unwinder climbs into memory that we laid out. What for,
//! is said in `trampoline.rs`; here it is done with Windows' tables.
//!
//! The table of the function says: "the function has pushed `rbp` and `rbx`, and then set `rbx` to
//! where the stack pointer was". In truth `rbx` points into our memory: three words below the CFA.
//! There, to an unwinder, the saved `rbx`, the saved `rbp` and the return address lie.
//!
//! Relies on: Microsoft's x64 convention, by which a function keeps `rbx` and `rbp` for its caller;
//! the caller, for the memory that an unwinder is led to.
#![allow(unsafe_code)]

use std::ffi::c_void;

use crate::sys::asm_symbol;

std::arch::global_asm!(
    // One of several with the same name is kept.
    concat!(
        ".pushsection .text$",
        asm_symbol!("call_under"),
        ",\"xr\",discard,",
        asm_symbol!("call_under")
    ),
    ".p2align 4",
    concat!(".globl ", asm_symbol!("call_under")),
    concat!(".globl ", asm_symbol!("called_under")),
    concat!(".def ", asm_symbol!("call_under")),
    ".scl 2",
    ".type 32",
    ".endef",
    concat!(".seh_proc ", asm_symbol!("call_under")),
    concat!(asm_symbol!("call_under"), ":"),
    "push rbp",
    ".seh_pushreg rbp",
    "push rbx",
    ".seh_pushreg rbx",
    "lea rbx, [rcx - 24]",
    ".seh_setframe rbx, 0",
    ".seh_endprologue",
    "mov [rbx + 8], rdx",
    "sub rsp, 40", // Room for the callee's arguments; the stack is aligned to 16 at a call.
    "mov rcx, r9",
    "call r8",
    concat!(asm_symbol!("called_under"), ":"),
    "nop", // Else the unwinder takes what follows for an epilogue, and never looks at the table.
    "add rsp, 40",
    "pop rbx",
    "pop rbp",
    "ret",
    ".seh_endproc",
    ".popsection",
);

extern "C" {
    /// Calls `work(argument)` so that, to an unwinder, the caller's frame begins at `cfa` (its
    /// return address lies 8 bytes below) and the caller's `rbp` is `fp`.
    ///
    /// # Safety
    /// `work` may be called with `argument` and does not unwind. Unwinding from `cfa` and `fp`, by
    /// the rules of the addresses that are found, must read mapped memory only. Of the three words
    /// below `cfa`, the lower two are written.
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
