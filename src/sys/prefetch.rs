//! Hot: has the processor load memory that will be needed soon, and does not wait for it. On
//! processors for which Rust has no stable function that does so, nothing.
//!
//! Relies on: to prefetch reads nothing that the program could notice, from no address whatever.
#![allow(unsafe_code)]

/// The first `BYTES` from `start` on, whole cache lines of 64 bytes.
#[inline(always)]
pub(crate) fn prefetch<const BYTES: usize, T>(start: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for line in 0..BYTES / 64 {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        // SAFETY: any address will do.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.cast::<i8>().wrapping_add(line * 64)) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = start;
}
