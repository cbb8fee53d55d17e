//! Hot: `LargestBlocks`, the largest block that was requested at each stack of a scope, and so of
//! the scope. For those who ask: it takes a look-up at each of their events.
//!
//! By stack, since what is the test harness's is known by its stacks, and is to be left out when a
//! budget is judged. A reallocation requests its new size. A request that is refused counts as any
//! other: the size was asked for.
//!
//! Any thread of a shared scope notes its events here, so the rows are a set that only grows, of
//! which each use zeroes those that the one before it has touched. Whoever may still note something
//! holds the `LargestBlocks`, so that no other scope gets it: see [`join`](LargestBlocks::join).
//!
//! Relies on: the pool, which lends it to one scope at a time.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::breakpoint;
use super::held_code::HeldCode;
use super::stack::Stack;
use crate::sys::{memory, AtomicU64, Link, Links, Member, OutOfMemory, Pool, Pooled, StableSet};

static POOL: Pool<LargestBlocks> = Pool::new();

pub(crate) struct LargestBlocks {
    /// The largest block that the scope may request.
    max: AtomicU64,
    code: UnsafeCell<Option<HeldCode>>,
    largest: AtomicU64,
    /// The number of the first event beyond `max`, from 1, and its stack.
    past: AtomicU64,
    past_stack: Link<Stack>,
    /// A request was beyond `max`, refused or not.
    is_past: AtomicBool,
    /// The events of the scope before those that `claim` is told of.
    earlier: AtomicU64,
    touched: Link<LargestBlock>,
    /// Of events without a stack, or without room for a row.
    unplaced: LargestBlock,
    rows: StableSet<LargestBlock>,
    links: Links<Self>,
}

// SAFETY: `code` is written by `begin` alone, when nobody else knows of it yet; the rest is `Sync`.
unsafe impl Sync for LargestBlocks {}

/// The largest block of one stack.
#[repr(align(16))]
struct LargestBlock {
    stack: Option<&'static Stack>,
    size: AtomicU64,
    is_touched: AtomicBool,
    next_touched: Link<Self>,
}

/// No event is past the limit; or one is, and is being written.
const NONE: u64 = 0;
const CLAIMED: u64 = u64::MAX;

#[allow(clippy::declare_interior_mutable_const)] // A template.
impl Pooled for LargestBlocks {
    const NEW: Self = Self {
        max: AtomicU64::new(0),
        code: UnsafeCell::new(None),
        largest: AtomicU64::new(0),
        past: AtomicU64::new(NONE),
        past_stack: Link::NONE,
        is_past: AtomicBool::new(false),
        earlier: AtomicU64::new(0),
        touched: Link::NONE,
        unplaced: LargestBlock::new(None),
        rows: StableSet::new(),
        links: Links::NEW,
    };

    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl Member for LargestBlock {
    fn hash(&self) -> u64 {
        self.stack.map_or(0, Stack::hash)
    }
}

impl LargestBlock {
    const fn new(stack: Option<&'static Stack>) -> Self {
        Self {
            stack,
            size: AtomicU64::new(0),
            is_touched: AtomicBool::new(false),
            next_touched: Link::NONE,
        }
    }

    #[inline]
    fn is_of(&self, stack: &'static Stack) -> bool {
        self.stack.is_some_and(|known| ptr::eq(known, stack))
    }
}

impl LargestBlocks {
    /// One that nobody uses, for a scope of `code` that may request blocks of up to `max` bytes.
    pub(crate) fn begin(max: u64, code: HeldCode) -> Result<&'static Self, OutOfMemory> {
        let blocks = POOL.take().ok_or(OutOfMemory)?;
        let mut next = blocks.touched.take();
        while let Some(row) = next {
            next = row.next_touched.get();
            row.size.store(0, Relaxed);
            row.is_touched.store(false, Relaxed);
        }
        blocks.max.store(max, Relaxed);
        // SAFETY: just taken from the pool: nobody else knows of it yet.
        unsafe { *blocks.code.get() = Some(code) };
        blocks.largest.store(0, Relaxed);
        blocks.earlier.store(0, Relaxed);
        blocks.past.store(NONE, Relaxed);
        blocks.is_past.store(false, Relaxed);
        Ok(blocks)
    }

    /// Holds it beside the one that has begun it: it is to be given back once more.
    pub(crate) fn join(&self) {
        self.links.join();
    }

    pub(crate) fn give_back(&self) {
        self.links.give_back();
    }

    /// Notes a request. Returns whether it is beyond the limit.
    pub(crate) fn note(&'static self, size: u64, stack: Option<&'static Stack>) -> bool {
        let row = stack.and_then(|stack| self.row(stack)).unwrap_or(&self.unplaced);
        if size > row.size.load(Relaxed) {
            row.size.fetch_max(size, Relaxed);
            self.largest.fetch_max(size, Relaxed);
        }
        if !row.is_touched.load(Relaxed) && !row.is_touched.swap(true, Relaxed) {
            self.touched.push(row, &row.next_touched);
        }
        size > self.max.load(Relaxed)
    }

    /// An event has gone past the limit: number `event` of the scope, but for the `earlier` ones.
    #[cold]
    pub(crate) fn claim(&self, event: u64, stack: Option<&'static Stack>) {
        if self.past.compare_exchange(NONE, CLAIMED, Relaxed, Relaxed).is_ok() {
            self.past_stack.set(stack);
            self.past.store(self.earlier.load(Relaxed).wrapping_add(event), Release);
            self.pass();
        }
    }

