//! Budgets that are broken while a panic unwinds. The panic goes on as it was, and the process
//! lives.

use std::hint::black_box;
use std::panic::catch_unwind;

use mod_alloc::{alloc_budget, assert_allocs, assert_no_alloc, Budget, ModAlloc};

#[path = "common/ready.rs"]
mod ready;
#[path = "common/waker.rs"]
mod waker;

use ready::output_of_first_poll;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn allocate() {
    drop(black_box(Box::new(1)));
}

/// Runs when it is dropped.
struct OnDrop(fn());

impl Drop for OnDrop {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// `broken` panics by itself. While another panic unwinds, it does not.
#[track_caller]
fn check(broken: fn()) {
    let alone = catch_unwind(broken).expect_err("the budget is broken");
    let report = alone.downcast_ref::<String>().expect("a report");
    assert!(report.starts_with("allocation budget exceeded"), "{report}");

    let unwinding = catch_unwind(|| {
        let _on_drop = OnDrop(broken);
        std::panic::panic_any("the first panic");
    });
    assert_eq!(unwinding.unwrap_err().downcast_ref(), Some(&"the first panic"));
}

#[test]
fn macros_stay_silent() {
    #[alloc_budget(max = 0)]
    fn function() {
        allocate();
    }
    #[alloc_budget(max = 0, runs = 2)]
    fn repeated() {
        allocate();
    }
    #[alloc_budget(max = 0)]
    async fn polled() {
        allocate();
    }
    #[alloc_budget(max = 0, warmup = 1)]
    async fn polled_again() {
        allocate();
    }
    check(function);
    check(repeated);
    check(|| output_of_first_poll(polled()));
    check(|| output_of_first_poll(polled_again()));
    check(|| assert_no_alloc!(allocate()));
    check(|| assert_no_alloc!({ allocate() }, "a message"));
    check(|| assert_allocs!(max = 0, runs = 2, { allocate() }));
    check(|| assert_allocs!(max = 0, runs = 2, { allocate() }, "a message"));
}

#[test]
fn methods_that_enforce_stay_silent() {
    const BUDGET: Budget = Budget::new().max(0);
    check(|| BUDGET.enforce(allocate));
    check(|| BUDGET.runs(2).enforce(allocate));
    check(|| output_of_first_poll(BUDGET.enforce_future(async { allocate() })));
    check(|| output_of_first_poll(BUDGET.runs(2).enforce_future(|| async { allocate() })));
}

#[test]
fn methods_that_check_say_what_they_measured() {
    let unwinding = catch_unwind(|| {
        let _on_drop = OnDrop(|| assert!(Budget::new().max(0).check(allocate).is_err()));
        std::panic::panic_any("the first panic");
    });
    assert_eq!(unwinding.unwrap_err().downcast_ref(), Some(&"the first panic"));
}

#[test]
fn a_message_may_panic_or_break_a_budget_itself() {
    struct Panics;
    impl std::fmt::Display for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            std::panic::panic_any("the message's own")
        }
    }
    struct Breaks;
    impl std::fmt::Display for Breaks {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            assert_no_alloc!({ allocate() }, "the inner one");
            Ok(())
        }
    }
    struct Fails;
    impl std::fmt::Display for Fails {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("until here")?;
            Err(std::fmt::Error)
        }
    }
    let panic = catch_unwind(|| assert_no_alloc!({ allocate() }, "{Panics}")).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"the message's own"));
    let report = |work: fn()| *catch_unwind(work).unwrap_err().downcast::<String>().expect("text");
    assert!(report(|| assert_no_alloc!({ allocate() }, "{Breaks}")).contains("the inner one"));
    assert!(report(|| assert_no_alloc!({ allocate() }, "{Fails}")).contains("until here"));
}
