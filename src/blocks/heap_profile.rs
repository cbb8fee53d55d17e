//! Hot: `HeapProfile`, a heap profile: what its blocks come to by program point, and how many of
//! them were live when. One for each scope or profiler that asks; its blocks are in the table of
//! live blocks ([`table`](super::table)), each with its point.
//!
//! In plain words: the points are a trie, found by the hash of the stack. They are never freed, nor
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
//!
//! Relies on: points are never freed, nor is a `HeapProfile`.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU64, AtomicUsize};

use super::birth::{Birth, SERIAL_BITS};
use super::clock;
use super::program_point::{PointNumbers, ProgramPoint};
use super::table;
use super::tracking;
use super::uses::{InUse, Reused, Uses};
use crate::stacks::Stack;
use crate::sys::{memory, Links, Pool, Pooled};

/// Those of scopes. Those of the whole process have a pool of their own
/// ([`process_profile`](super::process_profile)).
static OF_SCOPES: Pool<HeapProfile> = Pool::new();

/// The roots are found by so many of the hash's highest bits.
const ROOT_BITS: u32 = 8;

/// Its numbers on a cache line of their own.
#[repr(align(64))]
pub(crate) struct HeapProfile {
    uses: Uses<SERIAL_BITS>,
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
    touched: AtomicPtr<ProgramPoint>,
    /// Of blocks without a stack, or without room for a point.
    unplaced: ProgramPoint,
    roots: [AtomicPtr<ProgramPoint>; 1 << ROOT_BITS],
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
        touched: ProgramPoint::NONE,
        unplaced: ProgramPoint::new(None),
        roots: [ProgramPoint::NONE; 1 << ROOT_BITS],
        links: Links::NEW,
    };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl Reused for HeapProfile {
    fn end(&'static self) {
        if self.uses.end() {
            tracking::stop_tracking();
        }
    }

    fn is_used_up(&self) -> bool {
        self.uses.are_used_up()
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
        let mut next = self.touched.swap(ptr::null_mut(), Acquire);
        while let Some(point) = at(next) {
            next = point.next_touched.load(Relaxed);
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

    #[cfg(test)]
    pub(crate) fn use_up(&self) {
        self.uses.use_up();
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
            let mut first = self.touched.load(Relaxed);
            loop {
                point.next_touched.store(first, Relaxed);
                let new = (point as *const ProgramPoint).cast_mut();
                match self.touched.compare_exchange_weak(first, new, Release, Relaxed) {
                    Ok(_) => break,
                    Err(now) => first = now,
                }
            }
        }
        point
    }

    /// `None` without memory.
    #[inline]
    fn point(&self, stack: &'static Stack) -> Option<&'static ProgramPoint> {
        let point = self.point_of_all(stack)?;
        let depth = self.depth.load(Relaxed);
        if stack.return_addresses().len() <= depth {
            return Some(point);
        }
        // The addresses are those of `stack` in any case, so that their number tells whether it is
        // the right one.
        let known = at(point.shorter.load(Acquire)).filter(|shorter| {
            shorter.stack().is_some_and(|stack| stack.return_addresses().len() == depth)
        });
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
        point.shorter.store((shorter as *const ProgramPoint).cast_mut(), Release);
        Some(shorter)
    }

    /// The point of all addresses of the stack.
    #[inline]
    fn point_of_all(&self, stack: &'static Stack) -> Option<&'static ProgramPoint> {
        let hash = stack.hash();
        // No panic: the first bits of a hash, and as many places as they can say.
        let mut place = &self.roots[(hash >> (64 - ROOT_BITS)) as usize];
        let mut bits = hash << ROOT_BITS;
        loop {
            let Some(point) = at(place.load(Acquire)) else {
                match insert(place, stack) {
                    Ok(point) => return Some(point),
                    Err(OutOfMemory) => return None,
                    Err(TooLate) => continue,
                }
            };
            if point.stack().is_some_and(|known| ptr::eq(known, stack)) {
                return Some(point);
            }
            // No panic: two bits, and four places.
            place = &point.children[(bits >> 62) as usize];
            bits <<= 2;
        }
    }

    /// Shows `visit` all points of the profile, with what they have counted by now. To be asked
    /// before the end, like what follows.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&'static ProgramPoint, PointNumbers)) {
        let (peak, length) = (self.peaks.load(Relaxed), self.length());
        let mut next = self.touched.load(Acquire);
        while let Some(point) = at(next) {
            let mut numbers = point.read(peak);
            numbers.lifetimes = length.in_nanoseconds(numbers.lifetimes);
            visit(point, numbers);
            next = point.next_touched.load(Relaxed);
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

enum NotInserted {
    OutOfMemory,
    /// Another thread was first.
    TooLate,
}
use NotInserted::{OutOfMemory, TooLate};

#[cold]
fn insert(
    place: &AtomicPtr<ProgramPoint>,
    stack: &'static Stack,
) -> Result<&'static ProgramPoint, NotInserted> {
    let memory: *mut ProgramPoint = memory::keep(Layout::new::<ProgramPoint>()).cast();
    if memory.is_null() {
        return Err(OutOfMemory);
    }
    // SAFETY: fresh, and of the layout of a point.
    unsafe { memory.write(ProgramPoint::new(Some(stack))) };
    if place.compare_exchange(ptr::null_mut(), memory, AcqRel, Relaxed).is_ok() {
        // SAFETY: initialised above, and never freed now that it is published.
        return Ok(unsafe { &*memory });
    }
    // It is lost, which is rare, and little.
    Err(TooLate)
}

#[inline]
fn at(point: *mut ProgramPoint) -> Option<&'static ProgramPoint> {
    // SAFETY: null, the `unplaced` of a `HeapProfile`, which are never freed, or a point that
    // `insert` published.
    unsafe { point.as_ref() }
}

#[cfg(test)]
mod tests;
