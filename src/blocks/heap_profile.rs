//! Hot: `HeapProfile`, a heap profile: what its blocks come to by program point, and how many of
//! them were live when. One for each scope or profiler that asks; its blocks are in the table of
//! live blocks ([`table`]), each with its point.
//!
//! In plain words: the points are a set, found by the hash of the stack. They are never freed, nor
//! taken out: the next user of the same `HeapProfile` finds those of the last one, set to zero. So
//! an entry of a block that is freed much later leads to a point that is still there, and the
//! serial of the use that the block was born in tells that it counts no more
//! ([`uses`](super::uses)).
//!
//! Exact while one thread at a time allocates. Where several do, each sum is exact, but a maximum
//! may miss what another thread did at the very moment, as nobody waits for another. One case is
//! left: a thread looks at the serial, and is held up in the middle of its event until the profile
//! is over and the next use of the same `HeapProfile` has begun. Its event then changes numbers of
//! the wrong profile. To rule that out as `leak_counter` does, each of the numbers here would need
//! a serial, and each change a compare-and-swap. So both ways are right: a leak counter has two
//! numbers, which must not be wrong by one, and a heap profile has many.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::birth::{self, Birth};
use super::clock;
use super::program_point::{PointNumbers, ProgramPoint};
use super::table;
use super::tracking;
use super::uses::{InUse, Reused, Uses};
use crate::stacks::Stack;
use crate::sys::{memory, AtomicI64, AtomicU64, Link, Links, Pool, Pooled, StableSet};

/// Those of scopes. Those of the whole process have a pool of their own
/// ([`process_profile`](super::process_profile)).
static OF_SCOPES: Pool<HeapProfile> = Pool::new();

/// Its numbers on a cache line of their own.
#[repr(align(64))]
pub(crate) struct HeapProfile {
    uses: Uses,
    /// When the present profile began, by the clock of ticks and by that of the system.
    start_ticks: AtomicU64,
    start: AtomicU64,
    /// How many innermost addresses of a stack make a point.
    depth: AtomicUsize,
    /// Live.
    bytes: AtomicI64,
    max_bytes: AtomicI64,
    /// When that was, in ticks from the beginning.
    max_at: AtomicU64,
    /// How many such moments there were.
    peaks: AtomicU64,
    /// Blocks that found no room in the table.
    lost: AtomicU64,
    touched: Link<ProgramPoint>,
    /// Of blocks without a stack, or without room for a point.
    unplaced: ProgramPoint,
    points: StableSet<ProgramPoint>,
    links: Links<Self>,
}

/// When something happened in a whole profile, in nanoseconds from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// The latest moment when there were the most bytes.
    pub(crate) peak: u64,
    pub(crate) now: u64,
}

#[allow(clippy::declare_interior_mutable_const)] // A template.
impl Pooled for HeapProfile {
    const NEW: Self = Self {
        uses: Uses::NONE,
        start_ticks: AtomicU64::new(0),
        start: AtomicU64::new(0),
        depth: AtomicUsize::new(usize::MAX),
        bytes: AtomicI64::new(0),
        max_bytes: AtomicI64::new(0),
        max_at: AtomicU64::new(0),
        peaks: AtomicU64::new(0),
        lost: AtomicU64::new(0),
        touched: Link::NONE,
        unplaced: ProgramPoint::new(None),
        points: StableSet::new(),
        links: Links::NEW,
    };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl Reused for HeapProfile {
    const SERIAL_BITS: u32 = birth::SERIAL_BITS;

    fn uses(&self) -> &Uses {
        &self.uses
    }
}

impl HeapProfile {
    /// One for a scope that begins; `None` without memory.
    pub(crate) fn of_scope() -> Option<InUse<Self>> {
        InUse::new(&OF_SCOPES, |profile| profile.begin(usize::MAX))
    }

    /// Somebody begins to use it, as the only one. Program points are told apart by the innermost
    /// `depth` addresses of their stacks. `false` if there is no memory to keep blocks in.
    pub(super) fn begin(&'static self, depth: usize) -> bool {
        if !table::LIVE.prepare() {
            return false;
        }
        let mut next = self.touched.take();
        while let Some(point) = next {
            next = point.next_touched.get();
            point.reset();
        }
        self.bytes.store(0, Relaxed);
        self.max_bytes.store(0, Relaxed);
        self.max_at.store(0, Relaxed);
        self.peaks.store(0, Relaxed);
        self.lost.store(0, Relaxed);
        self.depth.store(depth, Relaxed);
        self.start.store(clock::nanoseconds(), Relaxed);
        self.start_ticks.store(clock::ticks(), Relaxed);
        self.uses.begin();
        tracking::start_tracking();
        true
    }

    /// That of the present use. Whoever has it sees what `begin` has set.
    #[inline]
    pub(crate) fn serial(&self) -> u64 {
        self.uses.present()
    }

    /// Whether a block that was born then is of the present profile.
    #[inline]
    pub(super) fn has(&self, born: Birth) -> bool {
        self.uses.is_present(born.serial())
    }

    /// Ticks from the beginning.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        clock::ticks().saturating_sub(self.start_ticks.load(Relaxed))
    }

