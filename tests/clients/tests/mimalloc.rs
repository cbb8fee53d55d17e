//! mimalloc as the inner allocator. The numbers are what was requested, so they are the same as
//! with the system allocator.

use std::hint::black_box;

use mimalloc::MiMalloc;
use mod_alloc::{alloc_budget, assert_no_alloc, measure, Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc<MiMalloc> = ModAlloc::with(MiMalloc);

/// The same as `a_growing_vec_doubles_from_four` in `collections.rs`.
#[test]
fn a_growing_vec_counts_as_with_the_system_allocator() {
    let (numbers, stats) = measure(|| {
        let mut numbers = black_box(Vec::<u64>::new());
        (1..=100).for_each(|n| numbers.push(black_box(n)));
        numbers
    });
    assert_eq!(numbers.iter().sum::<u64>(), 5_050);
    assert_eq!((stats.alloc_count, stats.realloc_count, stats.dealloc_count), (6, 5, 0));
    assert_eq!(stats.total_bytes, (4 + 8 + 16 + 32 + 64 + 128) * 8);
    assert_eq!((stats.current_bytes, stats.peak_bytes, stats.live_count), (1_024, 1_024, 1));
}

/// mimalloc rounds 1,000 bytes up to a size class; the budget is about what was asked for.
#[test]
#[alloc_budget(exact = 3, max_bytes = 1_000 + 1_000 + 10, max_peak_bytes = 2_000)]
fn bytes_are_those_requested() {
    let plain = black_box(vec![1_u8; 1_000]);
    let mut zeroed = black_box(vec![0_u8; 1_000]);
    drop(plain);
    zeroed.truncate(10);
    zeroed.shrink_to_fit();
    assert_eq!(zeroed, [0; 10]);
}

#[test]
fn large_alignments_reach_mimalloc() {
    #[repr(align(4096))]
    struct Page([u8; 4_096]);

    let (page, stats) = measure(|| black_box(Box::new(Page([7; 4_096]))));
    assert_eq!(&raw const *page as usize % 4_096, 0);
    assert_eq!(page.0[4_095], 7);
    assert_eq!((stats.alloc_count, stats.total_bytes), (1, 4_096));
}

/// In mimalloc, blocks that another thread frees take a path of their own. Here, they count for the
/// thread that frees them.
#[test]
fn a_block_freed_by_another_thread_is_that_threads_deallocation() {
    let block = black_box(vec![1_u8; 64]);
    let freed = std::thread::spawn(move || measure(|| drop(block)).1).join().unwrap();
    assert_eq!((freed.alloc_count, freed.dealloc_count, freed.current_bytes), (0, 1, -64));
}

#[test]
#[should_panic(expected = "allocation budget exceeded")]
fn a_planted_allocation_breaks_the_budget() {
    assert_no_alloc!(black_box(Box::new(black_box(1))));
}

#[test]
fn a_request_that_mimalloc_refuses_is_a_failure_and_not_an_allocation() {
    let huge = isize::MAX as usize;
    let (refused, stats) = measure(|| Vec::<u8>::new().try_reserve_exact(black_box(huge)).is_err());
    assert!(refused);
    assert_eq!((stats.failed_count, stats.alloc_count, stats.total_bytes), (1, 0, 0));
    Budget::new().max(0).enforce(|| black_box(Vec::<u8>::new()).try_reserve(huge).is_err());
}
