//! Hot: the time of an allocation, for the lifetimes of blocks in a heap profile. Without the feature that writes those, time stands still
//! between two profiles: then it only tells the blocks of one from those of the next.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::OnceLock;
use std::time::Instant;

/// Filled at the first beginning of a profile; inside the allocator it is only read.
static EPOCH: OnceLock<Instant> = OnceLock::new();

/// The latest beginning of a profile.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// The beginning of a profile: later than all that [`now`] has said, and no other's.
pub(super) fn begin() -> u64 {
    EPOCH.get_or_init(Instant::now);
    let elapsed = now();
    let later = |latest: u64| Some(latest.max(elapsed) + 1);
    match LATEST.fetch_update(Relaxed, Relaxed, later) {
        Ok(latest) | Err(latest) => latest.max(elapsed) + 1,
    }
}

/// Nanoseconds since the first profile began.
#[inline]
pub(crate) fn now() -> u64 {
    if !cfg!(feature = "dhat-compat") {
        return 0;
    }
    let Some(epoch) = EPOCH.get() else { return 0 };
    let elapsed = epoch.elapsed();
    elapsed.as_secs().wrapping_mul(1_000_000_000).wrapping_add(elapsed.subsec_nanos().into())
}