    /// A block of the profile is live from now on.
    #[inline]
    pub(super) fn gained(&self, point: &ProgramPoint, now: u64, size: u64) {
        point.note(self.peaks.load(Relaxed));
        point.gain(size);
        self.grow(now, size as i64);
    }

    /// So many more bytes are live, or fewer.
    #[inline]
    fn grow(&self, now: u64, bytes: i64) {
        let bytes = self.bytes.fetch_add(bytes, Relaxed).wrapping_add(bytes);
        // Of equal peaks, the latest is the one.
        if bytes >= self.max_bytes.load(Relaxed) {
            self.max_bytes.fetch_max(bytes, Relaxed);
            self.max_at.store(now, Relaxed);
            self.peaks.fetch_add(1, Relaxed);
        }
    }

    /// A block of the profile has another size.
    #[inline]
    pub(super) fn resized(&self, point: &ProgramPoint, old_size: u64, new_size: u64) {
        point.note(self.peaks.load(Relaxed));
        point.resize(old_size, new_size);
        self.grow(self.now(), new_size.wrapping_sub(old_size) as i64);
    }

    /// A block of the profile is no longer live.
    #[inline]
    pub(super) fn freed(&self, point: &ProgramPoint, born: Birth, size: u64) {
        point.note(self.peaks.load(Relaxed));
        point.lose(size, self.now().saturating_sub(born.ticks()));
        self.bytes.fetch_sub(size as i64, Relaxed);
    }

    #[cold]
    pub(super) fn lost_one(&self) {
        self.lost.fetch_add(1, Relaxed);
    }

    /// The point of `stack`, from now on one of the profile's.
    #[inline]
    pub(super) fn touch(&'static self, stack: Option<&'static Stack>) -> &'static ProgramPoint {
        let point = stack.and_then(|stack| self.point(stack)).unwrap_or(&self.unplaced);
        if !point.is_touched.load(Relaxed) && !point.is_touched.swap(true, Relaxed) {
            self.touched.push(point, &point.next_touched);
        }
        point
    }

    /// `None` without memory.
    #[inline]
    fn point(&self, stack: &'static Stack) -> Option<&'static ProgramPoint> {
        let point = self.point_of_all(stack)?;
        let depth = self.depth.load(Relaxed);
        if stack.len() <= depth {
            return Some(point);
        }
        // The addresses are those of `stack` in any case, so that their number tells whether it is
        // the right one.
        let known = point
            .shorter
            .get()
            .filter(|shorter| shorter.stack().is_some_and(|stack| stack.len() == depth));
        known.or_else(|| self.shorten(point, stack, depth))
    }

    #[cold]
    fn shorten(
        &self,
        point: &ProgramPoint,
        stack: &'static Stack,
        depth: usize,
    ) -> Option<&'static ProgramPoint> {
        let shorter = self.point_of_all(stack.innermost(depth)?)?;
        point.shorter.set(Some(shorter));
        Some(shorter)
    }

    /// The point of all addresses of the stack.
    #[inline]
    fn point_of_all(&self, stack: &'static Stack) -> Option<&'static ProgramPoint> {
        let known = self.points.find(stack.hash(), |point| point.is_of(stack));
        known.or_else(|| self.insert(stack))
    }

    #[cold]
    fn insert(&self, stack: &'static Stack) -> Option<&'static ProgramPoint> {
        let point = memory::keep_new(|| ProgramPoint::new(Some(stack)))?;
        // If another thread was first, the memory is lost, which is rare, and little.
        self.points.insert(point, |point| point.is_of(stack))
    }

    /// Shows `visit` all points of the profile, with what they have counted by now. To be asked
    /// before the end, like what follows.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&'static ProgramPoint, PointNumbers)) {
        let (peak, length) = (self.peaks.load(Relaxed), self.length());
        let mut next = self.touched.get();
        while let Some(point) = next {
            let mut numbers = point.read(peak);
            numbers.lifetimes = length.in_nanoseconds(numbers.lifetimes);
            visit(point, numbers);
            next = point.next_touched.get();
        }
    }

    /// Tells of a birth in this profile how many nanoseconds ago it was.
    pub(super) fn age(&self) -> impl Fn(Birth) -> u64 {
        let (now, length) = (self.now(), self.length());
        move |born| length.in_nanoseconds(now.saturating_sub(born.ticks()))
    }

    pub(crate) fn times(&self) -> Times {
        let length = self.length();
        Times { peak: length.in_nanoseconds(self.max_at.load(Relaxed)), now: length.nanoseconds }
    }

    /// How many blocks are in the totals of their points, but nowhere else, for want of room.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    fn length(&self) -> Length {
        let nanoseconds = clock::nanoseconds().saturating_sub(self.start.load(Relaxed));
        Length { nanoseconds, ticks: self.now() }
    }
}

/// From the beginning of a profile until now.
#[derive(Clone, Copy)]
struct Length {
    nanoseconds: u64,
    ticks: u64,
}

impl Length {
    fn in_nanoseconds(self, ticks: u64) -> u64 {
        let scaled = u128::from(ticks) * u128::from(self.nanoseconds);
        let nanoseconds = scaled.checked_div(u128::from(self.ticks)).unwrap_or(0);
        u64::try_from(nanoseconds).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
