//! Hot: to wait for a change of a word, and to tell those who wait. Where there is no walk, nobody
//! does.
//!
//! Relies on: the manual of Linux, futex(2). It takes no lock and no memory, so a signal handler
//! may do it as well.
#![allow(unsafe_code)]

use std::sync::atomic::AtomicU32;
use std::time::Duration;

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
use super::{process::syscall, threads::TimeSpec};

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
const FUTEX: std::ffi::c_long = 202;
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
const PRIVATE: i32 = 128;

/// Waits while the word is `value`, for so long at the most. It may come back before.
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
pub(crate) fn wait(word: &AtomicU32, value: u32, most: Duration) {
    const WAIT: i32 = PRIVATE;
    let limit = TimeSpec {
        seconds: most.as_secs() as _, // Of a few seconds.
        nanoseconds: most.subsec_nanos().into(),
    };
    let (word, limit): (*const AtomicU32, *const TimeSpec) = (word, &limit);
    // SAFETY: both are valid for the call.
    unsafe { syscall(FUTEX, word, WAIT, value, limit) };
}

/// Wakes all that wait for a change of the word.
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
pub(crate) fn wake(word: &AtomicU32) {
    const WAKE: i32 = PRIVATE | 1;
    let word: *const AtomicU32 = word;
    // SAFETY: it only looks for those who wait at this address.
    unsafe { syscall(FUTEX, word, WAKE, i32::MAX) };
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", not(miri))))]
pub(crate) fn wait(_word: &AtomicU32, _value: u32, _most: Duration) {}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", not(miri))))]
pub(crate) fn wake(_word: &AtomicU32) {}
