//! Threads, jobs and tasks that are attached to a scope count in it exactly once, and so they do in
//! the scopes around it.

use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::mpsc::channel;
use std::sync::Barrier;
use std::task::{Context, Poll};
use std::thread::{self, Scope};

use mod_alloc::{
    alloc_budget, measure, uncounted, AllocScope, AllocStats, Budget, ModAlloc, ScopeHandle,
};

#[path = "common/allocate.rs"]
mod allocate;
#[path = "common/call_sites_are_here.rs"]
mod call_sites_are_here;
#[path = "common/needs_call_sites.rs"]
mod needs_call_sites;
#[path = "common/waker.rs"]
mod waker;
#[path = "common/yield_now.rs"]
mod yield_now;

use allocate::allocate;
use needs_call_sites::needs_call_sites;
use yield_now::yield_now;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Runs `work` on another thread. What it takes to make the thread is uncounted.
fn on_a_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    uncounted(|| thread::scope(|scope| scope.spawn(work).join().expect("it ends well")))
}

/// Runs `work` with threads that end before this returns. What it takes to make them is uncounted.
fn with_threads<'env>(work: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>)) {
    uncounted(|| thread::scope(work));
}

fn numbers(stats: AllocStats) -> (u64, u64, u64, i64) {
    (stats.alloc_count, stats.dealloc_count, stats.total_bytes, stats.peak_bytes)
}

#[test]
fn a_guard_counts_its_own_stretch_of_another_thread() {
    let scope = AllocScope::enter();
    let handle = scope.handle();
    allocate(1, 10);
    on_a_thread(|| {
        allocate(100, 1_000);
        let attached = handle.attach();
        allocate(2, 20);
        drop(attached);
        allocate(100, 1_000);
    });
    assert_eq!(numbers(scope.stats()), (3, 3, 50, 20));
    allocate(1, 5);
    assert_eq!(numbers(scope.exit()), (4, 4, 55, 20));
}

#[test]
fn a_thread_counts_while_it_is_attached_before_it_detaches() {
    let scope = AllocScope::enter();
    let handle = scope.handle();
    let (seen, goes_on) = (&Barrier::new(2), &Barrier::new(2));
    with_threads(|threads| {
        threads.spawn(|| {
            let _attached = handle.attach();
            allocate(7, 70);
            seen.wait();
            goes_on.wait();
            allocate(3, 1);
        });
        seen.wait();
        let seen = numbers(scope.stats());
        goes_on.wait();
        assert_eq!(seen, (7, 7, 490, 70));
    });
    assert_eq!(scope.exit().alloc_count, 10);
}

#[test]
fn closures_jobs_and_whole_threads_count() {
    let scope = AllocScope::enter();
    let handle = scope.handle();
    let wrapped = handle.wrap(|| allocate(1, 1));
    on_a_thread(wrapped);
    on_a_thread(|| {
        for _ in 0..10 {
            handle.run(|| allocate(1, 1));
            allocate(1, 1);
        }
    });
    on_a_thread(|| {
        handle.attach_thread();
        allocate(100, 1);
    });
    let stats = scope.exit();
    // A thread allocates for itself, too.
    assert!((111..120).contains(&stats.alloc_count), "{stats:?}");
}

#[test]
fn what_is_attached_twice_counts_once() {
    let scope = AllocScope::enter();
    let (first, second) = (scope.handle(), AllocScope::current().expect("a scope"));
    on_a_thread(|| {
        let outer = first.attach();
        let inner = second.attach();
        first.attach_thread();
        allocate(1, 1);
        first.run(|| allocate(1, 1));
        // The thread is attached until all guards have gone, in whatever order they go.
        drop(outer);
        allocate(1, 1);
        drop(inner);
        allocate(1, 1);
    });
    on_a_thread(|| {
        let (a, b, c) = (first.attach(), first.attach(), second.attach());
        drop(b);
        allocate(1, 1);
        drop(a);
        allocate(1, 1);
        drop(c);
        allocate(100, 1);
    });
    assert_eq!(scope.exit().alloc_count, 4 + 2);
}

