//! Hot: `Points`, a heap profile: what its blocks come to by program point, and how many of them were live when. One for each
//! scope or profiler that asks; its blocks are in the table of live blocks ([`live`](super::live)), each with its point.
//!
//! In plain words: the points are a trie, found by the hash of the stack. They are never freed, nor taken out: the next user of the
//! same `Points` finds those of the last one, set to zero. So an entry of a block that is freed much later leads to a point that is
//! still there, and its birth, earlier than the beginning of the present profile, tells that it counts no more.
//!
//! Exact while one thread at a time allocates. Where several do, each sum is exact, but a maximum may miss what another thread
//! did at the very moment, as nobody waits for another.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64, AtomicUsize};

use super::clock;
use super::point::{Blocks, Point, PointNumbers};
use super::retained;
use super::stack::Stack;

/// The roots are found by so many of the hash's highest bits.
const ROOT_BITS: u32 = 8;

/// How many profiles of the whole process there can be at a time.
const MAX_OF_PROCESS: usize = 4;

#[allow(clippy::declare_interior_mutable_const)] // A template for the array.
const NEW: Points = Points::NEW;

static OF_PROCESS: [Points; MAX_OF_PROCESS] = [NEW; MAX_OF_PROCESS];

/// How many of them are in use.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

pub(crate) struct Points {
    is_taken: AtomicBool,
    /// When the profile began; no block of it was born before. `IDLE` while nobody uses it.
    since: AtomicU64,
    /// How many innermost addresses of a stack make a point.
    depth: AtomicUsize,
    blocks: AtomicI64,
    bytes: AtomicI64,
    max_blocks: AtomicI64,
    max_bytes: AtomicI64,
    max_at: AtomicU64,
    /// How many peaks there were.
    peaks: AtomicU64,
    /// Blocks that found no room in the table.
    lost: AtomicU64,
    touched: AtomicPtr<Point>,
    /// Of blocks without a stack, or without room for a point.
    unplaced: Point,
    roots: [AtomicPtr<Point>; 1 << ROOT_BITS],
}

const IDLE: u64 = u64::MAX;

/// What a whole profile comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) live: Blocks,
    /// When there were the most bytes, the latest such moment.
    pub(crate) max: Blocks,
    /// Nanoseconds from the beginning to that moment, and to now.
    pub(crate) max_at: u64,
    pub(crate) end: u64,
    /// Blocks that are in the totals of their points, but nowhere else.
    pub(crate) lost: u64,
}

/// Begins a profile of all threads' blocks; `None` if there are too many, or no memory. The caller then sets the limits of all
/// threads, as for any tracking.
pub(crate) fn profile_process(depth: usize) -> Option<&'static Points> {
    let points = OF_PROCESS.iter().find(|points| !points.is_taken.swap(true, Acquire))?;
    if !points.begin(depth) {
        points.is_taken.store(false, Release);
        return None;
    }
    IN_USE.fetch_add(1, Relaxed);
    Some(points)
}

/// Ends one of those.
pub(crate) fn end_profile_of_process(points: &'static Points) {
    IN_USE.fetch_sub(1, Relaxed);
    points.end();
    points.is_taken.store(false, Release);
}

/// Enters a fresh block in all profiles of the process. `is_first` as for [`Retained::insert`](super::Retained).
#[inline]
pub(crate) fn enter_block(
    address: usize,
    size: u64,
    stack: Option<&'static Stack>,
    is_first: bool,
) {
    let mut is_first = is_first;
    if IN_USE.load(Relaxed) > 0 {
        for points in &OF_PROCESS {
            let since = points.since();
            if since != IDLE {
                points.enter(since, address, size, stack, is_first);
                is_first = false;
            }
        }
    }
}

/// Counts a reallocation, after it was done, in all profiles of the process.
#[inline]
pub(crate) fn reenter_block(address: usize, size: u64, stack: Option<&'static Stack>) {
    if IN_USE.load(Relaxed) > 0 {
        for points in &OF_PROCESS {
            let since = points.since();
            if since != IDLE {
                points.reenter(since, address, size, stack);
            }
        }
    }
}

#[allow(clippy::declare_interior_mutable_const)] // Templates.
impl Points {
    pub(crate) const NEW: Self = Self {
        is_taken: AtomicBool::new(false),
        since: AtomicU64::new(IDLE),
        depth: AtomicUsize::new(usize::MAX),
        blocks: AtomicI64::new(0),
        bytes: AtomicI64::new(0),
        max_blocks: AtomicI64::new(0),
        max_bytes: AtomicI64::new(0),
        max_at: AtomicU64::new(0),
        peaks: AtomicU64::new(0),
        lost: AtomicU64::new(0),
        touched: Point::NONE,
        unplaced: Point::new(None),
        roots: [Point::NONE; 1 << ROOT_BITS],
    };

