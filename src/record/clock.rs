//! Hot: the time of an allocation, for the lifetimes of blocks in a heap profile: ticks of the processor, which take a third of the time
//! that the system's clock takes to be read. What a tick is in nanoseconds is found at the end of the profile, by the system's clock.
//!
//! Without the feature that writes lifetimes, time stands still.
#![allow(unsafe_code)]

use std::sync::OnceLock;
use std::time::Instant;

/// So many ticks later than some fixed moment. Threads on other processors may differ by little.
#[inline]
pub(super) fn ticks() -> u64 {
    if !cfg!(feature = "dhat-compat") {
        return 0;
    }
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: every x86_64 processor has the instruction, and it changes nothing.
    return unsafe { std::arch::x86_64::_rdtsc() };
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    return nanoseconds();
}

/// Nanoseconds since the first call, by the system's clock. To be called when a profile begins, before any thread asks for the time.
pub(super) fn nanoseconds() -> u64 {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    let elapsed = EPOCH.get_or_init(Instant::now).elapsed();
    elapsed.as_secs().wrapping_mul(1_000_000_000).wrapping_add(elapsed.subsec_nanos().into())
}
