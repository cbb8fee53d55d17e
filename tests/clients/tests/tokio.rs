//! tokio: budgets on async tests and on spawned tasks, with one worker or several.
//!
//! A budget on an `async fn` counts what its own polls allocate. It does not count the set-up of
//! the runtime, other tasks that the same thread runs in between, or what another thread does.
//! `#[alloc_budget]` stands above `#[tokio::test]`.
//!
//! Tasks that suspend do so by [`again`], and not by `tokio::task::yield_now`, which allocates in
//! the poll that calls it.

use std::cell::Cell;
use std::future::{pending, poll_fn, Future};
use std::hint::black_box;
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{mpsc, Arc, Mutex};
use std::task::{Context, Poll};
use std::thread::{self, ThreadId};

use mod_alloc::{alloc_budget, assert_no_alloc, AllocScope, Budget, ModAlloc};
use tokio::task::{block_in_place, JoinSet};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Makes one allocation of 8 bytes.
fn allocate() -> Box<u64> {
    black_box(Box::new(black_box(7)))
}

/// Suspends once, wakes its task by itself, and allocates nothing.
async fn again() {
    let mut suspended = false;
    poll_fn(|cx| {
        if suspended {
            return Poll::Ready(());
        }
        suspended = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Allocates once in each of its polls, of which there are `polls`.
async fn allocate_in_each_poll(polls: u64) -> u64 {
    let mut sum = *allocate();
    for _ in 1..polls {
        again().await;
        sum += *allocate();
    }
    sum
}

/// A task that suspends and allocates for ever.
async fn noise(events: Arc<AtomicU64>) {
    loop {
        allocate();
        events.fetch_add(1, Relaxed);
        again().await;
    }
}

#[alloc_budget(exact = 1, max_bytes = 8)]
#[tokio::test]
async fn the_runtime_of_the_test_is_not_charged() {
    allocate();
}

#[alloc_budget(exact = 10, max_bytes = 80, max_peak_bytes = 8)]
#[tokio::test]
async fn every_poll_is_counted() {
    assert_eq!(allocate_in_each_poll(10).await, 70);
}

#[alloc_budget(exact = 10, max_bytes = 80, max_peak_bytes = 8)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_poll_is_counted_beside_two_workers() {
    assert_eq!(allocate_in_each_poll(10).await, 70);
}

#[alloc_budget(max = 9)]
#[tokio::test]
#[should_panic(expected = "allocation budget exceeded: one_poll_too_many_breaks_the_budget")]
async fn one_poll_too_many_breaks_the_budget() {
    allocate_in_each_poll(10).await;
}

#[alloc_budget(max = 0)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "allocations       0         1  +1")]
async fn a_broken_budget_fails_the_test_on_several_workers_too() {
    again().await;
    allocate();
}

#[alloc_budget(exact = 1)]
#[tokio::test]
async fn a_test_may_return_a_result() -> Result<(), std::num::ParseIntError> {
    let number: u64 = "7".parse()?;
    assert_eq!(*allocate(), number);
    Ok(())
}

#[alloc_budget(max = 0)]
#[tokio::test]
#[should_panic(expected = "allocation budget exceeded")]
async fn a_budget_is_checked_when_the_test_returns_early() {
    if *allocate() == 7 {
        return;
    }
    pending::<()>().await;
}

#[alloc_budget(max = 0, warmup = 1, runs = 3)]
#[tokio::test]
async fn a_warm_up_run_of_an_async_test_is_not_charged() {
    thread_local!(static WARM: Cell<bool> = const { Cell::new(false) });
    again().await;
    if !WARM.replace(true) {
        allocate();
    }
}

/// Both tasks run on this one thread, turn by turn.
#[tokio::test]
async fn a_noisy_task_on_the_same_thread_is_not_charged() {
    let events = Arc::new(AtomicU64::new(0));
    let noisy = tokio::spawn(noise(Arc::clone(&events)));
    let scope = AllocScope::enter();
    let exceeded =
        Budget::new().exact(99).check_future(allocate_in_each_poll(20)).await.unwrap_err();
    let everything = scope.exit().alloc_count;
    noisy.abort();

    assert_eq!(exceeded.stats().alloc_count, 20);
    // The tasks took turns 19 times. A scope that is held across `.await` counts them both.
    assert!(events.load(Relaxed) >= 19);
    assert_eq!(everything, 20 + events.load(Relaxed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_of_many_tasks_on_two_workers_do_not_mix() {
    let events = Arc::new(AtomicU64::new(0));
    let noisy = tokio::spawn(noise(events));
    let mut tasks = JoinSet::new();
    for polls in 1..=50 {
        let budget = Budget::new().exact(polls).max_bytes(8 * polls).max_peak_bytes(8);
        tasks.spawn(budget.check_future(allocate_in_each_poll(polls)));
    }
    while let Some(held) = tasks.join_next().await {
        held.unwrap().unwrap();
    }
    noisy.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_task_that_breaks_its_budget_is_the_one_that_fails() {
    let budget = Budget::new().max(3);
    let thrifty = tokio::spawn(budget.check_future(allocate_in_each_poll(3)));
    let greedy = tokio::spawn(budget.check_future(allocate_in_each_poll(4)));
    let enforced = tokio::spawn(budget.enforce_future(allocate_in_each_poll(5)));

    assert_eq!(thrifty.await.unwrap().unwrap(), 21);
    assert_eq!(greedy.await.unwrap().unwrap_err().stats().alloc_count, 4);
    let panic = enforced.await.unwrap_err().into_panic();
    let report = panic.downcast_ref::<String>().unwrap();
    assert!(report.contains("allocations       3         5  +2"), "{report}");
}

/// There is one worker, whose thread gives the runtime away after each poll: `block_in_place` hands
/// it to another thread, and does not return before that one has run a task. So no two polls in a
/// row are on the same thread. What the move itself allocates is outside the budget.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_task_that_moves_between_threads_is_counted_on_all_of_them() {
    let threads = Arc::new(Mutex::new(Vec::<ThreadId>::new()));
    let seen = Arc::clone(&threads);
    let task = async move {
        let mut measured = pin!(Budget::new().exact(99).check_future(allocate_in_each_poll(5)));
        poll_fn(move |cx| {
            let polled = measured.as_mut().poll(cx);
            seen.lock().unwrap().push(thread::current().id());
            let (other_thread, runs) = mpsc::channel();
            tokio::spawn(async move { other_thread.send(()) });
            block_in_place(|| runs.recv().unwrap());
            polled
        })
        .await
    };
    let exceeded = tokio::spawn(task).await.unwrap().unwrap_err();
    let stats = exceeded.stats();
    assert_eq!((stats.alloc_count, stats.total_bytes, stats.peak_bytes), (5, 40, 8));
    assert_eq!((stats.dealloc_count, stats.live_count), (5, 0));

    let threads = threads.lock().unwrap();
    assert_eq!(threads.len(), 5);
    assert!(threads.windows(2).all(|pair| pair[0] != pair[1]), "{threads:?}");
}

/// This budget cannot hold, so a check at the wrong moment would show.
#[alloc_budget(exact = 99)]
async fn allocates_and_never_ends() {
    allocate();
    pending().await
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> bool {
    future.poll(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
}

/// There are one allocation for the `Box` of the inner future, one in its only poll, one in the
/// same poll of the outer future after the inner one is gone, and one in the next poll. The
/// cancelled future is never checked, and its end does not end the count of the one around it.
#[alloc_budget(exact = 4)]
#[tokio::test]
async fn a_measured_future_that_is_cancelled_leaves_the_outer_count_alone() {
    let mut inner = Box::pin(allocates_and_never_ends());
    assert!(!poll_once(inner.as_mut()));
    drop(inner);
    allocate();
    again().await;
    allocate();
}

/// The inner future is polled in one poll of the outer and cancelled in a later one.
#[alloc_budget(exact = 5)]
#[tokio::test]
async fn a_measured_future_may_be_cancelled_in_a_later_poll_of_the_outer() {
    let inner = Budget::new().max(0).check_future(allocate_in_each_poll(1_000));
    {
        let mut inner = pin!(inner);
        for _ in 0..3 {
            assert!(!poll_once(inner.as_mut()));
            again().await;
        }
        assert!(!poll_once(inner.as_mut()));
    }
    allocate();
}

/// What the task allocates counts for the task. What it takes to start and join the task counts for
/// the test that does so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_aborted_in_the_middle_of_its_budget_disturbs_no_other() {
    let (polled, first_poll) = tokio::sync::oneshot::channel();
    let doomed = tokio::spawn(async {
        let _ = polled.send(());
        allocates_and_never_ends().await;
    });
    first_poll.await.unwrap();
    doomed.abort();
    assert!(doomed.await.unwrap_err().is_cancelled());
    let after = tokio::spawn(Budget::new().exact(5).check_future(allocate_in_each_poll(5)));
    after.await.unwrap().unwrap();
}

/// A block between two `.await`s is on one thread and in one poll, so `assert_no_alloc!` is right
/// there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_within_an_async_test_are_counted_by_themselves() {
    let mut buffer = Vec::with_capacity(2);
    for n in 0..2 {
        again().await;
        assert_no_alloc!({ buffer.push(n) }, "pushing {n}");
    }
    assert_eq!(buffer, [0, 1]);
}

#[alloc_budget(max = 1)]
mod a_module {
    use super::allocate;

    #[tokio::test]
    async fn holds_each_test_to_its_polls() {
        allocate();
    }

    #[tokio::test]
    #[should_panic(expected = "allocation budget exceeded: a_module::breaks_it")]
    async fn breaks_it() {
        drop((allocate(), allocate()));
    }
}