#[test]
fn on_the_scopes_own_thread_a_job_counts_once() {
    let scope = AllocScope::enter();
    let handle = scope.handle();
    handle.run(|| allocate(1, 1));
    let attached = handle.attach();
    handle.attach_thread();
    allocate(1, 1);
    uncounted(|| {
        allocate(100, 1);
        handle.run(|| allocate(1, 1));
    });
    drop(attached);
    allocate(1, 1);
    assert_eq!(scope.exit().alloc_count, 4);
    allocate(1, 1);
}

#[test]
fn uncounted_stretches_of_attached_threads_do_not_count() {
    let scope = AllocScope::enter();
    let handle = scope.handle();
    on_a_thread(|| {
        let attached = handle.attach();
        allocate(1, 10);
        uncounted(|| {
            allocate(50, 5_000);
            let inside = handle.attach();
            allocate(1, 10);
            uncounted(|| allocate(50, 5_000));
            drop(inside);
            allocate(50, 5_000);
        });
        allocate(1, 10);
        drop(attached);
    });
    assert_eq!(numbers(scope.exit()), (3, 3, 30, 10));
}

#[test]
fn a_guard_that_leaves_an_uncounted_stretch_counts_nothing_twice() {
    let scope = AllocScope::enter();
    let handle = scope.handle();
    on_a_thread(|| {
        let attached = handle.attach();
        let inside = uncounted(|| {
            let inside = handle.attach();
            allocate(1, 1);
            inside
        });
        allocate(1, 1);
        drop(attached);
        allocate(1, 1);
        drop(inside);
        allocate(1, 1);
    });
    let inside = uncounted(|| {
        let inside = handle.attach();
        allocate(1, 1);
        inside
    });
    allocate(1, 1);
    drop(inside);
    assert_eq!(scope.exit().alloc_count, 5);
}

/// What inherits its part must not be a scope that counts for itself in the uncounted stretch.
#[test]
fn a_guard_that_is_dropped_in_an_uncounted_stretch_leaves_nothing_to_those_inside() {
    let scope = AllocScope::enter();
    let handle = scope.handle();
    on_a_thread(|| {
        let attached = handle.attach();
        uncounted(|| {
            let first = handle.attach();
            let second = handle.attach();
            drop(attached);
            let held = black_box(Vec::<u8>::with_capacity(10));
            drop(first);
            allocate(1, 1);
            drop((held, second));
        });
        allocate(1, 1);
    });
    assert_eq!(numbers(scope.exit()), (2, 2, 11, 11));
}

#[test]
fn a_scope_that_has_ended_attaches_nobody_to_those_around_it() {
    let outer = AllocScope::enter();
    let inner = AllocScope::enter();
    let handle = inner.handle();
    drop(inner);
    on_a_thread(|| {
        let attached = handle.attach();
        handle.attach_thread();
        allocate(1, 1);
        drop(attached);
        allocate(1, 1);
    });
    assert_eq!(outer.exit().alloc_count, 0);
}

#[test]
fn attached_threads_count_in_the_scopes_around_too() {
    let outermost = AllocScope::enter();
    let outer = AllocScope::enter();
    let (_, around) = measure(|| {
        uncounted(|| {
            let inner = AllocScope::enter();
            let handle = inner.handle();
            on_a_thread(handle.wrap(|| allocate(1, 10)));
            assert_eq!(inner.exit().alloc_count, 1);
        });
    });
    assert_eq!(around.alloc_count, 0);
    let inner = AllocScope::enter();
    let (handle, of_outer) = (inner.handle(), outer.handle());
    on_a_thread(|| {
        of_outer.run(|| {
            allocate(1, 100);
            handle.run(|| allocate(1, 1_000));
        });
    });
    on_a_thread(|| {
        let _attached = handle.attach();
        let own = AllocScope::enter();
        allocate(1, 10_000);
        // And so on, from thread to thread.
        let of_own = own.handle();
        on_a_thread(|| of_own.run(|| allocate(1, 100_000)));
        assert_eq!(own.exit().total_bytes, 110_000);
    });
    assert_eq!(inner.exit().total_bytes, 111_000);
    assert_eq!(outer.exit().total_bytes, 111_100);
    assert_eq!(outermost.exit().total_bytes, 111_100);
}

