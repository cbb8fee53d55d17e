//! `Budget` as a value: which budgets hold, which do not, and what the failures say.

use std::error::Error;
use std::future::{poll_fn, Future};
use std::hint::black_box;
use std::mem::size_of;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::task::{Context, Poll};

use mod_alloc::{measure, AllocScope, Budget, Exceeded, ModAlloc};

#[path = "common/drive.rs"]
mod drive;
#[path = "common/panics.rs"]
mod panics;
#[path = "common/waker.rs"]
mod waker;
#[path = "common/yield_now.rs"]
mod yield_now;

use drive::drive;
use panics::panic_of;
use yield_now::yield_now;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Allocates one block of each size, and frees them all.
fn allocate(sizes: &[usize]) {
    for &size in sizes {
        drop(black_box(Vec::<u8>::with_capacity(size)));
    }
}

/// Allocates `first` bytes and reallocates to each of the sizes.
fn grow(first: usize, sizes: &[usize]) {
    let mut block = black_box(Vec::<u8>::with_capacity(first));
    for &size in sizes {
        block.reserve_exact(size);
    }
}

#[test]
fn each_key_holds_at_its_limit_and_fails_beyond_it() {
    #[track_caller]
    fn check(at: Budget, beyond: Budget) {
        let work = || {
            grow(100, &[200, 300]);
            allocate(&[50]);
        };
        assert!(at.check(work).is_ok(), "{at:?}");
        assert!(beyond.check(work).is_err(), "{beyond:?}");
    }
    let new = Budget::new;
    check(new().max(4), new().max(3));
    check(new().min(4), new().min(5));
    check(new().exact(4), new().exact(3));
    check(new().exact(4), new().exact(5));
    check(new().max_bytes(650), new().max_bytes(649));
    check(new().max_peak_bytes(300), new().max_peak_bytes(299));
    check(new().max_block_bytes(300), new().max_block_bytes(299));
    check(new().max_reallocs(2), new().max_reallocs(1));
    check(new().max_deallocs(2), new().max_deallocs(1));
    check(new().min(1).max(9).max_bytes(650), new().min(1).max(9).max_bytes(1));
}

#[test]
fn every_metric_is_held_to_its_own_limit() {
    let exceeded = Budget::new().max(0).max_bytes(5_000_000_000).check(|| allocate(&[1]));
    let exceeded = exceeded.unwrap_err();
    assert_eq!(exceeded.budget(), Budget::new().max(0).max_bytes(5_000_000_000));
    assert_eq!((exceeded.stats().alloc_count, exceeded.stats().total_bytes), (1, 1));
}

#[test]
fn the_value_is_returned_when_the_budget_holds() {
    let text = Budget::new().max(1).check(|| "text".to_owned()).expect("one allocation");
    assert_eq!(text, "text");
    assert_eq!(Budget::new().max(0).enforce(|| 3), 3);
}

#[test]
fn exceeded_is_small_and_an_error_that_travels() {
    fn travels<T: Error + Send + Sync + 'static>(_: &T) {}
    let exceeded = Budget::new().max(0).check(|| allocate(&[1])).unwrap_err();
    travels(&exceeded);
    assert_eq!(size_of::<Exceeded>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Exceeded>>(), size_of::<usize>());
    assert_eq!(exceeded.name(), "exceeded_is_small_and_an_error_that_travels");
    assert_eq!(format!("{exceeded}"), format!("{exceeded:?}"));
    let boxed: Box<dyn Error + Send + Sync> = exceeded.into();
    assert!(boxed.to_string().starts_with("allocation budget exceeded: exceeded_is_small"));
}

#[test]
fn what_the_library_allocates_for_a_failure_is_not_counted() {
    let (exceeded, stats) = measure(|| {
        let exceeded = Budget::new().max(0).check(|| allocate(&[100])).unwrap_err();
        assert_eq!(exceeded.stats().alloc_count, 1);
        assert!(exceeded.name().len() > 10);
        exceeded
    });
    assert_eq!((stats.alloc_count, stats.dealloc_count), (1, 1));
    let mut text = String::with_capacity(2_000);
    let ((), stats) = measure(|| {
        std::fmt::Write::write_fmt(&mut text, format_args!("{exceeded}")).expect("fits");
        drop(exceeded);
    });
    assert_eq!((stats.alloc_count, stats.dealloc_count), (0, 0));
}

