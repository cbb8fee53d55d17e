//! What is counted, how often the closures are called, and how a check ends.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::thread;

use mod_alloc::{assert_growth, measure, AllocScope, Growth, Order, Outgrown};

#[path = "../common/panics.rs"]
mod panics;

use crate::needs_call_sites::needs_call_sites;
use panics::panic_of;

const CONSTANT: Growth<'static> = Growth::new().max(Order::Constant);

#[test]
fn only_the_inner_closure_is_counted_and_not_the_drop_of_its_value() {
    let growth = CONSTANT.max_bytes(Order::Constant).max_retained(Order::Constant);
    growth.enforce(|n| {
        let list: Vec<String> = (0..n).map(|n| n.to_string()).collect();
        move || list
    });
}

#[test]
fn the_sizes_rise_after_a_run_of_the_last() {
    let called = RefCell::new(Vec::new());
    let counted = Cell::new(0);
    let growth = CONSTANT.sizes(&[0, 10, 700, 5_000]);
    growth.enforce(|n| {
        called.borrow_mut().push(n);
        || counted.set(counted.get() + 1)
    });
    let called = called.into_inner();
    let (warmup, sizes) = called.split_first().expect("one");
    assert_eq!(*warmup, 5_000);
    assert!(sizes.windows(2).all(|pair| pair[0] < pair[1]), "{sizes:?}");
    assert!([0, 10, 700, 5_000].iter().all(|size| sizes.contains(size)), "{sizes:?}");
    assert_eq!(counted.get(), called.len());
    assert_eq!(sizes.len(), 27 + 3, "5,000 is one of both");
}

#[test]
fn attached_threads_count() {
    let outgrown = CONSTANT.check(|n| {
        move || {
            let scope = AllocScope::current().expect("the run");
            let work = scope.wrap(move || (0..n).for_each(|n| drop(black_box(Box::new(n)))));
            thread::scope(|threads| {
                threads.spawn(work).join().expect("it returns");
            });
        }
    });
    let outgrown = outgrown.expect_err("it grows by the thread");
    assert!(outgrown.to_string().contains("O(n)"), "{outgrown}");
}

#[test]
fn what_is_around_counts_the_runs_but_not_the_first() {
    let calls = Cell::new(0_u64);
    let ((), stats) = measure(|| {
        CONSTANT.enforce(|_| {
            calls.set(calls.get() + 1);
            || drop(black_box(Box::new(1)))
        });
    });
    assert_eq!(stats.alloc_count, calls.get() - 1);
}

#[test]
fn panics_propagate() {
    for panics_in in [Some(64), None] {
        let panic = catch_unwind(AssertUnwindSafe(|| {
            CONSTANT.check(|n| {
                assert!(Some(n) != panics_in, "in the outer closure");
                move || assert!(n > 64 || panics_in.is_some(), "in the inner closure")
            })
        }));
        let panic = panic.expect_err("it panics");
        let expected = if panics_in.is_some() { "outer" } else { "inner" };
        let text = panic.downcast_ref::<&str>().expect("a text");
        assert_eq!(*text, format!("in the {expected} closure"));
    }
    // Nothing is open any more.
    assert!(AllocScope::current().is_none());
}

#[test]
fn what_makes_no_sense_says_so() {
    let text = panic_of(|| Growth::new().check(|_| || ()));
    assert!(text.contains("is an order missing?"), "{text}");
    let text = panic_of(|| CONSTANT.sizes(&[64, 512, 512]).check(|_| || ()));
    assert!(text.contains("do the `sizes` rise? 512 stands after 512"), "{text}");
}

#[test]
fn sizes_that_tell_nothing_are_an_error_before_anything_runs() {
    for sizes in [&[][..], &[1_000], &[1_000, 2_000], &[1, 32]] {
        let unclear = CONSTANT.sizes(sizes).check(|_| || panic!("it runs"));
        let unclear = unclear.expect_err("they do not tell");
        assert_eq!(unclear.growth(), CONSTANT.sizes(sizes));
        assert_eq!(unclear.stats().count(), 0);
        let text = unclear.to_string();
        assert!(text.starts_with("allocation growth unclear"), "{text}");
    }
}

#[test]
fn the_error_can_be_handed_around() {
    fn check() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        CONSTANT.check(|n| move || pushed(n))?;
        Ok(())
    }
    let error = check().expect_err("it grows");
    let outgrown = error.downcast::<Outgrown>().expect("ours");
    assert_eq!(format!("{outgrown}"), format!("{outgrown:?}"));
    assert_eq!(outgrown.name(), "behaviour::the_error_can_be_handed_around::check");
    let word = std::mem::size_of::<usize>();
    assert_eq!(std::mem::size_of::<Result<(), Outgrown>>(), word);
    let ((), stats) = measure(|| drop(outgrown.to_string()));
    assert_eq!(stats.alloc_count - stats.realloc_count, 1, "its own text");
}

#[test]
fn the_macro_takes_what_it_documents() {
    let sizes = vec![64, 512, 4_096];
    assert_growth!(max = O(1), |_n| || ());
    assert_growth!(max = O(1), max_bytes = O(n), sizes = sizes, |n| move || vec![1_u8; n]);
    assert_growth!(max = O(log n), max_reallocs = O(log n), |n| move || pushed(n));
    assert_growth!(max_peak_bytes = O(n log n), |n: usize| move || pushed(n), "of {n}", n = 1,);
    assert_growth!(max_bytes = O(n ^ 2), max_retained = O(1), boxed);
    fn boxed(n: usize) -> Box<dyn FnOnce()> {
        Box::new(move || drop(pushed(n)))
    }
    // Nothing of a message is evaluated while the growth holds.
    assert_growth!(max = O(1), |_n| || (), "{}", formatted());
    fn formatted() -> String {
        panic!("it is formatted")
    }
}

/// The harness keeps what is printed, in a buffer that grows.
#[test]
fn what_is_printed_does_not_grow() {
    needs_call_sites!();
    for _ in 0..2 {
        CONSTANT.max_bytes(Order::Constant).enforce(|n| {
            let text = "x".repeat(n);
            move || println!("{text}")
        });
    }
}

fn pushed(count: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    for n in 0..count {
        black_box(&mut numbers).push(n as u32);
    }
    numbers
}

#[test]
#[cfg(not(feature = "backtraces"))]
fn without_call_sites_there_are_the_numbers() {
    let report = CONSTANT.check(|n| move || pushed(n)).expect_err("it grows").to_string();
    let end = "\n\n  no call sites: mod-alloc is built without its feature `backtraces`";
    assert!(report.ends_with(end), "{report}");
}