#[test]
fn the_peak_is_that_of_all_threads_together() {
    let scope = AllocScope::enter();
    let held = black_box(Vec::<u8>::with_capacity(1_000));
    let handle = scope.handle();
    let both = &Barrier::new(2);
    with_threads(|threads| {
        for _ in 0..2 {
            threads.spawn(handle.wrap(|| {
                let held = black_box(Vec::<u8>::with_capacity(500));
                both.wait();
                drop(held);
                both.wait();
                allocate(10, 400);
            }));
        }
    });
    assert_eq!(scope.stats().peak_bytes, 2_000);
    drop(held);
    assert_eq!(scope.stats().current_bytes, 0);
    // One thread frees what another has allocated.
    let inner = AllocScope::enter();
    let handle = inner.handle();
    let block = black_box(Vec::<u8>::with_capacity(4_000));
    on_a_thread(handle.wrap(move || drop(block)));
    let block = on_a_thread(handle.wrap(|| black_box(Vec::<u8>::with_capacity(3_000))));
    drop(block);
    let stats = inner.exit();
    assert_eq!((stats.peak_bytes, stats.current_bytes), (4_000, 0));
}

#[test]
fn a_budget_holds_attached_threads_too() {
    let work = |times: usize| {
        let handle = AllocScope::current().expect("the budget");
        on_a_thread(handle.wrap(|| allocate(times, 100)));
        allocate(1, 100);
    };
    for call_sites in [false, true] {
        let budget = Budget::new().max(5).max_peak_bytes(100).call_sites(call_sites);
        budget.check(|| work(4)).expect("it holds");
        let exceeded = budget.check(|| work(5)).expect_err("one too many");
        assert_eq!((exceeded.stats().alloc_count, exceeded.stats().peak_bytes), (6, 100));
        let budget = Budget::new().max_peak_bytes(99).call_sites(call_sites);
        budget.check(|| work(1)).expect_err("one byte too many");
    }
}

#[test]
fn call_sites_of_attached_threads_are_in_the_report() {
    needs_call_sites!();
    #[inline(never)]
    fn in_a_worker() {
        drop(black_box(Vec::<u8>::with_capacity(9_876)));
    }
    const LINE: u32 = line!() - 2;
    let scope = AllocScope::with_call_sites();
    let handle = scope.handle();
    allocate(2, 1);
    on_a_thread(|| {
        for _ in 0..3 {
            handle.run(in_a_worker);
        }
    });
    on_a_thread(|| {
        handle.attach_thread();
        in_a_worker();
        uncounted(in_a_worker);
    });
    let sites = scope.call_sites();
    assert_eq!(sites.alloc_count(), scope.stats().alloc_count);
    let is_worker = |site: &&mod_alloc::Site| site.total_bytes() / site.alloc_count() == 9_876;
    let count: u64 = sites.sites().iter().filter(is_worker).map(|s| s.alloc_count()).sum();
    assert_eq!(count, 4, "{sites:#}");
    for site in sites.sites().iter().filter(is_worker) {
        let first = site.user_frames().next().expect("the worker's own line");
        assert!(first.file().is_some_and(|file| file.ends_with("attribution.rs")), "{first:?}");
        assert_eq!(first.line(), Some(LINE), "{first:?}");
    }
}

#[test]
fn the_first_allocation_past_a_budget_may_be_a_workers() {
    needs_call_sites!();
    let budget = Budget::new().max(3);
    let exceeded = budget
        .check(|| {
            allocate(2, 1);
            let handle = AllocScope::current().expect("the budget");
            on_a_thread(handle.wrap(|| (0..7).for_each(|n| drop(black_box(Box::new(n))))));
        })
        .expect_err("nine");
    let text = exceeded.to_string();
    assert!(
        text.contains("allocation 4, the first past the budget: tests/attribution.rs:"),
        "{text}"
    );
}

