//! Hot: the tests of the table of live blocks with several threads.

use std::sync::atomic::Ordering::Release;

use super::*;
use crate::sys::AtomicU64;

/// An address, handed from thread to thread.
struct Slot {
    state: AtomicUsize,
    size: AtomicU64,
}

const BUSY: usize = 0;
const UNUSED: usize = 1;
const LIVE_BLOCK: usize = 2;

impl Slot {
    fn new() -> Self {
        Self { state: AtomicUsize::new(UNUSED), size: AtomicU64::new(0) }
    }

    fn begin_realloc(&self) -> usize {
        self.state.swap(BUSY, AcqRel)
    }

    fn give_back(&self, state: usize, size: u64) {
        self.size.store(size, Relaxed);
        self.state.store(state, Release);
    }
}

fn address(slot: usize) -> usize {
    0x7000_0000 + slot * 8
}

#[test]
fn threads_free_each_others_blocks() {
    for round in 0..4 {
        let table = table::<3>(4);
        let (inner, outer) = (begun(), begun());
        let slots: Vec<_> = (0..100).map(|_| Slot::new()).collect();
        thread::scope(|scope| {
            for seed in 0..4 {
                let slots = &slots;
                let random = Random(round * 4 + seed);
                scope.spawn(move || churn(table, slots, [inner, outer], random));
            }
        });
        let live = || slots.iter().filter(|slot| slot.state.load(Relaxed) == LIVE_BLOCK);
        let bytes: u64 = live().map(|slot| slot.size.load(Relaxed)).sum();
        let expected = (live().count() as i64, bytes as i64, 0);
        assert_eq!(
            (counts_in(table, inner), counts_in(table, outer)),
            (expected, expected),
            "round {round}"
        );
        assert_eq!(blocks(table, inner).len(), live().count());
        for slot in 0..slots.len() {
            table.forget(address(slot));
        }
        assert_eq!((counts_in(table, inner), counts_in(table, outer)), ((0, 0, 0), (0, 0, 0)));
        inner.end();
        outer.end();
    }
}

fn churn(table: &Table<3>, slots: &[Slot], scopes: [&'static LeakCounter; 2], mut random: Random) {
    for _ in 0..10_000 {
        let at = random.below(slots.len());
        let slot = &slots[at];
        let size = 1 + random.below(1 << 31) as u64;
        match slot.begin_realloc() {
            UNUSED => {
                table.forget(address(at));
                scopes.iter().for_each(|scope| table.insert(address(at), size, None, scope));
                slot.give_back(LIVE_BLOCK, size);
            }
            LIVE_BLOCK if random.below(2) == 0 => {
                table.forget(address(at));
                slot.give_back(UNUSED, 0);
            }
            LIVE_BLOCK => {
                let moving = table.begin_realloc(address(at));
                let to = random.below(slots.len());
                match slots[to].begin_realloc() {
                    UNUSED => {
                        table.end_realloc(&moving, address(to), size);
                        slots[to].give_back(LIVE_BLOCK, size);
                        slot.give_back(UNUSED, 0);
                        continue;
                    }
                    LIVE_BLOCK => slots[to].state.store(LIVE_BLOCK, Release),
                    _ => {}
                }
                table.end_realloc(&moving, address(at), size);
                slot.give_back(LIVE_BLOCK, size);
            }
            _ => {}
        }
    }
}

/// Ends the other threads, also where a check fails.
struct Over<'a>(&'a AtomicUsize);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(1, Relaxed);
    }
}

