//! Hot: threads, as the C library has them.
//!
//! Relies on: POSIX for what these functions do; the C libraries for the types: those of 64-bit
//! Linux, glibc's and musl's, have the same, and Apple's has none that is larger.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_long, c_void};
use std::mem::size_of;

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

// Of Linux, with words of 64 bits. What is opaque may be larger than it must be.
const _: () = assert!(size_of::<Thread>() == size_of::<*const c_void>());
const _: () =
    assert!(size_of::<Attributes>() >= if cfg!(target_arch = "aarch64") { 64 } else { 56 });
const _: () = assert!(size_of::<usize>() != 8 || size_of::<TimeSpec>() == 16);
const _: () = assert!(size_of::<SignalSet>() == 128);

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

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use super::{Attributes, SignalSet, Thread, TimeSpec, SIG_SETMASK};
    use crate::sys::headers::{compare, is_field};

    #[test]
    fn types_are_as_large_as_in_the_headers() {
        let conditions = [
            is_field!(TimeSpec, seconds, "struct timespec", "tv_sec"),
            is_field!(TimeSpec, nanoseconds, "struct timespec", "tv_nsec"),
            format!("sizeof(struct timespec) == {}", size_of::<TimeSpec>()),
            format!("sizeof(pthread_t) == {}", size_of::<Thread>()),
            format!("sizeof(pthread_attr_t) <= {}", size_of::<Attributes>()),
            format!("sizeof(sigset_t) <= {}", size_of::<SignalSet>()),
            format!("SIG_SETMASK == {SIG_SETMASK}"),
        ];
        compare(&["pthread.h", "signal.h", "time.h"], &conditions);
    }
}
