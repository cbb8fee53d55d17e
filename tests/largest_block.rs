//! `max_block_bytes`: the largest single block that is requested. Random programs are compared in
//! `attribution_model`; here is what a budget says of it.

use std::hint::black_box;

use mod_alloc::{alloc_budget, uncounted, AllocScope, Budget, ModAlloc};

#[path = "common/bounded.rs"]
mod bounded;
#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/drive.rs"]
mod drive;
#[cfg(debug_assertions)]
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/waker.rs"]
mod waker;
#[path = "common/yield_now.rs"]
mod yield_now;

use bounded::{Bounded, GIBIBYTE};
use call_sites_are_here::call_sites_are_here;
use drive::drive;
#[cfg(debug_assertions)]
use needs_call_sites::needs_call_sites;
use yield_now::yield_now;

#[global_allocator]
static GLOBAL: ModAlloc<Bounded> = ModAlloc::with(Bounded);

fn allocate(size: usize) {
    drop(black_box(Vec::<u8>::with_capacity(size)));
}

/// What is measured of `work`, with call sites and without.
fn largest(work: impl Fn()) -> u64 {
    let check = |call_sites| {
        let budget = Budget::new().min(u64::MAX).max_block_bytes(u64::MAX);
        let exceeded = budget.call_sites(call_sites).check(&work);
        let exceeded = exceeded.expect_err("nothing allocates that much");
        exceeded.largest_block().expect("asked for")
    };
    let [recorded, counted] = [true, false].map(check);
    assert_eq!(recorded, counted);
    recorded
}

#[test]
fn it_is_the_largest_size_that_any_request_had() {
    assert_eq!(largest(|| ()), 0);
    assert_eq!(largest(|| drop(black_box(Vec::<u8>::new()))), 0);
    assert_eq!(largest(|| [7, 90, 8].into_iter().for_each(allocate)), 90);
    assert_eq!(largest(|| drop(black_box(vec![0_u8; 50]))), 50);
    let grow_and_shrink = || {
        let mut block = black_box(Vec::<u8>::with_capacity(10));
        block.reserve_exact(70);
        block.shrink_to(20);
    };
    assert_eq!(largest(grow_and_shrink), 70);
    assert_eq!(Budget::new().max(0).check(|| allocate(1)).unwrap_err().largest_block(), None);
}

#[test]
fn scopes_inside_hide_nothing_and_uncounted_stretches_do() {
    let nested = || {
        let counts = AllocScope::enter();
        allocate(10);
        assert!(Budget::new().max(1).check(|| allocate(30)).is_ok());
        assert!(Budget::new().max_block_bytes(20).check(|| allocate(20)).is_ok());
        drop(counts);
    };
    assert_eq!(largest(nested), 30);
    let hidden = || {
        allocate(10);
        uncounted(|| {
            allocate(500);
            assert_eq!(largest(|| allocate(400)), 400);
        });
    };
    assert_eq!(largest(hidden), 10);
}

#[test]
fn other_threads_count_while_they_are_attached() {
    let attached = || {
        let handle = AllocScope::current().expect("the budget");
        uncounted(|| {
            std::thread::scope(|threads| {
                for size in [100, 300, 200] {
                    let handle = &handle;
                    threads.spawn(move || {
                        handle.run(|| allocate(size));
                        allocate(5_000);
                    });
                }
            });
        });
        allocate(150);
    };
    assert_eq!(largest(attached), 300);
}

#[test]
fn a_future_counts_in_its_polls() {
    let work = || async {
        allocate(20);
        yield_now().await;
        allocate(40);
        yield_now().await;
        allocate(30);
    };
    let check = |max| {
        let budget = Budget::new().max_block_bytes(max);
        drive(budget.check_future(work()), || allocate(900))
    };
    assert!(check(40).is_ok());
    let exceeded = check(39).unwrap_err();
    assert_eq!(exceeded.largest_block(), Some(40));
    if call_sites_are_here() {
        assert!(exceeded.to_string().contains("\n  allocation 2, the first past the budget: "));
    }
}

