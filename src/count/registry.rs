//! Hot: all ledgers there are. A thread adopts a free one at its first allocation and gives it back at its end, so there
//! are as many as threads ever ran at once.

use std::iter;

use super::counts::Counts;
use super::ledger::Ledger;
use super::pool::{Pool, Pooled};

/// The ledger of threads that have none of their own. Shared, so written with read-modify-write operations only.
pub(super) static ORPHANS: Ledger = Ledger::NEW;

pub(super) static LEDGERS: Pool<Ledger> = Pool::new();

/// The sum over all threads that ever were. Exact while no other thread allocates.
pub(crate) fn totals() -> Counts {
    iter::once(&ORPHANS).chain(LEDGERS.iter()).fold(Counts::default(), |mut sum, ledger| {
        sum += ledger.counts();
        sum
    })
}
