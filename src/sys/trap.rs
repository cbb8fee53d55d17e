//! Hot: `trap`, the stop in a debugger.
//!
//! Relies on: POSIX, by which `raise` may be called anywhere, even in a signal handler; the
//! processor, whose `int3` changes no register.
#![allow(unsafe_code)]

/// Where there is no debugger, that ends the process.
#[cfg(all(any(target_arch = "x86_64", target_arch = "x86"), not(miri)))]
pub(crate) fn trap() {
    // SAFETY: raises SIGTRAP and changes nothing else; a debugger that goes on continues with the
    // next instruction.
    unsafe { std::arch::asm!("int3", options(nomem, nostack, preserves_flags)) };
}

#[cfg(all(unix, not(any(target_arch = "x86_64", target_arch = "x86")), not(miri)))]
pub(crate) fn trap() {
    /// On every Unix that Rust supports.
    const SIGTRAP: i32 = 5;
    // SAFETY: `raise` may be called anywhere, with any number.
    unsafe { super::process::raise(SIGTRAP) };
}

#[cfg(any(miri, not(any(unix, target_arch = "x86_64", target_arch = "x86"))))]
pub(crate) fn trap() {
    std::process::abort();
}
