//! 200 tests with budgets, run by 8 test threads beside threads that allocate all the time, 100
//! times over. Each budget is exact, so a single allocation that is charged to the wrong test would
//! fail it. With an allocation planted in some of the tests, exactly those fail.
//!
//! The driver at the end runs this binary again, with the tests of `budgeted` alone.

use std::hint::black_box;

use mod_alloc::ModAlloc;

#[path = "common/again.rs"]
mod again;
#[path = "common/crowd.rs"]
mod crowd;
#[path = "common/part_of.rs"]
mod part_of;

use crowd::{run_again, start_noise};
use part_of::part_of;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// The variable that has the numbers of the tests in which an allocation is planted.
const PLANTED: &str = "MOD_ALLOC_TEST_PLANTED";

/// Whether an allocation is planted in this test. To be asked before a budget is entered.
fn is_planted(number: usize) -> bool {
    std::env::var(PLANTED).is_ok_and(|list| list.split(',').any(|n| n == number.to_string()))
}

mod budgeted {
    use super::{black_box, is_planted, start_noise};
    use mod_alloc::{alloc_budget, assert_no_alloc};

    /// Makes `boxes + 1` allocations, and one more if that is planted.
    #[alloc_budget(exact = boxes + 1)]
    fn work(boxes: usize, planted: bool) {
        let mut kept = black_box(Vec::with_capacity(boxes));
        for i in 0..boxes {
            kept.push(Box::new(i));
        }
        assert_no_alloc! { kept.reverse() };
        if planted {
            drop(black_box(Box::new(0)));
        }
    }

    fn run(number: usize) {
        start_noise();
        let planted = is_planted(number);
        for round in 1..20 {
            work(1 + number * round % 50, planted);
        }
    }

    macro_rules! tests {
        ($($module:ident $tens:literal)*) => { $(
            mod $module {
                tests! { @each $tens t0 0 t1 1 t2 2 t3 3 t4 4 t5 5 t6 6 t7 7 t8 8 t9 9 }
            }
        )* };
        (@each $tens:literal $($name:ident $ones:literal)*) => { $(
            #[test]
            fn $name() {
                super::run($tens * 10 + $ones);
            }
        )* };
    }
    tests! {
        m00 0 m01 1 m02 2 m03 3 m04 4 m05 5 m06 6 m07 7 m08 8 m09 9 m10 10 m11 11 m12 12 m13
        13 m14 14 m15 15 m16 16 m17 17 m18 18 m19 19
    }
}

/// Runs the 200 tests.
fn run_budgeted(planted: &str) -> String {
    run_again("budgeted::", PLANTED, planted)
}

#[test]
fn a_hundred_parallel_runs_fail_nothing() {
    for run in 0..part_of(100) {
        let output = run_budgeted("");
        assert!(output.contains("test result: ok. 200 passed; 0 failed"), "run {run}: {output}");
    }
}

#[test]
fn planted_allocations_fail_their_tests_and_no_others() {
    let output = run_budgeted("3,77,141,199");
    let failed = |line: &&str| line.starts_with("test ") && line.ends_with("... FAILED");
    let mut failed: Vec<_> = output.lines().filter(failed).collect();
    failed.sort_unstable();
    let expected = ["m00::t3", "m07::t7", "m14::t1", "m19::t9"];
    let expected = expected.map(|name| format!("test budgeted::{name} ... FAILED"));
    assert_eq!(failed, expected, "{output}");
    assert!(output.contains("196 passed; 4 failed"), "{output}");
    assert_eq!(
        output.matches("\nallocation budget exceeded: budgeted::work ").count(),
        4,
        "{output}"
    );
}
