//! Where a walk stops before the reference does, and says why: at code that finds its frame by
//! another register. And where it might, but must not: on a fiber's stack, and in frames of more
//! than a mebibyte.

use std::arch::global_asm;
use std::ffi::c_void;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::null_mut;

use super::allocate;
use crate::compare::expecting;
use crate::walk::Stop;

pub(crate) fn work() {
    for _ in 0..20 {
        fiber();
        assembly();
        huge_frame();
        allocate(1); // What was remembered of these stacks does no harm.
    }
}

extern "system" {
    fn ConvertThreadToFiber(argument: *mut c_void) -> *mut c_void;
    fn ConvertFiberToThread() -> i32;
    fn CreateFiber(
        stack: usize,
        start: extern "system" fn(*mut c_void),
        argument: *mut c_void,
    ) -> *mut c_void;
    fn SwitchToFiber(fiber: *mut c_void);
    fn DeleteFiber(fiber: *mut c_void);
}

/// Runs a function on a stack of its own.
fn fiber() {
    extern "system" fn run(main: *mut c_void) {
        allocate(4);
        // SAFETY: the fiber that this one was started by.
        unsafe { SwitchToFiber(main) };
    }
    // SAFETY: this thread is none yet.
    let main = unsafe { ConvertThreadToFiber(null_mut()) };
    // SAFETY: `run` takes the argument.
    let fiber = unsafe { CreateFiber(256 << 10, run, main) };
    // SAFETY: just made.
    unsafe { SwitchToFiber(fiber) };
    // SAFETY: it is not run any more.
    unsafe { DeleteFiber(fiber) };
    // SAFETY: it is one.
    unsafe { ConvertFiberToThread() };
}

global_asm!(
    ".text",
    // This one finds its frame by rbx, which the tables say and a walk does not follow.
    ".def frame_by_rbx; .scl 2; .type 32; .endef",
    ".seh_proc frame_by_rbx",
    "frame_by_rbx:",
    "push rbx",
    ".seh_pushreg rbx",
    "mov rbx, rsp",
    ".seh_setframe rbx, 0",
    ".seh_endprologue",
    "sub rsp, 112",
    "and rsp, -16",
    "call rcx",
    "nop",
    "mov rsp, rbx",
    "pop rbx",
    "ret",
    ".seh_endproc",
    // No table says anything about this one.
    "frame_without_a_rule:",
    "sub rsp, 40",
    "call rcx",
    "add rsp, 40",
    "ret",
);

extern "C" {
    fn frame_by_rbx(back: extern "C" fn());
    fn frame_without_a_rule(back: extern "C" fn());
}

fn assembly() {
    extern "C" fn stopping() {
        expecting(Stop::UnknownCode, || allocate(5));
    }
    // The reference ends there, too.
    extern "C" fn at_the_end() {
        allocate(6);
    }
    // SAFETY: calls back and returns.
    unsafe { frame_by_rbx(stopping) };
    // SAFETY: as above.
    unsafe { frame_without_a_rule(at_the_end) };
}

#[inline(never)]
fn huge_frame() {
    let array = MaybeUninit::<[u8; 3 << 19]>::uninit();
    black_box(&array);
    allocate(7);
    black_box(&array);
}
