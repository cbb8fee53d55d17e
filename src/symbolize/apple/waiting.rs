//! Cold: how long a thread is waited for, on Apple's systems.
//!
//! Relies on: POSIX for threads; `mach/thread_info.h` of Apple's sources for what the kernel tells
//! of one.
#![allow(unsafe_code)]

use std::ffi::c_long;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Acquire};
use std::time::{Duration, Instant};

use crate::sys::apple::{pthread_join, pthread_mach_thread_np, thread_info};
use crate::sys::threads::Thread;

/// Joins a thread, if `is_over` is set within a second, which it sets at its end.
///
/// # Safety
/// The thread is neither detached nor joined.
pub(crate) unsafe fn join_in_a_second(thread: Thread, is_over: &AtomicBool) -> bool {
    let start = Instant::now();
    let mut pause = Duration::from_micros(20);
    while !is_over.load(Acquire) {
        if start.elapsed() > Duration::from_secs(1) {
            return false;
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(5));
    }
    // SAFETY: the contract.
    unsafe { pthread_join(thread, ptr::null_mut()) == 0 }
}

/// The time for which a thread that is not joined has run.
pub(crate) fn work_of(thread: Thread) -> (c_long, c_long) {
    const BASIC: u32 = 3;
    // Seconds and microseconds for itself, and likewise in the kernel; six that are of no interest.
    let (mut info, mut length) = ([0; 10], 10);
    // SAFETY: the thread is there.
    let port = unsafe { pthread_mach_thread_np(thread) };
    // SAFETY: there is room for so many numbers; a thread that has gone is an error.
    unsafe { thread_info(port, BASIC, &mut info, &mut length) };
    let [seconds, micros, kernel_seconds, kernel_micros, ..] = info;
    (
        c_long::from(seconds) + c_long::from(kernel_seconds),
        c_long::from(micros) + c_long::from(kernel_micros),
    )
}
