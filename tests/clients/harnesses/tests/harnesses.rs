//! Where a budget goes in harnesses that rewrite a test. It counts only the test's own code.
//!
//! | | the budget is | it counts |
//! |---|---|---|
//! | `proptest!`, `quickcheck!` | in the body, `budget.check(..)?` | each case |
//! | `#[quickcheck]` | above | each case |
//! | `#[serial]`, `#[parallel]` | above | the body, not the wait |
//! | `#[test_log::test]` | above | the body, not the set-up of the log |

use std::hint::black_box;
use std::panic::catch_unwind;

use mod_alloc::{alloc_budget, Budget, Exceeded, ModAlloc};
use proptest::prelude::*;
use quickcheck_macros::quickcheck;
use serial_test::{parallel, serial};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn allocate(times: usize) {
    (0..times).for_each(|n| drop(black_box(Box::new(black_box(n)))));
}

/// What `work` panics with.
fn panic_of(work: fn()) -> String {
    let panic = catch_unwind(work).expect_err("it panics");
    *panic.downcast::<String>().expect("a text")
}

proptest! {
    #[test]
    fn each_case_of_proptest_has_a_budget(times in 0..20_usize) {
        Budget::new().exact(times as u64).check(|| allocate(times))?;
    }
}

/// As `proptest!` runs it.
#[test]
fn a_case_of_proptest_that_allocates_too_much_fails() {
    let panic = panic_of(|| {
        proptest!(|(times in 0..20_usize)| {
            Budget::new().max(3).check(|| allocate(times))?;
        });
    });
    assert!(panic.contains("allocations       3         4  +1"), "{panic}");
    assert!(panic.contains("minimal failing input: times = 4"), "{panic}");
}

quickcheck::quickcheck! {
    fn each_case_of_quickcheck_has_a_budget(times: u8) -> Result<bool, Exceeded> {
        Budget::new().exact(times.into()).check(|| allocate(times.into()))?;
        Ok(true)
    }
}

#[test]
fn a_case_of_quickcheck_that_allocates_too_much_fails() {
    fn at_most_three(times: u8) -> Result<bool, Exceeded> {
        Budget::new().max(3).check(|| allocate(times.into()))?;
        Ok(true)
    }
    let panic = panic_of(|| {
        quickcheck::QuickCheck::new().quickcheck(at_most_three as fn(u8) -> _);
    });
    assert!(panic.contains("allocations       3         4  +1"), "{panic}");
}

#[alloc_budget(exact = times)]
#[quickcheck]
fn above_quickcheck_each_case_is_counted(times: u8) -> bool {
    allocate(times.into());
    true
}

#[alloc_budget(exact = 1)]
#[test]
#[serial]
fn above_serial_the_wait_is_not_counted() {
    allocate(1);
}

#[alloc_budget(exact = 1)]
#[test]
#[parallel]
fn above_parallel_the_wait_is_not_counted() -> Result<(), String> {
    allocate(1);
    Ok(())
}

#[alloc_budget(max = 1)]
#[test]
#[serial]
#[should_panic(expected = "allocations       1         2  +1")]
fn above_serial_a_test_that_allocates_too_much_fails() {
    allocate(2);
}

#[alloc_budget(exact = 1)]
#[test_log::test]
fn above_test_log_the_set_up_is_not_counted() {
    allocate(1);
}
