//! Hot: the tests of the table of live blocks, beside the random programs that they compare with a
//! plain model. Addresses are made up.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::thread;

use super::super::nodes::{Node, Nodes, CHUNK_NODES, FIRST_ADDRESS};
use super::super::uses::Reused;
use super::*;
use crate::stacks::made_up_stack;
use crate::sys::random_tests::Random;
use crate::sys::Pooled;

mod threads;

fn table<const BITS: u32>(max_chunks: usize) -> &'static Table<BITS> {
    let table = Box::leak(Box::new(Table::new(max_chunks)));
    assert!(table.prepare());
    table
}

fn retained() -> &'static LeakCounter {
    Box::leak(Box::new(LeakCounter::NEW))
}

fn begun() -> &'static LeakCounter {
    let retained = retained();
    assert!(retained.begin());
    retained
}

fn counts(scope: &LeakCounter) -> (i64, u64, u64) {
    (scope.blocks(), scope.bytes(), scope.lost())
}

/// The same where `scope.bytes()` would look at the one table.
fn counts_in<const BITS: u32>(table: &Table<BITS>, scope: &LeakCounter) -> (i64, i64, u64) {
    let bytes: u64 = blocks(table, scope).iter().map(|(_, size)| size).sum();
    (scope.blocks(), bytes as i64, scope.lost())
}

/// What `visit` shows, sorted.
fn blocks<const BITS: u32>(
    table: &Table<BITS>,
    scope: &LeakCounter,
) -> Vec<(Option<*const Stack>, u64)> {
    let mut blocks = Vec::new();
    table.visit(scope, &mut |stack, size| {
        blocks.push((stack.map(|stack| stack as *const Stack), size));
    });
    blocks.sort_unstable();
    blocks
}

#[test]
fn blocks_count_from_insert_to_forget() {
    let table = table::<4>(1);
    let (one, two) = (begun(), begun());
    let stack = made_up_stack(&[1, 2, 3]);
    table.insert(0x1000, 10, Some(stack), one);
    table.insert(0x1000, 10, Some(stack), two);
    table.insert(0x1008, 7, None, one);
    assert_eq!((counts_in(table, one), counts_in(table, two)), ((2, 17, 0), (1, 10, 0)));
    assert_eq!(blocks(table, one), [(None, 7), (Some(stack as *const Stack), 10)]);
    table.forget(0x1000);
    table.forget(0x1000);
    table.forget(0x1001);
    assert_eq!((counts_in(table, one), counts_in(table, two)), ((1, 7, 0), (0, 0, 0)));
    assert_eq!(blocks(table, two), []);
    one.end();
    two.end();
}

#[test]
fn a_reallocation_keeps_the_first_stack_and_moves_the_bytes() {
    let table = table::<4>(1);
    let scope = begun();
    let stack = made_up_stack(&[4, 5]);
    table.insert(0x1000, 10, Some(stack), scope);
    let moved = table.begin_realloc(0x1000);
    assert_eq!(scope.blocks(), 1, "not changed by being away");
    table.end_realloc(&moved, 0x2000, 25);
    assert_eq!(counts_in(table, scope), (1, 25, 0));
    let failed = table.begin_realloc(0x2000);
    table.end_realloc(&failed, 0x2000, 25);
    let shrunk = table.begin_realloc(0x2000);
    table.end_realloc(&shrunk, 0x2000, 5);
    assert_eq!(counts_in(table, scope), (1, 5, 0));
    assert_eq!(blocks(table, scope), [(Some(stack as *const Stack), 5)]);
    table.forget(0x1000);
    assert_eq!(counts_in(table, scope), (1, 5, 0));
    table.forget(0x2000);
    assert_eq!(counts_in(table, scope), (0, 0, 0));
    scope.end();
}