    /// Notes a request that was refused. Returns whether it is beyond the limit.
    #[cold]
    pub(crate) fn note_refused(&'static self, size: u64, stack: Option<&'static Stack>) -> bool {
        let is_beyond = self.note(size, stack);
        if is_beyond {
            self.pass();
        }
        is_beyond
    }

    /// The largest block that the scope may request.
    pub(crate) fn max(&self) -> u64 {
        self.max.load(Relaxed)
    }

    /// Whose scope it is.
    pub(crate) fn code(&self) -> Option<HeldCode> {
        // SAFETY: `begin` alone writes it, of one that the pool has just taken out. The caller
        // holds this one, by `begin` or `join`, and until it is given back the pool keeps it.
        unsafe { *self.code.get() }
    }

    /// A request is beyond the limit.
    fn pass(&self) {
        if !self.is_past.swap(true, Relaxed) {
            breakpoint::pass();
        }
    }

    /// From now on events are counted anew, by a scope that goes on with this one: so many came
    /// before.
    pub(crate) fn set_earlier(&self, events: u64) {
        self.earlier.store(events, Relaxed);
    }

    /// The number of the first event past the limit, and its stack.
    pub(crate) fn first_past(&self) -> Option<(u64, Option<&'static Stack>)> {
        match self.past.load(Acquire) {
            NONE | CLAIMED => None,
            event => Some((event, self.past_stack.get())),
        }
    }

    /// Of the whole scope; 0 if nothing was requested.
    pub(crate) fn largest(&self) -> u64 {
        self.largest.load(Relaxed)
    }

    /// Shows `visit` the largest block of each stack; `None` stands for events without one.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Option<&'static Stack>, u64)) {
        let mut next = self.touched.get();
        while let Some(row) = next {
            visit(row.stack, row.size.load(Relaxed));
            next = row.next_touched.get();
        }
    }

    /// The row of a stack; `None` without memory.
    #[inline]
    fn row(&self, stack: &'static Stack) -> Option<&'static LargestBlock> {
        let known = self.rows.find(stack.hash(), |row| row.is_of(stack));
        known.or_else(|| self.insert(stack))
    }

    #[cold]
    fn insert(&self, stack: &'static Stack) -> Option<&'static LargestBlock> {
        let row = memory::keep_new(|| LargestBlock::new(Some(stack)))?;
        // If another thread was first, the memory is lost, which is rare, and little.
        self.rows.insert(row, |row| row.is_of(stack))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::panic::Location;

    use super::{HeldCode, LargestBlocks};
    use crate::stacks::made_up_stack;

    fn code() -> HeldCode {
        HeldCode { path: "", function: "", location: Location::caller() }
    }

    fn by_stack(blocks: &LargestBlocks) -> BTreeMap<usize, u64> {
        let mut sizes = BTreeMap::new();
        blocks.visit(&mut |stack, size| {
            let at = stack.map_or(0, |stack| stack.return_addresses()[1]);
            assert_eq!(sizes.insert(at, size), None);
        });
        sizes
    }

    #[test]
    fn each_use_has_the_largest_block_of_each_stack_whichever_thread_requests_it() {
        for use_of_it in 1..4 {
            let blocks = LargestBlocks::begin(900, code()).expect("memory");
            assert!(by_stack(blocks).is_empty() && blocks.largest() == 0);
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    scope.spawn(move || {
                        for size in (thread..1_000).step_by(4) {
                            let at = size % (10 * use_of_it);
                            let stack = (at > 0).then(|| made_up_stack(&[31, at as usize]));
                            assert_eq!(blocks.note(size, stack), size > 900);
                        }
                    });
                }
            });
            let stacks = 10 * use_of_it;
            let greatest = |at: u64| (0..1_000).rev().find(|size| size % stacks == at);
            let expected = (0..stacks).map(|at| (at as usize, greatest(at).expect("there is one")));
            assert_eq!(by_stack(blocks), expected.collect());
            assert_eq!(blocks.largest(), 999);
            blocks.give_back();
        }
    }

    #[test]
    fn the_first_event_past_the_limit_stays_the_first() {
        let blocks = LargestBlocks::begin(10, code()).expect("memory");
        assert!(blocks.first_past().is_none());
        let stacks = [made_up_stack(&[32, 1]), made_up_stack(&[32, 2])];
        blocks.set_earlier(100);
        blocks.claim(7, Some(stacks[0]));
        blocks.claim(8, Some(stacks[1]));
        let (event, stack) = blocks.first_past().expect("it was claimed");
        assert_eq!((event, stack.expect("one").return_addresses()), (107, vec![32, 1]));
        blocks.give_back();
    }

    #[test]
    fn it_is_nobody_elses_while_anybody_holds_it() {
        let blocks = LargestBlocks::begin(0, code()).expect("memory");
        blocks.join();
        blocks.give_back();
        let others: Vec<_> =
            (0..50).map(|_| LargestBlocks::begin(0, code()).expect("memory")).collect();
        assert!(others.iter().all(|other| !std::ptr::eq(*other, blocks)));
        blocks.give_back();
        others.into_iter().for_each(LargestBlocks::give_back);
    }
}
