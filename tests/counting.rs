//! What scopes count, in each edge case. The numbers were worked out by hand.
#![allow(unsafe_code)]

use std::alloc::{alloc, alloc_zeroed, dealloc, realloc, Layout};
use std::hint::black_box;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::thread;

use mod_alloc::{measure, uncounted, AllocScope, AllocStats, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn bytes(count: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(count))
}

/// Compares the statistics with numbers, in the order of the fields.
#[track_caller]
fn check(stats: AllocStats, expected: [i64; 8]) {
    let fields = [
        stats.alloc_count as i64,
        stats.realloc_count as i64,
        stats.dealloc_count as i64,
        stats.total_bytes as i64,
        stats.current_bytes,
        stats.peak_bytes,
        stats.live_count,
        stats.failed_count as i64,
    ];
    assert_eq!(fields, expected, "{stats}");
}

#[test]
fn what_may_travel_between_threads_does() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<mod_alloc::Profiler>();
    travels::<mod_alloc::Exceeded>();
    travels::<mod_alloc::Budget>();
    travels::<AllocStats>();
    fn survives_a_panic<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    survives_a_panic::<AllocScope>();
    survives_a_panic::<mod_alloc::Profiler>();
    survives_a_panic::<mod_alloc::Exceeded>();
}

#[test]
fn an_empty_scope_counts_nothing() {
    check(AllocScope::enter().exit(), [0; 8]);
    check(measure(Vec::<u64>::new).1, [0; 8]);
    check(measure(|| Box::new(())).1, [0; 8]);
}

#[test]
fn each_method_of_the_allocator_counts_one_event() {
    let small = Layout::from_size_align(16, 8).expect("valid");
    let large = Layout::from_size_align(32, 8).expect("valid");
    let ((), stats) = measure(|| {
        // SAFETY: the layout is not zero-sized.
        let block = black_box(unsafe { alloc(small) });
        // SAFETY: `block` was allocated with `small`.
        let block = black_box(unsafe { realloc(block, small, large.size()) });
        // SAFETY: `block` is `large` now.
        unsafe { dealloc(block, large) };
        // SAFETY: the layout is not zero-sized.
        let block = black_box(unsafe { alloc_zeroed(large) });
        // SAFETY: `block` holds 32 zeroes.
        assert_eq!(unsafe { *block }, 0);
        // SAFETY: `block` was allocated with `large`.
        let block = black_box(unsafe { realloc(block, large, small.size()) });
        // SAFETY: `block` is `small` now.
        unsafe { dealloc(block, small) };
    });
    check(stats, [4, 2, 2, 16 + 32 + 32 + 16, 0, 32, 0, 0]);
}

#[test]
fn a_reallocation_adds_its_full_new_size_and_moves_the_live_bytes_by_the_difference() {
    let ((), stats) = measure(|| {
        let mut block = bytes(16);
        block.reserve_exact(32);
        block.shrink_to(8);
    });
    check(stats, [3, 2, 1, 16 + 32 + 8, 0, 32, 0, 0]);
}

#[test]
fn a_zeroed_vec_is_one_event() {
    check(measure(|| drop(black_box(vec![0_u8; 100]))).1, [1, 0, 1, 100, 0, 100, 0, 0]);
}

#[test]
fn a_large_alignment_counts_the_requested_size() {
    #[repr(align(4096))]
    struct Page([u8; 4096]);
    let ((), stats) = measure(|| drop(black_box(Box::new(Page([1; 4096])))));
    check(stats, [1, 0, 1, 4096, 0, 4096, 0, 0]);
    assert_eq!(Page([0; 4096]).0.len(), 4096);
}

#[test]
fn freed_within_but_allocated_before_takes_the_current_below_zero() {
    let before = bytes(100);
    check(measure(|| drop(before)).1, [0, 0, 1, 0, -100, 0, -1, 0]);
}

#[test]
fn allocated_within_and_freed_after_counts_as_live() {
    let (kept, stats) = measure(|| bytes(100));
    check(stats, [1, 0, 0, 100, 100, 100, 1, 0]);
    drop(kept);
}

#[test]
fn a_block_that_is_grown_within_but_allocated_before_counts_the_growth() {
    let mut before = bytes(100);
    check(measure(|| before.reserve_exact(150)).1, [1, 1, 0, 150, 50, 50, 0, 0]);
}

#[test]
fn the_peak_is_relative_to_the_start_of_the_scope() {
    let held = bytes(10_000);
    let ((), stats) = measure(|| drop(bytes(50)));
    check(stats, [1, 0, 1, 50, 0, 50, 0, 0]);
    drop(held);
}

#[test]
fn nested_scopes_have_peaks_of_their_own() {
    let outer = AllocScope::enter();
    drop(bytes(1_000));
    let kept = bytes(10);
    let inner = AllocScope::enter();
    drop(bytes(500));
    check(inner.exit(), [1, 0, 1, 500, 0, 500, 0, 0]);
    check(outer.stats(), [3, 0, 2, 1_510, 10, 1_000, 1, 0]);
    drop(bytes(2_000));
    check(outer.exit(), [4, 0, 3, 3_510, 10, 2_010, 1, 0]);
    drop(kept);
}

#[test]
fn large_blocks_that_cross_every_limit_are_exact() {
    let ((), stats) = measure(|| {
        for size in [1, 16 << 10, (16 << 10) + 1, 1 << 20, 3] {
            drop(bytes(size));
        }
    });
    let total = 1 + (16 << 10) + (16 << 10) + 1 + (1 << 20) + 3;
    check(stats, [5, 0, 5, total, 0, 1 << 20, 0, 0]);
}