#[test]
fn a_scope_that_ends_during_a_reallocation_is_over() {
    let table = table::<4>(1);
    let scope = begun();
    table.insert(0x1000, 10, None, scope);
    let moving = table.begin_realloc(0x1000);
    scope.end();
    assert!(scope.begin());
    table.end_realloc(&moving, 0x2000, 20);
    assert_eq!(counts_in(table, scope), (0, 0, 0));
    table.nodes.visit(&mut |node| assert!(node.read().is_none(), "an entry for nobody"));
    scope.end();
}

/// One was freed unseen.
#[test]
fn an_address_that_is_handed_out_again_was_free() {
    let table = table::<4>(1);
    let scope = begun();
    table.insert(0x1000, 10, None, scope);
    table.insert(0x2000, 20, None, scope);
    table.end_realloc(&table.begin_realloc(0x1000), 0x2000, 30);
    assert_eq!(counts_in(table, scope), (1, 30, 0));
    table.end_realloc(&table.begin_realloc(0x3000), 0x2000, 5);
    assert_eq!(counts_in(table, scope), (0, 0, 0));
    scope.end();
}

#[test]
fn a_reallocation_carries_a_block_of_any_number_of_scopes() {
    let table = table::<4>(1);
    let scopes: Vec<_> = (0..100).map(|_| begun()).collect();
    let over = begun();
    table.insert(0x1000, 9, None, over);
    for scope in &scopes {
        table.insert(0x1000, 10, None, scope);
    }
    table.insert(0x1000, 9, None, over);
    over.end();
    let all_have = |counts| scopes.iter().all(|scope| counts_in(table, scope) == counts);
    // In its place, to another one of the same bucket, and to another bucket.
    for (from, to, size) in [(0x1000, 0x1000, 30), (0x1000, 0x1001, 40), (0x1001, 0x1010, 50)] {
        let moving = table.begin_realloc(from);
        // Meanwhile another thread gets the address, and has it reallocated, too.
        table.insert(from, 7, None, scopes[0]);
        let other = table.begin_realloc(from);
        assert_eq!(scopes[0].blocks(), 2);
        table.end_realloc(&moving, to, size);
        table.end_realloc(&other, 0x4000, 7);
        table.forget(0x4000);
        assert!(all_have((1, size as i64, 0)));
    }
    table.forget(0x1010);
    assert!(all_have((0, 0, 0)));
    scopes.iter().for_each(|scope| scope.end());
}

#[test]
fn blocks_without_room_are_lost_and_say_so() {
    let scope = begun();
    let unprepared: &Table<4> = Box::leak(Box::new(Table::new(1)));
    unprepared.insert(0x1000, 10, None, scope);
    unprepared.forget(0x1000);
    assert_eq!((scope.blocks(), scope.lost()), (0, 1));
    table::<4>(0).insert(0x1000, 10, None, scope);
    assert_eq!((scope.blocks(), scope.lost()), (0, 2));

    let table = table::<4>(1);
    let address = |i: usize| 0x1000 + i * 16;
    for i in 0..CHUNK_NODES + 5 {
        table.insert(address(i), 1, None, scope);
    }
    assert_eq!(counts_in(table, scope), (CHUNK_NODES as i64, CHUNK_NODES as i64, 7));
    // A block that is away keeps its room, unless it moves to another bucket.
    let away = table.begin_realloc(address(1));
    table.insert(address(1) + 8, 1, None, scope);
    table.end_realloc(&away, address(1), 100);
    assert_eq!(counts_in(table, scope), (CHUNK_NODES as i64, CHUNK_NODES as i64 + 99, 8));
    table.end_realloc(&table.begin_realloc(address(1)), address(2) + 8, 100);
    assert_eq!(counts_in(table, scope), (CHUNK_NODES as i64 - 1, CHUNK_NODES as i64 - 1, 9));
    for i in 0..CHUNK_NODES + 5 {
        table.forget(address(i));
    }
    assert_eq!(counts_in(table, scope), (0, 0, 9));
    scope.end();
}