/// A future that is written by hand may be polled after a panic.
#[test]
fn a_poll_that_panics_counts_like_any_other() {
    let unwind = || catch_unwind(|| resume_unwind(Box::new(()))).is_err();
    let (_, of_unwinding) = measure(unwind);
    let mut polls = 0;
    let future = poll_fn(|_| {
        polls += 1;
        drop(black_box(Box::new([0_u8; 100])));
        if polls < 3 {
            resume_unwind(Box::new(()));
        }
        Poll::Ready(())
    });
    let mut future = pin!(Budget::new().max(0).check_future(future));
    let waker = waker::idle();
    let mut poll = || {
        let mut context = Context::from_waker(&waker);
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)))
    };
    assert!(poll().is_err() && poll().is_err());
    let Ok(Poll::Ready(Err(exceeded))) = poll() else { panic!("it holds") };
    assert_eq!(exceeded.stats().alloc_count, 3 + 2 * of_unwinding.alloc_count);
}

#[test]
fn a_panic_inside_wins_over_the_budget() {
    let panic = catch_unwind(|| {
        Budget::new().max(0).enforce(|| {
            allocate(&[1]);
            panic!("the user's own");
        })
    });
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"the user's own"));
}

#[test]
fn budgets_nest() {
    let outer = Budget::new().exact(3).check(|| {
        allocate(&[1]);
        Budget::new().exact(1).enforce(|| allocate(&[1]));
        let inner = Budget::new().exact(2).check(|| allocate(&[1]));
        assert_eq!(inner.unwrap_err().stats().alloc_count, 1);
    });
    assert!(outer.is_ok(), "{outer:?}");
}

#[test]
fn a_budget_can_be_a_constant() {
    const BUDGET: Budget = Budget::new().exact(1).max_bytes(8).max_peak_bytes(8).max_deallocs(1);
    BUDGET.enforce(|| allocate(&[8]));
}

#[test]
#[should_panic(expected = "is a limit missing?")]
fn a_budget_without_limits_is_a_mistake() {
    let _ = Budget::new().check(|| allocate(&[1]));
}

#[test]
#[should_panic(expected = "are `min` and `max` swapped? `min = 5` is above `max = 2`")]
fn a_budget_that_cannot_hold_is_a_mistake() {
    let _ = Budget::new().min(5).max(2).check(|| allocate(&[1]));
}

#[test]
#[should_panic(expected = "`runs` is 0: nothing would be counted")]
fn no_runs_are_a_mistake() {
    let _ = Budget::new().max(5).runs(0);
}

// ---------------------------------------------------------------- several runs

#[test]
fn warm_up_runs_do_not_count() {
    let mut runs = 0;
    let mut buffer = Vec::<u8>::new();
    let scope = AllocScope::enter();
    let last = Budget::new().max(0).warmup(2).runs(3).check(|| {
        runs += 1;
        buffer.reserve(100);
        runs
    });
    assert_eq!(scope.exit().alloc_count, 0, "uncounted in the scope around as well");
    assert_eq!(last.expect("only the first run allocates"), 5);
}

#[test]
fn every_run_must_hold_and_all_are_run() {
    let mut runs = 0;
    let exceeded = Budget::new().max(2).runs(5).check(|| {
        runs += 1;
        for _ in 0..runs {
            allocate(&[10]);
        }
    });
    let exceeded = exceeded.unwrap_err();
    assert_eq!(exceeded.stats().alloc_count, 3, "the first run that broke the budget");
    assert!(exceeded.to_string().contains("1..5"), "{exceeded}");
    assert_eq!(runs, 5);
}

#[test]
fn values_of_earlier_runs_are_dropped_outside_of_the_count() {
    let kept = Budget::new().exact(1).max_deallocs(0).runs(4).enforce(|| vec![1_u8]);
    assert_eq!(kept, [1]);
}

// ---------------------------------------------------------------- futures

#[test]
fn a_future_is_counted_at_its_polls_only() {
    let work = async {
        allocate(&[10]);
        yield_now().await;
        let kept = vec![1_u8; 100];
        yield_now().await;
        drop(kept);
        7
    };
    let budget = Budget::new().exact(2).max_bytes(110).max_peak_bytes(100).max_deallocs(2);
    assert_eq!(drive(budget.check_future(work), || allocate(&[5_000; 9])).expect("exact"), 7);
}

#[test]
fn the_peak_of_a_future_reaches_over_its_polls() {
    let work = || async {
        let kept = vec![1_u8; 100];
        yield_now().await;
        allocate(&[50]);
        drop(kept);
    };
    let check = |bytes| drive(Budget::new().max_peak_bytes(bytes).check_future(work()), || ());
    assert!(check(150).is_ok());
    assert_eq!(check(149).unwrap_err().stats().peak_bytes, 150);
}

