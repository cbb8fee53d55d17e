//! Hot: `Uses` and `InUse`, how leak counters and heap profiles are used by one scope or profiler
//! after another. Both live for ever, and any thread may be about to free a block of an earlier
//! use. So each use has a serial of its own, which the entries of its blocks carry: they count only
//! while it is the present one.
//!
//! No serial is used twice, for entries of earlier uses stay in the table. What has had all serials
//! that fit into its bits is used up, and is never used again.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::tracking::stop_tracking;
use crate::sys::{AtomicU64, Pool, Pooled};

/// The uses of one leak counter or heap profile.
pub(crate) struct Uses {
    /// The serial of the present one; [`IDLE`] while there is none.
    present: AtomicU64,
    /// That of the latest one.
    last: AtomicU64,
}

/// No use's serial.
pub(super) const IDLE: u64 = 0;

impl Uses {
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
}

/// What is used again and again.
pub(crate) trait Reused: Pooled {
    /// How many bits its serials have.
    const SERIAL_BITS: u32;

    fn uses(&self) -> &Uses;

    /// The present use is over.
    fn end(&'static self) {
        if self.uses().present.swap(IDLE, Release) != IDLE {
            stop_tracking();
        }
    }

    fn is_used_up(&self) -> bool {
        self.uses().next() >> Self::SERIAL_BITS != 0
    }

    #[cfg(test)]
    fn use_up(&self) {
        self.uses().last.store((1 << Self::SERIAL_BITS) - 1, Relaxed);
    }
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
    use super::{InUse, Reused, Uses, IDLE};
    use crate::sys::{Links, Pool, Pooled};

    struct Item(Uses, Links<Item>);

    impl Pooled for Item {
        const NEW: Self = Self(Uses::NONE, Links::NEW);

        fn links(&self) -> &Links<Self> {
            &self.1
        }
    }

    impl Reused for Item {
        const SERIAL_BITS: u32 = 2;

        fn uses(&self) -> &Uses {
            &self.0
        }

        fn end(&'static self) {
            self.0.present.store(IDLE, super::Relaxed);
        }
    }

    #[test]
    fn each_use_has_a_serial_of_its_own_until_they_are_used_up() {
        static ITEMS: Pool<Item> = Pool::new();
        let begin = |item: &'static Item| {
            item.0.begin();
            true
        };
        let mut first = None;
        for serial in 1..=3 {
            let in_use = InUse::new(&ITEMS, begin).expect("memory");
            let item = in_use.get();
            assert!(std::ptr::eq(item, *first.get_or_insert(item)), "it is used again");
            assert!(item.0.is_present(serial) && item.0.present() == serial);
            drop(in_use);
            assert!(!item.0.is_present(serial) && item.0.present() == IDLE);
        }
        let next = InUse::new(&ITEMS, begin).expect("memory");
        assert!(!std::ptr::eq(next.get(), first.expect("the first")), "it is used up");
        assert!(next.get().0.is_present(1));
    }
}
