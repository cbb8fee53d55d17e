//! Threads that run freely, each with a random program of its own. What a thread adds to the scope
//! does not depend on the others, so each thread keeps its own sum. When all are joined, the scope
//! must have counted the sum of all. Beside them, other threads attach to scopes that end at any
//! moment.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::thread;

use mod_alloc::{uncounted, AllocScope, AllocStats, Attached, Budget, ScopeHandle};

use crate::block::Block;
use crate::random::Random;

const WORKERS: u64 = 4;
const SLOTS: usize = 12;

/// The name of the threads whose lines on stderr are not counted.
pub(crate) const NOISE: &str = "noise";

/// Blocks that pass from thread to thread. The thread that takes one out frees it while attached.
static EXCHANGE: [Mutex<Option<Held>>; 4] =
    [Mutex::new(None), Mutex::new(None), Mutex::new(None), Mutex::new(None)];

/// A scope that ends at any moment.
static VICTIM: Mutex<Option<ScopeHandle>> = Mutex::new(None);

static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Runs so many rounds. Returns how many agree.
pub(crate) fn run(rounds: u64, first: u64) -> u64 {
    let noise = |seed| {
        let named = thread::Builder::new().name(NOISE.to_owned());
        named
            .spawn(move || if seed == 0 { make_victims() } else { disturb(seed) })
            .expect("a thread")
    };
    let noise: Vec<_> = (0..3).map(noise).collect();
    for seed in first..first + rounds {
        // On a thread of its own, so that a thread takes over the counters of another.
        thread::spawn(move || round(seed)).join().expect("it ends well");
    }
    IS_OVER.store(true, Relaxed);
    noise.into_iter().for_each(|thread| thread.join().expect("it ends well"));
    rounds
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panics")
}

/// Opens scopes, shares them, and ends them while others are attached.
fn make_victims() {
    let mut numbers = Random::new(99);
    while !IS_OVER.load(Relaxed) {
        let share = || {
            *lock(&VICTIM) = AllocScope::current();
            for _ in 0..numbers.below(5) {
                thread::yield_now();
            }
        };
        let budget =
            Budget::new().min(u64::MAX).max_peak_bytes(0).max_retained(0).max_block_bytes(0);
        let exceeded = budget.call_sites(false).check(share).expect_err("nothing does that much");
        assert!(exceeded.stats().alloc_count < 1_000_000);
    }
}

/// Attaches to these scopes, and detaches again.
fn disturb(seed: u64) {
    let mut numbers = Random::new(seed);
    while !IS_OVER.load(Relaxed) {
        let Some(handle) = lock(&VICTIM).clone() else { continue };
        let attached = handle.attach();
        let block = Block::new(Block::random_size(&mut numbers), 1, false)
            .resized(Block::random_size(&mut numbers));
        uncounted(|| handle.run(|| Block::new(Block::random_size(&mut numbers), 1, false).free()));
        match numbers.below(3) {
            0 => handle.attach_thread(),
            1 => drop(attached),
            _ => {
                let own = AllocScope::enter();
                own.handle().run(|| Block::new(8, 1, false).free());
                assert_eq!(own.exit().alloc_count, 1);
            }
        }
        block.free();
    }
}

#[derive(Clone, Copy)]
struct Held {
    block: Block,
    size: usize,
    /// Whether it was allocated in the scope.
    is_counted: bool,
}

/// What a thread should have added to the scope.
#[derive(Default)]
struct Sum {
    stats: AllocStats,
    retained: (u64, u64),
    largest: u64,
}

impl Sum {
    fn add(&mut self, other: &Self) {
        let (stats, others) = (&mut self.stats, &other.stats);
        stats.alloc_count += others.alloc_count;
        stats.realloc_count += others.realloc_count;
        stats.dealloc_count += others.dealloc_count;
        stats.total_bytes += others.total_bytes;
        stats.current_bytes += others.current_bytes;
        stats.live_count += others.live_count;
        self.retained.0 += other.retained.0;
        self.retained.1 += other.retained.1;
        self.largest = self.largest.max(other.largest);
    }

