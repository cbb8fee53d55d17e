//! Hot: `ProgramPoint`, a program point of a heap profile: what the blocks of one stack come to.
//!
//! What was live at the peak of the whole profile would have to be noted at every stack whenever
//! the profile reaches a new peak. That is put off until a point's own numbers are about to change:
//! peaks are numbered, each point remembers for which peak it has noted its numbers, and one that
//! has not changed since the latest peak has what it has now. So a peak costs nothing, and an event
//! looks at its own point only.

use std::ptr;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use crate::counters::Blocks;
use crate::stacks::Stack;
use crate::sys::{AtomicU64, Link, Member};

/// Two cache lines: how it is found and what it has counted; its maximum, and what a peak leaves.
#[repr(C, align(64))]
pub(crate) struct ProgramPoint {
    /// `None` for blocks without a stack.
    stack: Option<&'static Stack>,
    /// The point of only the innermost frames, once a profile has asked for no more.
    pub(super) shorter: Link<ProgramPoint>,
    /// The list of points that the present profile has touched.
    pub(super) next_touched: Link<ProgramPoint>,
    pub(super) is_touched: AtomicBool,
    total: Count,
    /// What of `total` is no longer live.
    gone: Count,
    /// When the point itself had the most bytes.
    max: Count,
    /// In ticks, of blocks that are gone.
    lifetimes: AtomicU64,
    /// The number of the peak that `at_peak` was noted for.
    peak: AtomicU64,
    /// When the profile had the most bytes.
    at_peak: Count,
}

/// [`Blocks`] that threads add to. Both wrap around.
struct Count {
    blocks: AtomicU64,
    bytes: AtomicU64,
}

/// What a point has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PointNumbers {
    /// A reallocation is a block, too, and adds its full new size.
    pub(crate) total: Blocks,
    pub(crate) live: Blocks,
    /// When the point itself had the most bytes, the latest such moment.
    pub(crate) max: Blocks,
    /// When the whole profile had the most bytes, likewise.
    pub(crate) at_peak: Blocks,
    /// Nanoseconds, of all its blocks together.
    pub(crate) lifetimes: u64,
}

#[allow(clippy::declare_interior_mutable_const)] // A template.
impl Count {
    const ZERO: Self = Self { blocks: AtomicU64::new(0), bytes: AtomicU64::new(0) };

    fn load(&self) -> Blocks {
        Blocks { blocks: self.blocks.load(Relaxed), bytes: self.bytes.load(Relaxed) }
    }

    fn store(&self, Blocks { blocks, bytes }: Blocks) {
        self.blocks.store(blocks, Relaxed);
        self.bytes.store(bytes, Relaxed);
    }

    /// What it is then.
    #[inline]
    fn add(&self, Blocks { blocks, bytes }: Blocks) -> Blocks {
        Blocks {
            blocks: self.blocks.fetch_add(blocks, Relaxed).wrapping_add(blocks),
            bytes: self.bytes.fetch_add(bytes, Relaxed).wrapping_add(bytes),
        }
    }
}

impl Member for ProgramPoint {
    fn hash(&self) -> u64 {
        self.stack.map_or(0, Stack::hash)
    }
}

impl ProgramPoint {
    pub(super) const fn new(stack: Option<&'static Stack>) -> Self {
        Self {
            stack,
            shorter: Link::NONE,
            next_touched: Link::NONE,
            is_touched: AtomicBool::new(false),
            total: Count::ZERO,
            gone: Count::ZERO,
            max: Count::ZERO,
            lifetimes: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            at_peak: Count::ZERO,
        }
    }

    #[inline]
    pub(super) fn is_of(&self, stack: &'static Stack) -> bool {
        self.stack.is_some_and(|known| ptr::eq(known, stack))
    }

    pub(crate) fn stack(&self) -> Option<&'static Stack> {
        self.stack
    }

    /// As new, but for its place.
    pub(super) fn reset(&self) {
        for count in [&self.total, &self.gone, &self.max, &self.at_peak] {
            count.store(Blocks::NONE);
        }
        self.peak.store(0, Relaxed);
        self.lifetimes.store(0, Relaxed);
        self.is_touched.store(false, Relaxed);
    }

    /// Notes what is live now, before it changes, unless that was done since the peak of this
    /// number.
    #[inline]
    pub(super) fn note(&self, peak: u64) {
        // Of several threads, one notes; and one that was held up, with the number of an earlier
        // peak, does not.
        if self.peak.load(Relaxed) < peak && self.peak.fetch_max(peak, Relaxed) < peak {
            self.at_peak.store(self.live());
        }
    }

    fn live(&self) -> Blocks {
        self.total.load().without(self.gone.load())
    }

    /// A block was allocated.
    #[inline]
    pub(super) fn gain(&self, size: u64) {
        let live = self.total.add(Blocks::one(size)).without(self.gone.load());
        self.look_for_max(live);
    }

    #[inline]
    fn look_for_max(&self, live: Blocks) {
        // Of equal moments, the latest is the one.
        if live.bytes >= self.max.bytes.load(Relaxed) {
            self.max.bytes.fetch_max(live.bytes, Relaxed);
            self.max.blocks.store(live.blocks, Relaxed);
        }
    }

    /// A block that is live has another size now.
    pub(super) fn resize(&self, old_size: u64, new_size: u64) {
        self.gone.bytes.fetch_add(old_size.wrapping_sub(new_size), Relaxed);
        self.look_for_max(self.live());
    }

    /// A block that is live was allocated once more.
    pub(super) fn count_again(&self, size: u64) {
        // In this order, so that nobody sees it live twice.
        self.gone.add(Blocks::one(size));
        self.total.add(Blocks::one(size));
    }

    /// A block, so many ticks old, is no longer live.
    #[inline]
    pub(super) fn lose(&self, size: u64, age: u64) {
        self.gone.add(Blocks::one(size));
        if cfg!(feature = "dhat-compat") {
            self.lifetimes.fetch_add(age, Relaxed);
        }
    }

    /// `peak` is the number of the latest one. Lifetimes are in ticks, and of the blocks that are
    /// gone.
    pub(super) fn read(&self, peak: u64) -> PointNumbers {
        let live = self.live();
        let is_noted = self.peak.load(Relaxed) == peak;
        PointNumbers {
            total: self.total.load(),
            live,
            max: self.max.load(),
            at_peak: if is_noted { self.at_peak.load() } else { live },
            lifetimes: self.lifetimes.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocks, ProgramPoint};

    #[test]
    fn a_thread_that_comes_late_with_an_earlier_peak_changes_nothing() {
        let point = ProgramPoint::new(None);
        point.note(4);
        point.gain(10);
        point.note(6);
        point.gain(20);
        point.note(5);
        assert_eq!(point.read(6).at_peak, Blocks::one(10));
        let all = Blocks { blocks: 2, bytes: 30 };
        assert_eq!((point.read(7).at_peak, point.read(7).max), (all, all));
    }
}