#[test]
fn tasks_count_at_each_poll_and_where_they_are_dropped() {
    let scope = AllocScope::enter();
    let handle = scope.handle();
    let waker = uncounted(waker::idle);
    let mut future = pin!(handle.instrument(async {
        let held = black_box(Vec::<u8>::with_capacity(10));
        yield_now().await;
        allocate(1, 100);
        drop(held);
    }));
    for is_ready in [false, true] {
        on_a_thread(|| {
            allocate(50, 5);
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            assert_eq!(polled.is_ready(), is_ready);
            allocate(50, 5);
        });
    }
    assert_eq!(numbers(scope.stats()), (2, 2, 110, 110));
    // This one is cancelled. What it held is freed in the scope, wherever it is dropped.
    let mut cancelled = uncounted(|| {
        Box::pin(handle.instrument(async {
            let _held = black_box(Vec::<u8>::with_capacity(1_000));
            yield_now().await;
        }))
    });
    assert!(cancelled.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(scope.stats().current_bytes, 1_000);
    on_a_thread(|| {
        allocate(1, 1);
        drop(cancelled);
    });
    assert_eq!(scope.stats().dealloc_count, 3);
    drop(waker);
}

#[test]
fn a_task_that_panics_is_counted_up_to_there() {
    let scope = AllocScope::enter();
    let handle = scope.handle();
    let waker = uncounted(waker::idle);
    on_a_thread(|| {
        let mut future = Box::pin(handle.instrument(async {
            allocate(1, 10);
            std::panic::resume_unwind(Box::new(()));
        }));
        let poll = || future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)).expect_err("it panics");
        allocate(50, 5);
    });
    let counted = scope.stats().alloc_count;
    assert!((1..40).contains(&counted), "{counted}");
    on_a_thread(|| allocate(5, 5));
    assert_eq!(scope.stats().alloc_count, counted);
    uncounted(|| drop(waker));
}

#[test]
fn a_future_that_is_held_to_a_budget_hands_out_handles() {
    let waker = uncounted(waker::idle);
    let work = |times: usize| async move {
        allocate(1, 10);
        yield_now().await;
        let handle = AllocScope::current().expect("the future's budget");
        allocate(1, 1_000);
        on_a_thread(handle.wrap(|| allocate(times, 100)));
        yield_now().await;
        on_a_thread(|| {
            let _attached = handle.attach();
            allocate(1, 1);
            // It runs between the polls of the future, too.
        });
        allocate(1, 10);
    };
    for call_sites in [false, true] {
        for (max, holds) in [(7, true), (6, false)] {
            let budget = Budget::new().max(max).max_peak_bytes(1_000).call_sites(call_sites);
            let mut future = uncounted(|| Box::pin(budget.check_future(work(3))));
            let mut result = None;
            while result.is_none() {
                allocate(20, 20);
                let poll = |future: &mut std::pin::Pin<_>| {
                    Future::poll(std::pin::Pin::as_mut(future), &mut Context::from_waker(&waker))
                };
                if let Poll::Ready(ready) = poll(&mut future) {
                    result = Some(ready);
                }
            }
            let result = result.expect("ready");
            assert_eq!(result.is_ok(), holds);
            if let Err(exceeded) = result {
                let stats = exceeded.stats();
                assert_eq!(numbers(stats), (7, 7, 10 + 1_000 + 300 + 1 + 10, 1_000));
                let text = exceeded.to_string();
                let is_found = call_sites && call_sites_are_here::call_sites_are_here();
                assert_eq!(text.contains("allocation 7, the first past"), is_found, "{text}");
            }
        }
    }
}