#[test]
fn nobody_gets_blocks_of_a_scope_that_is_over() {
    let table = table::<4>(1);
    let scope = retained();
    table.insert(0x1000, 10, None, scope);
    assert_eq!((counts_in(table, scope), blocks(table, scope)), ((0, 0, 0), vec![]));
    assert!(scope.begin());
    table.insert(0x1000, 10, None, scope);
    scope.end();
    assert_eq!(blocks(table, scope), []);
    assert!(scope.begin());
    assert_eq!((counts_in(table, scope), blocks(table, scope)), ((0, 0, 0), vec![]));
    table.forget(0x1000);
    assert_eq!(counts_in(table, scope), (0, 0, 0));
    scope.end();
}

#[test]
fn the_nodes_of_old_blocks_are_used_again() {
    let table = table::<2>(1);
    for round in 0..100 {
        let scope = begun();
        for i in 0..1_000 {
            table.forget(0x1000 + i * 16);
            table.insert(0x1000 + i * 16, 1, None, scope);
        }
        assert_eq!(counts_in(table, scope), (1_000, 1_000, 0), "round {round}");
        scope.end();
    }
    let mut nodes = 0;
    table.nodes.visit(&mut |_| nodes += 1);
    assert_eq!(nodes, 1_000);
}

#[test]
fn a_free_node_is_no_block_at_null() {
    let table = table::<4>(1);
    let scope = begun();
    table.insert(0, 10, None, scope);
    assert_eq!(counts_in(table, scope), (0, 0, 1));
    for address in [0x00, 0x10, 0x20, 0x30] {
        let bucket = address + 0x1000;
        table.insert(bucket, 10, None, scope);
        table.forget(bucket);
    }
    for address in 0..FIRST_ADDRESS {
        table.forget(address);
        table.end_realloc(&table.begin_realloc(address), 0x1008, 10);
    }
    assert_eq!((counts_in(table, scope), blocks(table, scope)), ((0, 0, 1), vec![]));
    scope.end();
}

#[cfg(target_pointer_width = "64")]
#[test]
fn neighbours_share_pages_and_arenas_do_not_collide() {
    use super::super::table::Bucket;

    let table = table::<16>(1);
    let first = table.buckets.load(Acquire) as usize;
    let place = |address: usize| {
        table.bucket(address).map_or(0, |bucket| (bucket as *const Bucket as usize - first) / 8)
    };
    for heap in [0x5555_5575_0000_usize, 0x7fff_f000_0000, 0x10_8000] {
        let mut places: Vec<_> = (0..1 << 16).map(|i| place(heap + i * 16)).collect();
        let mut pages: Vec<_> = places[..4096].iter().map(|place| place / 512).collect();
        pages.sort_unstable();
        pages.dedup();
        assert!(pages.len() <= 16, "64 KiB of heap are spread over {} pages", pages.len());
        places.sort_unstable();
        places.dedup();
        // A heap that crosses a border of the hashed bits may meet itself, once.
        assert!(places.len() >= 1 << 15, "{} places", places.len());
    }
    let mut places: Vec<_> = (0..1_000).map(|i| place(0x7f00_0000_0000 + i * (64 << 20))).collect();
    places.sort_unstable();
    places.dedup();
    assert!(places.len() > 990, "{} places", places.len());
}

/// The table that `threads` uses.
#[test]
fn the_one_table_does_all_this() {
    let scope = begun();
    let address = 0x6123_4560;
    let stack = made_up_stack(&[7, 8]);
    forget(address);
    scope.insert(scope.serial(), address, 10, Some(stack), false);
    assert_eq!(counts(scope), (1, 10, 0));
    let moving = begin_realloc(address);
    end_realloc(&moving, address + 32, 20);
    assert_eq!(counts(scope), (1, 20, 0));
    let mut seen = Vec::new();
    scope.visit(&mut |stack, size| seen.push((stack.map(Stack::return_addresses), size)));
    assert_eq!(seen, [(Some(vec![7_usize, 8]), 20)]);
    forget(address + 32);
    assert_eq!(counts(scope), (0, 0, 0));
    scope.end();
}

