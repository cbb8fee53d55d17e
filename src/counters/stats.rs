//! Hot: `AllocStats`, the numbers that users see. Plain data; its `Display` lives in `report`.

use super::counts::Counts;

/// What was allocated and freed in a scope, in a profiled stretch of the program, or by the whole
/// process.
///
/// What an event of `n` bytes adds, where a block of `m` bytes is reallocated to `n`:
///
/// | | `alloc`, `alloc_zeroed` | `realloc` | `dealloc` |
/// |---|---|---|---|
/// | `alloc_count` | +1 | +1 | |
/// | `realloc_count` | | +1 | |
/// | `dealloc_count` | | | +1 |
/// | `total_bytes` | +n | +n | |
/// | `current_bytes` | +n | +n - m | -n |
/// | `live_count` | +1 | | -1 |
///
/// Bytes are those requested (`Layout::size`), not what the allocator rounds them up to. A request
/// that the allocator refuses (it returns null) adds one to `failed_count` and changes nothing
/// else. Values of size zero never reach an allocator.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocStats {
    /// Allocation events: `alloc`, `alloc_zeroed` and `realloc` each count one.
    pub alloc_count: u64,
    /// How many of `alloc_count` were reallocations, growing, shrinking, moved or in place.
    pub realloc_count: u64,
    /// Blocks freed, those from before the scope included.
    pub dealloc_count: u64,
    /// Bytes requested by all allocation events. A reallocation adds its full new size. `u64::MAX`
    /// if there were more.
    pub total_bytes: u64,
    /// Bytes allocated minus bytes freed. Below zero where blocks from before the scope were freed.
    pub current_bytes: i64,
    /// The highest that `current_bytes` ever was. Never below zero. `i64::MAX` if it was higher.
    pub peak_bytes: i64,
    /// Blocks allocated minus blocks freed. Below zero where blocks from before the scope were
    /// freed.
    pub live_count: i64,
    /// Requests that the inner allocator refused.
    pub failed_count: u64,
}

impl AllocStats {
    pub(crate) const fn new(counts: Counts, above: Above) -> Self {
        Self {
            alloc_count: counts.allocs.wrapping_add(counts.reallocs) as u64,
            realloc_count: counts.reallocs as u64,
            dealloc_count: counts.deallocs as u64,
            total_bytes: counts.total_bytes(),
            current_bytes: above.current,
            peak_bytes: if above.peak > 0 { above.peak } else { 0 },
            live_count: counts.allocs.wrapping_sub(counts.deallocs),
            failed_count: counts.failed as u64,
        }
    }
}

/// Net bytes now, and the highest that they were, above those of some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Above {
    pub(crate) current: i64,
    pub(crate) peak: i64,
}
