//! `permit`: what is left out with a reason is listed in the report of a broken budget.

use std::future::Future;
use std::hint::black_box;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::pin;
use std::task::{Context, Poll};
use std::thread;

use mod_alloc::{measure, permit, uncounted, AllocScope, Budget, Exceeded, ModAlloc};

#[path = "common/waker.rs"]
mod waker;
#[path = "common/yield_now.rs"]
mod yield_now;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

fn allocate(times: usize) {
    (0..times).for_each(|n| drop(black_box(Box::new(n))));
}

/// What a report says of allocations that were not counted.
fn not_counted(broken: Result<(), Exceeded>) -> Vec<String> {
    let report = broken.expect_err("it is broken").to_string();
    let lines = report.lines().map(str::trim_start);
    let mut lines = lines.skip_while(|line| !line.starts_with("not counted: "));
    let first = lines.next().and_then(|line| line.strip_prefix("not counted: "));
    let others = lines.map_while(|line| line.strip_prefix("nor "));
    first.into_iter().chain(others).map(str::to_owned).collect()
}

#[test]
fn it_counts_nowhere() {
    let (value, stats) = measure(|| permit("why", || black_box(vec![1, 2]).len()));
    assert_eq!((value, stats.alloc_count, stats.dealloc_count), (2, 0, 0));
}

#[test]
fn reasons_are_listed_with_their_numbers() {
    let broken = Budget::new().max(0).check(|| {
        permit("a log", || allocate(2));
        permit("nothing", || ());
        permit("a table", || allocate(1));
        permit("a log", || allocate(3));
        uncounted(|| allocate(4));
        allocate(1);
    });
    let expected = [
        "5 allocations permitted: a log",
        "1 allocation permitted: a table",
        "4 allocations in `uncounted`",
    ];
    assert_eq!(not_counted(broken), expected);
}

#[test]
fn each_budget_lists_what_is_within_it() {
    let mut inner = None;
    permit("before", || allocate(1));
    let outer = Budget::new().max(0).call_sites(false).check(|| {
        permit("outside", || allocate(1));
        let broken = Budget::new().max(0).call_sites(false).check(|| {
            permit("inside", || allocate(2));
            allocate(1);
        });
        inner = Some(uncounted(|| not_counted(broken)));
        permit("outside", || allocate(3));
    });
    permit("after", || allocate(1));
    assert_eq!(inner.expect("it has run"), ["2 allocations permitted: inside"]);
    let lines = not_counted(outer);
    let expected = ["4 allocations permitted: outside", "2 allocations permitted: inside"];
    assert_eq!(lines[..2], expected);
}

#[test]
fn what_is_permitted_before_a_budget_for_the_same_reason_is_not_in_it() {
    permit("a log", || allocate(5));
    let broken = Budget::new().max(0).check(|| {
        permit("a log", || allocate(2));
        allocate(1);
    });
    assert_eq!(not_counted(broken), ["2 allocations permitted: a log"]);
}

#[test]
fn one_within_another_counts_once() {
    let broken = Budget::new().max(0).check(|| {
        permit("outer", || {
            allocate(1);
            permit("inner", || allocate(2));
        });
        allocate(1);
    });
    let expected = ["2 allocations permitted: inner", "1 allocation permitted: outer"];
    assert_eq!(not_counted(broken), expected);
}

#[test]
fn a_panic_within_is_listed_too() {
    let broken = Budget::new().max(0).check(|| {
        let work = || permit("it panics", || panic!("{}", black_box(1)));
        let panic = uncounted(|| catch_unwind(AssertUnwindSafe(work)));
        drop(panic.expect_err("it panics"));
        allocate(1);
    });
    let report = broken.expect_err("it is broken").to_string();
    assert!(report.contains("allocations permitted: it panics"), "{report}");
}

#[test]
fn a_future_lists_what_was_within_its_polls() {
    let mut future = pin!(Budget::new().max(0).check_future(async {
        for _ in 0..3 {
            permit("a poll", || allocate(1));
            yield_now::yield_now().await;
        }
        allocate(1);
    }));
    let waker = waker::idle();
    let broken = loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(broken) => break broken,
            Poll::Pending => permit("another task", || allocate(1)),
        }
    };
    assert_eq!(not_counted(broken), ["3 allocations permitted: a poll"]);
}

#[test]
fn what_attached_threads_permit_is_listed_as_uncounted() {
    let broken = Budget::new().max(0).check(|| {
        let handle = AllocScope::current().expect("the budget");
        let work = handle.wrap(|| permit("elsewhere", || allocate(2)));
        uncounted(|| thread::spawn(work)).join().expect("no panic");
        allocate(1);
    });
    let report = broken.expect_err("it is broken").to_string();
    assert!(report.contains("in `uncounted`") && !report.contains("permitted"), "{report}");
}

#[test]
fn the_last_reasons_are_kept() {
    let reason = |n: usize| -> &'static str { format!("reason {n}").leak() };
    let reasons: Vec<&'static str> = (0..80).map(reason).collect();
    let broken = Budget::new().max(0).check(|| {
        reasons.iter().for_each(|reason| permit(reason, || allocate(1)));
        allocate(1);
    });
    let lines = not_counted(broken);
    assert_eq!(lines.len(), 65);
    assert_eq!(lines[0], "1 allocation permitted: reason 16");
    assert_eq!(lines[64], "16 allocations in `uncounted`");
}
