//! Hot: threads, as the C library has them.
//!
//! Relies on: POSIX for what these functions do; the C libraries for the types: those of 64-bit
//! Linux, glibc's and musl's, have the same, and Apple's has none that is larger.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_long, c_void};

/// `pthread_t`.
pub(crate) type Thread = usize;

/// `pthread_attr_t`, as large as the largest: that of glibc on aarch64. The others have 56 bytes.
#[repr(C)]
pub(crate) struct Attributes(pub(crate) [u64; 8]);

/// `struct timespec`.
#[repr(C)]
pub(crate) struct TimeSpec {
    pub(crate) seconds: c_long,
    pub(crate) nanoseconds: c_long,
}

/// `sigset_t`.
#[repr(C)]
pub(crate) struct SignalSet(pub(crate) [u64; 16]);

pub(crate) const SIG_SETMASK: c_int = if cfg!(target_vendor = "apple") { 3 } else { 2 };

extern "C" {
    #[allow(dead_code)] // For processors without 64-bit atomics.
    pub(crate) fn sched_yield() -> c_int;
    pub(crate) fn pthread_self() -> Thread;
    pub(crate) fn pthread_create(
        thread: *mut Thread,
        attributes: *const Attributes,
        run: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
    pub(crate) fn pthread_detach(thread: Thread) -> c_int;
    pub(crate) fn pthread_timedjoin_np(
        thread: Thread,
        result: *mut *mut c_void,
        limit: *const TimeSpec,
    ) -> c_int;
    pub(crate) fn pthread_getcpuclockid(thread: Thread, clock: *mut c_int) -> c_int;
    pub(crate) fn clock_gettime(clock: c_int, time: *mut TimeSpec) -> c_int;

    pub(crate) fn pthread_attr_init(attributes: *mut Attributes) -> c_int;
    pub(crate) fn pthread_attr_destroy(attributes: *mut Attributes) -> c_int;
    pub(crate) fn pthread_attr_setstacksize(attributes: *mut Attributes, size: usize) -> c_int;
    pub(crate) fn pthread_attr_getstack(
        attributes: *const Attributes,
        low: *mut usize,
        size: *mut usize,
    ) -> c_int;
    pub(crate) fn pthread_getattr_np(thread: Thread, attributes: *mut Attributes) -> c_int;

    pub(crate) fn sigfillset(set: *mut SignalSet) -> c_int;
    pub(crate) fn pthread_sigmask(
        how: c_int,
        set: *const SignalSet,
        before: *mut SignalSet,
    ) -> c_int;

    pub(crate) fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
}
