//! Hot: `system_call`, and the numbers of calls, on x86_64 Linux.
//!
//! Relies on: the kernel, for which registers a call leaves alone.
#![allow(unsafe_code)]

use std::arch::asm;
use std::ffi::c_long;

/// Addresses of programs are below this.
pub(crate) const USER_END: usize = 1 << 47;
pub(crate) const SYS_GETTID: c_long = 186;
pub(crate) const SYS_RT_SIGPROCMASK: usize = 14;

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
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, readonly),
        );
    }
    result
}