    fn request(&mut self, size: usize) {
        self.stats.total_bytes += size as u64;
        self.largest = self.largest.max(size as u64);
    }

    fn dealloc(&mut self, size: usize) {
        self.stats.dealloc_count += 1;
        self.stats.current_bytes -= size as i64;
        self.stats.live_count -= 1;
    }
}

struct Worker<'a> {
    handle: &'a ScopeHandle,
    numbers: Random,
    blocks: [Option<Held>; SLOTS],
    /// How many uncounted stretches are open.
    uncounted: usize,
    /// Each has the number of uncounted stretches that were open when it was made.
    guards: [Option<(Attached, usize)>; 3],
    jobs: Vec<usize>,
    sum: Sum,
}

impl<'a> Worker<'a> {
    fn new(seed: u64, handle: &'a ScopeHandle) -> Self {
        Self {
            handle,
            numbers: Random::new(seed),
            blocks: [None; SLOTS],
            uncounted: 0,
            guards: [None, None, None],
            jobs: Vec::with_capacity(10),
            sum: Sum::default(),
        }
    }

    /// Returns what it has added, and the blocks that are left.
    fn run(mut self) -> (Sum, [Option<Held>; SLOTS]) {
        for _ in 0..200 {
            self.act();
        }
        self.guards = [None, None, None];
        for held in self.blocks.iter().flatten().filter(|held| held.is_counted) {
            self.sum.retained.0 += 1;
            self.sum.retained.1 += held.size as u64;
        }
        (self.sum, self.blocks)
    }

    /// Entries above the innermost uncounted one count, wherever they were made.
    fn is_counted(&self) -> bool {
        let guards = self.guards.iter().flatten().map(|(_, level)| level);
        guards.chain(&self.jobs).any(|&level| level >= self.uncounted)
    }

    fn act(&mut self) {
        let slot = self.numbers.below(SLOTS);
        let guard = self.numbers.below(3);
        match self.numbers.below(26) {
            0..=8 => self.allocate(slot),
            9..=11 => self.reallocate(slot),
            12..=14 => self.free(slot),
            15 | 16 => self.give(slot),
            17..=19 => {
                self.guards[guard] = None;
                self.guards[guard] = Some((self.handle.attach(), self.uncounted));
            }
            20 | 21 => self.guards[guard] = None,
            22 | 23 if self.jobs.len() < 5 => {
                self.jobs.push(self.uncounted);
                self.handle.run(|| self.act_some());
                self.jobs.pop();
            }
            24 if self.uncounted < 5 => {
                self.uncounted += 1;
                uncounted(|| self.act_some());
                self.uncounted -= 1;
                // What was made in the stretch stands over the same entries as what is made now.
                let levels = self.guards.iter_mut().flatten().map(|(_, level)| level);
                levels.for_each(|level| *level = self.uncounted.min(*level));
            }
            _ => self.open_a_scope(),
        }
    }

    fn act_some(&mut self) {
        for _ in 0..self.numbers.below(5) {
            self.act();
        }
    }

    fn allocate(&mut self, slot: usize) {
        self.free(slot);
        let size = Block::random_size(&mut self.numbers);
        let (block, is_counted) = (Block::new(size, 8, false), self.is_counted());
        self.blocks[slot] = Some(Held { block, size, is_counted });
        if is_counted {
            self.sum.stats.alloc_count += 1;
            self.sum.request(size);
            self.sum.stats.current_bytes += size as i64;
            self.sum.stats.live_count += 1;
        }
    }

    fn reallocate(&mut self, slot: usize) {
        let Some(held) = self.blocks[slot].take() else { return };
        let size = Block::random_size(&mut self.numbers);
        self.blocks[slot] = Some(Held { block: held.block.resized(size), size, ..held });
        if self.is_counted() {
            self.sum.stats.alloc_count += 1;
            self.sum.stats.realloc_count += 1;
            self.sum.request(size);
            self.sum.stats.current_bytes += size as i64 - held.size as i64;
        }
    }

    fn free(&mut self, slot: usize) {
        if let Some(held) = self.blocks[slot].take() {
            held.block.free();
            if self.is_counted() {
                self.sum.dealloc(held.size);
            }
        }
    }

