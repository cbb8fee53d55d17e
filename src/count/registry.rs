//! Hot: all ledgers there are. A thread adopts a free one at its first allocation and gives it back at its end, so there
//! are as many as threads ever ran at once.

use std::sync::atomic::Ordering::Relaxed;

use super::counts::Counts;
use super::ledger::{Ledger, Word};
use super::peak;
use super::pool::{Pool, Pooled};
use super::thread::{EVERY_ALLOC, FLUSH_BYTES};
use crate::record;

/// The ledger of threads that have none of their own. Shared, so written with read-modify-write operations only.
pub(super) static ORPHANS: Ledger = Ledger::NEW;

pub(super) static LEDGERS: Pool<Ledger> = Pool::new();

/// Sends every allocation of every thread to the slow half, to be recorded. `record::profile` says how it meets the owners, who
/// write their ceilings too.
///
/// With `in_tallies`, what is recorded is to be read by `record::profiled`.
pub(crate) fn record_everywhere(in_tallies: bool) -> EveryAllocation {
    record::start_profiling(in_tallies);
    for ledger in LEDGERS.iter() {
        ledger.word(Word::Ceiling).store(EVERY_ALLOC, Relaxed);
    }
    EveryAllocation { in_tallies }
}

/// While there is one, the allocations of all threads are recorded.
pub(crate) struct EveryAllocation {
    in_tallies: bool,
}

impl Drop for EveryAllocation {
    fn drop(&mut self) {
        record::stop_profiling(self.in_tallies);
    }
}

/// The numbers of the process at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    /// The sum over all threads that ever were. Exact while no other thread allocates.
    pub(crate) counts: Counts,
    /// Net bytes. Exact while no other thread allocates, and otherwise within 16 KiB for each thread, which a sum of
    /// ledgers read one after the other is not: a block may be seen freed here and not yet allocated there.
    pub(crate) current: i64,
    /// What the threads have flushed of them, for peaks.
    pub(crate) flushed: i64,
}

impl Totals {
    /// Those of the beginning of the process.
    pub(crate) const ZERO: Self = Self { counts: Counts::ZERO, current: 0, flushed: 0 };
}

pub(crate) fn totals() -> Totals {
    let flushed = peak::flushed();
    let mut totals = Totals { counts: ORPHANS.counts(), current: flushed, flushed };
    for ledger in LEDGERS.iter() {
        let counts = ledger.counts();
        totals.counts += counts;
        // More than `FLUSH_BYTES` is a flush that is just under way: it counts as not yet begun, or as done.
        let unreported = counts.current().wrapping_sub(ledger.flushed.load(Relaxed));
        totals.current += unreported.clamp(-FLUSH_BYTES, FLUSH_BYTES);
    }
    totals
}
