//! Hot: `Point`, a program point of a heap profile: what the blocks of one stack come to.
//!
//! What was live at the peak of the whole profile would have to be noted at every stack whenever the profile reaches a new
//! peak. That is put off until a point's own numbers are about to change: peaks are numbered, each point remembers for which
//! peak it has noted its number, and one that has not changed since the latest peak has what it has now. So a peak
//! costs nothing, and an event looks at its own point only.

use std::ops::Add;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64};

use super::stack::Stack;

pub(crate) struct Point {
    /// `None` for blocks without a stack.
    stack: Option<&'static Stack>,
    /// The trie of [`Points`](super::points).
    pub(super) children: [AtomicPtr<Point>; 4],
    /// The point of only the innermost frames, once a profile has asked for no more.
    pub(super) shorter: AtomicPtr<Point>,
    /// The list of points that the present profile has touched.
    pub(super) is_touched: AtomicBool,
    pub(super) next_touched: AtomicPtr<Point>,
    total_blocks: AtomicU64,
    total_bytes: AtomicU64,
    /// Live now.
    blocks: AtomicI64,
    bytes: AtomicI64,
    /// When the point itself had the most bytes.
    max_blocks: AtomicI64,
    max_bytes: AtomicI64,
    /// The peak of the profile that the next two were noted for.
    peak: AtomicU64,
    peak_blocks: AtomicI64,
    peak_bytes: AtomicI64,
    /// Nanoseconds, of blocks that are no longer live.
    lifetimes: AtomicU64,
}

/// What the blocks of one point, or of a whole profile, come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

impl Blocks {
    pub(crate) const NONE: Self = Self { blocks: 0, bytes: 0 };
}

impl Add for Blocks {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let Self { blocks, bytes } = self;
        Self { blocks: blocks.wrapping_add(other.blocks), bytes: bytes.wrapping_add(other.bytes) }
    }
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

#[allow(clippy::declare_interior_mutable_const)] // Templates for arrays.
impl Point {
    pub(super) const NONE: AtomicPtr<Self> = AtomicPtr::new(ptr::null_mut());
    const U64: AtomicU64 = AtomicU64::new(0);
    const I64: AtomicI64 = AtomicI64::new(0);

    pub(super) const fn new(stack: Option<&'static Stack>) -> Self {
        Self {
            stack,
            children: [Self::NONE; 4],
            shorter: Self::NONE,
            is_touched: AtomicBool::new(false),
            next_touched: Self::NONE,
            total_blocks: Self::U64,
            total_bytes: Self::U64,
            blocks: Self::I64,
            bytes: Self::I64,
            max_blocks: Self::I64,
            max_bytes: Self::I64,
            peak: Self::U64,
            peak_blocks: Self::I64,
            peak_bytes: Self::I64,
            lifetimes: Self::U64,
        }
    }

    pub(crate) fn stack(&self) -> Option<&'static Stack> {
        self.stack
    }

    /// As new, but for its place.
    pub(super) fn reset(&self) {
        for number in [&self.total_blocks, &self.total_bytes, &self.peak, &self.lifetimes] {
            number.store(0, Relaxed);
        }
        let Self { blocks, bytes, max_blocks, max_bytes, peak_blocks, peak_bytes, .. } = self;
        for number in [blocks, bytes, max_blocks, max_bytes, peak_blocks, peak_bytes] {
            number.store(0, Relaxed);
        }
        self.is_touched.store(false, Relaxed);
    }

    /// An allocation or a reallocation.
    #[inline]
    pub(super) fn count(&self, size: u64) {
        self.total_blocks.fetch_add(1, Relaxed);
        self.total_bytes.fetch_add(size, Relaxed);
    }

    /// What is live changes, after the profile's peak of this number.
    #[inline]
    pub(super) fn change(&self, peak: u64, blocks: i64, bytes: i64) {
        if self.peak.load(Relaxed) != peak {
            self.note(peak);
        }
        let blocks = self.blocks.fetch_add(blocks, Relaxed).wrapping_add(blocks);
        let bytes = self.bytes.fetch_add(bytes, Relaxed).wrapping_add(bytes);
        if bytes >= self.max_bytes.load(Relaxed) {
            self.max_bytes.fetch_max(bytes, Relaxed);
            self.max_blocks.store(blocks, Relaxed);
        }
    }

    fn note(&self, peak: u64) {
        let (blocks, bytes) = (self.blocks.load(Relaxed), self.bytes.load(Relaxed));
        // Of several threads, one notes.
        if self.peak.swap(peak, Relaxed) != peak {
            self.peak_blocks.store(blocks, Relaxed);
            self.peak_bytes.store(bytes, Relaxed);
        }
    }

    pub(super) fn add_lifetime(&self, nanoseconds: u64) {
        self.lifetimes.fetch_add(nanoseconds, Relaxed);
    }

    /// `peak` is the number of the latest one.
    pub(super) fn read(&self, peak: u64) -> PointNumbers {
        let blocks = |blocks: &AtomicI64, bytes: &AtomicI64| {
            let number = |number: &AtomicI64| u64::try_from(number.load(Relaxed)).unwrap_or(0);
            Blocks { blocks: number(blocks), bytes: number(bytes) }
        };
        let live = blocks(&self.blocks, &self.bytes);
        let is_noted = self.peak.load(Relaxed) == peak;
        PointNumbers {
            total: Blocks {
                blocks: self.total_blocks.load(Relaxed),
                bytes: self.total_bytes.load(Relaxed),
            },
            live,
            max: blocks(&self.max_blocks, &self.max_bytes),
            at_peak: if is_noted { blocks(&self.peak_blocks, &self.peak_bytes) } else { live },
            lifetimes: self.lifetimes.load(Relaxed),
        }
    }
}