/// On a thread that is attached to its scope, a future counts once. A guard that outlives a poll
/// goes on counting.
#[test]
fn a_future_and_a_guard_of_its_scope_on_one_thread_count_each_event_once() {
    let waker = uncounted(waker::idle);
    let shared = &std::sync::Mutex::new(None);
    let budget = Budget::new().exact(0).max_peak_bytes(0).max_retained(0).call_sites(false);
    let mut future = pin!(budget.check_future(async {
        *shared.lock().expect("no panic") = AllocScope::current();
        yield_now().await;
        allocate(1, 10);
        let block = black_box(Vec::<u8>::with_capacity(100));
        let attached = AllocScope::current().expect("the budget").attach();
        std::mem::forget(attached);
        yield_now().await;
        drop(block);
    }));
    let mut poll = || future.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(poll().is_pending());
    let handle = shared.lock().expect("no panic").take().expect("the budget");
    let attached = handle.attach();
    assert!(poll().is_pending());
    drop(attached);
    let held = black_box(Vec::<u8>::with_capacity(1_000));
    let Poll::Ready(Err(exceeded)) = poll() else { panic!("three allocations") };
    drop(held);
    assert_eq!(numbers(exceeded.stats()), (3, 2, 1_110, 1_100));
    assert_eq!(exceeded.retained_count(), Some(1));
    drop(uncounted(|| waker));
}

#[alloc_budget(max = 6, call_sites = false)]
async fn budgeted(times: usize) {
    yield_now().await;
    let handle = AllocScope::current().expect("the budget of the function");
    on_a_thread(handle.wrap(|| allocate(times, 1)));
    yield_now().await;
}

#[test]
fn async_functions_with_a_budget_hand_out_handles() {
    let run = |times| {
        let waker = uncounted(waker::idle);
        let mut future = Box::pin(budgeted(times));
        while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {}
    };
    run(6);
    std::panic::catch_unwind(|| run(7)).expect_err("one too many");
}

/// It does not raise the peak of what is over either, and nothing of it is a leak there.
#[test]
fn what_an_async_function_drops_after_its_body_is_neither_in_the_peak_nor_retained() {
    struct Allocates;
    impl Drop for Allocates {
        fn drop(&mut self) {
            std::mem::forget(black_box(Vec::<u8>::with_capacity(1_000)));
        }
    }
    #[alloc_budget(max = 1, max_peak_bytes = 10, call_sites = false)]
    async fn is_shared(late: Allocates) {
        black_box(&late);
        let handle = AllocScope::current().expect("the budget");
        on_a_thread(handle.wrap(|| allocate(1, 10)));
    }
    #[alloc_budget(max_retained = 0, call_sites = false)]
    async fn is_not(late: Allocates) {
        black_box(&late);
    }
    let waker = uncounted(waker::idle);
    // While something records, every event is looked at.
    let _recording = AllocScope::with_call_sites();
    let mut shared = pin!(is_shared(Allocates));
    assert!(shared.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    let mut not = pin!(is_not(Allocates));
    assert!(not.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
}

#[test]
fn guards_that_outlive_a_poll_count_until_the_last_is_dropped() {
    let (waker, guards) = (uncounted(waker::idle), Cell::new(None));
    let mut future = pin!(Budget::new().exact(0).call_sites(false).check_future(async {
        let handle = AllocScope::current().expect("the budget");
        guards.set(Some((handle.attach(), handle.attach())));
        yield_now().await;
    }));
    let mut poll = || future.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(poll().is_pending());
    let (first, second) = guards.take().expect("from the poll");
    drop(second);
    allocate(1, 1);
    drop(first);
    allocate(1, 1);
    let Poll::Ready(Err(exceeded)) = poll() else { panic!("one allocation") };
    assert_eq!(exceeded.stats().alloc_count, 1);
}

/// The arguments of the function are dropped when the count has ended.
#[test]
fn an_async_function_that_is_over_is_no_current_scope() {
    struct Asks<'a>(&'a Cell<Option<bool>>);
    impl Drop for Asks<'_> {
        fn drop(&mut self) {
            self.0.set(Some(AllocScope::current().is_none()));
        }
    }
    #[alloc_budget(max = 0, call_sites = false)]
    async fn takes(late: Asks<'_>) {
        black_box(&late);
    }
    let (waker, is_none) = (uncounted(waker::idle), Cell::new(None));
    let mut future = pin!(takes(Asks(&is_none)));
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    assert_eq!(is_none.get(), Some(true));
}

