//! Hot: `system_call`, and the numbers of calls, on aarch64 Linux.
//!
//! Relies on: the kernel, for which registers a call leaves alone.
#![allow(unsafe_code)]

use std::arch::asm;
use std::ffi::c_long;

/// Addresses of programs are below this.
pub(crate) const USER_END: usize = 1 << 48;
pub(crate) const SYS_GETTID: c_long = 178;
pub(crate) const SYS_RT_SIGPROCMASK: usize = 135;

/// Asks the kernel, and leaves `errno` alone. A number below 0 is an error.
///
/// # Safety
/// The call writes no memory, and these are its arguments.
#[inline]
pub(crate) unsafe fn system_call(number: usize, arguments: [usize; 4]) -> isize {
    let [a, b, c, d] = arguments;
    let result: isize;
    // SAFETY: the caller vouches for what is asked.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            options(nostack, readonly),
        );
    }
    result
}
