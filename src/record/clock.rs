//! Hot: the time of an allocation, for the lifetimes of blocks in a heap profile: ticks of the processor, which take a third of the time
//! that the system's clock takes to be read. What a tick is in nanoseconds is found at the end of the profile, by the system's clock.
//!
//! Without the feature that writes lifetimes, time stands still.
#![allow(unsafe_code)]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Set at the first beginning of a profile.
static EPOCH: OnceLock<Instant> = OnceLock::new();

/// So many ticks later than some fixed moment. Threads on other processors may differ by little.
#[inline]
pub(super) fn ticks() -> u64 {
    if !cfg!(feature = "dhat-compat") {
        return 0;
    }
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: the architecture has the instruction, in all its versions, and says that it changes but the two registers of its result.
    return unsafe { std::arch::x86_64::_rdtsc() };
    // A look at what is set never waits.
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    return EPOCH.get().map_or(0, |epoch| nanoseconds_in(epoch.elapsed()));
}

/// Nanoseconds since the first call, by the system's clock. Not for the allocator: to be called when a profile begins, before any thread
/// asks for the time, and when it is read.
pub(super) fn nanoseconds() -> u64 {
    nanoseconds_in(EPOCH.get_or_init(Instant::now).elapsed())
}

fn nanoseconds_in(elapsed: Duration) -> u64 {
    elapsed.as_secs().wrapping_mul(1_000_000_000).wrapping_add(elapsed.subsec_nanos().into())
}