    /// Somebody begins to use it, as the only one. Points are told apart by the innermost `depth` addresses of their stacks. `false` if
    /// there is no memory to keep blocks in.
    pub(crate) fn begin(&'static self, depth: usize) -> bool {
        if !super::live::prepare() {
            return false;
        }
        let mut next = self.touched.swap(ptr::null_mut(), Acquire);
        while let Some(point) = at(next) {
            next = point.next_touched.load(Relaxed);
            point.reset();
        }
        for number in [&self.blocks, &self.bytes, &self.max_blocks, &self.max_bytes] {
            number.store(0, Relaxed);
        }
        self.depth.store(depth, Relaxed);
        self.peaks.store(1, Relaxed);
        self.lost.store(0, Relaxed);
        let since = clock::begin();
        self.max_at.store(since, Relaxed);
        self.since.store(since, Release);
        retained::start_tracking();
        true
    }

    /// The profile is over: what it has counted stays to be read until the next one begins.
    pub(crate) fn end(&'static self) {
        if self.since.swap(IDLE, Release) != IDLE {
            retained::stop_tracking();
        }
    }

    /// Its beginning, which tells it from the next user's profile.
    #[inline]
    pub(crate) fn since(&self) -> u64 {
        self.since.load(Relaxed)
    }

    /// Whether a block that was born then is of the present profile.
    #[inline]
    pub(super) fn is_of(&self, born: u64) -> bool {
        born >= self.since()
    }

    /// A block was allocated. Nothing happens if the profile that began at `since` is over.
    #[inline]
    pub(crate) fn enter(
        &'static self,
        since: u64,
        address: usize,
        size: u64,
        stack: Option<&'static Stack>,
        is_first: bool,
    ) {
        if since != self.since() {
            return;
        }
        let point = self.touch(stack);
        let born = clock::now().max(since);
        point.count(size);
        if self.place(born, address, size, point, is_first) {
            self.change(point, born, 1, size as i64);
        } else {
            self.lost.fetch_add(1, Relaxed);
        }
    }

    /// A block was reallocated: it stays at its point. One that is none of the profile's is from now on.
    #[inline]
    pub(crate) fn reenter(
        &'static self,
        since: u64,
        address: usize,
        size: u64,
        stack: Option<&'static Stack>,
    ) {
        if since != self.since() {
            return;
        }
        match self.find(address) {
            Some(point) => point.count(size),
            None => self.enter(since, address, size, stack, false),
        }
    }

    /// A block of the profile has come to be, or has grown.
    #[inline]
    fn change(&self, point: &Point, now: u64, blocks: i64, bytes: i64) {
        point.change(self.peaks.load(Relaxed), blocks, bytes);
        let blocks = self.blocks.fetch_add(blocks, Relaxed).wrapping_add(blocks);
        let bytes = self.bytes.fetch_add(bytes, Relaxed).wrapping_add(bytes);
        // Of equal peaks, the latest is the one.
        if bytes >= self.max_bytes.load(Relaxed) {
            self.max_bytes.fetch_max(bytes, Relaxed);
            self.max_blocks.store(blocks, Relaxed);
            self.max_at.store(now, Relaxed);
            self.peaks.fetch_add(1, Relaxed);
        }
    }

    /// A block of the profile has another size.
    #[inline]
    pub(super) fn resized(&self, point: &Point, bytes: i64) {
        if bytes < 0 {
            self.shrink(point, 0, bytes);
        } else {
            self.change(point, clock::now(), 0, bytes);
        }
    }

    /// A block of the profile is no longer live.
    #[inline]
    pub(super) fn freed(&self, point: &Point, born: u64, size: u64) {
        point.add_lifetime(clock::now().saturating_sub(born));
        self.shrink(point, -1, -(size as i64));
    }

