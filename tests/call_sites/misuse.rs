//! Call sites that were not recorded are asked for. The answer is never an empty list.

use std::hint::black_box;

use mod_alloc::{AllocScope, Budget, Profiler};

use crate::needs_call_sites::needs_call_sites;
use crate::panics::panic_of;

#[track_caller]
fn check(work: impl FnOnce(), remedy: &str) {
    let text = panic_of(work);
    assert!(text.contains(remedy), "{text}");
}

#[test]
fn of_a_scope_that_only_counts() {
    needs_call_sites!();
    let ask = || drop(AllocScope::enter().call_sites());
    check(ask, "Open it by `AllocScope::with_call_sites()`");
}

#[test]
fn of_a_profiler_that_only_counts() {
    needs_call_sites!();
    check(|| drop(Profiler::start().call_sites()), "Start it by `Profiler::with_call_sites()`");
}

#[test]
fn of_a_budget_that_only_counts() {
    needs_call_sites!();
    let budget = Budget::new().max(0).call_sites(false);
    let exceeded = budget.check(|| drop(black_box(Box::new(1)))).expect_err("it allocates");
    assert!(!exceeded.to_string().contains("call sites"), "{exceeded}");
    check(move || drop(exceeded.call_sites()), "Remove `call_sites(false)` from the budget");
}