struct Block {
    size: u64,
    stack: *const Stack,
    /// Indices of scopes that were open at the time and have not ended since.
    scopes: Vec<usize>,
}

/// Random programs against a plain model.
fn model<const BITS: u32>(seed: u64, steps: usize) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let table = table::<BITS>(8);
    let scopes: Vec<_> = (0..12).map(|_| retained()).collect();
    let stacks: Vec<_> = (1..9).map(|i| made_up_stack(&[i, 77])).collect();
    let mut open: Vec<usize> = Vec::new();
    let mut live: HashMap<usize, Block> = HashMap::new();
    // Several in each 16 bytes, and in different arenas.
    let addresses: Vec<_> =
        (0..60).map(|i| 0x7000_0000 + (i % 3) * (64 << 20) + (i / 3) * 5).collect();
    for step in 0..steps {
        let address = addresses[random.below(addresses.len())];
        match random.below(20) {
            0 => {
                if let Some(scope) = (0..scopes.len()).find(|scope| !open.contains(scope)) {
                    assert!(scopes[scope].begin());
                    open.push(scope);
                }
            }
            1 if !open.is_empty() => {
                let scope = open.remove(random.below(open.len()));
                scopes[scope].end();
                live.values_mut().for_each(|block| block.scopes.retain(|of| *of != scope));
            }
            2 => {
                // Freed unseen: noticed where the address is handed out again.
                if live.get(&address).is_some_and(|block| block.scopes.is_empty()) {
                    live.remove(&address);
                }
            }
            3..=8 => {
                let from = live.remove(&address);
                let to = addresses[random.below(addresses.len())];
                if let Some(mut block) = from {
                    let moving = table.begin_realloc(address);
                    let (to, size) = match random.below(3) {
                        0 => (address, block.size),
                        1 => (address, 1 + random.below(9) as u64),
                        _ if live.contains_key(&to) => (address, block.size),
                        _ => (to, 1 + random.below(99) as u64),
                    };
                    table.end_realloc(&moving, to, size);
                    block.size = size;
                    live.insert(to, block);
                }
            }
            _ => {
                if live.remove(&address).is_some() {
                    table.forget(address);
                } else {
                    let size = 1 + random.below(1000) as u64;
                    let stack = stacks[random.below(stacks.len())];
                    let of: Vec<_> = open.iter().copied().filter(|_| random.below(3) > 0).collect();
                    table.forget(address);
                    for scope in &of {
                        table.insert(address, size, Some(stack), scopes[*scope]);
                    }
                    live.insert(address, Block { size, stack, scopes: of });
                }
            }
        }
        for scope in &open {
            let mut expected: Vec<_> = live
                .values()
                .filter(|block| block.scopes.contains(scope))
                .map(|block| (Some(block.stack), block.size))
                .collect();
            let bytes: u64 = expected.iter().map(|(_, size)| size).sum();
            let numbers = (expected.len() as i64, bytes as i64, 0);
            assert_eq!(counts_in(table, scopes[*scope]), numbers, "seed {seed}, step {step}");
            if step % 16 == 0 {
                expected.sort_unstable();
                assert_eq!(blocks(table, scopes[*scope]), expected, "seed {seed}, step {step}");
            }
        }
    }
    open.iter().for_each(|scope| scopes[*scope].end());
}

#[test]
fn random_programs_agree_with_a_plain_model() {
    for seed in 0..4 {
        model::<1>(seed, 2_000);
        model::<4>(seed, 2_000);
        model::<20>(seed, 1_000);
    }
}

#[test]
fn a_block_takes_the_place_of_one_that_was_freed_unseen() {
    let table = table::<4>(8);
    for _ in 0..10 {
        let scope = begun();
        assert!(table.count_in(scope, scope.serial(), 0x1000, 10, None, true));
        assert_eq!(scope.blocks(), 1);
        scope.end();
    }
    let first = table.bucket(0x1000).expect("a bucket");
    let nodes = std::iter::successors(first.get(), |node| node.next.get()).count();
    assert_eq!(nodes, 1);
}
