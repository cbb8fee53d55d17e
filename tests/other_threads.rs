//! Allocations of threads that are not attached to a budget. They are no part of it. But if one
//! test runs at a time, the report and `MOD_ALLOC_REPORT=1` say that they were there. The tests run
//! this binary again, with one of its tests or several.

use std::future::{poll_fn, Future};
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, Barrier, OnceLock};
use std::task::{Context, Poll};
use std::thread;

use mod_alloc::{alloc_budget, uncounted, AllocScope, Budget, ModAlloc};

#[path = "common/again.rs"]
mod again;
#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/waker.rs"]
mod waker;

use again::this_binary;
use call_sites_are_here::call_sites_are_here;
use needs_call_sites::needs_call_sites;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// A thread that is there before the budget, as in a pool. In each turn it allocates 1,000 times.
fn pool() -> &'static Barrier {
    static POOL: OnceLock<Arc<Barrier>> = OnceLock::new();
    POOL.get_or_init(|| {
        let barrier = Arc::new(Barrier::new(2));
        let turns = barrier.clone();
        thread::spawn(move || loop {
            turns.wait();
            for number in 0..1_000 {
                black_box(Box::new(number));
            }
            turns.wait();
        });
        // After one turn, what it takes to start a thread is over.
        barrier.wait();
        barrier.wait();
        barrier
    })
}

/// Has the pool work for the test.
fn work(turns: u32) {
    for _ in 0..2 * turns {
        pool().wait();
    }
}

#[test]
#[ignore = "run by the tests below"]
fn pool_holds() {
    pool();
    Budget::new().max(0).enforce(|| work(1));
}

#[test]
#[ignore = "run by the tests below"]
fn pool_breaks() {
    pool();
    Budget::new().max(0).enforce(|| {
        work(1);
        black_box(Box::new(1));
    });
}

#[test]
#[ignore = "run by the tests below"]
fn pool_runs() {
    pool();
    Budget::new().max(0).runs(3).enforce(|| work(1));
}

#[test]
#[ignore = "run by the tests below"]
fn attached() {
    #[alloc_budget(max = 100)]
    fn budgeted() {
        let scope = AllocScope::current().expect("the budget");
        thread::spawn(scope.wrap(|| drop(black_box(vec![1])))).join().expect("no panic");
    }
    budgeted();
}

#[test]
#[ignore = "run by the tests below"]
fn starts_a_thread() {
    Budget::new().max(0).enforce(|| thread::spawn(|| ()).join().expect("no panic"));
}

/// Between the polls of the future, the thread does something else.
#[test]
#[ignore = "run by the tests below"]
fn future_holds() {
    pool();
    let mut polls = 0;
    let future = Budget::new().max(1).enforce_future(poll_fn(move |_| {
        polls += 1;
        if polls == 1 {
            black_box(Box::new(1));
            return Poll::Pending;
        }
        work(1);
        uncounted(|| black_box(Box::new(2)));
        Poll::Ready(())
    }));
    let mut future = pin!(future);
    let waker = waker::idle();
    let mut context = Context::from_waker(&waker);
    while future.as_mut().poll(&mut context).is_pending() {
        for number in 0..5 {
            black_box(Box::new(number));
        }
    }
}

/// What those tests of this binary print that are named in `arguments`.
fn run(arguments: &str, variables: &[(&str, &str)]) -> String {
    let mut again = this_binary();
    again.arg("--ignored").args(arguments.split_whitespace()).envs(variables.iter().copied());
    again::run(&mut again).1
}

const REPORT: (&str, &str) = ("MOD_ALLOC_REPORT", "1");

#[test]
fn a_budget_that_holds_says_what_other_threads_made_of_it() {
    let printed = run("--exact pool_holds", &[REPORT]);
    assert!(printed.contains("1 passed"), "{printed}");
    let said = "mod-alloc: pool_holds holds its budget (tests/other_threads.rs:";
    assert!(printed.contains(said), "{printed}");
    let said = "). Not in it: 1,000 allocations elsewhere meanwhile, on other threads or by other \
        tasks. Attach those that work for it by `AllocScope::current()`";
    assert!(printed.contains(said), "{printed}");
    let printed = run("--exact future_holds", &[REPORT]);
    assert!(printed.contains("Not in it: 1,005 allocations elsewhere"), "{printed}");
    let printed = run("--test-threads=1 pool_runs", &[REPORT]);
    assert!(printed.contains("Not in it: 3,000 allocations elsewhere"), "{printed}");
}

#[test]
fn nobody_who_does_not_ask_is_told_of_a_budget_that_holds() {
    for value in ["", "0"] {
        let printed = run("--exact pool_holds", &[("MOD_ALLOC_REPORT", value)]);
        assert!(printed.contains("1 passed"), "{printed}");
        assert!(!printed.contains("mod-alloc"), "{printed}");
    }
}

#[test]
fn a_broken_budget_says_it_without_being_asked() {
    needs_call_sites!();
    let said =
        "not counted: 1,000 allocations elsewhere (`AllocScope::current()` attaches threads, \
        tasks)";
    for variable in [("RUST_TEST_THREADS", "1"), ("NEXTEST_EXECUTION_MODE", "process-per-test")] {
        let printed = run("pool_breaks", &[variable]);
        assert!(printed.contains("1 failed"), "{printed}");
        assert!(printed.contains(said), "{printed}");
    }
}

/// That a budget starts threads is certain even beside other tests. How many allocations these make
/// is not.
#[test]
fn a_broken_budget_says_that_its_code_starts_threads() {
    let printed = run("starts_a_thread", &[]);
    assert!(printed.contains("1 failed"), "{printed}");
    let said = "not counted: what the threads allocate that it starts (`AllocScope::current()` \
        attaches them)";
    assert_eq!(printed.contains(said), call_sites_are_here(), "{printed}");
    let printed = run("pool_breaks", &[]);
    assert!(printed.contains("1 failed"), "{printed}");
    assert!(!printed.contains("not counted"), "{printed}");
}

/// Other tests' threads allocate, too.
#[test]
fn beside_other_tests_no_budget_speaks_of_other_threads() {
    let printed = run("pool_ --test-threads=2", &[REPORT]);
    assert!(printed.contains("2 passed; 1 failed"), "{printed}");
    assert!(!printed.contains("elsewhere"));
    let said = "mod-alloc: MOD_ALLOC_REPORT=1: while tests run side by side nobody can tell whose \
        threads allocate. Run one at a time: `cargo test -- --test-threads=1`";
    assert_eq!(printed.matches(said).count(), 1, "once, not for each budget: {printed}");
}

#[test]
fn where_threads_are_attached_nothing_is_said() {
    let printed = run("--exact attached", &[REPORT]);
    assert!(printed.contains("1 passed") && !printed.contains("mod-alloc"), "{printed}");
}

#[test]
fn a_wrong_value_is_an_error_that_names_the_right_ones() {
    let printed = run("--exact pool_holds", &[("MOD_ALLOC_REPORT", "yes")]);
    let said =
        "is `MOD_ALLOC_REPORT` misspelt? It is `yes`; the values are `0` (the default) and `1`";
    assert!(printed.contains(said), "{printed}");
}
