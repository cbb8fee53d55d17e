//! Hot: `LeakCounter`, how many of the blocks that were allocated in a scope are live. Changed by
//! [`live`], where the blocks are; begun, read and ended by the scope.
//!
//! A `LeakCounter` lives for ever and is used by one scope after another, while any thread may be
//! about to free a block of an earlier one. So every use has a serial number of its own, which the
//! entries of its blocks carry. A thread first compares that with the present one. It may be held
//! up after that, while the scope ends and the next one begins; therefore each count carries the
//! last 32 bits of the serial too, and is changed by a compare-and-swap, which fails if it has
//! become that of another scope. (It would take 4,294,967,296 scopes, begun while one thread stands
//! between two instructions, to deceive it.) Nobody waits, and a `LeakCounter` can be used again at
//! once.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::table;
use super::tracking::{start_tracking, stop_tracking};

/// The last one given out; none is used twice.
static SERIALS: AtomicU64 = AtomicU64::new(0);

/// The live blocks of one scope at a time. On a cache line of its own.
#[repr(align(64))]
pub(crate) struct LeakCounter {
    /// 0 while nobody uses it.
    serial: AtomicU64,
    blocks: Count,
    lost: Count,
}

impl LeakCounter {
    #[allow(clippy::declare_interior_mutable_const)] // A template, copied into each new one.
    pub(crate) const NEW: Self =
        Self { serial: AtomicU64::new(0), blocks: Count::ZERO, lost: Count::ZERO };

    /// A scope begins to use it, as the only one. `false` if there is no memory to keep blocks in.
    pub(crate) fn begin(&'static self) -> bool {
        if !table::LIVE.prepare() {
            return false;
        }
        let serial = SERIALS.fetch_add(1, Relaxed) + 1;
        self.blocks.begin(serial);
        self.lost.begin(serial);
        self.serial.store(serial, Release);
        start_tracking();
        true
    }

    /// The scope is over: no block is of it any more.
    pub(crate) fn end(&'static self) {
        if self.serial.swap(0, Release) != 0 {
            stop_tracking();
        }
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
    /// 0 if nobody uses it.
    #[inline]
    pub(crate) fn serial(&self) -> u64 {
        self.serial.load(Relaxed)
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
        if serial == self.serial() {
            count.add(serial, difference);
        }
    }
}

/// A number, in the lower half, below the last 32 bits of the serial of the scope that it belongs
/// to.
struct Count(AtomicU64);

impl Count {
    #[allow(clippy::declare_interior_mutable_const)] // A template, too.
    const ZERO: Self = Self(AtomicU64::new(0));

    fn begin(&self, serial: u64) {
        self.0.store(serial << 32, Relaxed);
    }

    fn get(&self) -> u32 {
        self.0.load(Relaxed) as u32
    }

    /// Changes nothing if it belongs to another scope. It stays at the ends of its range.
    #[inline]
    fn add(&self, serial: u64, difference: i32) {
        let mut now = self.0.load(Relaxed);
        while now >> 32 == serial & u64::from(u32::MAX) {
            let sum = (now as u32).saturating_add_signed(difference);
            let new = (serial << 32) | u64::from(sum);
            match self.0.compare_exchange_weak(now, new, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(changed) => now = changed,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, LeakCounter};

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
        for serial in [7, 8, u64::from(u32::MAX), 1 << 32, (1 << 32) + 1] {
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
