//! A binary without `ModAlloc`. Everything that would count must fail, and print the lines to add.

use std::future::{ready, Future};
use std::pin::pin;

use mod_alloc::{
    alloc_budget, assert_allocs, assert_growth, assert_no_alloc, measure, uncounted, AllocScope,
    Budget, Growth, ModAlloc, Order, Profiler,
};

#[path = "common/panics.rs"]
mod panics;
#[path = "common/waker.rs"]
mod waker;

use panics::panic_of;

/// It is there, but without `#[global_allocator]`.
static FORGOTTEN: ModAlloc = ModAlloc::new();

#[track_caller]
fn check<R>(work: impl FnOnce() -> R) {
    let text = panic_of(work);
    assert!(text.contains("is `ModAlloc` this binary's `#[global_allocator]`?"), "{text}");
    assert!(
        text.contains("\n    #[global_allocator]\n    static GLOBAL: mod_alloc::ModAlloc"),
        "{text}"
    );
}

#[test]
fn every_scope_says_so() {
    check(AllocScope::enter);
    check(|| measure(|| ()));
    check(|| uncounted(|| ()));
    check(Profiler::start);
    check(|| FORGOTTEN.snapshot());
    check(|| FORGOTTEN.reset());
}

#[test]
fn every_budget_says_so() {
    let budget = Budget::new().max(1_000);
    check(move || budget.check(|| ()));
    check(move || budget.enforce(|| ()));
    check(move || budget.runs(2).check(|| ()));
    check(move || budget.warmup(2).enforce(|| ()));
    check(move || drop(budget.check_future(ready(()))));
    check(move || drop(budget.enforce_future(ready(()))));
    check(move || drop(budget.runs(2).check_future(|| ready(()))));
}

#[test]
fn every_growth_says_so() {
    let growth = Growth::new().max(Order::Quadratic);
    check(move || growth.check(|_| || ()));
    check(move || growth.enforce(|_| || ()));
    check(|| assert_growth!(max = O(n ^ 2), |_n| || ()));
}

#[test]
fn every_macro_says_so() {
    #[alloc_budget(max = 1_000)]
    fn budgeted() {}
    #[alloc_budget(max = 1_000, runs = 2)]
    fn repeated() {}
    #[alloc_budget(max = 1_000)]
    async fn polled() {}
    check(budgeted);
    check(repeated);
    check(|| {
        let waker = waker::idle();
        let polled = pin!(polled());
        polled.poll(&mut std::task::Context::from_waker(&waker))
    });
    check(|| assert_allocs!(max = 1_000, {}));
    check(|| assert_allocs!(max = 1_000, {}, "with a message"));
    check(|| assert_no_alloc!(()));
}
