//! Cold: `HeapStats` and `AdHocStats`, the numbers of the running profile.

use super::running::{with_phase, Counted, Phase, LOST_IN_FORK};
use super::sums::HeapSums;
use crate::counters;

/// What the running heap profile has counted so far.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapStats {
    /// Blocks allocated so far; a reallocation is one, too.
    pub total_blocks: u64,
    /// Bytes requested so far; a reallocation adds its full new size.
    pub total_bytes: u64,
    /// Blocks that are live now, of those allocated since the profiler was built.
    pub curr_blocks: usize,
    /// Bytes in those blocks.
    pub curr_bytes: usize,
    /// Blocks that were live when there were the most bytes, the latest such moment.
    pub max_blocks: usize,
    /// Bytes in those blocks.
    pub max_bytes: usize,
}

/// What the running ad hoc profile has counted so far.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdHocStats {
    /// Calls of [`ad_hoc_event`](super::ad_hoc_event).
    pub total_events: u64,
    /// The sum of their weights.
    pub total_units: u64,
}

impl HeapStats {
    /// The numbers by now, of all threads. Exact for those that are not allocating at this moment.
    ///
    /// # Panics
    /// If no [`Profiler`](super::Profiler) is running, if it is not one of the heap, or if one of
    /// its assertions has failed.
    #[track_caller]
    #[must_use]
    pub fn get() -> Self {
        let sums = read("heap stats", |counted| match counted {
            Counted::Heap { profile, .. } => {
                let mut sums = HeapSums::default();
                profile.points().visit(&mut |_, numbers| sums.add(&numbers));
                Ok(sums)
            }
            Counted::AdHoc(_) => Err("ad hoc"),
        });
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            total_blocks: sums.total.blocks,
            total_bytes: sums.total.bytes,
            curr_blocks: number(sums.live.blocks),
            curr_bytes: number(sums.live.bytes),
            max_blocks: number(sums.at_peak.blocks),
            max_bytes: number(sums.at_peak.bytes),
        }
    }
}

impl AdHocStats {
    /// The numbers by now, of all threads.
    ///
    /// # Panics
    /// If no [`Profiler`](super::Profiler) is running, if it is one of the heap, or if one of its
    /// assertions has failed.
    #[track_caller]
    #[must_use]
    pub fn get() -> Self {
        let total = read("ad hoc stats", |counted| match counted {
            Counted::AdHoc(events) => Ok(events.total()),
            Counted::Heap { .. } => Err("heap"),
        });
        Self { total_events: total.blocks, total_units: total.bytes }
    }
}

/// What `read` finds in the running profile, or the kind of profile that it is instead.
#[track_caller]
fn read<R>(wanted: &str, read: impl FnOnce(&Counted) -> Result<R, &'static str>) -> R {
    let found = |phase: &mut Phase| match phase {
        Phase::Ready => Found::NotRunning,
        Phase::Running(running) => read(&running.counted).map_or_else(Found::Other, Found::It),
        Phase::PostAssert => Found::Asserted,
    };
    let Some(found) = counters::ignored(|at_work| with_phase(at_work, found)) else {
        panic!("dhat: getting {wanted}: {LOST_IN_FORK}");
    };
    match found {
        Found::It(found) => found,
        Found::Other(kind) => panic!("dhat: getting {wanted} while doing {kind} profiling"),
        Found::NotRunning => panic!("dhat: getting {wanted} when no profiler is running"),
        Found::Asserted => panic!("dhat: getting {wanted} after the profiler has asserted"),
    }
}

enum Found<R> {
    It(R),
    /// A profile of this kind.
    Other(&'static str),
    NotRunning,
    Asserted,
}