/// One `LeakCounter` is used again and again, while others free the blocks of its earlier uses.
#[test]
fn late_frees_do_not_count_in_the_next_use() {
    const PER_SCOPE: usize = 8;
    let table = table::<3>(4);
    let retained = retained();
    let slots: Vec<_> = (0..64).map(|_| Slot::new()).collect();
    let is_over = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 1..4 {
            let (slots, is_over) = (&slots, &is_over);
            scope.spawn(move || {
                let mut random = Random(seed);
                while is_over.load(Relaxed) == 0 {
                    let at = random.below(slots.len());
                    match slots[at].begin_realloc() {
                        LIVE_BLOCK => {
                            table.forget(address(at));
                            slots[at].give_back(UNUSED, 0);
                        }
                        UNUSED => slots[at].give_back(UNUSED, 0),
                        _ => {}
                    }
                }
            });
        }
        let _over = Over(&is_over);
        let mut random = Random(9);
        for _ in 0..500 {
            assert!(retained.begin());
            let mut mine = Vec::new();
            while mine.len() < PER_SCOPE {
                let at = random.below(slots.len());
                match slots[at].begin_realloc() {
                    UNUSED => {
                        table.forget(address(at));
                        table.insert(address(at), 3 << 30, None, retained);
                        mine.push(at);
                    }
                    LIVE_BLOCK => slots[at].state.store(LIVE_BLOCK, Release),
                    _ => {}
                }
                // Nobody else has the blocks of this use.
                let n = mine.len() as i64;
                assert_eq!(counts_in(table, retained), (n, n * (3 << 30), 0));
            }
            let kept = mine.split_off(random.below(PER_SCOPE));
            mine.iter().for_each(|at| slots[*at].give_back(LIVE_BLOCK, 0));
            if random.below(8) == 0 {
                // Those that others have now free them in the end.
                while mine.iter().any(|at| slots[*at].state.load(Acquire) != UNUSED) {
                    thread::yield_now();
                }
                let n = kept.len() as i64;
                assert_eq!(counts_in(table, retained), (n, n * (3 << 30), 0));
            }
            retained.end();
            kept.iter().for_each(|at| slots[*at].give_back(LIVE_BLOCK, 0));
        }
    });
}

#[test]
fn a_look_at_a_node_that_changes_never_mixes_two_blocks() {
    let table = table::<1>(1);
    let scopes = [begun(), begun()];
    let is_over = AtomicUsize::new(0);
    let mut mixed = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = Random(1);
            for _ in 0..300_000 {
                let of = random.below(2);
                table.insert(0x1000, of as u64, None, scopes[of]);
                table.forget(0x1000);
            }
            is_over.store(1, Relaxed);
        });
        while is_over.load(Relaxed) == 0 {
            for (of, scope) in scopes.iter().enumerate() {
                table.visit(scope, &mut |_, size| mixed += usize::from(size != of as u64));
            }
        }
    });
    assert_eq!(mixed, 0);
    scopes.iter().for_each(|scope| scope.end());
}

#[test]
fn threads_that_add_to_a_bucket_at_once_lose_nothing() {
    const BUCKETS: usize = 1 << 12;
    const THREADS: usize = 3;
    for round in 0..10 {
        let table = table::<12>(8);
        let retained = begun();
        let arrived = AtomicUsize::new(0);
        let address = |bucket: usize, thread: usize| 0x1_0000 + bucket * 16 + thread;
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (address, arrived) = (&address, &arrived);
                scope.spawn(move || {
                    for bucket in 0..BUCKETS {
                        if bucket % 64 == 0 {
                            arrived.fetch_add(1, Relaxed);
                            while arrived.load(Relaxed) < (bucket / 64 + 1) * THREADS {
                                std::thread::yield_now();
                            }
                        }
                        table.insert(address(bucket, thread), 1, None, retained);
                    }
                });
            }
        });
        let all = (BUCKETS * THREADS) as i64;
        assert_eq!(counts_in(table, retained), (all, all, 0), "round {round}");
        for thread in 0..THREADS {
            (0..BUCKETS).for_each(|bucket| table.forget(address(bucket, thread)));
        }
        assert_eq!(counts_in(table, retained), (0, 0, 0), "round {round}");
        retained.end();
    }
}

#[test]
fn threads_get_different_nodes() {
    const MAX_CHUNKS: usize = 20;
    let nodes: &'static Nodes = Box::leak(Box::new(Nodes::new(MAX_CHUNKS)));
    let mut taken: Vec<usize> = thread::scope(|scope| {
        let take = || {
            let mut taken = Vec::new();
            while let Some(node) = nodes.take() {
                taken.push(node as *const Node as usize);
            }
            taken
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), MAX_CHUNKS * CHUNK_NODES);
    let mut seen = Vec::new();
    nodes.visit(&mut |node| seen.push(node as *const Node as usize));
    seen.sort_unstable();
    assert_eq!(seen, taken);
}