#[test]
fn each_run_has_its_own() {
    let mut sizes = [800, 10, 30, 20].into_iter();
    let budget = Budget::new().max_block_bytes(25).warmup(1).runs(3);
    let exceeded = budget.check(|| allocate(sizes.next().expect("four runs"))).unwrap_err();
    assert_eq!(exceeded.largest_block(), Some(30));
    let report = exceeded.to_string();
    let row = "\n  largest block      25        30  +5  10..30  the runs differ\n";
    assert!(report.contains(row), "{report}");
}

#[test]
fn a_request_that_is_refused_counts_here_and_nowhere_else() {
    let refused = |size: usize| {
        let mut block = black_box(Vec::<u8>::with_capacity(10));
        assert!(block.try_reserve_exact(size).is_err());
    };
    let check = |max: u64| {
        Budget::new().max(1).max_bytes(10).max_block_bytes(max).check(|| refused(GIBIBYTE + 1))
    };
    assert!(check(GIBIBYTE as u64 + 1).is_ok());
    let exceeded = check(GIBIBYTE as u64).unwrap_err();
    assert_eq!(exceeded.largest_block(), Some(GIBIBYTE as u64 + 1));
    assert_eq!((exceeded.stats().alloc_count, exceeded.stats().failed_count), (1, 1));
    if call_sites_are_here() {
        let report = exceeded.to_string();
        let place = "\n  largest block, 1,073,741,825 bytes: tests/largest_block.rs:";
        assert!(report.contains(place), "{report}");
        assert!(!report.contains("first past the budget"), "{report}");
    }
}

#[test]
fn of_what_is_only_refused_the_report_has_the_line() {
    #[inline(never)]
    fn reserves() {
        assert!(Vec::<u8>::new().try_reserve_exact(GIBIBYTE + 1).is_err());
    }
    let exceeded = Budget::new().max_block_bytes(100).check(reserves).unwrap_err();
    let (report, stats) = (exceeded.to_string(), exceeded.stats());
    assert_eq!(stats.alloc_count, 0);
    assert!(report.contains("\n  largest block     100  1,073,741,825  +"), "{report}");
    if call_sites_are_here() {
        let (_, place) =
            report.split_once("\n  largest block, 1,073,741,825 bytes: ").expect(&report);
        assert!(place.starts_with("tests/largest_block.rs:"), "{report}");
        assert!(place.contains("reserves"), "{report}");
    }
}

#[alloc_budget(max_block_bytes = 4 * input.len() + 64)]
fn parse(input: &[u8]) -> Vec<u8> {
    let claimed = usize::from(input[0]) << 20;
    let mut items = Vec::new();
    let _ = items.try_reserve(claimed);
    items.extend_from_slice(&input[1..]);
    items
}

#[test]
fn a_limit_may_depend_on_the_input() {
    assert_eq!(parse(&[0, 1, 2]), [1, 2]);
    let report = std::panic::catch_unwind(|| parse(&[3, 1, 2])).expect_err("it reserves 3 MiB");
    let report = report.downcast_ref::<String>().expect("a report");
    let row = "\n  largest block      76  3,145,728  +3,145,652\n";
    assert!(report.contains(row), "{report}");
}

/// Not in release builds: `line-tables-only` has no paths for the test's own functions.
#[test]
#[cfg(debug_assertions)]
fn what_is_allowed_may_be_as_large_as_it_likes() {
    needs_call_sites!();
    mod log {
        pub(super) fn note() {
            super::allocate(500);
        }
    }
    let work = |size| {
        move || {
            log::note();
            allocate(size);
        }
    };
    const ALLOWED: &[&str] = &["largest_block::what_is_allowed_may_be_as_large_as_it_likes::log"];
    let budget = Budget::new().max_block_bytes(100).allow(ALLOWED);
    assert!(budget.check(work(100)).is_ok());
    let exceeded = budget.check(work(101)).unwrap_err();
    assert_eq!(exceeded.largest_block(), Some(101));
    assert!(!exceeded.to_string().contains("largest block, 500 bytes"), "{exceeded}");
}
