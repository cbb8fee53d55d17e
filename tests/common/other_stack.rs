//! A stack of its own to run code on, as a coroutine has one.
//!
//! The function that changes stacks has no unwind table: nothing is known of what lies beyond it.

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".text",
    ".globl call_on_other_stack",
    "call_on_other_stack:",
    "push rbp",
    "mov rbp, rsp",
    "mov rsp, rdi",
    "mov rdi, rdx",
    "call rsi",
    "mov rsp, rbp",
    "pop rbp",
    "ret",
);

#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".text",
    ".globl call_on_other_stack",
    ".p2align 2",
    "call_on_other_stack:",
    "stp x29, x30, [sp, #-16]!",
    "mov x29, sp",
    "mov sp, x0",
    "mov x0, x2",
    "blr x1",
    "mov sp, x29",
    "ldp x29, x30, [sp], #16",
    "ret",
);

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn call_on_other_stack(_: *mut c_void, _: extern "C" fn(*mut c_void), _: *mut c_void) {
    panic!("nothing is known of this processor's stacks");
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
extern "C" {
    /// Calls `work` with `argument` on the stack that ends at `end`.
    // The name as it stands: Apple's have an underscore before it otherwise.
    #[link_name = "\u{1}call_on_other_stack"]
    fn call_on_other_stack(
        end: *mut c_void,
        work: extern "C" fn(*mut c_void),
        argument: *mut c_void,
    );
}

extern "C" {
    fn mmap(
        at: *mut c_void,
        size: usize,
        protection: c_int,
        flags: c_int,
        file: c_int,
        offset: isize,
    ) -> *mut c_void;
    fn munmap(at: *mut c_void, size: usize) -> c_int;
    fn mprotect(at: *mut c_void, size: usize, protection: c_int) -> c_int;
}

/// `MAP_PRIVATE | MAP_ANONYMOUS`.
const FLAGS: c_int = if cfg!(target_os = "linux") { 0x22 } else { 0x1002 };

/// More than a page of some systems.
const GUARD: usize = 64 << 10;

/// Memory for a stack, above some that nobody may touch.
pub(crate) struct OtherStack {
    pub(crate) start: *mut u8,
    pub(crate) size: usize,
}

impl OtherStack {
    pub(crate) fn new(size: usize) -> Self {
        // SAFETY: new memory, wherever the system likes.
        let guard = unsafe { mmap(null_mut(), GUARD + size, 1 | 2, FLAGS, -1, 0) };
        assert_ne!(guard as isize, -1);
        // SAFETY: its beginning, which nobody uses.
        assert_eq!(unsafe { mprotect(guard, GUARD, 0) }, 0);
        Self { start: guard.cast::<u8>().wrapping_add(GUARD), size }
    }

    /// A panic of `work` cannot pass, and ends the process.
    pub(crate) fn run(&self, work: extern "C" fn(*mut c_void), argument: *mut c_void) {
        let end = self.start.wrapping_add(self.size).cast();
        // SAFETY: the stack ends there, and nobody is on it.
        unsafe { call_on_other_stack(end, work, argument) };
    }
}

impl Drop for OtherStack {
    fn drop(&mut self) {
        let guard = self.start.wrapping_sub(GUARD).cast();
        // SAFETY: from `mmap`, of that size, and nobody is on it.
        unsafe { munmap(guard, GUARD + self.size) };
    }
}