#[test]
fn a_future_may_be_polled_on_several_threads() {
    let work = async {
        for _ in 0..3 {
            allocate(&[10]);
            yield_now().await;
        }
    };
    let mut future: Pin<Box<dyn Future<Output = Result<(), Exceeded>> + Send>> =
        Box::pin(Budget::new().exact(3).check_future(work));
    let done = loop {
        let polled = std::thread::spawn(move || {
            let waker = waker::idle();
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            (future, polled)
        });
        match polled.join().expect("polls") {
            (_, Poll::Ready(done)) => break done,
            (pending, Poll::Pending) => future = pending,
        }
    };
    assert!(done.is_ok(), "{done:?}");
}

#[test]
fn a_cancelled_future_is_not_checked_and_leaves_the_outer_count_right() {
    let outer = async {
        let mut inner = Box::pin(Budget::new().max(0).check_future(async {
            allocate(&[10]);
            yield_now().await;
        }));
        std::future::poll_fn(|cx| {
            assert!(inner.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(inner);
        allocate(&[10]);
    };
    // There are the box of the inner future, and two blocks.
    assert!(drive(Budget::new().exact(3).check_future(outer), || ()).is_ok());
}

#[test]
fn a_future_that_panics_leaves_the_outer_count_right() {
    let scope = AllocScope::enter();
    let poll = || {
        drive(
            Budget::new().max(9).check_future(async { std::panic::resume_unwind(Box::new(())) }),
            || (),
        )
    };
    let (_, thrown) = measure(|| catch_unwind(AssertUnwindSafe(poll)).map(drop).is_err());
    allocate(&[10]);
    assert_eq!(scope.exit().alloc_count, thrown.alloc_count + 1);
}

#[test]
fn repeated_futures_hold_in_each_run() {
    let mut buffer = Vec::<u8>::new();
    let warmed = Budget::new().max(0).warmup(1).runs(3).check_future(|| {
        buffer.reserve(10);
        async { yield_now().await }
    });
    assert!(drive(warmed, || ()).is_ok());
    let exceeded = Budget::new().max(0).runs(2).check_future(|| async { allocate(&[3]) });
    assert_eq!(drive(exceeded, || ()).unwrap_err().stats().total_bytes, 3);
}

#[test]
fn enforcing_a_future_panics_at_its_await() {
    let enforced = Budget::new().max(0).enforce_future(async { allocate(&[1]) });
    let text = panic_of(|| drive(enforced, || ()));
    assert!(text.contains("Budget::new().max(0)") && text.contains("this future"), "{text}");
    assert_eq!(drive(Budget::new().max(0).enforce_future(async { 5 }), || ()), 5);
}

/// `check` returns what was measured, whatever else goes on. `enforce` gives way to a panic.
#[test]
fn checks_say_what_was_measured_while_a_panic_unwinds_and_enforce_is_silent() {
    struct Checks<'a>(&'a mut Vec<bool>);
    impl Drop for Checks<'_> {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            let budget = Budget::new().max(0);
            let later = || async { allocate(&[1]) };
            self.0.push(budget.check(|| allocate(&[1])).is_err());
            self.0.push(drive(budget.check_future(later()), || ()).is_err());
            self.0.push(budget.runs(2).check(|| allocate(&[1])).is_err());
            self.0.push(drive(budget.runs(2).check_future(later), || ()).is_err());
            budget.enforce(|| allocate(&[1]));
            drive(budget.enforce_future(later()), || ());
            budget.runs(2).enforce(|| allocate(&[1]));
            drive(budget.runs(2).enforce_future(later), || ());
        }
    }
    let mut exceeded = Vec::new();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _checks = Checks(&mut exceeded);
        panic!("the user's own");
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"the user's own"));
    assert_eq!(exceeded, [true; 4]);
}

#[test]
fn warm_ups_of_an_async_fn_are_uncounted_in_the_scopes_around() {
    #[mod_alloc::alloc_budget(exact = 1, warmup = 2)]
    async fn allocates_once() -> Box<u8> {
        yield_now().await;
        black_box(Box::new(1))
    }
    let (_, stats) = measure(|| drop(drive(allocates_once(), || allocate(&[100]))));
    // These are the counted run and its output, and what ran between the polls of three runs.
    assert_eq!((stats.alloc_count, stats.dealloc_count, stats.live_count), (1 + 3, 1 + 3, 0));
    assert_eq!((stats.total_bytes, stats.current_bytes, stats.peak_bytes), (1 + 300, 0, 100));
}

