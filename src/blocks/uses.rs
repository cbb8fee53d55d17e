//! Hot: `Uses` and `InUse`, how leak counters and heap profiles are used by one scope or profiler
//! after another. Both live for ever, and any thread may be about to free a block of an earlier
//! use. So each use has a serial of its own, which the entries of its blocks carry: they count only
//! while it is the present one.
//!
//! No serial is used twice, for entries of earlier uses stay in the table. What has had all serials
//! that fit into its bits is used up, and is never used again.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::sys::{Pool, Pooled};

/// The uses of one leak counter or heap profile. Their serials are numbers of `BITS` bits.
pub(super) struct Uses<const BITS: u32> {
    /// The serial of the present one; [`IDLE`] while there is none.
    present: AtomicU64,
    /// That of the latest one.
    last: AtomicU64,
}

/// No use's serial.
pub(super) const IDLE: u64 = 0;

impl<const BITS: u32> Uses<BITS> {
    pub(super) const LAST: u64 = u64::MAX >> (u64::BITS - BITS);

    #[allow(clippy::declare_interior_mutable_const)] // A template, copied into each new one.
    pub(super) const NONE: Self =
        Self { present: AtomicU64::new(IDLE), last: AtomicU64::new(IDLE) };

    /// The serial of the next use.
    pub(super) fn next(&self) -> u64 {
        self.last.load(Relaxed) + 1
    }

    /// The next use begins. Whoever sees its serial sees what was done before.
    pub(super) fn begin(&self) {
        let serial = self.next();
        self.last.store(serial, Relaxed);
        self.present.store(serial, Release);
    }

    /// The present use is over; `false` if there was none.
    pub(super) fn end(&self) -> bool {
        self.present.swap(IDLE, Release) != IDLE
    }

    #[inline]
    pub(super) fn present(&self) -> u64 {
        self.present.load(Acquire)
    }

    /// Whether the use of this serial is the present one. A relaxed look: the owner of a block has
    /// the serial from one who has seen the beginning, and others only compare.
    #[inline]
    pub(super) fn is_present(&self, serial: u64) -> bool {
        serial == self.present.load(Relaxed)
    }

    pub(super) fn are_used_up(&self) -> bool {
        self.last.load(Relaxed) >= Self::LAST
    }

    #[cfg(test)]
    pub(super) fn use_up(&self) {
        self.last.store(Self::LAST, Relaxed);
    }
}

/// What is used again and again.
pub(crate) trait Reused: Pooled {
    /// The present use is over.
    fn end(&'static self);
    fn is_used_up(&self) -> bool;
}

/// A use of a leak counter or heap profile. Dropping it ends that.
pub(crate) struct InUse<T: Reused>(&'static T);

impl<T: Reused> InUse<T> {
    /// Of one that nobody uses; `begin` fails without memory.
    pub(super) fn new(
        pool: &'static Pool<T>,
        begin: impl FnOnce(&'static T) -> bool,
    ) -> Option<Self> {
        let item = pool.take()?;
        if !begin(item) {
            item.links().give_back();
            return None;
        }
        Some(Self(item))
    }

    pub(crate) fn get(&self) -> &'static T {
        self.0
    }
}

impl<T: Reused> Drop for InUse<T> {
    fn drop(&mut self) {
        self.0.end();
        if !self.0.is_used_up() {
            self.0.links().give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Uses, IDLE};

    #[test]
    fn each_use_has_a_serial_of_its_own_until_they_are_used_up() {
        let uses = Uses::<2>::NONE;
        for serial in 1..=3 {
            assert!(!uses.are_used_up() && uses.present() == IDLE && uses.next() == serial);
            uses.begin();
            assert!(uses.is_present(serial) && uses.present() == serial);
            assert!(uses.end() && !uses.is_present(serial));
            assert!(!uses.end(), "it was over");
        }
        assert!(uses.are_used_up());
    }
}