    /// Puts the block of a slot where another thread can take it.
    fn give(&mut self, slot: usize) {
        let Some(given) = self.blocks[slot].take() else { return };
        self.sum.dealloc(given.size);
        let place = self.numbers.below(EXCHANGE.len());
        let taken = lock(&EXCHANGE[place]).replace(given);
        self.handle.run(|| taken.map(|held| held.block.free()));
    }

    /// Opens a scope that counts for itself, and whose handle another thread has.
    fn open_a_scope(&mut self) {
        let own = AllocScope::enter();
        let handle = own.handle();
        let size = Block::random_size(&mut self.numbers);
        self.allocate(0);
        handle.run(|| self.reallocate(0));
        uncounted(|| handle.run(|| Block::new(size, 1, true).free()));
        let stats = own.exit();
        assert!((2..=3).contains(&stats.alloc_count) && stats.realloc_count == 1);
        // It counted in the scope around, too, by the entry that is attached to both.
        let is_counted_around = self.is_counted();
        if is_counted_around {
            self.sum.stats.alloc_count += 1;
            self.sum.request(size);
            self.sum.dealloc(size);
            self.sum.stats.current_bytes += size as i64;
            self.sum.stats.live_count += 1;
        }
    }
}

fn round(seed: u64) {
    let tracks = seed % 2 == 0;
    let mut budget = Budget::new().min(u64::MAX).call_sites(seed % 3 == 0);
    if tracks {
        budget = budget.max_retained(0).max_retained_bytes(0);
    }
    if seed % 5 == 0 {
        budget = budget.max_peak_bytes(0);
    }
    let asks_for_largest = seed % 4 < 2;
    if asks_for_largest {
        budget = budget.max_block_bytes(0);
    }
    let mut sum = Sum::default();
    let mut left = Vec::new();
    let exceeded = budget
        .check(|| {
            let handle = &AllocScope::current().expect("the budget");
            let scope = AllocScope::enter();
            let inner = &scope.handle();
            uncounted(|| {
                thread::scope(|threads| {
                    let start = |worker| {
                        let handle = if worker % 2 == 0 { handle } else { inner };
                        let seed = seed * WORKERS + worker;
                        threads.spawn(move || Worker::new(seed, handle).run())
                    };
                    let workers: Vec<_> = (0..WORKERS).map(start).collect();
                    let mut earlier = scope.stats();
                    while !workers.iter().all(|worker| worker.is_finished()) {
                        let now = scope.stats();
                        assert!(now.alloc_count >= earlier.alloc_count, "seed {seed}");
                        assert!(now.total_bytes >= earlier.total_bytes, "seed {seed}");
                        earlier = now;
                    }
                    let mut of_inner = Sum::default();
                    for (at, worker) in workers.into_iter().enumerate() {
                        let (added, blocks) = worker.join().expect("it ends well");
                        sum.add(&added);
                        if at % 2 == 1 {
                            of_inner.add(&added);
                        }
                        left.extend(blocks.into_iter().flatten());
                    }
                    let (stats, expected) = (scope.stats(), of_inner.stats);
                    assert_eq!(stats.alloc_count, expected.alloc_count, "seed {seed}");
                    assert_eq!(stats.realloc_count, expected.realloc_count, "seed {seed}");
                    assert_eq!(stats.total_bytes, expected.total_bytes, "seed {seed}");
                });
            });
            let exchanged = EXCHANGE.iter().filter_map(|place| lock(place).take());
            exchanged.for_each(|held| held.block.free());
        })
        .expect_err("nothing allocates that much");
    // The peak depends on the order.
    sum.stats.peak_bytes = exceeded.stats().peak_bytes;
    assert_eq!(exceeded.stats(), sum.stats, "seed {seed}");
    if tracks && seed % 3 != 0 {
        assert_eq!(crate::retained(&exceeded), sum.retained, "seed {seed}");
    }
    let largest = asks_for_largest.then_some(sum.largest);
    assert_eq!(exceeded.largest_block(), largest, "seed {seed}");
    left.into_iter().for_each(|held| held.block.free());
}
