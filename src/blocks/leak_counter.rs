//! Hot: `LeakCounter`, how many of the blocks that were allocated in a scope are live. Changed by
//! [`live`](super::live), where the blocks are; begun, read and ended by the scope.
//!
//! A `LeakCounter` is used by one scope after another ([`uses`](super::uses)). A thread that frees
//! a block first looks whether the serial of its entry is the present one. It may be held up after
//! that, while the scope ends and the next one begins. Therefore each count carries the serial too,
//! and is changed by a compare-and-swap, which fails if it has become that of another scope. Nobody
//! waits, and a `LeakCounter` can be used again at once.

use std::sync::atomic::Ordering::Relaxed;

use super::table;
use super::tracking::start_tracking;
use super::uses::{InUse, Reused, Uses};
use crate::sys::{AtomicU64, Links, Pool, Pooled};

static LEAK_COUNTERS: Pool<LeakCounter> = Pool::new();

/// The live blocks of one scope at a time. On a cache line of its own.
#[repr(align(64))]
pub(crate) struct LeakCounter {
    uses: Uses,
    blocks: Count,
    lost: Count,
    links: Links<Self>,
}

#[allow(clippy::declare_interior_mutable_const)] // A template, copied into each new one.
impl Pooled for LeakCounter {
    const NEW: Self =
        Self { uses: Uses::NONE, blocks: Count::ZERO, lost: Count::ZERO, links: Links::NEW };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl Reused for LeakCounter {
    /// They share a word with what is counted.
    const SERIAL_BITS: u32 = 32;

    fn uses(&self) -> &Uses {
        &self.uses
    }
}

impl LeakCounter {
    /// One for a scope that begins; `None` without memory.
    pub(crate) fn of_scope() -> Option<InUse<Self>> {
        InUse::new(&LEAK_COUNTERS, Self::begin)
    }

    /// A scope begins to use it, as the only one. `false` if there is no memory to keep blocks in.
    pub(super) fn begin(&'static self) -> bool {
        if !table::LIVE.prepare() {
            return false;
        }
        let serial = self.uses.next();
        self.blocks.begin(serial);
        self.lost.begin(serial);
        self.uses.begin();
        start_tracking();
        true
    }

    /// How many are live. Like all that follows, to be asked before the end.
    pub(crate) fn blocks(&self) -> i64 {
        self.blocks.get().into()
    }

    /// How many blocks found no room. They are in no other number.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.get().into()
    }
}

/// For the table of live blocks.
impl LeakCounter {
    /// That of the present use.
    #[inline]
    pub(crate) fn serial(&self) -> u64 {
        self.uses.present()
    }

    /// Whether the use of this serial is the present one.
    #[inline]
    pub(super) fn has(&self, serial: u64) -> bool {
        self.uses.is_present(serial)
    }

    #[inline]
    pub(super) fn gain_one(&self, serial: u64) {
        self.change(serial, &self.blocks, 1);
    }

    #[inline]
    pub(super) fn drop_one(&self, serial: u64) {
        self.change(serial, &self.blocks, -1);
    }

    #[cold]
    pub(super) fn lose_one(&self, serial: u64) {
        self.change(serial, &self.lost, 1);
    }

    /// Unless the scope is over.
    #[inline]
    fn change(&self, serial: u64, count: &Count, difference: i32) {
        if self.has(serial) {
            count.add(serial, difference);
        }
    }
}

/// A number, in the lower half, below the serial of the scope that it belongs to.
struct Count(AtomicU64);

impl Count {
    #[allow(clippy::declare_interior_mutable_const)] // A template, too.
    const ZERO: Self = Self(AtomicU64::new(0));

    fn begin(&self, serial: u64) {
        self.0.store(serial << LeakCounter::SERIAL_BITS, Relaxed);
    }

    fn get(&self) -> u32 {
        self.0.load(Relaxed) as u32
    }

    /// Changes nothing if it belongs to another scope. It stays at the ends of its range.
    #[inline]
    fn add(&self, serial: u64, difference: i32) {
        let mut now = self.0.load(Relaxed);
        while now >> LeakCounter::SERIAL_BITS == serial {
            let sum = (now as u32).saturating_add_signed(difference);
            let new = (serial << LeakCounter::SERIAL_BITS) | u64::from(sum);
            match self.0.compare_exchange_weak(now, new, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(changed) => now = changed,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, LeakCounter, Pooled, Reused};

    fn new() -> &'static LeakCounter {
        Box::leak(Box::new(LeakCounter::NEW))
    }

    #[test]
    fn a_scope_that_is_over_changes_nothing() {
        let retained = new();
        assert!(retained.begin());
        let first = retained.serial();
        retained.gain_one(first);
        retained.gain_one(first);
        retained.lose_one(first);
        assert_eq!((retained.blocks(), retained.lost()), (2, 1));
        retained.end();
        retained.drop_one(first);
        retained.lose_one(first);
        assert_eq!((retained.blocks(), retained.lost()), (2, 1));
        assert!(retained.begin());
        assert_ne!(retained.serial(), first);
        retained.gain_one(first);
        retained.lose_one(first);
        assert_eq!((retained.blocks(), retained.lost()), (0, 0));
        retained.end();
    }

    /// The thread was held up between its look at the serial and the change.
    #[test]
    fn a_late_change_meets_a_count_of_another_scope() {
        let count = Count::ZERO;
        for serial in [1, 7, 8, (1 << LeakCounter::SERIAL_BITS) - 1] {
            count.begin(serial);
            count.add(serial, 5);
            count.add(serial - 1, 1);
            count.add(serial + 1, 1);
            assert_eq!(count.get(), 5);
            count.add(serial, -5);
            assert_eq!(count.get(), 0);
        }
    }

    #[test]
    fn a_count_ends_at_its_limits() {
        let count = Count::ZERO;
        count.begin(3);
        count.add(3, -1);
        assert_eq!(count.get(), 0);
        count.add(3, i32::MAX);
        count.add(3, i32::MAX);
        count.add(3, 5);
        count.add(4, 5);
        assert_eq!(count.get(), u32::MAX);
    }
}