#[test]
fn making_and_dropping_warm_up_futures_is_uncounted_as_well() {
    let counted = Budget::new().max(0).warmup(3).check_future(|| {
        let block = vec![1_u8; 10];
        async move { drop(block) }
    });
    // The one run that counts is made, which allocates. None of its polls does.
    let (done, stats) = measure(|| drive(counted, || ()));
    assert!(done.is_ok());
    assert_eq!((stats.alloc_count, stats.dealloc_count), (1, 1));
    let exceeded = drive(Budget::new().max(0).runs(2).enforce_future(|| async { 5 }), || ());
    assert_eq!(exceeded, 5);
}

#[test]
fn the_report_shows_the_run_that_is_furthest_outside() {
    #[track_caller]
    fn check(budget: Budget, counts: [usize; 3], line: &str) {
        let mut counts = counts.into_iter();
        let exceeded =
            budget.runs(3).check(|| allocate(&[1; 99][..counts.next().expect("3 runs")]));
        let report = exceeded.unwrap_err().to_string();
        let mut rows = report.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
        assert!(rows.any(|row| row.join(" ") == line), "{report}");
    }
    check(Budget::new().max(2), [3, 5, 4], "allocations 2 5 +3 3..5 the runs differ");
    check(Budget::new().exact(2), [1, 2, 50], "allocations exactly 2 50 +48 1..50 the runs differ");
    check(Budget::new().min(9), [12, 7, 8], "allocations at least 9 7 -2 7..12 the runs differ");
    check(Budget::new().min(9), [7, 7, 7], "allocations at least 9 7 -2 7..7 lower it to 7");
    check(Budget::new().min(9), [0, 0, 0], "allocations at least 9 0 -9 0..0");
    let held = Budget::new().max_bytes(0).max(9).min(1);
    check(held, [1, 2, 3], "bytes 0 3 +3 1..3 the runs differ");
}

#[test]
fn code_whose_type_has_no_function_is_named_by_its_thread() {
    let name = |exceeded: Result<(), Exceeded>| exceeded.unwrap_err().name().to_owned();
    let budget = Budget::new().max(0);
    let boxed: Box<dyn FnOnce()> = Box::new(|| allocate(&[1]));
    let pointer: fn() = || allocate(&[1]);
    let this = "code_whose_type_has_no_function_is_named_by_its_thread";
    assert_eq!(name(budget.check(boxed)), this);
    assert_eq!(name(budget.check(pointer)), this);
    assert_eq!(name(budget.check(|| allocate(&[1]))), this);
    let future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async { allocate(&[1]) });
    assert_eq!(name(drive(budget.check_future(future), || ())), this);
    fn named() {
        allocate(&[1]);
    }
    assert_eq!(name(budget.check(named)), format!("{this}::named"));
}

#[test]
fn the_order_of_limits_and_runs_does_not_matter() {
    let limits = Budget::new().max(9).min(1).max_bytes(8).max_peak_bytes(7).max_reallocs(6);
    let all = limits.max_deallocs(5).max_retained(4).max_retained_bytes(3);
    let all = all.max_block_bytes(2).call_sites(false);
    let repeated = Budget::new().warmup(2).runs(3).max(9).min(1).max_bytes(8).max_peak_bytes(7);
    let repeated = repeated.max_reallocs(6).max_deallocs(5).max_retained(4).max_retained_bytes(3);
    assert_eq!(repeated.max_block_bytes(2).call_sites(false), all.warmup(2).runs(3));
    let exact = Budget::new().runs(2).exact(1);
    assert_eq!(exact, Budget::new().exact(1).runs(2));
    assert!(exact.check(|| allocate(&[1, 2])).is_err());
}

#[cfg(not(feature = "backtraces"))]
#[test]
fn without_the_feature_the_report_says_that_there_are_no_call_sites() {
    let report = |budget: Budget| budget.check(|| black_box(vec![1])).unwrap_err().to_string();
    let line = "\n\n  no call sites: mod-alloc is built without its feature `backtraces`";
    let text = report(Budget::new().max(0));
    assert!(text.ends_with(line), "{text}");
    let text = report(Budget::new().max(0).call_sites(false));
    assert!(!text.contains("call sites"), "{text}");
}
