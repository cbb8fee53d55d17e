//! Hot: `Counts`, six running totals and their arithmetic. Scopes are differences of two of them.

use std::ops::{AddAssign, Sub};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use crate::record::Sums;

/// Running totals of a thread or of the process.
///
/// `got` and `freed` hold both the live bytes and the bytes requested: a reallocation adds its new size to `got` and its
/// old size to `freed`, so `got` alone is the total requested and `got - freed` is what is live. All arithmetic wraps:
/// only differences are ever shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Bytes requested by allocations and reallocations.
    pub(crate) got: i64,
    /// Bytes given back by deallocations and by the old sizes of reallocations.
    pub(crate) freed: i64,
    /// Fresh blocks: `alloc` and `alloc_zeroed`.
    pub(crate) allocs: i64,
    pub(crate) deallocs: i64,
    pub(crate) reallocs: i64,
    /// Requests that the inner allocator answered with null.
    pub(crate) failed: i64,
}

impl Counts {
    pub(crate) const ZERO: Self =
        Self { got: 0, freed: 0, allocs: 0, deallocs: 0, reallocs: 0, failed: 0 };

    /// Net bytes.
    pub(crate) const fn current(&self) -> i64 {
        self.got.wrapping_sub(self.freed)
    }

    /// As recording has them.
    pub(crate) const fn sums(&self) -> Sums {
        Sums {
            events: self.allocs.wrapping_add(self.reallocs),
            reallocs: self.reallocs,
            bytes: self.got,
            net_bytes: self.current(),
        }
    }

    #[inline(always)] // Keeps the six numbers in registers: a scope opens and closes in nanoseconds.
    fn zip(self, other: Self, f: impl Fn(i64, i64) -> i64) -> Self {
        Self {
            got: f(self.got, other.got),
            freed: f(self.freed, other.freed),
            allocs: f(self.allocs, other.allocs),
            deallocs: f(self.deallocs, other.deallocs),
            reallocs: f(self.reallocs, other.reallocs),
            failed: f(self.failed, other.failed),
        }
    }
}

/// [`Counts`] that one thread writes and any thread reads, each number for itself.
pub(super) struct AtomicCounts {
    got: AtomicI64,
    freed: AtomicI64,
    allocs: AtomicI64,
    deallocs: AtomicI64,
    reallocs: AtomicI64,
    failed: AtomicI64,
}

impl AtomicCounts {
    pub(super) const fn zero() -> Self {
        Self {
            got: AtomicI64::new(0),
            freed: AtomicI64::new(0),
            allocs: AtomicI64::new(0),
            deallocs: AtomicI64::new(0),
            reallocs: AtomicI64::new(0),
            failed: AtomicI64::new(0),
        }
    }

    pub(super) fn load(&self) -> Counts {
        Counts {
            got: self.got.load(Relaxed),
            freed: self.freed.load(Relaxed),
            allocs: self.allocs.load(Relaxed),
            deallocs: self.deallocs.load(Relaxed),
            reallocs: self.reallocs.load(Relaxed),
            failed: self.failed.load(Relaxed),
        }
    }

    pub(super) fn store(&self, counts: Counts) {
        self.got.store(counts.got, Relaxed);
        self.freed.store(counts.freed, Relaxed);
        self.allocs.store(counts.allocs, Relaxed);
        self.deallocs.store(counts.deallocs, Relaxed);
        self.reallocs.store(counts.reallocs, Relaxed);
        self.failed.store(counts.failed, Relaxed);
    }
}

impl Sub for Counts {
    type Output = Self;

    #[inline(always)]
    fn sub(self, earlier: Self) -> Self {
        self.zip(earlier, i64::wrapping_sub)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = self.zip(other, i64::wrapping_add);
    }
}