    #[inline]
    fn shrink(&self, point: &Point, blocks: i64, bytes: i64) {
        point.change(self.peaks.load(Relaxed), blocks, bytes);
        self.blocks.fetch_add(blocks, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    #[cold]
    pub(super) fn lost_one(&self) {
        self.lost.fetch_add(1, Relaxed);
    }

    /// The point of `stack`, from now on one of the profile's.
    #[inline]
    fn touch(&'static self, stack: Option<&'static Stack>) -> &'static Point {
        let point = stack.and_then(|stack| self.point(stack)).unwrap_or(&self.unplaced);
        if !point.is_touched.load(Relaxed) && !point.is_touched.swap(true, Relaxed) {
            let mut first = self.touched.load(Relaxed);
            loop {
                point.next_touched.store(first, Relaxed);
                let new = (point as *const Point).cast_mut();
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
    fn point(&self, stack: &'static Stack) -> Option<&'static Point> {
        let point = self.point_of_all(stack)?;
        let depth = self.depth.load(Relaxed);
        if stack.return_addresses().len() <= depth {
            return Some(point);
        }
        // The addresses are those of `stack` in any case, so that their number tells whether it is the right one.
        let known = at(point.shorter.load(Acquire)).filter(|shorter| {
            shorter.stack().is_some_and(|stack| stack.return_addresses().len() == depth)
        });
        known.or_else(|| self.shorten(point, stack, depth))
    }

    #[cold]
    fn shorten(
        &self,
        point: &Point,
        stack: &'static Stack,
        depth: usize,
    ) -> Option<&'static Point> {
        let shorter = self.point_of_all(stack.innermost(depth)?)?;
        point.shorter.store((shorter as *const Point).cast_mut(), Release);
        Some(shorter)
    }

    /// The point of all addresses of the stack.
    #[inline]
    fn point_of_all(&self, stack: &'static Stack) -> Option<&'static Point> {
        let hash = stack.hash();
        let mut place = &self.roots[(hash >> (64 - ROOT_BITS)) as usize];
        let mut bits = hash << ROOT_BITS;
        loop {
            let Some(point) = at(place.load(Acquire)) else {
                match insert(place, stack) {
                    Ok(point) => return Some(point),
                    Err(OutOfMemory) => return None,
                    Err(Taken) => continue,
                }
            };
            if point.stack().is_some_and(|known| ptr::eq(known, stack)) {
                return Some(point);
            }
            place = &point.children[(bits >> 62) as usize];
            bits <<= 2;
        }
    }

    /// Shows `visit` all points of the profile.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&'static Point, PointNumbers)) {
        let peak = self.peaks.load(Relaxed);
        let mut next = self.touched.load(Acquire);
        while let Some(point) = at(next) {
            visit(point, point.read(peak));
            next = point.next_touched.load(Relaxed);
        }
    }

    /// What was allocated by now.
    #[cfg(feature = "dhat-compat")]
    pub(crate) fn total(&self) -> Blocks {
        let mut total = Blocks::NONE;
        self.visit(&mut |_, numbers| total = total + numbers.total);
        total
    }

    /// What it has come to by now. To be asked before the end.
    pub(crate) fn sums(&self) -> Sums {
        let number = |number: &AtomicI64| u64::try_from(number.load(Relaxed)).unwrap_or(0);
        let since = self.since();
        Sums {
            live: Blocks { blocks: number(&self.blocks), bytes: number(&self.bytes) },
            max: Blocks { blocks: number(&self.max_blocks), bytes: number(&self.max_bytes) },
            max_at: self.max_at.load(Relaxed).saturating_sub(since),
            end: clock::now().saturating_sub(since),
            lost: self.lost.load(Relaxed),
        }
    }
}

enum NotInserted {
    OutOfMemory,
    /// Another thread was first.
    Taken,
}
use NotInserted::{OutOfMemory, Taken};

#[cold]
fn insert(place: &AtomicPtr<Point>, stack: &'static Stack) -> Result<&'static Point, NotInserted> {
    // SAFETY: a point is not zero-sized.
    let memory: *mut Point = unsafe { System.alloc(Layout::new::<Point>()) }.cast();
    if memory.is_null() {
        return Err(OutOfMemory);
    }
    // SAFETY: fresh, and of the layout of a point.
    unsafe { memory.write(Point::new(Some(stack))) };
    if place.compare_exchange(ptr::null_mut(), memory, AcqRel, Relaxed).is_ok() {
        // SAFETY: initialised above, and never freed now that it is published.
        return Ok(unsafe { &*memory });
    }
    // SAFETY: from `System` with this layout, just above, and nobody else has seen it.
    unsafe { System.dealloc(memory.cast(), Layout::new::<Point>()) };
    Err(Taken)
}

#[inline]
fn at(point: *mut Point) -> Option<&'static Point> {
    // SAFETY: null, the `unplaced` of a `Points`, which are never freed, or a point that `insert` published.
    unsafe { point.as_ref() }
}
