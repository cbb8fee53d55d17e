//! Cold: how long a thread is waited for, on Linux.
//!
//! Relies on: the manuals of the C library's functions.
#![allow(unsafe_code)]

use std::ffi::c_long;
use std::ptr;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use crate::sys::threads::{
    clock_gettime, pthread_getcpuclockid, pthread_timedjoin_np, Thread, TimeSpec,
};

/// Joins a thread, if that ends within a second.
///
/// # Safety
/// The thread is neither detached nor joined.
pub(crate) unsafe fn join_in_a_second(thread: Thread, _is_over: &AtomicBool) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let in_a_second = TimeSpec {
        seconds: (now.as_secs() as c_long).saturating_add(1),
        nanoseconds: now.subsec_nanos().into(),
    };
    // SAFETY: the contract; the limit is a time.
    unsafe { pthread_timedjoin_np(thread, ptr::null_mut(), &in_a_second) == 0 }
}

/// The time for which a thread that is not joined has run.
pub(crate) fn work_of(thread: Thread) -> (c_long, c_long) {
    let (mut clock, mut time) = (0, TimeSpec { seconds: 0, nanoseconds: 0 });
    // SAFETY: the thread is there, and `clock` writable.
    if unsafe { pthread_getcpuclockid(thread, &mut clock) } == 0 {
        // SAFETY: `time` is writable; a clock that has gone is an error.
        unsafe { clock_gettime(clock, &mut time) };
    }
    (time.seconds, time.nanoseconds)
}
