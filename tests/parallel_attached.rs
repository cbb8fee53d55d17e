//! 64 tests, run by 8 test threads beside threads that allocate all the time, 200 times over. Each
//! test has four threads of its own, which it attaches, and its budget is exact. With an allocation
//! planted in some of the tests, exactly those fail.
//!
//! The driver at the end runs this binary again, with the tests of `budgeted` alone.

use std::thread;

use mod_alloc::{alloc_budget, uncounted, AllocScope, Budget, ModAlloc, ScopeHandle};

#[path = "common/again.rs"]
mod again;
#[path = "common/allocate.rs"]
mod allocate;
#[path = "common/crowd.rs"]
mod crowd;

use allocate::allocate;
use crowd::{run_again, start_noise};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// The variable that has the numbers of the tests in which an allocation is planted.
const PLANTED: &str = "MOD_ALLOC_TEST_PLANTED";

const WORKERS: usize = 4;

/// What one attached thread does. It makes `boxes + 1` allocations, and as many that do not count.
fn work(handle: &ScopeHandle, worker: usize, boxes: usize) {
    allocate(1, 5_000);
    match worker {
        0 => handle.run(|| allocate(boxes, 16)),
        1 => {
            let _attached = handle.attach();
            uncounted(|| allocate(boxes, 5_000));
            allocate(boxes, 16);
        }
        2 => (0..boxes).for_each(|_| handle.run(|| allocate(1, 16))),
        _ => {
            let attached = handle.attach();
            let twice = handle.attach();
            allocate(boxes / 2, 16);
            drop(attached);
            allocate(boxes - boxes / 2, 16);
            drop(twice);
        }
    }
    allocate(boxes, 5_000);
    handle.wrap(|| allocate(1, 16))();
}

fn drive(boxes: usize, planted: bool) {
    let handle = &AllocScope::current().expect("the budget");
    uncounted(|| {
        thread::scope(|threads| {
            for worker in 0..WORKERS {
                threads.spawn(move || work(handle, worker, boxes));
            }
        });
    });
    allocate(usize::from(planted), 1);
}

#[alloc_budget(exact = WORKERS * (boxes + 1), call_sites = false)]
fn counted(boxes: usize, planted: bool) {
    drive(boxes, planted);
}

#[alloc_budget(exact = WORKERS * (boxes + 1), max_bytes = 16 * WORKERS * (boxes + 1))]
fn recorded(boxes: usize, planted: bool) {
    drive(boxes, planted);
}

/// The peak depends on which thread runs when, but is within its limit.
fn tracked(boxes: usize, planted: bool) {
    let budget = Budget::new().exact((WORKERS * (boxes + 1)) as u64).max_retained(0);
    budget.max_peak_bytes(16 * WORKERS as u64).call_sites(false).enforce(|| drive(boxes, planted));
}

fn run(number: usize) {
    start_noise();
    // Read before the budgets are entered.
    let is_named = |list: String| list.split(',').any(|n| n == number.to_string());
    let planted = std::env::var(PLANTED).is_ok_and(is_named);
    let boxes = 1 + number % 17;
    match number % 3 {
        0 => counted(boxes, planted),
        1 => recorded(boxes, planted),
        _ => tracked(boxes, planted),
    }
}

mod budgeted {
    macro_rules! tests {
        ($($module:ident $eights:literal)*) => { $(
            mod $module {
                tests! { @each $eights t0 0 t1 1 t2 2 t3 3 t4 4 t5 5 t6 6 t7 7 }
            }
        )* };
        (@each $eights:literal $($name:ident $ones:literal)*) => { $(
            #[test]
            fn $name() {
                crate::run($eights * 8 + $ones);
            }
        )* };
    }
    tests! { m0 0 m1 1 m2 2 m3 3 m4 4 m5 5 m6 6 m7 7 }
}

#[test]
fn two_hundred_parallel_runs_fail_nothing() {
    for run in 0..200 {
        let output = run_again("budgeted::", PLANTED, "");
        assert!(output.contains("test result: ok. 64 passed; 0 failed"), "run {run}: {output}");
    }
}

#[test]
fn planted_allocations_fail_their_tests_and_no_others() {
    let output = run_again("budgeted::", PLANTED, "3,42,62");
    let failed = |line: &&str| line.starts_with("test ") && line.ends_with("... FAILED");
    let mut failed: Vec<_> = output.lines().filter(failed).collect();
    failed.sort_unstable();
    let expected =
        ["m0::t3", "m5::t2", "m7::t6"].map(|name| format!("test budgeted::{name} ... FAILED"));
    assert_eq!(failed, expected, "{output}");
    assert!(output.contains("61 passed; 3 failed"), "{output}");
}