#[test]
fn a_thousand_nested_scopes_are_exact() {
    fn nest(depth: u64) -> AllocStats {
        if depth == 0 {
            return AllocStats::default();
        }
        let (inner, own) = measure(|| {
            let block = bytes(1);
            let inner = nest(depth - 1);
            drop(block);
            inner
        });
        assert_eq!(own.alloc_count, inner.alloc_count + 1);
        assert_eq!((own.peak_bytes, own.current_bytes), (inner.peak_bytes + 1, 0));
        own
    }
    // It runs on a thread of its own, whose stack is large enough.
    let run = || check(nest(1_000), [1_000, 0, 1_000, 1_000, 0, 1_000, 0, 0]);
    thread::Builder::new().stack_size(64 << 20).spawn(run).expect("spawns").join().expect("exact");
}

#[test]
fn scopes_dropped_out_of_order_count_their_own_stretches() {
    let outer = AllocScope::enter();
    drop(bytes(1));
    let inner = AllocScope::enter();
    drop(bytes(20));
    check(outer.exit(), [2, 0, 2, 21, 0, 20, 0, 0]);
    drop(bytes(300));
    check(inner.exit(), [2, 0, 2, 320, 0, 300, 0, 0]);
}

#[test]
fn a_forgotten_scope_disturbs_no_other() {
    let outer = AllocScope::enter();
    drop(bytes(7));
    std::mem::forget(AllocScope::enter());
    drop(bytes(50));
    check(AllocScope::enter().exit(), [0; 8]);
    check(outer.exit(), [2, 0, 2, 57, 0, 50, 0, 0]);
}

#[test]
fn other_threads_are_not_counted() {
    let scope = AllocScope::enter();
    let spawning = measure(|| thread::spawn(|| ()).join()).1;
    let ((), stats) = measure(|| {
        let sum = thread::spawn(|| (0..1_000).map(bytes).map(|b| b.capacity()).sum::<usize>());
        assert_eq!(sum.join().expect("ends well"), 499_500);
    });
    assert_eq!(stats.alloc_count, spawning.alloc_count);
    assert_eq!(scope.exit().alloc_count, 2 * spawning.alloc_count);
}

#[test]
fn a_block_freed_on_another_thread_counts_there() {
    let (block, stats) = measure(|| bytes(64));
    check(stats, [1, 0, 0, 64, 64, 64, 1, 0]);
    let there = thread::spawn(move || measure(|| drop(block)).1).join().expect("ends well");
    check(there, [0, 0, 1, 0, -64, 0, -1, 0]);
}

#[test]
fn uncounted_hides_allocations_frees_and_their_peak() {
    let mut leaked = Vec::new();
    let before = bytes(11);
    let ((), stats) = measure(|| {
        drop(bytes(5));
        uncounted(|| {
            drop(before);
            leaked = bytes(100_000);
            leaked.reserve_exact(200_000);
        });
        drop(bytes(6));
    });
    check(stats, [2, 0, 2, 11, 0, 6, 0, 0]);
}

#[test]
fn freeing_outside_of_uncounted_what_was_made_inside_counts() {
    let ((), stats) = measure(|| drop(uncounted(|| bytes(40))));
    check(stats, [0, 0, 1, 0, -40, 0, -1, 0]);
}

#[test]
fn scopes_inside_uncounted_count() {
    let outer = AllocScope::enter();
    let inner = uncounted(|| {
        measure(|| {
            uncounted(|| drop(bytes(1)));
            drop(bytes(20));
        })
        .1
    });
    check(inner, [1, 0, 1, 20, 0, 20, 0, 0]);
    check(outer.exit(), [0; 8]);
}

#[test]
fn a_scope_that_is_read_inside_uncounted_stands_still() {
    let outer = AllocScope::enter();
    drop(bytes(3));
    uncounted(|| {
        drop(bytes(100));
        check(outer.stats(), [1, 0, 1, 3, 0, 3, 0, 0]);
    });
}

#[test]
fn a_caught_panic_leaves_every_outer_count_right() {
    let outer = AllocScope::enter();
    let panicking = || {
        let _inner = AllocScope::enter();
        let _block = bytes(1);
        let _ = catch_unwind(|| uncounted(|| std::panic::resume_unwind(Box::new(()))));
        std::panic::resume_unwind(Box::new(()));
    };
    let ((), caught) = measure(|| assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err()));
    // Two allocations are the block and the panic's own. The third free is that of the uncounted
    // panic, which is caught outside `uncounted`.
    assert_eq!((caught.alloc_count, caught.dealloc_count, caught.live_count), (2, 3, -1));
    drop(bytes(1_000));
    let stats = outer.exit();
    assert_eq!(stats.alloc_count, caught.alloc_count + 1);
    assert_eq!(stats.total_bytes, caught.total_bytes + 1_000);
}

#[test]
fn statistics_read_in_a_line() {
    let mut kept = Vec::new();
    let ((), stats) = measure(|| {
        kept = bytes(1_000);
        kept.reserve_exact(2_000);
        drop(bytes(48));
    });
    assert_eq!(
        stats.to_string(),
        "3 allocations (1 reallocation), 3,048 bytes; 1 deallocation; 1 live, 2,000 bytes; \
         peak 2,048 bytes"
    );
    let mut seen = String::with_capacity(200);
    let ((), stats) =
        measure(|| std::fmt::Write::write_fmt(&mut seen, format_args!("{stats}")).expect("fits"));
    check(stats, [0; 8]);
}
