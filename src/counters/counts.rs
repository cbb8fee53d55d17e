//! Hot: `Counts`, seven running totals and their arithmetic. What a scope has counted is the
//! difference of two of them.

use std::ops::{AddAssign, Sub};
use std::sync::atomic::Ordering::Relaxed;

use super::sums::Sums;
use crate::sys::AtomicI64;

/// Running totals of a thread or of the process.
///
/// A reallocation adds its new size to `got`, and what it has grown by to `net`. All arithmetic
/// wraps, for only differences are ever shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Net bytes: those requested less those given back, by deallocations and by the old sizes of
    /// reallocations.
    pub(crate) net: i64,
    /// Bytes requested by allocations and reallocations.
    pub(crate) got: i64,
    /// Fresh blocks: `alloc` and `alloc_zeroed`.
    pub(crate) allocs: i64,
    pub(crate) deallocs: i64,
    pub(crate) reallocs: i64,
    /// Requests that the inner allocator answered with null.
    pub(crate) failed: i64,
    /// How many times [`HUGE`] fits into a block, added up over all blocks of `got`. It shows that
    /// `got` has overflowed 64 bits.
    pub(crate) huge: i64,
}

/// The size from which on blocks are counted in `huge`. No machine has so large a block, but an
/// allocator may grant one.
pub(crate) const HUGE: i64 = 1 << HUGE_BITS;
const HUGE_BITS: u32 = 40;

impl Counts {
    pub(crate) const ZERO: Self =
        Self { net: 0, got: 0, allocs: 0, deallocs: 0, reallocs: 0, failed: 0, huge: 0 };

    /// Bytes requested; the highest number there is if they were more.
    pub(crate) const fn total_bytes(&self) -> u64 {
        let (huge, got) = (self.huge as u64, self.got as u64);
        if huge >> (u64::BITS - HUGE_BITS) > 0 || got < huge << HUGE_BITS {
            return u64::MAX;
        }
        got
    }

    /// Those that allocation events raise.
    pub(crate) const fn sums(&self) -> Sums {
        Sums {
            events: self.allocs.wrapping_add(self.reallocs),
            reallocs: self.reallocs,
            bytes: self.got,
            net_bytes: self.net,
        }
    }

    const NUMBERS: usize = 7;

    fn numbers(self) -> [i64; Self::NUMBERS] {
        let Self { net, got, allocs, deallocs, reallocs, failed, huge } = self;
        [net, got, allocs, deallocs, reallocs, failed, huge]
    }

    fn from(numbers: [i64; Self::NUMBERS]) -> Self {
        let [net, got, allocs, deallocs, reallocs, failed, huge] = numbers;
        Self { net, got, allocs, deallocs, reallocs, failed, huge }
    }

    #[inline(always)] // Keeps the numbers in registers: a scope opens and closes in nanoseconds.
    fn zip(self, other: Self, f: impl Fn(i64, i64) -> i64) -> Self {
        Self {
            net: f(self.net, other.net),
            got: f(self.got, other.got),
            allocs: f(self.allocs, other.allocs),
            deallocs: f(self.deallocs, other.deallocs),
            reallocs: f(self.reallocs, other.reallocs),
            failed: f(self.failed, other.failed),
            huge: f(self.huge, other.huge),
        }
    }
}

/// [`Counts`] that one thread writes and any thread reads, each number for itself.
pub(crate) struct AtomicCounts([AtomicI64; Counts::NUMBERS]);

impl AtomicCounts {
    pub(crate) const fn zero() -> Self {
        #[allow(clippy::declare_interior_mutable_const)] // A template.
        const ZERO: AtomicI64 = AtomicI64::new(0);
        Self([ZERO; Counts::NUMBERS])
    }

    pub(crate) fn load(&self) -> Counts {
        let mut numbers = [0; Counts::NUMBERS];
        for (number, atomic) in numbers.iter_mut().zip(&self.0) {
            *number = atomic.load(Relaxed);
        }
        Counts::from(numbers)
    }

    pub(crate) fn store(&self, counts: Counts) {
        for (number, atomic) in counts.numbers().into_iter().zip(&self.0) {
            atomic.store(number, Relaxed);
        }
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

#[cfg(test)]
mod tests {
    use super::{Counts, HUGE};

    #[test]
    fn a_total_that_does_not_fit_is_the_highest_number() {
        let check = |sizes: &[u64], expected: u64| {
            let mut counts = Counts::ZERO;
            for size in sizes {
                counts.got = counts.got.wrapping_add(*size as i64);
                counts.huge += *size as i64 / HUGE;
            }
            assert_eq!(counts.total_bytes(), expected, "{sizes:?}");
        };
        let most = i64::MAX as u64;
        check(&[10, 1 << 40, (1 << 41) - 1], 10 + (3 << 40) - 1);
        check(&[most, most], u64::MAX - 1);
        check(&[most, most, 2], u64::MAX);
        check(&[most, most, most], u64::MAX);
        check(&[1 << 62; 4], u64::MAX);
        check(&[(1 << 62) - 1, 1 << 62, 1 << 62, 1 << 62], u64::MAX);
        check(&[(1 << 62) - 1, 1 << 62, 1 << 62, 1 << 62, 1], u64::MAX);
        check(&[(1 << 63) - 1; 100], u64::MAX);
    }
}
