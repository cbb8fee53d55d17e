//! Net bytes that go far, past the multiples of 4 GiB where the upper half of a threshold changes:
//! counts and peaks are compared with a model in small steps there. The allocator grants what no
//! machine has.
#![cfg(target_pointer_width = "64")]

use std::thread;

use mod_alloc::{AllocScope, ModAlloc};

#[path = "common/block.rs"]
mod block;
#[path = "common/generous.rs"]
mod generous;
#[path = "common/random.rs"]
mod random;

use block::Block;
use generous::Generous;
use random::Random;

#[global_allocator]
static GLOBAL: ModAlloc<Generous> = ModAlloc::with(Generous);

const GIB: usize = 1 << 30;

/// What a program has allocated, and a scope that began on the way, with what it should say.
struct Walk {
    random: Random,
    near: [Option<(Block, usize)>; 16],
    net: i64,
    peak: i64,
    scope: AllocScope,
    start: i64,
    events: u64,
    scope_peak: i64,
}

impl Walk {
    fn begin(seed: u64) -> Self {
        GLOBAL.reset();
        let (random, scope) = (Random::new(seed), AllocScope::enter());
        let near = [None; 16];
        Self { random, near, net: 0, peak: 0, scope, start: 0, events: 0, scope_peak: 0 }
    }

    fn count(&mut self, events: u64, got: usize, freed: usize) {
        self.events += events;
        self.net += got as i64 - freed as i64;
        self.peak = self.peak.max(self.net);
        self.scope_peak = self.scope_peak.max(self.net);
    }

    fn alloc(&mut self, size: usize) -> Block {
        self.count(1, size, 0);
        Block::new(size, 1, false)
    }

    fn free(&mut self, block: Block, size: usize) {
        self.count(0, 0, size);
        block.free();
    }

    fn take_steps(&mut self) {
        for _ in 0..2_000 {
            let at = self.random.below(self.near.len());
            let size = Block::random_size(&mut self.random);
            self.near[at] = match self.near[at] {
                None => Some((self.alloc(size), size)),
                Some((block, old)) if self.random.below(2) == 0 => {
                    self.count(1, size, old);
                    Some((block.resized(size), size))
                }
                Some((block, old)) => {
                    self.free(block, old);
                    None
                }
            };
            match self.random.below(16) {
                0 => self.check(),
                // A maximum that begins anew.
                1 => {
                    (self.scope, self.events) = (AllocScope::enter(), 0);
                    (self.start, self.scope_peak) = (self.net, self.net);
                }
                _ => {}
            }
        }
    }

    fn check(&self) {
        let stats = self.scope.stats();
        let said = (stats.alloc_count, stats.current_bytes, stats.peak_bytes);
        assert_eq!(said, (self.events, self.net - self.start, self.scope_peak - self.start));
        let process = GLOBAL.snapshot();
        // Of the harness, there may be some kilobytes more.
        assert!((process.current_bytes - self.net).abs() < 64 << 10, "{process:?}, {}", self.net);
        assert!((process.peak_bytes - self.peak).abs() < 64 << 10, "{process:?}, {}", self.peak);
    }

    fn end(mut self) {
        while let Some((block, size)) = self.near.iter_mut().find_map(Option::take) {
            self.free(block, size);
        }
        self.check();
    }
}

#[test]
fn counts_and_peaks_are_exact_where_net_bytes_pass_4_gib() {
    for (seed, short) in (1..).zip([0, 20, 60, 100, 200]) {
        // A boundary is 2 GiB above where a thread begins, and another one 2 GiB below.
        let of_others =
            [2 * GIB + (short << 10), GIB].map(|size| (Block::new(size, 1, false), size));
        let on_a_thread = || {
            let mut walk = Walk::begin(seed);
            for (block, size) in of_others {
                walk.free(block, size);
                walk.take_steps();
            }
            walk.end();
            let mut walk = Walk::begin(seed);
            for sizes in [[5 * GIB, GIB], [9 * GIB, GIB]] {
                let blocks = sizes.map(|size| {
                    let block = walk.alloc(size);
                    walk.take_steps();
                    (block, size)
                });
                for (block, size) in blocks {
                    walk.free(block, size);
                    walk.take_steps();
                }
            }
            walk.end();
        };
        thread::scope(|threads| threads.spawn(on_a_thread).join()).expect("as it should be");
    }
}