#[test]
fn after_the_end_of_a_scope_nothing_counts_and_nothing_breaks() {
    let scope = AllocScope::enter();
    let handle = scope.handle();
    let (has_attached, was_attached) = channel();
    let (go_on, goes_on) = channel::<()>();
    let worker = {
        let handle = handle.clone();
        thread::spawn(move || {
            let attached = handle.attach();
            allocate(1, 1);
            handle.attach_thread();
            // A channel allocates for a thread that waits, which may be before or after the end.
            uncounted(|| {
                has_attached.send(()).expect("the other end is there");
                goes_on.recv().expect("the other end is there");
            });
            allocate(100, 1);
            drop(attached);
            allocate(100, 1);
            handle.run(|| allocate(100, 1));
            let (_, own) = measure(|| allocate(10, 1));
            own.alloc_count
        })
    };
    was_attached.recv().expect("attached");
    let before = scope.stats();
    let stats = scope.exit();
    assert_eq!(stats.alloc_count, before.alloc_count);
    // A later scope sees nothing of it, though it may well get the same place.
    let later = AllocScope::enter();
    let of_later = later.handle();
    let own = uncounted(|| {
        go_on.send(()).expect("it waits");
        worker.join().expect("it ends well")
    });
    assert_eq!(own, 10);
    of_later.run(|| allocate(1, 1));
    on_a_thread(|| {
        handle.attach_thread();
        let _attached = handle.attach();
        allocate(1, 1);
    });
    assert_eq!(later.exit().alloc_count, 1);
}

#[test]
fn there_is_no_current_scope_where_nothing_counts() {
    assert!(AllocScope::current().is_none());
    let scope = AllocScope::enter();
    assert!(uncounted(|| AllocScope::current().is_none()));
    let handle = AllocScope::current().expect("a scope");
    on_a_thread(|| {
        assert!(AllocScope::current().is_none());
        handle.run(|| {
            let again = AllocScope::current().expect("attached");
            on_a_thread(again.wrap(|| allocate(1, 1)));
        });
    });
    // A scope that has ended is not the current one, though a guard of it is still there.
    let inner = AllocScope::enter();
    let attached = inner.handle().attach();
    drop(inner);
    let outer = AllocScope::current().expect("the outer scope");
    on_a_thread(outer.wrap(|| allocate(1, 1)));
    drop(attached);
    assert_eq!(scope.exit().alloc_count, 2);
    assert!(AllocScope::current().is_none());
}

#[test]
fn handles_count_nowhere() {
    let (_, stats) = measure(|| {
        let scope = AllocScope::enter();
        let handles: [ScopeHandle; 3] = [(); 3].map(|()| scope.handle());
        handles[0].run(|| ());
        let clone = handles[1].clone();
        drop((scope, handles, clone));
    });
    assert_eq!(stats, AllocStats::default());
}

/// It takes time by the square of their number. By the cube, it would take minutes.
#[test]
fn a_handle_inside_thousands_of_scopes_is_made_in_no_time() {
    handle_inside_thousands_of_scopes();
    let scope = AllocScope::enter();
    let handle = scope.handle();
    // On such a thread, a scope may be around twice.
    on_a_thread(|| handle.run(handle_inside_thousands_of_scopes));
}

fn handle_inside_thousands_of_scopes() {
    let start = std::time::Instant::now();
    let mut scopes: Vec<_> = (0..3_000).map(|_| AllocScope::enter()).collect();
    let handle = scopes[2_999].handle();
    uncounted(|| thread::spawn(handle.wrap(|| drop(black_box(vec![1]))))).join().expect("it ends");
    let counts = [0, 1_500, 2_999].map(|scope: usize| scopes[scope].stats().alloc_count);
    assert_eq!(counts, [1; 3]);
    drop(handle);
    while let Some(scope) = scopes.pop() {
        drop(scope);
    }
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
