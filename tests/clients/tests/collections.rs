//! The standard collections. How they grow is known, and so is what it costs to grow.
//!
//! Values pass through `black_box`, so that optimised builds cannot leave out an allocation that
//! nobody looks at.

use std::collections::HashMap;
use std::hint::black_box;

use mod_alloc::{alloc_budget, assert_allocs, assert_no_alloc, measure, Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn push_all(mut numbers: Vec<u64>) -> Vec<u64> {
    for n in 1..=100 {
        numbers.push(black_box(n));
    }
    numbers
}

/// The capacities are 4, 8, 16, 32, 64 and 128 numbers of 8 bytes. There is one allocation, and
/// then there are five reallocations that double.
#[test]
fn a_growing_vec_doubles_from_four() {
    let (numbers, stats) = measure(|| push_all(black_box(Vec::new())));
    assert_eq!(numbers.iter().sum::<u64>(), 5_050);
    assert_eq!((stats.alloc_count, stats.realloc_count, stats.dealloc_count), (6, 5, 0));
    assert_eq!(stats.total_bytes, (4 + 8 + 16 + 32 + 64 + 128) * 8);
    // Only the last block is live, and none was live beside another: a reallocation moves the
    // block.
    assert_eq!((stats.current_bytes, stats.peak_bytes, stats.live_count), (1_024, 1_024, 1));
}

#[test]
#[alloc_budget(exact = 6, max_reallocs = 5, max_bytes = 2_016, max_peak_bytes = 1_024)]
fn a_growing_vec_keeps_its_budget() {
    assert_eq!(push_all(black_box(Vec::new())).len(), 100);
}

#[test]
#[should_panic(expected = "reallocations       4         5  +1")]
#[alloc_budget(max_reallocs = 4)]
fn one_reallocation_too_many_breaks_the_budget() {
    push_all(black_box(Vec::new()));
}

#[test]
#[alloc_budget(exact = 1, max_reallocs = 0, max_bytes = 100 * 8)]
fn a_vec_with_capacity_allocates_once() {
    let numbers = push_all(black_box(Vec::with_capacity(100)));
    assert_eq!(numbers.capacity(), 100);
}

/// To get zeroed memory is one event, too. To clear the vector keeps the capacity.
#[test]
fn a_zeroed_vec_allocates_once_and_is_refilled_for_nothing() {
    let mut zeroes = assert_allocs!(exact = 1, max_bytes = 4_096, { black_box(vec![0_u8; 4_096]) });
    assert_no_alloc! {
        zeroes.clear();
        zeroes.resize(4_096, 1);
    }
    // To shrink is a reallocation. It adds the bytes that it asks for.
    zeroes.truncate(10);
    assert_allocs!(exact = 1, max_reallocs = 1, max_bytes = 10, zeroes.shrink_to_fit());
}

/// The least capacity for bytes is 8. It grows to 16, 32 and 64.
#[test]
fn a_growing_string_doubles_from_eight() {
    let (text, stats) = measure(|| {
        let mut text = black_box(String::new());
        (0..64).for_each(|_| text.push(black_box('x')));
        text
    });
    assert_eq!(text.len(), 64);
    assert_eq!((stats.alloc_count, stats.realloc_count), (4, 3));
    assert_eq!(stats.total_bytes, 8 + 16 + 32 + 64);
}

#[test]
fn a_string_with_capacity_is_filled_for_nothing_and_one_byte_more_doubles_it() {
    let mut text = assert_allocs!(exact = 1, max_bytes = 64, { String::with_capacity(64) });
    assert_no_alloc!((0..64).for_each(|_| text.push('x')));
    let exceeded = Budget::new().max(0).check(|| text.push('x')).unwrap_err();
    assert_eq!((exceeded.stats().realloc_count, exceeded.stats().total_bytes), (1, 128));
}

/// Control bytes of one vector are repeated at the end of a hash table: 16 with SSE2, 8 elsewhere.
const GROUP: usize = if cfg!(target_feature = "sse2") { 16 } else { 8 };

/// A table of `buckets` pairs with a control byte each.
const fn table_bytes(buckets: usize) -> usize {
    buckets * (16 + 1) + GROUP
}

fn fill(mut squares: HashMap<u64, u64>) -> HashMap<u64, u64> {
    for n in 0..100 {
        squares.insert(n, n * n);
    }
    squares
}

/// At most 7 of 8 buckets are used, and their number is a power of two, so 100 pairs take 128.
/// `RandomState` has its keys in a thread-local, without memory from the allocator.
#[test]
#[alloc_budget(exact = 1, max_bytes = table_bytes(128))]
fn a_map_with_capacity_allocates_once() {
    let squares = fill(HashMap::with_capacity(100));
    assert_eq!(squares[&99], 9_801);
}

/// There are 4, 8, 16, 32, 64 and 128 buckets, for at most 3, 7, 14, 28, 56 and 112 pairs. A table
/// never reallocates. It moves its pairs to a new block, so that the last two are live at once.
#[test]
fn a_growing_map_rehashes_into_new_tables() {
    let (squares, stats) = measure(|| fill(HashMap::new()));
    let tables = [4, 8, 16, 32, 64, 128].map(table_bytes);
    assert_eq!(squares.len(), 100);
    assert_eq!((stats.alloc_count, stats.realloc_count, stats.dealloc_count), (6, 0, 5));
    assert_eq!(stats.total_bytes, tables.iter().sum::<usize>() as u64);
    assert_eq!(stats.peak_bytes, (tables[4] + tables[5]) as i64);
    assert_eq!(stats.current_bytes, tables[5] as i64);
}

#[test]
fn a_map_reserves_once_and_grows_past_its_reserve() {
    let mut squares = HashMap::new();
    assert_allocs!(exact = 1, max_bytes = table_bytes(128), squares.reserve(100));
    let mut squares = assert_no_alloc!(fill(squares));
    // 112 pairs fill 7 of 8 of the 128 buckets; the next one takes a table twice as large.
    assert_no_alloc!((100..112).for_each(|n| assert_eq!(squares.insert(n, n), None)));
    let exceeded = Budget::new().max(0).check(|| squares.insert(112, 112)).unwrap_err();
    assert_eq!(exceeded.stats().total_bytes, table_bytes(256) as u64);
}
